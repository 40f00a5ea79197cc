"""Intensities of one grid at the voxels of another."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import SimpleITK
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.volume import Step, Volume
from mitame.prepare.itk import data_of, to_itk, to_itk_transform

Interpolator = Literal["nearest", "linear", "cubic"]
"""`cubic` is a B-spline of order 3."""

_FWHM_PER_SIGMA = 2.3548


def resample(
    volume: Volume,
    onto: Volume,
    *,
    transform: ArrayLike | None = None,
    interpolator: Interpolator = "cubic",
) -> Volume:
    """Return the intensities of `volume` at the voxels of `onto`.

    Voxels outside the field of view of `volume` become 0.
    Interpolation does not smooth: going to a much coarser grid aliases, see
    `at_spacing`. `cubic` rings beside sharp edges, by up to about a tenth of the
    step, below zero too; nothing is clipped. `linear` never overshoots, and blurs.

    Parameters
    ----------
    volume : Volume
        The intensities; scanner and history are kept.
    onto : Volume
        Its grid is used, its intensities are not.
    transform : array_like, shape (4, 4), optional
        World millimetres of `onto` to world millimetres of `volume`, RAS+; by
        default both have one world.
    interpolator : {"nearest", "linear", "cubic"}
        How to read between voxels.

    Raises
    ------
    InputError
        If the interpolator is unknown or the transform is not an affine one.
    """
    matrix = _affine(transform)
    filter_ = SimpleITK.ResampleImageFilter()
    filter_.SetReferenceImage(to_itk(onto))
    filter_.SetTransform(to_itk_transform(matrix))
    filter_.SetInterpolator(_itk_interpolator(interpolator))
    filter_.SetDefaultPixelValue(0.0)
    data = data_of(filter_.Execute(to_itk(volume)))
    params = {"interpolator": interpolator, "transform": matrix.tolist()}
    return volume.with_grid(data, onto.affine, Step("resample", params))


def resample_mask(
    mask: NDArray[np.bool_],
    grid: Volume,
    onto: Volume,
    *,
    transform: ArrayLike | None = None,
) -> NDArray[np.bool_]:
    """Return `mask`, which lies on `grid`, at the voxels of `onto`.

    Parameters
    ----------
    mask : array of bool, shape (i, j, k)
        On the grid of `grid`.
    grid, onto : Volume
        Where the mask is and where it shall be; intensities are not used.
    transform : array_like, shape (4, 4), optional
        As in `resample`.

    Raises
    ------
    GridMismatchError
        If the mask is not the shape of `grid`.
    """
    if mask.shape != grid.shape:
        raise GridMismatchError(
            f"The mask is {mask.shape}, its grid is {grid.shape}.",
            fix="Give the volume the mask was made on.",
        )
    soft = Volume(mask.astype(np.float32), grid.affine)
    there = resample(soft, onto, transform=transform, interpolator="linear")
    return np.asarray(there.data > 0.5)


def grid_at_spacing(volume: Volume, spacing: float) -> Volume:
    """Return an empty grid with cubic voxels over the field of view of `volume`.

    The axes keep their directions and the outer faces stay where they are, to
    within half a new voxel.

    Parameters
    ----------
    volume : Volume
        Only its grid is used.
    spacing : float
        Voxel edge, mm.
    """
    old = np.asarray(volume.spacing)
    shape = np.maximum(np.round(np.asarray(volume.shape) * old / spacing), 1)
    scale = spacing / old
    start = (np.asarray(volume.shape) - 1) / 2 - scale * (shape - 1) / 2
    step = np.eye(4)
    step[:3, :3] = np.diag(scale)
    step[:3, 3] = start
    return Volume(np.zeros(shape.astype(int), np.float32), volume.affine @ step)


def at_spacing(volume: Volume, spacing: float) -> Volume:
    """Return `volume` with cubic voxels; axes that get coarser are smoothed first.

    Parameters
    ----------
    volume : Volume
        The intensities; scanner and history are kept.
    spacing : float
        Voxel edge, mm. An axis finer than this is first blurred by a Gaussian of
        FWHM sqrt(new**2 - old**2), which is what a coarser scan would have seen.
    """
    old = np.asarray(volume.spacing)
    fwhm = np.sqrt(np.maximum(spacing**2 - old**2, 0))
    blurred = gaussian_filter(volume.data, fwhm / _FWHM_PER_SIGMA / old)
    soft = volume.with_data(blurred, Step("smooth", {"fwhm_mm": fwhm.tolist()}))
    return resample(soft, grid_at_spacing(volume, spacing), interpolator="linear")


def _affine(transform: ArrayLike | None) -> NDArray[np.float64]:
    """Return `transform` as a matrix, the identity where there is none."""
    matrix = np.asarray(np.eye(4) if transform is None else transform, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.allclose(matrix[3], [0, 0, 0, 1]):
        raise InputError(
            f"The transform is not a (4, 4) affine matrix: {matrix.tolist()}.",
            fix="Give world millimetres to world millimetres, RAS+.",
        )
    return matrix


def _itk_interpolator(interpolator: Interpolator) -> int:
    known = {
        "nearest": SimpleITK.sitkNearestNeighbor,
        "linear": SimpleITK.sitkLinear,
        "cubic": SimpleITK.sitkBSpline3,
    }
    if interpolator not in known:
        raise InputError(
            f"Unknown interpolator {interpolator!r}.",
            fix=f"Use one of {', '.join(get_args(Interpolator))}.",
        )
    return int(known[interpolator])
