import numpy as np
import pytest

from mitame.explain.nuisance import contrast_of, rank_of, scaled

INSIDE = np.ones((20, 20, 20), bool)
PLACES = np.indices(INSIDE.shape, np.float32).reshape(3, -1) / 20


def cohort(n_modes, n=12, seed=0):
    """Return two groups whose people share modes across the image."""
    rng = np.random.default_rng(seed)
    modes = [np.sin(6 * (k + 1) * PLACES[k % 3] + k) for k in range(n_modes)]
    images = 1 + 0.1 * rng.normal(size=(2 * n, INSIDE.size))
    for mode in modes:
        images += 0.05 * rng.normal(size=(2 * n, 1)) * mode
    images = images.astype(np.float32)
    return scaled(images[:n], images[n:], INSIDE)


@pytest.mark.parametrize("n_modes", [0, 2])
def test_the_rank_is_the_number_of_modes(n_modes):
    assert rank_of(cohort(n_modes), INSIDE, np.random.default_rng(0)) == n_modes


def test_each_voxel_is_in_units_of_its_spread():
    two = cohort(1)
    spread = np.sqrt((two.residual**2).sum(axis=0) / (len(two.residual) - 2))
    np.testing.assert_allclose(spread, 1, rtol=1e-4)
    np.testing.assert_allclose(two.residual[:12].mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(two.gram, two.residual @ two.residual.T, rtol=1e-3)
    assert two.length == pytest.approx(np.sqrt(2 / 12))


def test_without_modes_a_contrast_is_students_t():
    two = cohort(0)
    contrast = contrast_of(two, two.contrast, 0, shuffled=False)
    np.testing.assert_allclose(contrast.t, two.difference, rtol=1e-4)
    assert contrast.t.std() == pytest.approx(np.sqrt(22 / 20), abs=0.03)


def test_modes_take_the_spread_that_they_explain():
    two = cohort(2)
    without = contrast_of(two, two.contrast, 0, shuffled=False).noise.mean()
    less = contrast_of(two, two.contrast, 2, shuffled=False).noise.mean()
    assert less < 0.95 * without


def test_splits_are_as_noisy_as_the_groups():
    two, rng = cohort(2), np.random.default_rng(0)
    direction = np.zeros(24)
    direction[rng.permutation(12)] = np.repeat([1, -1], 6)
    direction[12 + rng.permutation(12)] = np.repeat([1, -1], 6)
    split = contrast_of(two, direction / np.linalg.norm(direction), 2, shuffled=True)
    own = contrast_of(two, two.contrast, 2, shuffled=False)
    assert split.noise.mean() == pytest.approx(own.noise.mean(), rel=0.03)
    modes = split.modes[:2]
    left = split.t - np.linalg.lstsq(modes.T, split.t, rcond=None)[0] @ modes
    assert np.median(np.abs(left)) == pytest.approx(0.69, abs=0.05)


def test_gain_tone_and_shading_are_among_the_modes():
    two = cohort(0)
    looks = two.looks * two.scale
    for look in (np.ones(INSIDE.size), PLACES[0], PLACES[1] * PLACES[2]):
        left = look - np.linalg.lstsq(looks.T, look, rcond=None)[0] @ looks
        assert np.abs(left).mean() < 0.08 * np.abs(look).mean() + 1e-6
