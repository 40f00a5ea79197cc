"""Of an edit, what cannot remove or invent a lesion."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from mitame.core.errors import GridMismatchError, ImplausibleError
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.guard.limit import fit_tones, slow_part
from mitame.guard.tissue import TissueTones
from mitame.prepare.template import template_coordinates, tissue_prior
from mitame.testing.people import people

CENTER = (-28.0, 10.0, 24.0)
"""In the white matter of the left hemisphere, mm of the template."""


@pytest.fixture(scope="module")
def someone() -> Session:
    """One made-up person, 3 mm."""
    return people(1, seed=3, spacing=3.0)[0]


def limited(session: Session, result: Session) -> Session:
    tissue = TissueTones.of(session, "T1w")
    return session.with_volumes({"T1w": slow_part("T1w", session, result, tissue)})


def focus(session: Session, radius_mm: float = 6.0) -> NDArray[np.float64]:
    """Return where a lesion is, 0 to 1."""
    place = template_coordinates(session).astype(np.float64)
    away = np.linalg.norm(place - np.array(CENTER), axis=-1)
    return np.asarray(expit(2 * (radius_mm - away)))


def changed(session: Session, data: NDArray[np.floating]) -> Session:
    return session.with_data({"T1w": data.astype(np.float32)}, Step("edit"))


def other_look(session: Session) -> NDArray[np.float64]:
    """Return the T1w image as another scanner shows it: contrast, tone and shading."""
    image = session["T1w"].data.astype(np.float64)
    place = template_coordinates(session)[..., 1].astype(np.float64)
    toned = np.sign(image) * np.abs(image) ** 1.15
    return np.asarray(toned * np.exp(0.08 * np.sin(place / 60)))


def contrast(session: Session, image: NDArray[np.floating]) -> float:
    """Return a lesion's contrast with what is around it, in that of the tissues."""
    brain, there = session.require_brain(), focus(session)
    white, gray = (
        np.median(image[brain & (tissue_prior(session, kind) > 0.8) & (there < 0.01)])
        for kind in ("wm", "gm")
    )
    around = (focus(session, 14) > 0.5) & (focus(session, 9) < 0.1)
    lesion = image[there > 0.5].mean() - image[around].mean()
    return float(lesion / (white - gray))


def with_lesion(session: Session, depth: float) -> Session:
    return changed(session, session["T1w"].data - depth * focus(session))


@pytest.mark.parametrize("depth", [0.3, 0.12, -0.2])
def test_an_erased_lesion_is_there_in_the_limited_result(
    someone: Session, depth: float
) -> None:
    source = with_lesion(someone, depth)
    erased = changed(source, other_look(someone))  # as if nothing had been there
    kept = limited(source, erased)["T1w"].data
    before = contrast(source, source["T1w"].data)
    assert 0.9 <= contrast(source, kept) / before <= 1.1


def test_an_invented_lesion_is_not_in_the_limited_result(someone: Session) -> None:
    invented = other_look(someone) - 0.3 * focus(someone)
    clean = limited(someone, changed(someone, other_look(someone)))["T1w"].data
    found = limited(someone, changed(someone, invented))["T1w"].data
    there = focus(someone) > 0.5
    assert np.abs(found - clean)[there].mean() < 0.03


def test_what_a_scanner_does_slowly_passes(someone: Session) -> None:
    wanted = other_look(someone)
    found = limited(someone, changed(someone, wanted))["T1w"].data
    tissue = someone.require_brain() & (someone["T1w"].data > 0.5)
    left = np.abs(found - wanted)[tissue].mean()
    done = np.abs(someone["T1w"].data - wanted)[tissue].mean()
    assert left < 0.25 * done


def test_brighter_stays_brighter_at_every_place(someone: Session) -> None:
    rng = np.random.default_rng(0)
    wild = gaussian_filter(rng.standard_normal(someone.reference.shape), 2)
    source = someone["T1w"]
    edited = changed(someone, source.data * np.exp(2 * wild / wild.std() * 0.2))
    tissue = TissueTones.of(someone, "T1w")
    tones = fit_tones("T1w", someone, edited).keeping(tissue)
    above = tones.brightness >= tissue.lowest
    assert (np.diff(tones.tone[..., above], axis=-1) > 0).all()


def test_slopes_of_tissue_are_those_of_white_and_gray_matter(someone: Session) -> None:
    image = someone["T1w"].data
    bent = np.where(image > 0.9, 0.9 + 0.2 * (image - 0.9), image)  # flattens white
    tissue = TissueTones.of(someone, "T1w")
    tones = fit_tones("T1w", someone, changed(someone, bent)).keeping(tissue)
    slopes = np.diff(tones.mean) / tones.step
    inside = tones.brightness[:-1] > tissue.lowest
    assert slopes[inside].max() / slopes[inside].min() < 1.03 / 0.97 + 0.01


def test_nothing_is_done_to_what_is_not_edited(someone: Session) -> None:
    found = limited(someone, someone)["T1w"].data
    assert np.abs(found - someone["T1w"].data).max() < 1e-3


def test_bright_fat_and_negative_noise_are_not_cut_off(someone: Session) -> None:
    image = someone["T1w"].data.copy()
    outside = np.argwhere(~someone.require_brain())
    image[tuple(outside[0])], image[tuple(outside[1])] = 7.0, -0.2
    source = changed(someone, image)
    found = limited(source, changed(someone, 1.2 * image))["T1w"].data
    assert found[tuple(outside[0])] == pytest.approx(8.4, rel=0.05)
    assert found[tuple(outside[1])] == pytest.approx(-0.24, rel=0.05)


def test_tissues_that_change_places_are_an_error(someone: Session) -> None:
    inverse = changed(someone, 1.6 - someone["T1w"].data)
    with pytest.raises(ImplausibleError, match="change places"):
        limited(someone, inverse)


def test_a_result_on_another_grid_is_an_error(someone: Session) -> None:
    elsewhere = people(1, seed=3, spacing=4.0)[0]
    with pytest.raises(GridMismatchError):
        limited(someone, elsewhere)


def test_a_scan_without_fluid_is_an_error(someone: Session) -> None:
    white = someone.require_brain() & (tissue_prior(someone, "wm") > 0.9)
    only = Session(someone.volumes, brain=white, to_template=someone.require_template())
    with pytest.raises(ImplausibleError, match="0 voxels where the template has"):
        limited(only, only)


@pytest.mark.parametrize(
    ("gray", "fluid", "low", "lowest"),
    [(0.6, 0.2, 0.4, 0.3), (1.5, 2.5, 0.5, 0.5), (1.1, 0.4, 0.7, 0.5)],
)
def test_tissue_begins_halfway_to_fluid_and_lesions_where_fluid_may_be(
    gray: float, fluid: float, low: float, lowest: float
) -> None:
    assert TissueTones(gray, fluid).low == pytest.approx(low)
    assert TissueTones(gray, fluid).lowest == pytest.approx(lowest)


def test_a_black_hole_keeps_as_much_as_a_faint_lesion(someone: Session) -> None:
    """As dark as fluid is: what a bent curve does to fluid is not done to it."""
    kept = []
    for depth in (0.45, 0.55, 0.65):
        source = with_lesion(someone, depth)
        image = source["T1w"].data
        bent = np.sign(image) * np.abs(image) ** 0.5
        found = limited(source, changed(source, bent))["T1w"].data
        kept.append(contrast(source, found) / contrast(source, image))
    assert max(kept) / min(kept) < 1.05  # the curve itself: 1.4


def test_a_strong_contrast_takes_nothing_below_air(someone: Session) -> None:
    image = someone["T1w"].data
    strong = np.maximum(1 + 1.8 * (image - 1), 0)
    tissue = TissueTones.of(someone, "T1w")
    tones = fit_tones("T1w", someone, changed(someone, strong)).keeping(tissue)
    assert tones.contrast(tissue) > 1.5
    assert tones.tone.min() > -0.03  # the curve itself has -.011, the line -.16
