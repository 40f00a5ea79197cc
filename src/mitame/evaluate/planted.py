"""What harmonizing leaves of lesions that were planted in a subject."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.evaluate.masked import Image, Mask
from mitame.evaluate.metrics import lesion_contrast_kept

SURROUND_MM = (2.0, 6.0)
"""From a lesion to where the tissue around it begins and ends: not its soft border."""

VISIBLE = 0.05
"""White-matter medians. A lesion that differs less from its surround in the noise-free
source is not seen there, and a share of nothing is no score."""


def kept_of_lesions(
    *,
    before: Image,
    after: Image,
    quiet: Image,
    lesions: NDArray[np.integer],
    white: Mask,
    grey: Mask,
    brain: Mask,
    spacing: tuple[float, float, float],
    smallest_mm: float = 0.0,
) -> list[float]:
    """Return `lesion_contrast_kept` of every lesion that can be seen.

    Parameters
    ----------
    before, after : array, shape (i, j, k)
        The source, and what harmonizing made of it; white-matter medians.
    quiet : array, shape (i, j, k)
        The source without noise: it tells which lesions can be seen.
    lesions : array of int, shape (i, j, k)
        n where lesion n is, 0 elsewhere.
    white, grey : array of bool, shape (i, j, k)
        Tissue; what is lesion is left out.
    brain : array of bool, shape (i, j, k)
        Where to look.
    spacing : tuple of float
        Voxel edges, mm.
    smallest_mm : float
        Diameter of the ball as large as the smallest lesion that counts.
    """
    least = math.pi / 6 * smallest_mm**3 / math.prod(spacing)
    healthy = brain & (lesions == 0)
    kept = []
    for number in range(1, int(lesions.max()) + 1):
        lesion = brain & (lesions == number)
        around = _around(lesion, spacing) & healthy
        if not lesion.any() or lesion.sum() < least or not around.any():
            continue
        if abs(quiet[lesion].mean() - quiet[around].mean()) < VISIBLE:
            continue
        kept.append(
            lesion_contrast_kept(
                before, after, lesion, around, healthy & white, healthy & grey
            )
        )
    return kept


def _around(lesion: Mask, spacing: tuple[float, float, float]) -> Mask:
    """Return a shell around a lesion."""
    near, far = SURROUND_MM
    away = ndimage.distance_transform_edt(~lesion, sampling=spacing)
    return np.asarray((away > near) & (away <= far))
