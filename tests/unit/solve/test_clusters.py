import numpy as np
import pytest
from scipy import ndimage

from mitame.solve.clusters import enhanced

SHAPE = (9, 8, 7)


@pytest.fixture
def inside():
    return np.random.default_rng(1).random(SHAPE) < 0.8


@pytest.fixture
def values(inside):
    rng = np.random.default_rng(0)
    smooth = 4 * ndimage.gaussian_filter(rng.normal(size=SHAPE), 1)
    return np.where(rng.random(SHAPE) < 0.7, smooth, 0)[inside].astype(np.float32)


@pytest.mark.parametrize("power", [0.2, 0.5, 1.0])
def test_it_is_the_integral_over_all_heights(values, inside, power):
    step = 0.002
    area = np.zeros(SHAPE)
    for sign in (1, -1):
        image = np.zeros(SHAPE)
        image[inside] = sign * values
        for height in np.arange(step / 2, image.max(), step):
            pieces, _ = ndimage.label(image >= height)
            size = np.bincount(pieces.ravel()).astype(float)
            size[0] = 0
            area += (size**power)[pieces] * height * step
    expected = np.sqrt(2 * area[inside]) * np.sign(values)
    found = enhanced(values, inside, size_power=power)
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_without_size_strength_stays(values, inside):
    found = enhanced(values, inside, size_power=0.0)
    np.testing.assert_allclose(found, values, atol=1e-5)


def test_a_voxel_alone_keeps_its_strength():
    values = np.zeros(27, np.float32)
    values[13], values[0], values[2] = 2.0, -3.0, 1.0
    found = enhanced(values, np.ones((3, 3, 3), bool), size_power=0.5)
    np.testing.assert_allclose(found, values, rtol=1e-6)


def test_signs_do_not_hang_together():
    values = np.array([1.0, 1.0, -1.0, -1.0, -1.0], np.float32)
    found = enhanced(values, np.ones((1, 1, 5), bool), size_power=1.0)
    root = np.sqrt(np.array([2, 2, 3, 3, 3]))
    np.testing.assert_allclose(found, values * root, rtol=1e-6)


def test_nothing_stays_nothing(inside):
    nothing = np.zeros(int(inside.sum()), np.float32)
    assert not enhanced(nothing, inside, size_power=0.5).any()
