"""The affine that lays one brain onto another, whatever their sequences."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation
from scipy.spatial.transform import Rotation

from mitame.core.volume import Volume
from mitame.prepare.itk import (
    RAS_TO_LPS,
    from_itk_transform,
    mask_to_itk,
    matcher,
    to_itk,
)
from mitame.prepare.resample import at_spacing, resample_mask

COARSE_MM, FINE_MM = 6.0, 3.0
# How far beyond the brain the matching looks: the outline tells the place, too.
RIM_MM = 12.0
# Where the search starts, degrees; people nod in the coil more than they lean.
NODS = (-30, -20, -10, 0, 10, 20, 30)
LEANS = (-15, 0, 15)


@dataclass(frozen=True, slots=True)
class _Brain:
    """One brain without its skull, and where to look."""

    image: SimpleITK.Image
    near: SimpleITK.Image


def match_brains(
    volume: Volume,
    brain: NDArray[np.bool_],
    target: Volume,
    target_brain: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return world millimetres of `volume` to world millimetres of `target`, RAS+.

    Maximizes Mattes mutual information of the two brains without their skulls:
    from the best of several starts, first by turn, shift and one scale, then by any
    affine. All voxels are used, in one thread, so every run gives the same.

    Parameters
    ----------
    volume, target : Volume
        Two heads, of any sequence.
    brain, target_brain : array of bool
        Brain masks on their grids.
    """
    moving = _bare(target, target_brain, FINE_MM).image
    coarse, fine = (_bare(volume, brain, mm) for mm in (COARSE_MM, FINE_MM))
    starts = _starts(volume, brain, target, target_brain)
    method = _method(coarse, step=2.0)
    best = min(starts, key=lambda start: _cost(method, start, coarse, moving))
    _improve(method, best, coarse, moving)
    affine = SimpleITK.AffineTransform(3)
    affine.SetCenter(best.GetCenter())
    affine.SetMatrix(best.GetMatrix())
    affine.SetTranslation(best.GetTranslation())
    _improve(_method(fine, step=0.5), affine, fine, moving)
    return from_itk_transform(affine)


def _bare(volume: Volume, brain: NDArray[np.bool_], spacing: float) -> _Brain:
    """Return the brain on a coarse grid, black outside."""
    masked = Volume(np.where(brain, volume.data, 0), volume.affine)
    small = at_spacing(masked, spacing)
    near = binary_dilation(
        resample_mask(brain, volume, small), iterations=max(1, round(RIM_MM / spacing))
    )
    return _Brain(to_itk(small), mask_to_itk(near, small))


def _starts(
    volume: Volume,
    brain: NDArray[np.bool_],
    target: Volume,
    target_brain: NDArray[np.bool_],
) -> list[SimpleITK.Similarity3DTransform]:
    """Return maps that bring center and size together, one for every turn."""
    here, size = _center_and_size(brain, volume)
    there, target_size = _center_and_size(target_brain, target)
    starts = []
    for nod, lean in product(NODS, LEANS):
        x, y, z, w = Rotation.from_euler("xy", (nod, lean), degrees=True).as_quat()
        start = SimpleITK.Similarity3DTransform()
        start.SetCenter(here.tolist())
        start.SetTranslation((there - here).tolist())
        start.SetRotation((x, y, z, w))
        start.SetScale(float(np.cbrt(target_size / size)))
        starts.append(start)
    return starts


def _center_and_size(
    mask: NDArray[np.bool_], grid: Volume
) -> tuple[NDArray[np.float64], float]:
    """Return the middle of `mask`, LPS mm, and its volume, mm^3."""
    affine = RAS_TO_LPS @ grid.affine
    center = affine @ [*np.argwhere(mask).mean(axis=0), 1.0]
    return center[:3], float(mask.sum() * abs(np.linalg.det(affine[:3, :3])))


def _method(fixed: _Brain, *, step: float) -> SimpleITK.ImageRegistrationMethod:
    return matcher(fixed.near, first_step=step, last_step=0.005, iterations=150)


def _cost(
    method: SimpleITK.ImageRegistrationMethod,
    transform: SimpleITK.Transform,
    fixed: _Brain,
    moving: SimpleITK.Image,
) -> float:
    """Return minus the mutual information of the two under `transform`."""
    method.SetInitialTransform(transform)
    return float(method.MetricEvaluate(fixed.image, moving))


def _improve(
    method: SimpleITK.ImageRegistrationMethod,
    transform: SimpleITK.Transform,
    fixed: _Brain,
    moving: SimpleITK.Image,
) -> None:
    """Move `transform` to where the mutual information is largest nearby."""
    method.SetInitialTransform(transform, inPlace=True)
    method.Execute(fixed.image, moving)
