"""What harmonizing leaves of what was planted: lesions, and a mark of a scanner."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.evaluate.masked import Image, Mask
from mitame.evaluate.metrics import lesion_contrast_kept, planted_residual

SURROUND_MM = (2.0, 6.0)
"""From a lesion to where the tissue around it begins and ends: not its soft border."""

VISIBLE = 0.05
"""White-matter medians. A lesion that differs less from its surround in the noise-free
source is not seen there, and a share of nothing is no score."""


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """What a scanner shows everybody at one place.

    Parameters
    ----------
    added : array, shape (i, j, k)
        Its image, white-matter medians of the source.
    there : array of bool, shape (i, j, k)
        Where it is measured.
    """

    added: NDArray[np.float32]
    there: Mask

    def left(self, image: Image, true: Image) -> float:
        """Return how much of it is in a result: see `planted_residual`."""
        return planted_residual(image, true, self.added, self.there)

    def lesion_kept(self, without: Image, having: Image, contrast: float) -> float:
        """Return how much is kept of a lesion of the same place, size and brightness.

        Parameters
        ----------
        without, having : array, shape (i, j, k)
            Results of one person's scan, and of the same with the lesion.
        contrast : float
            Of white and gray matter, after over before: by so much a lesion's may
            change, too.
        """
        before, after = self.added[self.there], (having - without)[self.there]
        return float(after.mean() / before.mean()) / contrast


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
