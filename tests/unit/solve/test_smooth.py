import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mitame.solve.smooth import gaussian


@pytest.mark.parametrize("shape", [(9, 7), (12, 1, 10), (31, 20, 17)])
@pytest.mark.parametrize("width", [0.5, 3.0])
def test_it_is_what_scipy_gives_bit_for_bit(shape, width):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = gaussian(image, width)
    assert found.dtype == np.float32
    assert np.array_equal(found, gaussian_filter(image, width))


def test_every_axis_has_its_width():
    image = np.random.default_rng(0).normal(size=(12, 11, 10)).astype(np.float32)
    widths = np.array([0.4, 2.0, 1.0])
    assert np.array_equal(gaussian(image, widths), gaussian_filter(image, widths))


def test_what_is_given_stays_as_it_is():
    image = np.eye(8, dtype=np.float32)
    gaussian(image, 1.0)
    assert np.array_equal(image, np.eye(8))
