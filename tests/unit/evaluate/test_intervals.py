import math

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.evaluate.intervals import Interval, bootstrap, bootstrap_ratio, closed_share


def subjects(values):
    return {f"sub{n:03}": value for n, value in enumerate(values)}


def test_the_value_is_the_mean_over_subjects_and_not_over_scans():
    found = bootstrap({"one": [0.0, 0.0, 0.0], "two": [3.0]}, seed=0)
    assert found.value == 1.5
    assert found.n_subjects == 2


def test_ninety_five_percent_of_the_intervals_hold_the_truth():
    rng = np.random.default_rng(0)
    held = []
    for trial in range(300):
        found = bootstrap(subjects(rng.normal(5, 2, 40)), n_resamples=400, seed=trial)
        held.append(found.low <= 5 <= found.high)
    assert 0.90 < np.mean(held) < 0.98


def test_a_lower_level_holds_the_truth_less_often():
    rng = np.random.default_rng(1)
    held = []
    for trial in range(300):
        values = subjects(rng.normal(5, 2, 40))
        found = bootstrap(values, level=0.5, n_resamples=400, seed=trial)
        held.append(found.low <= 5 <= found.high)
    assert 0.42 < np.mean(held) < 0.58


def test_repeating_the_scans_of_a_subject_does_not_narrow_the_interval():
    values = subjects(np.random.default_rng(2).normal(0, 1, 8))
    once = bootstrap(values, seed=0)
    again = bootstrap({name: [value] * 50 for name, value in values.items()}, seed=0)
    assert again.low == pytest.approx(once.low)
    assert again.high == pytest.approx(once.high)
    assert again.n_subjects == 8


def test_one_subject_scanned_often_does_not_weigh_more():
    values = subjects([0.0, 1.0, 2.0, 9.0])
    once = bootstrap(values, seed=0)
    often = bootstrap({**values, "sub003": [9.0] * 100}, seed=0)
    assert often == once


def test_more_subjects_narrow_the_interval():
    rng = np.random.default_rng(3)
    few = bootstrap(subjects(rng.normal(0, 1, 10)), seed=0)
    many = bootstrap(subjects(rng.normal(0, 1, 160)), seed=0)
    assert few.high - few.low > 2.5 * (many.high - many.low)


def test_the_interval_of_the_mean_is_that_of_a_normal_distribution():
    values = np.random.default_rng(4).normal(0, 1, 100)
    found = bootstrap(subjects(values), seed=0)
    error = values.std() / 10
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.2 * error)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.2 * error)


def test_one_subject_has_no_interval():
    found = bootstrap({"one": [1.0, 3.0]}, seed=0)
    assert found.value == 2.0
    assert found.n_subjects == 1
    assert math.isnan(found.low)
    assert math.isnan(found.high)


def test_subjects_without_spread_have_an_interval_of_a_point():
    assert bootstrap(subjects([2.0] * 4), seed=0) == Interval(2.0, 2.0, 2.0, 4)


def test_the_seed_decides_and_the_order_does_not():
    values = subjects([1.0, 4.0, 2.0, 8.0, 5.0])
    turned = dict(reversed(values.items()))
    assert bootstrap(values, seed=1) == bootstrap(turned, seed=1)
    assert bootstrap(values, seed=1, n_resamples=50) != bootstrap(
        values, seed=2, n_resamples=50
    )


def test_any_statistic_will_do():
    values = subjects([1.0, 2.0, 3.0, 4.0, 50.0])
    assert bootstrap(values, statistic=np.median, seed=0).value == 3.0
    slow = bootstrap(values, statistic=lambda v: max(v), n_resamples=100, seed=0)
    assert slow.value == slow.high == 50.0


@pytest.mark.parametrize(
    "values", [{}, {"one": []}, {"one": math.nan, "two": 1.0}, {"one": [1.0, math.inf]}]
)
def test_values_that_are_none_are_refused(values):
    with pytest.raises(InputError):
        bootstrap(values, seed=0)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_that_is_no_share_is_refused(level):
    with pytest.raises(InputError, match="level"):
        bootstrap({"one": 1.0, "two": 2.0}, level=level, seed=0)


def test_a_ratio_is_of_sums_and_not_a_mean_of_ratios():
    found = bootstrap_ratio({"one": (3.0, 1.0), "two": (1.0, 9.0)}, seed=0)
    assert found.value == pytest.approx(0.4)
    assert found.n_subjects == 2


def test_both_parts_of_a_ratio_are_drawn_together():
    parts = {name: (2 * gap, gap) for name, gap in subjects([1.0, 5.0, 90.0]).items()}
    found = bootstrap_ratio(parts, seed=0)
    assert (found.low, found.value, found.high) == pytest.approx((2, 2, 2))


def test_ninety_five_percent_of_the_intervals_of_a_ratio_hold_the_truth():
    rng = np.random.default_rng(0)
    held = []
    for trial in range(200):
        under = rng.uniform(1, 3, 40)
        over = 0.5 * under + rng.normal(0, 0.3, 40)
        parts = subjects(list(zip(over, under, strict=True)))
        found = bootstrap_ratio(parts, n_resamples=400, seed=trial)
        held.append(found.low <= 0.5 <= found.high)
    assert 0.90 < np.mean(held) < 0.985


def test_a_ratio_of_one_subject_has_no_interval():
    found = bootstrap_ratio({"one": (1.0, 4.0)}, seed=0)
    assert found.value == 0.25
    assert math.isnan(found.low)


def test_a_ratio_over_nothing_is_refused():
    with pytest.raises(InputError, match="add up to -1"):
        bootstrap_ratio({"one": (1.0, 1.0), "two": (1.0, -2.0)}, seed=0)


def test_a_share_is_told_where_there_surely_is_a_gap():
    parts = {"one": (1.0, 2.0), "two": (1.5, 3.0), "three": (0.5, 1.0)}
    assert closed_share(parts, seed=0).value == pytest.approx(0.5)
    assert closed_share({"one": (1.0, 4.0)}, seed=0).value == 0.25


@pytest.mark.parametrize("gaps", [(1.0, -0.5, 0.4), (0.0, 0.0), (-1.0,)])
def test_a_share_of_what_may_be_no_gap_is_not_told(gaps):
    parts = {name: (0.1, gap) for name, gap in subjects(gaps).items()}
    assert closed_share(parts, seed=0) is None
