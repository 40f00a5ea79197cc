import numpy as np
import pytest

from mitame.explain.nuisance import scaled
from mitame.explain.permutations import (
    FALSE_SHARE,
    LOOK,
    STEPS,
    Splits,
    counts_of,
    splits_of,
)
from mitame.solve.total_variation import Mask


def noise(n, seed, width=1.0):
    rng = np.random.default_rng(seed)
    return np.array([counts_of(width * rng.normal(size=2000)) for _ in range(n)])


def test_counts_are_of_voxels_that_reach_a_step():
    counts = counts_of(np.array([0.0, -0.12, 0.31, 100.0], np.float32))
    for step, count in zip(STEPS, counts, strict=True):
        assert count == 1 + (step <= 0.31) + (step <= 0.12)


def test_the_threshold_leaves_the_accepted_share_of_false_voxels():
    rng = np.random.default_rng(5)
    place = rng.normal(size=2000)
    place[:300] += 5
    splits = Splits(noise(60, 0))
    threshold = splits.threshold(counts_of(place))
    chosen = np.abs(place) >= threshold
    assert chosen[:300].mean() > 0.9
    assert chosen[300:].sum() / chosen.sum() < 2 * FALSE_SHARE
    lower = np.abs(place) >= threshold - 0.05
    assert (
        2
        * np.mean(
            np.abs(np.random.default_rng(6).normal(size=10**5)) >= (threshold - 0.05)
        )
        * 1000
        > 0.8 * FALSE_SHARE * lower.sum()
    )


def test_chance_is_as_often_small_as_it_says():
    splits = Splits(noise(39, 0))
    found = np.array([splits.chance(one) for one in noise(200, 1)])
    assert (found <= 0.05).mean() < 0.12
    assert found.mean() == pytest.approx(0.5, abs=0.15)


def test_nothing_is_believed_where_splits_show_as_much():
    splits = Splits(noise(39, 0))
    found = [splits.threshold(one) for one in noise(40, 2)]
    assert np.mean(np.isfinite(found)) < 0.12


def test_what_no_split_shows_is_believed():
    splits = Splits(noise(39, 0))
    place = np.zeros(2000)
    place[:40] = 9.0
    assert splits.chance(counts_of(place)) == pytest.approx(1 / 40)
    assert splits.threshold(counts_of(place)) <= 9.0


def test_less_chance_can_be_asked_for_than_so_many_splits_show():
    splits = Splits(noise(39, 0))  # chance is 1 in 40 at least
    place = counts_of(np.full(40, 9.0))
    assert np.isfinite(splits.threshold(place, 0.03))
    assert splits.threshold(place, 0.02) == np.inf


def test_no_voxel_at_all_is_no_place():
    splits = Splits(np.zeros((39, len(STEPS)), int))
    assert splits.threshold(np.zeros(len(STEPS), int)) == np.inf


@pytest.mark.parametrize(("width", "made"), [(0.0, LOOK), (100.0, 2 * LOOK + 1)])
def test_no_more_splits_are_made_where_many_show_as_much(width, made):
    inside = np.ones((8, 8, 8), bool)
    rng = np.random.default_rng(0)
    groups = rng.normal(1, 0.1, (2, 8, inside.size)).astype(np.float32)
    cohort = scaled(*groups, inside)
    mask = Mask.of(inside)
    found = counts_of(width * np.ones(inside.size, np.float32))
    splits = splits_of(cohort, mask, 0, 2 * LOOK + 1, rng, found)
    assert len(splits.counts) == made
