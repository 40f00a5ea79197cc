import numpy as np
import pytest
from skimage.color import rgb2lab

from mitame.present.colors import (
    DIFFERENCE_LIMIT,
    NOISE_LIMIT,
    gray_scale,
    noise_scale,
    signed_scale,
    window_of,
)


def lightness(scale, values):
    return rgb2lab(scale.paint(np.asarray(values, np.float32)) / 255)[..., 0]


def test_no_difference_is_black():
    assert lightness(signed_scale(), [0.0]) < 1


def test_brighter_and_darker_look_equally_strong():
    steps = np.linspace(0.02, DIFFERENCE_LIMIT, 25)
    up, down = lightness(signed_scale(), steps), lightness(signed_scale(), -steps)
    assert np.abs(up - down).max() < 3


@pytest.mark.parametrize(
    ("scale", "end"), [(signed_scale(), DIFFERENCE_LIMIT), (noise_scale(), NOISE_LIMIT)]
)
def test_a_larger_number_is_never_darker(scale, end):
    assert (np.diff(lightness(scale, np.linspace(0, end, 60))) > -0.5).all()


def test_brighter_is_orange_and_darker_is_blue():
    red, _, blue = signed_scale().paint(np.array([0.3], np.float32))[0].astype(int)
    assert red > blue + 60
    red, _, blue = signed_scale().paint(np.array([-0.3], np.float32))[0].astype(int)
    assert blue > red + 60


def test_beyond_the_ends_the_color_stays():
    colors = gray_scale(1, 2).paint(np.array([-9, 1, 2, 9], np.float32))
    np.testing.assert_array_equal(colors[:, 0], [0, 0, 255, 255])


def test_the_window_ignores_a_few_extreme_voxels():
    values = np.concatenate([np.linspace(0, 1, 5000), [1e6]]).astype(np.float32)
    low, high = window_of(values)
    assert low == pytest.approx(0.005, abs=0.002)
    assert high == pytest.approx(0.999, abs=0.001)


def test_a_window_of_nothing_is_still_a_window():
    low, high = window_of(np.array([], np.float32))
    assert low < high
