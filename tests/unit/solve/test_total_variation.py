import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from skimage.restoration import denoise_tv_chambolle

from mitame.solve.total_variation import Mask, fewest_pieces

SHAPE = (13, 11, 9)


@pytest.fixture
def ball():
    away = np.linalg.norm(np.indices(SHAPE).T - (4.0, 5.0, 6.0), axis=-1).T
    return away < 5


@pytest.fixture
def noisy(ball):
    rng = np.random.default_rng(0)
    image = rng.normal(size=SHAPE) + 2 * gaussian_filter(rng.normal(size=SHAPE), 2)
    return image[ball].astype(np.float32)


def objective(values, data, mask, l1, l2, weight=1.0):
    """The objective of the docstring, written down once more, slowly."""
    image, variation = mask.image(values), 0.0
    for place in np.argwhere(mask.inside):
        steps = []
        for axis in range(3):
            beyond = tuple(place + np.eye(3, dtype=int)[axis])
            joined = all(np.less(beyond, image.shape)) and mask.inside[beyond]
            step = image[beyond] - image[tuple(place)] if joined else 0.0
            steps.append(step * mask.links[(axis, *place)])
        variation += np.linalg.norm(steps)
    fit = 0.5 * np.sum(weight * (values - data) ** 2)
    return fit + l1 * np.abs(values).sum() + l2 * variation


@pytest.mark.parametrize(("l1", "l2"), [(0.3, 0.5), (0.0, 1.0), (1.0, 0.1)])
@pytest.mark.parametrize("heavy", [False, True])
def test_the_gap_is_no_less_than_what_a_long_run_gains(ball, noisy, l1, l2, heavy):
    mask, weight = Mask.of(ball), np.ones(len(noisy), np.float32)
    if heavy:
        weight = np.random.default_rng(1).uniform(0.5, 2, len(noisy)).astype(np.float32)
    terms = {"l1": l1, "l2": l2, "weight": weight, "tolerance": 0.0}
    best = fewest_pieces(noisy, mask, steps=3000, **terms)
    least = objective(best.values, noisy, mask, l1, l2, weight)
    whole = 0.5 * np.sum(weight * noisy**2)
    assert best.gap < 1e-5
    for steps in (0, 10, 20, 40):
        short = fewest_pieces(noisy, mask, steps=steps, **terms)
        more = objective(short.values, noisy, mask, l1, l2, weight) - least
        assert -1e-5 * whole <= more <= short.gap * whole * (1 + 1e-4) + 1e-5 * whole


def test_it_ends_at_the_gap_that_was_asked_for(ball, noisy):
    for tolerance in (1e-2, 1e-4):
        found = fewest_pieces(noisy, Mask.of(ball), l1=0.2, l2=0.5, tolerance=tolerance)
        assert found.gap <= tolerance


def test_without_variation_it_is_a_soft_threshold(ball, noisy):
    found = fewest_pieces(noisy, Mask.of(ball), l1=0.7, l2=0.0).values
    soft = np.sign(noisy) * np.maximum(np.abs(noisy) - 0.7, 0)
    np.testing.assert_allclose(found, soft, atol=1e-6)


def test_variation_keeps_the_mean_and_size_does_not(ball, noisy):
    mask, data = Mask.of(ball), noisy + 1
    variation = fewest_pieces(data, mask, l1=0.0, l2=1.0).values
    size = fewest_pieces(data, mask, l1=1.0, l2=0.0).values
    assert variation.mean() == pytest.approx(data.mean(), abs=1e-3)
    assert size.mean() < data.mean() - 0.2
    assert variation.std() < 0.7 * size.std()


def test_without_penalties_the_data_stays(ball, noisy):
    found = fewest_pieces(noisy, Mask.of(ball), l1=0.0, l2=0.0)
    np.testing.assert_allclose(found.values, noisy, atol=1e-6)
    assert found.gap == 0


def test_a_constant_region_stays_constant_and_is_made_smaller(ball):
    data = np.full(int(ball.sum()), 3.0, np.float32)
    found = fewest_pieces(data, Mask.of(ball), l1=0.5, l2=2.0)
    np.testing.assert_allclose(found.values, 2.5, atol=1e-6)


def test_zeros_stay_zeros(ball):
    data = np.zeros(int(ball.sum()), np.float32)
    found = fewest_pieces(data, Mask.of(ball), l1=0.0, l2=1.0)
    assert not found.values.any()
    assert found.gap == 0


def test_it_is_what_scikit_image_finds(noisy, ball):
    image = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    everywhere = np.ones(SHAPE, bool)
    mine = fewest_pieces(
        image.ravel(), Mask.of(everywhere), l1=0.0, l2=0.4, tolerance=1e-7, steps=3000
    )
    other = denoise_tv_chambolle(
        image.astype(float), weight=0.4, eps=1e-9, max_num_iter=3000
    )
    np.testing.assert_allclose(mine.values.reshape(SHAPE), other, atol=5e-3)


def test_what_is_outside_the_mask_pulls_nothing(ball, noisy):
    alone = fewest_pieces(noisy, Mask.of(ball), l1=0.0, l2=50.0, tolerance=1e-6)
    # Neumann border: a variation that is very expensive leaves the mean.
    np.testing.assert_allclose(alone.values, noisy.mean(), atol=0.02)


def test_two_parts_that_do_not_touch_do_not_know_of_each_other():
    parts = np.zeros((4, 4, 9), bool)
    parts[..., :4] = parts[..., 5:] = True
    data = np.where(np.nonzero(parts)[2] < 4, 1.0, -2.0).astype(np.float32)
    found = fewest_pieces(data, Mask.of(parts), l1=0.0, l2=5.0).values
    np.testing.assert_allclose(found, data, atol=1e-5)


def test_a_border_of_the_image_lets_pieces_end_there():
    everywhere = np.ones((8, 8, 8), bool)
    side = np.where(np.indices((8, 8, 8))[0] < 4, 0.0, 1.0).ravel().astype(np.float32)
    mask = Mask.of(everywhere)
    plain = fewest_pieces(side, mask, l1=0.0, l2=1.0).values
    parted = fewest_pieces(side, mask.parted(side, 0.1), l1=0.0, l2=1.0).values
    assert np.abs(parted - side).max() < 0.02
    assert np.abs(plain - side).max() > 0.2


def test_a_start_from_the_end_needs_no_steps(ball, noisy):
    mask = Mask.of(ball)
    first = fewest_pieces(noisy, mask, l1=0.2, l2=0.5, tolerance=1e-5, steps=2000)
    again = fewest_pieces(
        noisy, mask, l1=0.2, l2=0.5, start=first.dual, tolerance=1e-5, steps=0
    )
    assert again.gap <= 1.1e-5
    np.testing.assert_allclose(again.values, first.values, atol=1e-4)


def test_a_start_may_come_from_a_larger_penalty(ball, noisy):
    mask = Mask.of(ball)
    first = fewest_pieces(noisy, mask, l1=0.2, l2=2.0)
    found = fewest_pieces(noisy, mask, l1=0.2, l2=0.5, start=first.dual)
    cold = fewest_pieces(noisy, mask, l1=0.2, l2=0.5)
    np.testing.assert_allclose(found.values, cold.values, atol=0.05)
    assert np.sqrt((found.dual**2).sum(axis=0)).max() <= 0.5 * (1 + 1e-5)


def test_where_the_mask_is_in_the_image_does_not_matter(ball, noisy):
    wide = np.pad(ball, ((3, 0), (1, 5), (0, 2)))
    one = fewest_pieces(noisy, Mask.of(ball), l1=0.2, l2=0.5).values
    other = fewest_pieces(noisy, Mask.of(wide), l1=0.2, l2=0.5).values
    np.testing.assert_array_equal(one, other)
