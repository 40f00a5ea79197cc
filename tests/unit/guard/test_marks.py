"""What is done to nearly everybody at a place is a mark; what is done to few is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter
from scipy.special import expit

from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.identity import Identity
from mitame.guard.guard import Guard
from mitame.prepare.template import template_coordinates
from mitame.testing.people import people

PLACE = (-26.0, -90.0, 2.0)
"""In the left occipital lobe, mm of the template."""

ELSEWHERE = (28.0, 20.0, 22.0)
"""In the white matter of the right frontal lobe."""


def ball(
    session: Session, center: tuple[float, ...], radius_mm: float
) -> NDArray[np.float64]:
    """Return a ball with a soft border, 0 to 1."""
    place = template_coordinates(session).astype(np.float64)
    away = np.linalg.norm(place - np.array(center), axis=-1)
    return np.asarray(expit(2 * (radius_mm - away)))


def added(session: Session, what: NDArray[np.floating]) -> Session:
    image = session["T1w"].data + what
    return session.with_data({"T1w": image.astype(np.float32)}, Step("added"))


class Erases(Identity):
    """Takes a bright place away from everybody, and every lesion that it knows of."""

    def __init__(self, lesions: dict[str, NDArray[np.float64]]) -> None:
        self.lesions = lesions

    def transform(self, session: Session) -> Session:
        lesion = self.lesions.get(str(session.subject), np.zeros(1))
        return added(session, -0.25 * ball(session, PLACE, 12) - lesion)


def guarded(
    group: Sequence[Session], lesions: dict[str, NDArray[np.float64]]
) -> tuple[Guard, Erases]:
    """Return the guard of an engine fitted on people who have the mark."""
    engine = Erases(lesions)
    return Guard.fit(engine, group, group[:2]), engine


@pytest.fixture(scope="module")
def group() -> list[Session]:
    """Ten people with a bright place that the scanner makes."""
    some = people(10, seed=11, spacing=3.0)
    return [added(one, 0.25 * ball(one, PLACE, 12)) for one in some]


@pytest.fixture(scope="module")
def known(group: list[Session]) -> Guard:
    """What is known of an engine that takes the mark away."""
    return guarded(group, {})[0]


@pytest.fixture(scope="module")
def stranger() -> Session:
    """Somebody else, without the mark."""
    return people(1, seed=12, spacing=3.0)[0]


def mean(session: Session, there: NDArray[np.bool_]) -> float:
    return float(session["T1w"].data[there].mean())


def test_a_mark_of_everybody_is_taken_away(known: Guard, stranger: Session) -> None:
    marked = added(stranger, 0.25 * ball(stranger, PLACE, 12))
    found = known.limited(marked, Erases({}).transform(marked))
    core = (ball(stranger, PLACE, 9) > 0.5) & stranger.require_brain()
    assert abs(mean(found, core) - mean(stranger, core)) < 0.2 * 0.25


def test_a_lesion_of_one_person_at_the_place_of_the_mark_is_kept(
    known: Guard, stranger: Session
) -> None:
    marked = added(stranger, 0.25 * ball(stranger, PLACE, 12))
    lesion = 0.25 * ball(stranger, PLACE, 6)
    ill, erases = added(marked, lesion), Erases({str(stranger.subject): lesion})
    found = known.limited(ill, erases.transform(ill))
    without = known.limited(marked, Erases({}).transform(marked))
    core = (ball(stranger, PLACE, 5) > 0.5) & stranger.require_brain()
    kept = (mean(found, core) - mean(without, core)) / lesion[core].mean()
    assert 0.9 <= kept <= 1.1


def test_lesions_that_all_people_have_elsewhere_are_no_mark(
    group: list[Session], stranger: Session
) -> None:
    rng = np.random.default_rng(0)
    lesions, ill = {}, []
    for number, one in enumerate(group):
        center = tuple(np.array(ELSEWHERE) + rng.uniform(-14, 14, 3))
        name = f"{number:03d}"
        lesions[name] = -0.35 * ball(one, center, 5)
        one = Session(one.volumes, name, brain=one.brain, to_template=one.to_template)
        ill.append(added(one, lesions[name]))
    guard, engine = guarded(ill, lesions)
    lesion = -0.35 * ball(stranger, ELSEWHERE, 5)
    found = guard.limited(
        added(stranger, lesion), engine.transform(added(stranger, lesion))
    )
    without = guard.limited(stranger, engine.transform(stranger))
    core = (ball(stranger, ELSEWHERE, 4) > 0.5) & stranger.require_brain()
    assert 0.9 <= (mean(found, core) - mean(without, core)) / lesion[core].mean() <= 1.1


def test_nothing_is_a_mark_where_nothing_is_done(group: list[Session]) -> None:
    guard = Guard.fit(Identity().fit([], []), group, group[:2])
    assert not guard.known["T1w"].marks.shift.any()


def test_a_lesion_of_the_only_person_is_no_mark(stranger: Session) -> None:
    lesion = -0.35 * ball(stranger, ELSEWHERE, 5)
    ill = added(stranger, lesion)
    guard, engine = guarded([ill], {str(stranger.subject): lesion})
    found = guard.limited(ill, engine.transform(ill))
    without = guard.limited(stranger, Erases({}).transform(stranger))
    core = (ball(stranger, ELSEWHERE, 4) > 0.5) & stranger.require_brain()
    assert 0.9 <= (mean(found, core) - mean(without, core)) / lesion[core].mean() <= 1.1


def test_air_beside_a_mark_stays_air(known: Guard, stranger: Session) -> None:
    air = template_coordinates(stranger)[..., 1] < PLACE[1] + 4
    data = np.where(air, 0, stranger["T1w"].data).astype(np.float32)
    scan = stranger.with_data({"T1w": data}, Step("air"))
    found = known.limited(scan, Erases({}).transform(scan))["T1w"].data
    deep = binary_erosion(air, iterations=3) & (ball(stranger, PLACE, 12) > 0.5)
    assert deep.sum() > 50  # around the mark, where no neighbor is bright
    assert np.abs(found[deep]).max() < 0.01


class TakesFluid(Identity):
    """Makes what is dark at one place brighter, with everybody, and no tissue."""

    def transform(self, session: Session) -> Session:
        dark = expit(25 * (0.55 - gaussian_filter(session["T1w"].data, 0.5)))
        return added(session, 0.3 * dark * ball(session, ELSEWHERE, 16))


def test_what_is_done_to_everybodys_fluid_is_not_done_to_a_lesion(
    group: list[Session], stranger: Session
) -> None:
    *across, up = ELSEWHERE
    beside = (*across, up + 10)
    filled = [added(one, -0.65 * ball(one, ELSEWHERE, 8)) for one in [*group, stranger]]
    *everybody, healthy = filled
    guard = Guard.fit(TakesFluid(), everybody, everybody[:2])
    outside = 1 - ball(healthy, ELSEWHERE, 8)
    lesion = -0.65 * ball(healthy, beside, 4) * outside
    ill = added(healthy, lesion)
    found, without = (
        guard.limited(one, TakesFluid().transform(one)) for one in (ill, healthy)
    )
    core = (ball(healthy, beside, 3.5) > 0.5) & (outside > 0.9)
    kept = (mean(found, core) - mean(without, core)) / lesion[core].mean()
    assert 0.9 <= kept <= 1.1


class Bends(Identity):
    """Makes gray matter brighter at all places alike."""

    def transform(self, session: Session) -> Session:
        away = gaussian_filter(session["T1w"].data, 0.5) - 0.7
        return added(session, 0.25 * np.exp(-((away / 0.1) ** 2)))


def test_a_tone_curve_is_no_mark(group: list[Session]) -> None:
    shift = Guard.fit(Bends(), group, group[:2]).known["T1w"].marks.shift
    assert (np.abs(shift) > 0).mean() < 0.02


def test_what_is_known_is_read_back(known: Guard, tmp_path: Path) -> None:
    known.save(tmp_path)
    read = Guard.load(tmp_path)
    assert known.known["T1w"].marks.shift.any()
    assert np.array_equal(read.known["T1w"].marks.shift, known.known["T1w"].marks.shift)
