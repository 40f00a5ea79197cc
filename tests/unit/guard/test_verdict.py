"""Results that no scanner makes are found; those that one makes pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, shift
from scipy.special import expit

from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.identity import Identity
from mitame.guard.expected import Range
from mitame.guard.guard import Guard
from mitame.guard.scan_traits import without_each
from mitame.guard.verdict import WORDS, Focus, Reason, Verdict, worst
from mitame.prepare.template import template_coordinates, tissue_prior
from mitame.testing.people import people

SPACING = 3.0
CENTER = (-28.0, 10.0, 24.0)
"""In the white matter of the left hemisphere, mm of the template."""

Image = NDArray[np.float32]


def changed(session: Session, data: NDArray[np.floating]) -> Session:
    return session.with_data({"T1w": data.astype(np.float32)}, Step("edit"))


def lesion(session: Session, radius_mm: float = 4.0) -> Image:
    """Return a dark focus."""
    away = np.linalg.norm(template_coordinates(session) - CENTER, axis=-1)
    return np.asarray(-0.3 * expit(2 * (radius_mm - away)), np.float32)


class Toned(Identity):
    """Changes contrast and shading, blurs a little, and adds noise."""

    def transform(self, session: Session) -> Session:
        image = session["T1w"].data
        place = template_coordinates(session)[..., 1]
        toned = (
            np.sign(image) * np.abs(image) ** 1.15 * np.exp(0.06 * np.sin(place / 60))
        )
        noise = np.random.default_rng(int(1e6 * image.mean())).normal(
            0, 0.01, image.shape
        )
        return changed(session, gaussian_filter(toned, 0.3) + noise)


@pytest.fixture(scope="module")
def guard() -> Guard:
    """Of that engine, from eight people and four others."""
    some = people(12, seed=21, spacing=SPACING)
    return Guard.fit(Toned(), some[:8], some[8:])


@pytest.fixture(scope="module")
def strangers() -> list[Session]:
    return people(6, seed=22, spacing=SPACING)


def test_other_people_pass(guard: Guard, strangers: list[Session]) -> None:
    grades = [
        guard.judge(one, Toned().transform(one))["T1w"].grade for one in strangers
    ]
    assert grades == ["pass"] * 6


def test_a_lesion_that_the_engine_leaves_passes(
    guard: Guard, strangers: list[Session]
) -> None:
    ill = changed(strangers[0], strangers[0]["T1w"].data + lesion(strangers[0]))
    assert guard.judge(ill, Toned().transform(ill))["T1w"].grade == "pass"


def test_a_lesion_that_was_removed_is_named_with_its_place(
    guard: Guard, strangers: list[Session]
) -> None:
    healthy = strangers[0]
    ill = changed(healthy, healthy["T1w"].data + lesion(healthy))
    found = guard.judge(ill, Toned().transform(healthy))["T1w"]
    assert found.grade == "look"
    assert np.linalg.norm(np.subtract(found.foci[0].place, CENTER)) < 2 * SPACING
    assert found.foci[0].change > 0


def test_a_lesion_that_was_invented_is_named_with_its_place(
    guard: Guard, strangers: list[Session]
) -> None:
    healthy = strangers[1]
    result = Toned().transform(healthy)
    found = guard.judge(healthy, changed(result, result["T1w"].data + lesion(healthy)))
    assert found["T1w"].grade == "look"
    assert np.linalg.norm(np.subtract(found["T1w"].foci[0].place, CENTER)) < 2 * SPACING
    assert found["T1w"].foci[0].change < 0


def checkered(image: Image) -> Image:
    odd = np.indices(image.shape).sum(axis=0) % 2
    return image + np.where(odd, 0.06, -0.06).astype(np.float32)


def without_a_slice(image: Image) -> Image:
    found = image.copy()
    found[:, :, image.shape[2] // 2] = 0
    return found


def half_brighter(image: Image) -> Image:
    found = image.copy()
    found[: image.shape[0] // 2] *= 1.2
    return found


@pytest.mark.parametrize(
    "fault",
    [
        lambda image: gaussian_filter(image, 0.5),
        lambda image: image[::-1],
        lambda image: 1.5 - image,
        lambda image: shift(image, (0.4, 0.3, 0), order=1),
        half_brighter,
        without_a_slice,
        checkered,
    ],
    ids=["blur", "flip", "negative", "moved", "half", "slice", "checkers"],
)
def test_what_no_scanner_does_is_refused(
    fault: Callable[[Image], Image], guard: Guard, strangers: list[Session]
) -> None:
    result = Toned().transform(strangers[2])
    broken = changed(result, fault(result["T1w"].data))
    assert guard.judge(strangers[2], broken)["T1w"].grade == "refuse"


def test_a_result_that_lies_elsewhere_is_refused(
    guard: Guard, strangers: list[Session]
) -> None:
    result = Toned().transform(strangers[0])["T1w"]
    affine = result.affine.copy()
    affine[0, 3] += 1
    moved = result.with_grid(result.data, affine, Step("moved"))
    found = guard.judge(strangers[0], strangers[0].with_volumes({"T1w": moved}))["T1w"]
    assert found.grade == "refuse"
    assert found.reasons[-1].name == "grid"


def test_another_sequence_is_refused_before_anything_is_done(
    guard: Guard, strangers: list[Session]
) -> None:
    other = changed(strangers[0], np.maximum(1.6 - strangers[0]["T1w"].data, 0))
    found = guard.judge(other, other, limited=True)["T1w"]
    assert found.grade == "refuse"
    assert "scan: likeness" in [reason.name for reason in found.reasons]


def test_part_of_a_head_is_to_be_looked_at(
    guard: Guard, strangers: list[Session]
) -> None:
    whole = strangers[0]
    half = slice(0, whole.reference.shape[2] // 2)
    volume = whole["T1w"].with_grid(
        whole["T1w"].data[:, :, half], whole["T1w"].affine, Step("crop")
    )
    part = replace(
        whole, volumes={"T1w": volume}, brain=whole.require_brain()[:, :, half]
    )
    found = guard.judge(part, part, limited=True)["T1w"]
    assert "scan: view" in [reason.name for reason in found.reasons]


def test_without_anybody_held_out_nothing_is_refused_for_an_odd_number(
    strangers: list[Session],
) -> None:
    few = Guard.fit(Toned(), strangers[:2], [])
    result = Toned().transform(strangers[2])
    blurred = changed(result, gaussian_filter(result["T1w"].data, 1.0))
    assert few.judge(strangers[2], blurred)["T1w"].grade == "look"
    negative = changed(result, 1.5 - result["T1w"].data)
    assert few.judge(strangers[2], negative)["T1w"].grade == "refuse"


def test_nobody_is_compared_with_a_mean_they_are_part_of() -> None:
    one, two, three = (np.full((2, 2, 2), n, np.float32) for n in (1, 2, 4))
    found = without_each([one, two, three])
    assert [float(mean.flat[0]) for mean in found] == [3, 2.5, 1.5]
    assert without_each([one]) == [one]


def test_a_scan_without_fluid_is_refused_not_an_error(
    guard: Guard, strangers: list[Session]
) -> None:
    whole = strangers[0]
    fluid = tissue_prior(whole, "csf") > 0.5
    scan = replace(whole, brain=whole.require_brain() & ~fluid)
    for limited in (False, True):
        found = guard.judge(scan, Toned().transform(scan), limited=limited)["T1w"]
        assert [(one.grade, one.name) for one in found.reasons] == [
            ("refuse", "scan: tissue")
        ]


def test_a_verdict_is_read_back(
    guard: Guard, strangers: list[Session], tmp_path: Path
) -> None:
    guard.save(tmp_path)
    result = Toned().transform(strangers[3])
    broken = changed(result, result["T1w"].data + lesion(result))
    first, again = (
        g.judge(strangers[3], broken)["T1w"] for g in (guard, Guard.load(tmp_path))
    )
    assert first == again
    assert Verdict.from_json(first.to_json()) == first


def test_the_worst_reason_is_the_verdict() -> None:
    look, refuse = (
        Reason("look", "scan: noise", 1, Range(0, 0.5)),
        Reason("refuse", "moved", 1, Range(-math.inf, 0.1)),
    )
    assert worst([]) == "pass"
    assert Verdict((look,)).grade == "look"
    assert Verdict((look, refuse), (Focus((0, 0, 0), 2, 0.1),)).grade == "refuse"
    assert "usual 0 to 0.5" in look.sentence
    assert "usual up to 0.1" in refuse.sentence
    assert Reason("refuse", "grid").sentence == WORDS["grid"]
