"""Each fault does what its name says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.evaluate.faults import FAULTS, Edited
from mitame.testing.people import people


@pytest.fixture(scope="module")
def given() -> Edited:
    """A good result: everything is a little brighter."""
    source = people(1, seed=5, spacing=4.0)[0]
    step = Step("edit")
    result = source.with_data({"T1w": 1.1 * source["T1w"].data}, step)
    return Edited(source, result, "T1w")


def broken(name: str, given: Edited, seed: int = 0) -> Edited:
    return FAULTS[name](given, np.random.default_rng(seed))


def image(session: Session) -> np.ndarray:
    return session["T1w"].data


@pytest.mark.parametrize("name", FAULTS)
def test_the_same_seed_breaks_in_the_same_way_and_what_was_given_stays(name, given):
    before = image(given.result).copy()
    one, other = broken(name, given), broken(name, given)
    np.testing.assert_array_equal(image(one.result), image(other.result))
    np.testing.assert_array_equal(image(one.source), image(other.source))
    np.testing.assert_array_equal(image(given.result), before)


@pytest.mark.parametrize(
    ("name", "in_source", "in_result"),
    [("lesion_deleted", 1, 0), ("lesion_added", 0, 1), ("lesion_moved", 1, 1)],
)
def test_a_lesion_is_where_the_name_says(name, in_source, in_result, given):
    found = broken(name, given)
    parts = [
        image(after) - image(before)
        for after, before in (
            (found.source, given.source),
            (found.result, given.result),
        )
    ]
    for part, expected in zip(parts, (in_source, in_result), strict=True):
        assert (part.min() < -0.08) == bool(expected)
        assert part.max() < 1e-6
    if in_source and in_result:
        assert np.argmin(parts[0]) != np.argmin(parts[1])


def test_half_of_the_head_keeps_its_brightness(given):
    ratio = image(broken("half_scaled", given).result) / image(given.result)
    same = np.isclose(ratio, 1, atol=1e-4)
    assert 0.3 < same.mean() < 0.7
    other = float(np.median(ratio[~same]))
    assert 1.1 <= max(other, 1 / other) <= 1.3


def test_one_slice_is_lost(given):
    changed = image(broken("slice_lost", given).result) != image(given.result)
    lost = [changed.any(axis=tuple({0, 1, 2} - {axis})).sum() for axis in range(3)]
    assert min(lost) == 1


def test_left_and_right_are_exchanged(given):
    found = image(broken("flip", given).result)
    np.testing.assert_array_equal(found, image(given.result)[::-1])


def test_what_is_misplaced_is_so_by_its_header_or_its_content(given):
    moved = {bool(by_header(broken("misplaced", given, n))) for n in range(8)}
    assert moved == {True, False}


def by_header(found: Edited) -> bool:
    return not found.source.reference.same_grid(found.result.reference)
