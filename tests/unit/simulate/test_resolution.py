import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate.resolution import point_spread, slice_profile, truncate

SPACING = (1.0, 1.5, 2.0)


def noise(shape=(16, 15, 14), seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def step(n=256):
    """A long block of ones between zeros, along the first axis."""
    data = np.zeros((n, 1, 1), np.float32)
    data[n // 4 : 3 * n // 4] = 1
    return data


def cut(data, *, ringing=1.0, resolution_mm=4.0, spacing=(1, 1, 1), axes=(0,)):
    return truncate(
        data, spacing, resolution_mm=resolution_mm, ringing=ringing, axes=axes
    )


OPERATIONS = {
    "blur": lambda x: point_spread(x, SPACING, fwhm_mm=3.0),
    "slice": lambda x: slice_profile(x, SPACING, thickness_mm=5, axis=2),
    "hard": lambda x: truncate(x, SPACING, resolution_mm=3, ringing=1),
    "soft": lambda x: truncate(x, SPACING, resolution_mm=3, ringing=0),
    "some": lambda x: truncate(x, SPACING, resolution_mm=3, ringing=0.5),
}
each_operation = pytest.mark.parametrize(
    "operation", OPERATIONS.values(), ids=OPERATIONS.keys()
)


@each_operation
def test_the_sum_is_kept(operation):
    data = noise() + 1
    assert operation(data).sum() == pytest.approx(data.sum(), rel=1e-5)


@each_operation
def test_a_constant_stays(operation):
    np.testing.assert_allclose(operation(np.full((9, 8, 7), 3.0)), 3, rtol=1e-6)


@each_operation
def test_the_operation_is_linear(operation):
    a, b = noise(seed=1), noise(seed=2)
    np.testing.assert_allclose(
        operation(2 * a - 3 * b), 2 * operation(a) - 3 * operation(b), atol=1e-5
    )


@each_operation
def test_detail_is_lost_and_the_type_is_float32(operation):
    found = operation(noise())
    assert found.dtype == np.float32
    assert found.std() < 0.8 * noise().std()


def test_a_point_becomes_as_wide_as_was_asked_on_every_axis():
    data = np.zeros((41, 41, 41))
    data[20, 20, 20] = 1
    spread = point_spread(data, SPACING, fwhm_mm=6.0)
    offset = np.arange(41) - 20
    for axis, edge in enumerate(SPACING):
        line = spread.sum(axis=tuple(other for other in range(3) if other != axis))
        sd = np.sqrt((line * (offset * edge) ** 2).sum())
        assert sd == pytest.approx(6.0 / 2.3548, rel=0.02)


def test_no_width_changes_nothing():
    same = point_spread(noise(), SPACING, fwhm_mm=0.0)
    assert same == pytest.approx(noise(), abs=1e-5)


def test_a_slice_is_the_mean_over_its_thickness():
    data = np.zeros((1, 1, 31))
    data[0, 0, 15] = 1
    found = slice_profile(data, (1, 1, 2), thickness_mm=6.0, axis=2)
    np.testing.assert_allclose(found[0, 0, 14:17], 1 / 3, rtol=1e-6)
    assert found.sum() == pytest.approx(1)
    # 7 mm are three voxels and a quarter of one on either side.
    found = slice_profile(data, (1, 1, 2), thickness_mm=7.0, axis=2)
    np.testing.assert_allclose(
        found[0, 0, 13:18] * 3.5, [0.25, 1, 1, 1, 0.25], rtol=1e-6
    )


def test_slices_blur_their_own_axis_only():
    data = np.zeros((9, 9, 9))
    data[4, 4, 4] = 1
    found = slice_profile(data, (1, 1, 1), thickness_mm=3.0, axis=1)
    assert np.count_nonzero(found) == np.count_nonzero(found[4, :, 4]) == 3


def test_a_slice_no_thicker_than_a_voxel_changes_nothing():
    assert (slice_profile(noise(), SPACING, thickness_mm=1, axis=2) == noise()).all()


def test_a_hard_edge_overshoots_a_step_by_nine_percent():
    overshoot = cut(step()).max() - 1
    assert overshoot == pytest.approx(0.0895, abs=0.01)
    assert cut(step()).min() == pytest.approx(-0.0895, abs=0.01)


def test_a_smooth_window_hardly_overshoots():
    assert abs(cut(step(), ringing=0.0).max() - 1) < 0.01
    assert abs(cut(step(), ringing=0.0).min()) < 0.01


def test_overshoot_grows_with_ringing():
    found = [cut(step(), ringing=share).max() for share in (0, 0.2, 0.4, 0.8)]
    assert (np.diff(found) > 0.005).all()


def test_the_rings_are_as_far_apart_as_the_resolution_says():
    for resolution in (4.0, 8.0):
        line = cut(step(1024), resolution_mm=resolution)[:, 0, 0] - step(1024)[:, 0, 0]
        away = line[256 + 3 * int(resolution) : 256 + 19 * int(resolution)]
        crossings = np.count_nonzero(np.diff(np.sign(away)))
        assert crossings == pytest.approx(16, abs=1)


def test_frequencies_are_kept_up_to_the_end_of_k_space_and_gone_beyond():
    x = np.arange(64)[:, None, None]
    below = np.cos(2 * np.pi * 7 * x / 64)  # the end, 1 / (2 * 4 mm), is 8 of 64
    above = np.cos(2 * np.pi * 9 * x / 64)
    np.testing.assert_allclose(cut(below), below, atol=1e-6)
    np.testing.assert_allclose(cut(above), 0, atol=1e-6)
    half = np.cos(2 * np.pi * 4 * x / 64)
    np.testing.assert_allclose(cut(half, ringing=0.0), half / 2, atol=1e-6)
    np.testing.assert_allclose(cut(half, ringing=0.5), half, atol=1e-6)


def test_the_voxel_size_counts():
    data = noise((32, 1, 1))
    np.testing.assert_array_equal(
        cut(data, spacing=(2, 1, 1), resolution_mm=8.0), cut(data, resolution_mm=4.0)
    )


def test_only_the_named_axes_are_encoded():
    data = noise()
    lines = cut(data, axes=(0, 1)).mean(axis=(0, 1))
    np.testing.assert_allclose(lines, data.mean(axis=(0, 1)), atol=1e-6)


def test_a_resolution_finer_than_the_grid_cuts_nothing():
    np.testing.assert_allclose(
        cut(noise(), resolution_mm=0.5, axes=(0, 1, 2)), noise(), atol=1e-5
    )


@pytest.mark.parametrize("shape", [(8, 9, 10), (7, 1, 6)])
def test_the_shape_stays(shape):
    assert cut(noise(shape), axes=(0, 1, 2)).shape == shape


def test_sizes_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="-1 mm"):
        point_spread(noise(), SPACING, fwhm_mm=-1)
    with pytest.raises(InputError, match="0 mm"):
        slice_profile(noise(), SPACING, thickness_mm=0, axis=0)
    for wrong in ({"resolution_mm": 0}, {"ringing": 1.1}, {"ringing": -0.1}):
        with pytest.raises(InputError, match="with ringing"):
            cut(noise(), **wrong)


def test_a_point_spread_narrower_than_a_voxel_blurs_as_it_should():
    fastest = np.tile([1.0, -1.0], (8, 8, 4))  # half a cycle a voxel, along k
    sigma = 0.5 / np.sqrt(8 * np.log(2))
    left = point_spread(fastest, (1.0, 1.0, 1.0), fwhm_mm=0.5)
    assert left == pytest.approx(fastest * np.exp(-2 * (np.pi * sigma * 0.5) ** 2))
