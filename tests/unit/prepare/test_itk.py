import numpy as np
import SimpleITK

from mitame.core.volume import Volume
from mitame.prepare.itk import (
    from_itk,
    from_itk_transform,
    mask_to_itk,
    to_itk,
    to_itk_transform,
)

SHEARED_LEFT_HANDED = np.array(
    [[-1, 0.3, 0.2, 4], [0.2, 1.1, -0.4, 5], [0.1, 0.3, 3, -9], [0, 0, 0, 1.0]]
)


def scan():
    rng = np.random.default_rng(0)
    return Volume(rng.normal(size=(5, 6, 7)), SHEARED_LEFT_HANDED)


def test_an_image_goes_there_and_back():
    back = from_itk(to_itk(scan()))
    assert np.array_equal(back.data, scan().data)
    np.testing.assert_allclose(back.affine, scan().affine, atol=1e-12)


def test_a_voxel_has_one_place_in_both_worlds():
    here = scan().affine @ [1, 2, 3, 1.0]
    there = to_itk(scan()).TransformIndexToPhysicalPoint((1, 2, 3))
    np.testing.assert_allclose(there, here[:3] * (-1, -1, 1), atol=1e-9)


def test_a_voxel_has_one_value_in_both_worlds():
    assert to_itk(scan())[1, 2, 3] == scan().data[1, 2, 3]


def test_a_mask_becomes_bytes():
    image = mask_to_itk(scan().data > 0, scan())
    assert image.GetPixelID() == SimpleITK.sitkUInt8


def test_a_matrix_goes_there_and_back():
    matrix = SHEARED_LEFT_HANDED
    back = from_itk_transform(to_itk_transform(matrix))
    np.testing.assert_allclose(back, matrix, atol=1e-12)


def test_a_matrix_moves_points_as_itk_does():
    transform = to_itk_transform(SHEARED_LEFT_HANDED)
    moved = SHEARED_LEFT_HANDED @ [10, 20, 30, 1.0]
    there = transform.TransformPoint((-10, -20, 30))
    np.testing.assert_allclose(there, moved[:3] * (-1, -1, 1))


def test_the_center_of_rotation_is_part_of_the_matrix():
    transform = SimpleITK.AffineTransform(3)
    transform.Rotate(0, 1, 0.3)
    transform.SetCenter((5, 6, 7))
    moved = from_itk_transform(transform) @ [-1, -2, 3, 1.0]
    there = transform.TransformPoint((1, 2, 3))
    np.testing.assert_allclose(moved[:3] * (-1, -1, 1), there)
