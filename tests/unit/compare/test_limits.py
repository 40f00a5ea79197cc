import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from mitame.compare.limits import noise_level
from mitame.core.volume import Volume
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(3.0)
HEAD = phantom_session(GRID, gain=1 / 800)
CLEAN, BRAIN = HEAD["T1w"].data, HEAD.brain


def level_of(prior, current):
    """Return the true difference and the level that is said of it, in the brain."""
    difference = (current - prior).astype(np.float32)
    volumes = [Volume(data, GRID.affine) for data in (prior, current)]
    level = noise_level(difference, *volumes, BRAIN)
    assert level.shape == difference.shape
    return difference[BRAIN], level[BRAIN]


def noise(sd, seed):
    return np.random.default_rng(seed).normal(0, sd, GRID.shape)


@pytest.mark.parametrize("sd", [0.005, 0.03, 0.1])
@pytest.mark.parametrize("seed", [0, 1])
def test_pure_noise_is_told_its_true_size(sd, seed):
    _, level = level_of(CLEAN + noise(sd, seed), CLEAN + noise(sd, seed + 100))
    assert np.median(level) == pytest.approx(np.sqrt(2) * sd, rel=0.05)


def test_noise_over_its_level_has_a_spread_of_one():
    difference, level = level_of(CLEAN + noise(0.03, 2), CLEAN + noise(0.03, 3))
    assert np.std(difference / level) == pytest.approx(1, abs=0.05)


def test_the_level_is_above_zero_everywhere():
    _, level = level_of(CLEAN + noise(0.03, 2), CLEAN + noise(0.03, 3))
    assert level.min() > 0
    assert np.isfinite(level).all()


def edges():
    slope = np.linalg.norm(np.gradient(CLEAN), axis=0)[BRAIN]
    return slope > np.quantile(slope, 0.9), slope < np.quantile(slope, 0.5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_half_a_voxel_of_misplacement_raises_the_level_beside_edges(axis):
    moved = shift(CLEAN, 0.5 * np.eye(3)[axis], order=1)
    difference, level = level_of(CLEAN + noise(0.01, 2), moved + noise(0.01, 3))
    steep, flat = edges()
    assert np.median(level[steep]) > 2 * np.median(level[flat])
    # What half a voxel does beside an edge is then no change.
    assert np.mean(np.abs(difference / level)[steep] > 5) < 0.01


def test_without_misplacement_edges_are_like_everywhere():
    _, level = level_of(CLEAN + noise(0.03, 2), CLEAN + noise(0.03, 3))
    steep, flat = edges()
    assert np.median(level[steep]) == pytest.approx(np.median(level[flat]), rel=0.1)


def test_a_lesion_does_not_raise_the_level():
    ball = np.zeros(GRID.shape)
    ball[tuple(np.argwhere(BRAIN)[BRAIN.sum() // 3])] = 1
    ball = gaussian_filter(ball, 2.0) > 0.002
    assert 0.001 < ball[BRAIN].mean() < 0.02
    pairs = [
        (CLEAN + noise(0.03, 2), CLEAN + noise(0.03, 3) + add * ball)
        for add in (0, 0.5)
    ]
    quiet, sick = (level_of(*pair)[1] for pair in pairs)
    assert np.median(sick / quiet) == pytest.approx(1, abs=0.02)
    assert np.median((sick / quiet)[ball[BRAIN]]) < 1.15


def test_a_noisier_region_has_a_higher_level():
    left = np.arange(GRID.shape[0])[:, None, None] < GRID.shape[0] / 2
    louder = np.where(left, 2.0, 1.0)
    _, level = level_of(CLEAN, CLEAN + louder * noise(0.03, 3))
    x = np.argwhere(BRAIN)[:, 0] * 3.0
    middle = GRID.shape[0] * 1.5
    loud, quiet = level[x < middle - 25], level[x > middle + 25]
    assert np.median(loud) == pytest.approx(0.06, rel=0.1)
    assert np.median(quiet) == pytest.approx(0.03, rel=0.1)


def test_a_scan_against_itself_has_a_level_too():
    difference, level = level_of(CLEAN, CLEAN)
    assert not difference.any()
    assert np.isfinite(level).all()
    assert level.min() > 0
