"""Two visits of one head onto each other, with no favorite."""

from __future__ import annotations

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy.linalg import polar, sqrtm
from scipy.ndimage import binary_dilation

from mitame.core.volume import Volume
from mitame.prepare.itk import (
    RAS_TO_LPS,
    from_itk_transform,
    mask_to_itk,
    matcher,
    to_itk,
)
from mitame.prepare.resample import at_spacing, resample_mask

SPACINGS_MM = (4.0, 2.0)
"""Voxel edges of the two rounds; the first finds the place, the second refines."""

RIM_MM = 6.0
"""How far beyond the brain the matching looks: to the inner table of the skull."""


def align(
    prior: Volume,
    prior_brain: NDArray[np.bool_],
    current: Volume,
    current_brain: NDArray[np.bool_],
    *,
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the rigid map from the current scan's world to the prior's, RAS+ mm.

    Each scan is matched to the other, and the two answers are averaged as motions:
    swapping the visits gives exactly the inverse.

    Parameters
    ----------
    prior, current : Volume
        The same sequence at both visits, on any grids.
    prior_brain, current_brain : array of bool
        Brain masks on their grids.
    start : array, shape (4, 4)
        A first guess of the result; it need not be rigid.
    """
    # Taken from both ends: the closest motion of an inverse is not quite the inverse.
    here = halfway(closest_motion(start), inverse(closest_motion(inverse(start))))
    forward = _match(current, current_brain, prior, here)
    backward = _match(prior, prior_brain, current, inverse(here))
    return halfway(forward, inverse(backward))


def halfway(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the motion in the middle of two, which are both (4, 4)."""
    step = sqrtm(np.linalg.inv(first) @ second)
    return closest_motion(first @ np.real(step))


def inverse(motion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the way back of a map (4, 4)."""
    return np.asarray(np.linalg.inv(motion), dtype=np.float64)


def closest_motion(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `affine` (4, 4) with its scales and shears taken out."""
    motion = affine.copy()
    motion[:3, :3], _ = polar(affine[:3, :3])
    return motion


def motion_size(motion: NDArray[np.float64], around: Volume) -> dict[str, float]:
    """Return by how much a motion turns, degrees, and shifts the middle, mm."""
    middle = around.affine @ [*(np.array(around.shape) - 1) / 2, 1.0]
    cosine = np.clip((np.trace(motion[:3, :3]) - 1) / 2, -1, 1)
    shift = float(np.linalg.norm((motion @ middle - middle)[:3]))
    return {
        "rotation_deg": float(np.degrees(np.arccos(cosine))),
        "translation_mm": shift,
    }


def _match(
    fixed: Volume,
    brain: NDArray[np.bool_],
    moving: Volume,
    start: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the rigid map from `fixed` to `moving` with most mutual information."""
    transform = _versor(start, fixed, brain)
    for spacing in SPACINGS_MM:
        small = at_spacing(fixed, spacing)
        near = resample_mask(brain, fixed, small)
        near = binary_dilation(near, iterations=round(RIM_MM / spacing))
        method = matcher(
            mask_to_itk(near, small),
            first_step=spacing / 2,
            last_step=spacing / 1000,
            iterations=60,
        )
        method.SetInitialTransform(transform, inPlace=True)
        method.Execute(to_itk(small), to_itk(at_spacing(moving, spacing)))
    return from_itk_transform(transform)


def _versor(
    start: NDArray[np.float64], fixed: Volume, brain: NDArray[np.bool_]
) -> SimpleITK.VersorRigid3DTransform:
    """Return `start` as an ITK rigid transform that turns about the brain."""
    center = RAS_TO_LPS @ fixed.affine @ [*np.argwhere(brain).mean(axis=0), 1.0]
    motion = RAS_TO_LPS @ start @ RAS_TO_LPS
    transform = SimpleITK.VersorRigid3DTransform()
    transform.SetCenter(center[:3].tolist())
    transform.SetMatrix(motion[:3, :3].ravel().tolist())
    transform.SetTranslation((motion @ center - center)[:3].tolist())
    return transform
