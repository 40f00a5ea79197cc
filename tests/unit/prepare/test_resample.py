import numpy as np
import pytest
import SimpleITK
from scipy.ndimage import affine_transform

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.volume import Volume
from mitame.prepare.itk import to_itk
from mitame.prepare.resample import (
    at_spacing,
    grid_at_spacing,
    resample,
    resample_mask,
)
from mitame.testing.phantom import head_grid, in_view, phantom

SHEARED = np.array(
    [[-1, 0.3, 0.2, 4], [0.2, 1.1, -0.4, 5], [0.1, 0.3, 3, -9], [0, 0, 0, 1.0]]
)
OBLIQUE = np.array(
    [[1.2, 0.1, 0, -4], [0, 1.1, 0.2, 3], [0.1, -0.3, 1.3, -6], [0, 0, 0, 1.0]]
)


def noise(affine=SHEARED, shape=(12, 11, 6)):
    return Volume(np.random.default_rng(0).normal(size=shape), affine)


def empty(affine=OBLIQUE, shape=(9, 10, 11)):
    return Volume(np.zeros(shape), affine)


@pytest.mark.parametrize(
    ("interpolator", "order", "mode"),
    [("linear", 1, "nearest"), ("cubic", 3, "mirror")],
)
def test_agrees_with_scipy_on_sheared_and_oblique_grids(interpolator, order, mode):
    onto = empty()
    to_voxel = np.linalg.inv(SHEARED) @ OBLIQUE
    expected = affine_transform(
        noise().data, to_voxel, output_shape=onto.shape, order=order, mode=mode
    )
    inside = in_view(noise(), onto)
    result = resample(noise(), onto, interpolator=interpolator)
    np.testing.assert_allclose(result.data[inside], expected[inside], atol=1e-4)
    assert not result.data[~inside].any()


def test_a_transform_moves_the_image_as_simpleitk_does():
    turn = SimpleITK.Euler3DTransform((1.0, 2.0, 3.0), 0.1, -0.2, 0.3, (1, -2, 0.5))
    matrix = np.eye(4)
    matrix[:3, :3] = np.reshape(turn.GetMatrix(), (3, 3))
    matrix[:3, 3] = turn.TransformPoint((0.0, 0.0, 0.0))
    flip = np.diag([-1.0, -1, 1, 1])
    expected = SimpleITK.Resample(
        to_itk(noise()), to_itk(empty()), turn, SimpleITK.sitkLinear
    )
    result = resample(
        noise(), empty(), transform=flip @ matrix @ flip, interpolator="linear"
    )
    array = SimpleITK.GetArrayFromImage(expected).transpose(2, 1, 0)
    np.testing.assert_allclose(result.data, array, atol=1e-4)


def test_the_own_grid_gives_the_own_intensities():
    result = resample(noise(), noise())
    np.testing.assert_allclose(result.data, noise().data, atol=1e-4)


def test_a_shift_by_whole_voxels_moves_voxels():
    volume = noise(np.eye(4))
    shift = np.eye(4)
    shift[0, 3] = 2
    result = resample(volume, volume, transform=shift, interpolator="linear")
    np.testing.assert_allclose(result.data[:-2], volume.data[2:], atol=1e-6)
    assert not result.data[-2:].any()


def test_cubic_overshoots_beside_an_edge_and_nothing_is_clipped():
    step = np.zeros((12, 4, 4))
    step[6:] = 1
    onto = grid_at_spacing(Volume(step, np.eye(4)), 0.5)
    result = resample(Volume(step, np.eye(4)), onto, interpolator="cubic")
    assert result.data.min() < -0.01
    assert result.data.max() > 1.01


def test_scanner_and_history_are_kept():
    scan = phantom()
    result = resample(scan, grid_at_spacing(scan, 8.0))
    assert result.scanner == scan.scanner
    assert result.history[-1].params["interpolator"] == "cubic"


def test_a_coarser_grid_has_the_same_faces_and_the_same_mean():
    scan = phantom()
    coarse = at_spacing(scan, 9.0)
    np.testing.assert_allclose(coarse.spacing, 9.0)
    middle = [(np.array(v.shape) - 1) / 2 for v in (scan, coarse)]
    here, there = (
        v.affine @ [*m, 1] for v, m in zip((scan, coarse), middle, strict=True)
    )
    np.testing.assert_allclose(here, there, atol=1e-9)
    assert coarse.data.mean() == pytest.approx(scan.data.mean(), rel=0.05)


def test_a_mask_keeps_its_place_and_size():
    scan = phantom()
    brain = scan.data > 300
    onto = grid_at_spacing(scan, 3.0)
    fine = resample_mask(brain, scan, onto)
    assert fine.sum() * 27 == pytest.approx(brain.sum() * 216, rel=0.05)


def test_a_mask_of_another_shape_is_refused():
    with pytest.raises(GridMismatchError, match="mask is"):
        resample_mask(np.ones((2, 2, 2), bool), head_grid(), head_grid())


def test_an_unknown_interpolator_is_refused():
    with pytest.raises(InputError, match="lanczos") as error:
        resample(noise(), empty(), interpolator="lanczos")
    assert "linear" in error.value.fix


def test_a_transform_that_is_no_affine_is_refused():
    with pytest.raises(InputError, match="affine"):
        resample(noise(), empty(), transform=np.ones((4, 4)))
