import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from mitame.core.volume import Volume
from mitame.prepare.bias import CorrectBias
from mitame.prepare.itk import from_itk, to_itk
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation
from mitame.prepare.resample import grid_at_spacing, resample
from mitame.prepare.scale import ScaleToWhiteMatter
from mitame.testing.phantom import CENTER, HALF_AXES, in_view, phantom, phantom_session

angles = st.floats(-180, 180)
edges = st.floats(5.0, 9.0)


@st.composite
def grids(draw, shear=0.15):
    """A grid around the phantom: any orientation, handedness, spacing, some shear."""
    turn = Rotation.from_euler("xyz", [draw(angles) for _ in range(3)], degrees=True)
    skew = np.eye(3)
    skew[0, 1], skew[1, 2] = draw(st.floats(-shear, shear)), draw(st.floats(0, shear))
    signs = [draw(st.sampled_from((-1, 1))) for _ in range(3)]
    spacing = np.array([draw(edges) for _ in range(3)])
    affine = np.eye(4)
    affine[:3, :3] = turn.as_matrix() @ skew @ np.diag(signs * spacing)
    shape = np.ceil(3.0 * max(HALF_AXES) / spacing).astype(int)
    affine[:3, 3] = CENTER - affine[:3, :3] @ ((shape - 1) / 2)
    return Volume(np.zeros(shape, np.float32), affine)


@given(grid=grids())
@settings(deadline=None, max_examples=25)
def test_orienting_goes_there_and_back_exactly(grid):
    native = phantom_session(grid)
    turned, undo = Orient().apply(native)
    assert (np.diag(turned.reference.affine[:3, :3]) > 0).all()
    back = undo(turned)
    assert np.array_equal(back["T1w"].data, native["T1w"].data)
    assert np.array_equal(back["T1w"].affine, native["T1w"].affine)
    assert np.array_equal(back.brain, native.brain)


@given(grid=grids())
@settings(deadline=None, max_examples=15)
def test_orienting_leaves_the_head_where_it_is_in_the_world(grid):
    turned, _ = Orient().apply(phantom_session(grid))
    again = phantom(turned.reference)
    np.testing.assert_allclose(turned["T1w"].data, again.data, atol=1e-2)


@given(grid=grids())
@settings(deadline=None, max_examples=15)
def test_itk_sees_every_grid_as_it_is(grid):
    back = from_itk(to_itk(grid))
    np.testing.assert_allclose(back.affine, grid.affine, atol=1e-9)


@given(here=grids(), there=grids())
@settings(deadline=None, max_examples=15)
def test_resampling_keeps_the_head_in_its_place(here, there):
    moved = resample(phantom(here, softness=8.0), there, interpolator="cubic")
    expected = phantom(there, softness=8.0)
    inside = in_view(here, there)
    error = np.abs(moved.data - expected.data)[inside]
    assert error.mean() < 0.03 * expected.data.max()


@given(grid=grids(shear=0.0))
@settings(deadline=None, max_examples=10)
def test_to_a_finer_grid_and_back_is_within_interpolation_error(grid):
    native = phantom(grid, softness=8.0)
    fine = resample(native, grid_at_spacing(native, 3.0))
    back = resample(fine, native)
    # What lies in the outermost half voxel may have had no finer voxel beside it.
    inside = in_view(fine, native)
    error = np.abs(back.data - native.data)[inside]
    assert error.max() < 0.05 * native.data.max()


@given(grid=grids(shear=0.0), gain=st.floats(1e-3, 1e3), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=10)
def test_the_way_back_gives_the_native_grid_on_the_common_scale(grid, gain, seed):
    native = phantom_session(grid, gain=gain, noise=5.0, seed=seed)
    preparation = Preparation((Orient(), ScaleToWhiteMatter()))
    prepared, undo = preparation.apply(native)
    back = undo(prepared)
    back.reference.require_same_grid(native.reference)
    ratio = back["T1w"].data / np.where(native["T1w"].data, native["T1w"].data, 1)
    np.testing.assert_allclose(ratio[native.brain], np.median(ratio), rtol=1e-4)


@given(gain=st.floats(1e-3, 1e3))
@settings(deadline=None, max_examples=3)
def test_the_bias_field_does_not_depend_on_the_gain(gain):
    plain, _ = CorrectBias(iterations=5).apply(phantom_session(noise=5.0))
    bright, _ = CorrectBias(iterations=5).apply(phantom_session(noise=5.0, gain=gain))
    np.testing.assert_allclose(
        bright["T1w"].data, gain * plain["T1w"].data, rtol=1e-2, atol=gain
    )
