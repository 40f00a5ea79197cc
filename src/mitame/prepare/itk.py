"""Volumes as SimpleITK images and transforms, and back; RAS and LPS meet only here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import SimpleITK
from numpy.typing import ArrayLike, NDArray

from mitame.core.volume import Volume


class Linear(Protocol):
    """What ITK's rigid, similarity and affine transforms have in common."""

    def GetMatrix(self) -> Sequence[float]: ...  # noqa: D102, N802 - ITK's name
    def GetCenter(self) -> Sequence[float]: ...  # noqa: D102, N802 - ITK's name
    def GetTranslation(self) -> Sequence[float]: ...  # noqa: D102, N802 - ITK's name


RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def to_itk(volume: Volume) -> SimpleITK.Image:
    """Return `volume` as a SimpleITK image, every voxel in the same place.

    ITK keeps a direction matrix beside spacing and origin. Its file readers refuse
    one that is not orthonormal; in memory it may be any invertible matrix, so an
    oblique, left-handed or sheared affine passes through unchanged.
    """
    affine = RAS_TO_LPS @ volume.affine
    image = SimpleITK.GetImageFromArray(volume.data.transpose(2, 1, 0))
    image.SetSpacing(volume.spacing)
    image.SetOrigin(affine[:3, 3].tolist())
    image.SetDirection((affine[:3, :3] / volume.spacing).ravel().tolist())
    return image


def data_of(image: SimpleITK.Image) -> NDArray[np.float32]:
    """Return the intensities of a SimpleITK image; shape (i, j, k)."""
    array = SimpleITK.GetArrayFromImage(image).transpose(2, 1, 0)
    return np.ascontiguousarray(array, dtype=np.float32)


def affine_of(image: SimpleITK.Image) -> NDArray[np.float64]:
    """Return voxel indices to world millimetres (RAS+) of a SimpleITK image."""
    affine = np.eye(4)
    direction = np.reshape(image.GetDirection(), (3, 3))
    affine[:3, :3] = direction * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return RAS_TO_LPS @ affine


def mask_to_itk(mask: NDArray[np.bool_], grid: Volume) -> SimpleITK.Image:
    """Return `mask`, which lies on `grid`, as an image of 0 and 1."""
    image = to_itk(Volume(mask.astype(np.float32), grid.affine))
    whole: SimpleITK.Image = SimpleITK.Cast(image, SimpleITK.sitkUInt8)
    return whole


def from_itk(image: SimpleITK.Image) -> Volume:
    """Return a SimpleITK image as a `Volume`, without scanner or history."""
    return Volume(data_of(image), affine_of(image))


def to_itk_transform(matrix: ArrayLike) -> SimpleITK.AffineTransform:
    """Return a RAS+ millimetre matrix, shape (4, 4), as an ITK affine transform."""
    lps = RAS_TO_LPS @ np.asarray(matrix, dtype=np.float64) @ RAS_TO_LPS
    transform = SimpleITK.AffineTransform(3)
    transform.SetMatrix(lps[:3, :3].ravel().tolist())
    transform.SetTranslation(lps[:3, 3].tolist())
    return transform


def from_itk_transform(transform: Linear) -> NDArray[np.float64]:
    """Return a rigid, similarity or affine ITK transform as a RAS+ mm matrix, (4, 4).

    The center of rotation is worked into the translation.
    """
    lps = np.eye(4)
    lps[:3, :3] = np.reshape(transform.GetMatrix(), (3, 3))
    center = np.asarray(transform.GetCenter())
    lps[:3, 3] = center + transform.GetTranslation() - lps[:3, :3] @ center
    return RAS_TO_LPS @ lps @ RAS_TO_LPS


def matcher(
    near: SimpleITK.Image, *, first_step: float, last_step: float, iterations: int
) -> SimpleITK.ImageRegistrationMethod:
    """Return an optimizer of Mattes mutual information between two images.

    All voxels are used, in one thread: sums in the same order give the same
    transform on every run.

    Parameters
    ----------
    near : SimpleITK.Image
        Where to look in the fixed image, 0 or 1.
    first_step, last_step : float
        By how much the farthest voxel moves in a step, mm: at first, and when done.
    iterations : int
        Most steps.
    """
    method = SimpleITK.ImageRegistrationMethod()
    method.SetNumberOfWorkUnits(1)
    method.SetMetricAsMattesMutualInformation(32)
    method.SetMetricSamplingStrategy(method.NONE)
    method.SetMetricFixedMask(near)
    method.SetInterpolator(SimpleITK.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(first_step, last_step, iterations)
    method.SetOptimizerScalesFromPhysicalShift()
    return method
