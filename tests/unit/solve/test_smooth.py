import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mitame.solve.smooth import gaussian

ROUNDED = 1e-6


@pytest.mark.parametrize("shape", [(9, 7), (12, 1, 10), (31, 20, 17), (6, 5, 4, 3)])
@pytest.mark.parametrize("width", [0.1, 0.5, 3.0])
def test_it_is_what_scipy_gives(shape, width):
    image = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = gaussian(image, width)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, gaussian_filter(image, width), atol=ROUNDED)


def test_images_that_do_not_lie_in_order_are_smoothed_too():
    image = np.random.default_rng(0).normal(size=(12, 11, 10)).astype(np.float32)
    turned = image.transpose(2, 0, 1)[::-1]
    np.testing.assert_allclose(
        gaussian(turned, 1.0), gaussian_filter(turned, 1.0), atol=ROUNDED
    )


def test_every_axis_has_its_width():
    image = np.random.default_rng(0).normal(size=(12, 11, 10)).astype(np.float32)
    widths = np.array([0.4, 2.0, 1.0])
    np.testing.assert_allclose(
        gaussian(image, widths), gaussian_filter(image, widths), atol=ROUNDED
    )


def test_what_is_given_stays_as_it_is():
    image = np.eye(8, dtype=np.float32)
    gaussian(image, 1.0)
    assert np.array_equal(image, np.eye(8))
