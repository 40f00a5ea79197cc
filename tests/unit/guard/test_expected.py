"""Where a number of another person lies, and how high their highest peak is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mitame.guard.expected import Range, tail_limit


@pytest.mark.parametrize(("n", "sides"), [(3, 2), (12, 2), (12, 1)])
def test_people_like_those_seen_leave_the_range_as_often_as_is_said(n, sides):
    rng = np.random.default_rng(n)
    odd = 0
    for _ in range(4000):
        # What is usual is told as in the prior: PRIOR people of the same spread.
        precision = rng.chisquare(4) / 4
        mean, *new = rng.normal(3, 1), *rng.normal(0, 1 / np.sqrt(precision), n + 1)
        seen = Range.of(mean + np.array(new[1:]), chance=0.1, usual=1.0, sides=sides)
        odd += not seen.holds(mean + new[0])
    assert 0.085 < odd / 4000 < 0.115


def test_the_fewer_were_seen_the_wider_is_the_range():
    def width(n: int) -> float:
        found = Range.of([1.0, 1.2] * n, chance=0.01, usual=0.1)
        return found.high - found.low

    assert width(1) > 1.2 * width(8)


def test_a_range_of_one_side_ends_above_alone():
    found = Range.of([1.0, 1.1, 0.9], chance=0.01, usual=0.1, sides=1)
    assert found.holds(-100)
    assert not found.holds(100)
    assert Range.from_json(found.to_json()) == found
    assert found.low == -math.inf


def test_another_person_has_a_higher_peak_no_more_often_than_is_said():
    rng = np.random.default_rng(0)
    people = [rng.exponential(1, 500) for _ in range(8)]
    limit = tail_limit(people, chance=0.05)
    above = [(rng.exponential(1, 500) > limit).sum() for _ in range(2000)]
    assert np.mean(above) < 0.05
    exact = math.log(500 / 0.05)  # if people were known to be alike
    assert exact < limit < 1.5 * exact


def test_a_changed_lesion_does_not_raise_the_limit():
    rng = np.random.default_rng(1)
    people = [rng.exponential(1, 500) for _ in range(8)]
    ill = [np.append(one, [40.0, 60.0]) for one in people]
    plain, with_lesions = (tail_limit(some, chance=0.01) for some in (people, ill))
    assert with_lesions < plain + 1.5


def test_three_times_the_usual_is_never_odd():
    small = [np.random.default_rng(n).exponential(0.01, 500) for n in range(3)]
    assert tail_limit(small, chance=0.01) == tail_limit([np.ones(3)], chance=0.01) == 3
