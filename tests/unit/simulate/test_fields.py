from time import perf_counter

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate.fields import (
    HEAD_HALF_AXES_MM,
    receive_field,
    transmit_field,
)

CENTER = np.array([3.0, -18.0, 8.0])
SPACING = 5.0
SHAPE = (49, 53, 51)


def grid(spacing=SPACING, shape=SHAPE):
    """An affine with `CENTER` in the middle voxel."""
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = CENTER - spacing * (np.array(shape) // 2)
    return affine


def radius(shape=SHAPE):
    """0 in the middle of the head, 1 on its surface."""
    index = np.moveaxis(np.indices(shape), 0, -1) - np.array(shape) // 2
    return np.linalg.norm(index * SPACING / HEAD_HALF_AXES_MM, axis=-1)


def received(seed=0, strength=0.25, shape=SHAPE, affine=None):
    affine = grid() if affine is None else affine
    rng = np.random.default_rng(seed)
    return receive_field(shape, affine, CENTER, strength=strength, rng=rng)


def transmitted(brightening=0.25, shape=SHAPE, affine=None):
    affine = grid() if affine is None else affine
    return transmit_field(shape, affine, CENTER, center_brightening=brightening)


def test_the_receive_field_has_mean_one_and_its_strength_over_the_head():
    logarithm = np.log(received()[radius() <= 1])
    assert logarithm.mean() == pytest.approx(0, abs=0.01)
    assert logarithm.std() == pytest.approx(0.25, rel=0.03)


@pytest.mark.parametrize("seed", range(5))
def test_tissue_near_the_coil_is_brighter_than_the_middle(seed):
    field = received(seed)
    r = radius()
    edge = field[(r > 0.9) & (r < 1)].mean()
    assert edge > 1.2 * field[r < 0.3].mean()
    assert field.min() > 0


def test_all_sides_of_the_head_have_a_coil():
    # Many heads, so that the random part goes.
    field = np.mean([np.log(received(seed)) for seed in range(20)], axis=0)
    i, j, k = np.array(SHAPE) // 2
    side, front = 14, 18  # voxels from the middle, inside the head
    around = [field[i - side, j, k], field[i + side, j, k]]
    around += [field[i, j - front, k], field[i, j + front, k]]
    assert np.ptp(around) < 0.2
    assert min(around) > field[i, j, k] + 0.2
    crown, neck = field[i, j, k + 17], field[i, j, k - 17]
    assert crown > field[i, j, k] > neck + 0.2


def test_no_strength_is_a_uniform_field():
    assert (received(strength=0.0) == 1).all()
    assert (transmitted(0.0) == 1).all()


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not():
    assert received(1).tobytes() == received(1).tobytes()
    assert np.abs(received(1) - received(2)).max() > 0.05


def test_the_fields_are_smooth():
    for field in (received(), transmitted()):
        inside = np.log(np.where(radius() <= 1, field, np.nan))
        for axis in range(3):
            step = np.diff(inside, axis=axis)
            bend = np.diff(inside, n=2, axis=axis)
            assert np.nanmax(np.abs(step)) < 0.03 * SPACING
            assert np.nanmax(np.abs(bend)) < 0.0015 * SPACING**2


@pytest.mark.parametrize("make", [received, transmitted])
def test_a_field_keeps_its_place_in_the_world_on_any_grid(make):
    whole = make()
    affine = grid()
    affine[:3, :3] *= 2
    np.testing.assert_allclose(
        make(shape=(25, 27, 26), affine=affine), whole[::2, ::2, ::2], atol=0.01
    )
    cut = grid()
    cut[:3, 3] += SPACING * np.array([10, 12, 8])
    np.testing.assert_allclose(
        make(shape=(20, 20, 1), affine=cut), whole[10:30, 12:32, 8:9], atol=0.01
    )
    turned = grid()[:, [2, 0, 1, 3]]
    np.testing.assert_allclose(
        make(shape=(SHAPE[2], *SHAPE[:2]), affine=turned),
        whole.transpose(2, 0, 1),
        atol=1e-5,
    )


@pytest.mark.parametrize("brightening", [0.03, 0.25])
def test_the_transmit_field_is_strong_in_the_middle_and_weak_at_the_edge(brightening):
    field, r = transmitted(brightening), radius()
    assert field[r == 0] == pytest.approx(1 + brightening, abs=1e-3)
    np.testing.assert_allclose(field[r > 1.1], 1 - brightening, atol=0.02 * brightening)
    np.testing.assert_allclose(
        field[np.abs(r - 0.5) < 0.01], 1, atol=0.05 * brightening
    )


def test_the_transmit_field_falls_all_the_way_out():
    i, j, k = np.array(SHAPE) // 2
    line = transmitted()[i, j : j + 19, k]
    assert (np.diff(line) < 0).all()


@pytest.mark.parametrize("strength", [-0.1, 1.0, np.nan])
def test_a_strength_out_of_range_is_refused(strength):
    with pytest.raises(InputError, match="strength of"):
        received(strength=strength)
    with pytest.raises(InputError, match="strength of"):
        transmitted(strength)


def test_a_whole_head_takes_less_than_two_seconds():
    shape = (200, 200, 200)
    begin = perf_counter()
    field = received(shape=shape, affine=grid(1.0, shape))
    assert perf_counter() - begin < 2
    assert field.dtype == np.float32
    assert field.shape == shape
