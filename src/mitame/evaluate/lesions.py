"""Scores of lesions: what is left of one, what was invented, what was found."""

from __future__ import annotations

import math

import numpy as np
from scipy import ndimage
from sklearn.metrics import roc_auc_score

from mitame.core.errors import InputError
from mitame.evaluate.masked import (
    Image,
    Mask,
    divisor,
    inside,
    require_apart,
    require_mask,
    require_shape,
)


def white_grey_contrast(image: Image, white: Mask, grey: Mask) -> float:
    """Return median of the white − median of the grey matter, with its sign.

    Positive on T1w, negative on T2w and FLAIR; white-matter medians.

    Parameters
    ----------
    image : array, shape (i, j, k)
        White-matter medians.
    white, grey : array of bool, shape (i, j, k)
        Two tissues that share no voxel.
    """
    (bright,) = inside(white, image=image)
    (dark,) = inside(grey, image=image)
    require_apart(white, grey, "white and the grey matter")
    return float(np.median(bright) - np.median(dark))


def lesion_contrast_kept(
    before: Image,
    after: Image,
    lesion: Mask,
    surround: Mask,
    white: Mask,
    grey: Mask,
) -> float:
    """Return how much of a lesion's contrast is left after harmonizing; 1 is all.

    Contrast is (mean of the lesion − mean of its surround) / `white_grey_contrast`
    of the same image; the score is after / before. So a new tone that treats lesion
    and tissue alike costs nothing. 0 is a lesion wiped out, above 1 one enhanced.

    Parameters
    ----------
    before, after : array, shape (i, j, k)
        One scan, unharmonized and harmonized; any unit.
    lesion, surround : array of bool, shape (i, j, k)
        The lesion and the tissue around it, no voxel in both.
    white, grey : array of bool, shape (i, j, k)
        Healthy tissue, no voxel in both.
    """
    first = _lesion_contrast(before, lesion, surround, white, grey)
    second = _lesion_contrast(after, lesion, surround, white, grey)
    return second / divisor(first, "contrast of the lesion before")


def invented_foci(
    image: Image,
    truth: Image,
    mask: Mask,
    *,
    spacing: tuple[float, ...],
    threshold: float,
    smallest_mm: float = 3.0,
) -> int:
    """Return how many foci the image has that the truth has not.

    A focus is a blob of voxels, joined by faces, edges or corners, where
    |image − truth| is above the threshold, as large as a ball of `smallest_mm`. What
    the truth has too, lesions above all, leaves no difference and is no focus. One
    that is darker than the truth counts like a brighter one, and so does a lesion
    that was wiped out.

    Parameters
    ----------
    image, truth : array, shape (i, j, k)
        White-matter medians.
    mask : array of bool, shape (i, j, k)
        Where to look; a blob ends at its border.
    spacing : tuple of float
        Voxel edges, mm.
    threshold : float
        White-matter medians, > 0; above the noise of both images.
    smallest_mm : float
        Diameter of the smallest ball that counts.
    """
    inside(mask, image=image, truth=truth)
    _require_sizes(spacing, threshold, mask.ndim)
    differs = mask & (np.abs(np.subtract(image, truth, dtype=np.float64)) > threshold)
    blobs, n = ndimage.label(differs, np.ones((3,) * mask.ndim))
    volume = np.bincount(blobs.ravel(), minlength=n + 1)[1:] * math.prod(spacing)
    diameter = np.cbrt(6 * volume / math.pi)
    return int((diameter >= smallest_mm).sum())


def voxel_auc(evidence: Image, truth: Mask, mask: Mask) -> float:
    """Return the area under the ROC curve of `evidence`, voxel by voxel.

    How likely a voxel of the truth has more evidence than one outside it; ties count
    half. 0.5 is chance.

    Parameters
    ----------
    evidence : array, shape (i, j, k)
        Larger is surer; any unit.
    truth : array of bool, shape (i, j, k)
        What should be found; voxels of the mask must lie in it and outside it.
    mask : array of bool, shape (i, j, k)
        Where to look.
    """
    (score,) = inside(mask, evidence=evidence)
    require_mask(truth, "truth")
    require_shape(truth, mask.shape, "truth")
    marked = truth[mask]
    if marked.all() or not marked.any():
        raise InputError(
            f"{int(marked.sum())} of {marked.size} voxels of the mask are true.",
            fix="Give a mask that holds both, the change and what did not change.",
        )
    return float(roc_auc_score(marked, score))


def _lesion_contrast(
    image: Image, lesion: Mask, surround: Mask, white: Mask, grey: Mask
) -> float:
    (focus,) = inside(lesion, image=image)
    (around,) = inside(surround, image=image)
    require_apart(lesion, surround, "lesion and its surround")
    own = white_grey_contrast(image, white, grey)
    return float(focus.mean() - around.mean()) / divisor(
        own, "contrast of white and grey matter"
    )


def _require_sizes(spacing: tuple[float, ...], threshold: float, ndim: int) -> None:
    if len(spacing) != ndim or not all(0 < edge < math.inf for edge in spacing):
        raise InputError(
            f"The spacing {spacing} does not fit an image of {ndim} axes.",
            fix="Give one voxel edge per axis, mm, > 0.",
        )
    if not 0 < threshold < math.inf:
        raise InputError(
            f"The threshold is {threshold}.",
            fix="Give white-matter medians above the noise, > 0.",
        )
