"""Scores of one image: arrays and a mask in, a number out.

Intensities are in white-matter medians of the target, so a score means the same for
every sequence and scanner. `scores.METRICS` says what each is for.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage, stats
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from mitame.core.errors import InputError
from mitame.evaluate.lesions import (
    invented_foci,
    lesion_contrast_kept,
    voxel_auc,
    white_grey_contrast,
)
from mitame.evaluate.masked import Image, Mask, divisor, inside, require_number

__all__ = [
    "gap_closed",
    "invented_foci",
    "lesion_contrast_kept",
    "mae",
    "person_kept",
    "planted_residual",
    "psnr",
    "ssim",
    "voxel_auc",
    "wasserstein",
    "white_grey_contrast",
]

RANGE = 1.0
"""White-matter medians, for PSNR and SSIM; not the range of the image at hand."""

HIGHEST_PSNR = 120.0
"""dB. A root mean square of 1e-6, all that float32 near 1 can tell from nothing."""

SSIM_SIGMA = 1.5
SSIM_RADIUS = 5
"""Voxels; the window of Wang et al. (2004), 11 voxels along each axis."""


def psnr(image: Image, truth: Image, mask: Mask) -> float:
    """Return the peak signal-to-noise ratio, dB, at most `HIGHEST_PSNR`.

    20 log10(1 / root mean square of image − truth in the mask): the peak is `RANGE`.

    Parameters
    ----------
    image, truth : array, shape (i, j, k)
        White-matter medians.
    mask : array of bool, shape (i, j, k)
        Where to look.

    Raises
    ------
    InputError
        If shapes differ, the mask is empty, or a value is not finite. So do all
        functions here.
    """
    seen, true = inside(mask, image=image, truth=truth)
    if np.sqrt(np.mean((seen - true) ** 2)) <= RANGE * 10 ** (-HIGHEST_PSNR / 20):
        return HIGHEST_PSNR
    ratio = peak_signal_noise_ratio(  # type: ignore[no-untyped-call]
        true, seen, data_range=RANGE
    )
    return float(ratio)


def ssim(image: Image, truth: Image, mask: Mask) -> float:
    """Return the structural similarity [1]_, averaged over the mask; at most 1.

    The window is a Gaussian of SD 1.5 voxels, cut at 5 (11 along each axis); the data
    range is `RANGE`. A window at the rim reaches out of the mask. So that it sees no
    background there, nor an edge of the mask that both images share, each image is
    set to its own mean outside.

    Parameters
    ----------
    image, truth : array, shape (i, j, k)
        White-matter medians.
    mask : array of bool, shape (i, j, k)
        Where to look, and all that is looked at.

    References
    ----------
    .. [1] Z. Wang et al., "Image quality assessment: from error visibility to
       structural similarity", IEEE Trans. Image Process. 13(4), 600-612, 2004.
    """
    seen, true = inside(mask, image=image, truth=truth)
    box = ndimage.find_objects(mask.astype(np.uint8))[0]
    near = np.pad(mask[box], SSIM_RADIUS)
    _, local = structural_similarity(  # type: ignore[no-untyped-call]
        _alone(seen, near),
        _alone(true, near),
        full=True,
        gaussian_weights=True,
        sigma=SSIM_SIGMA,
        use_sample_covariance=False,
        data_range=RANGE,
    )
    return float(local[near].mean())


def mae(image: Image, truth: Image, mask: Mask) -> float:
    """Return the mean absolute error in the mask, white-matter medians."""
    seen, true = inside(mask, image=image, truth=truth)
    return float(np.abs(seen - true).mean())


def wasserstein(image: Image, truth: Image, mask: Mask) -> float:
    """Return how far the histograms lie apart, white-matter medians.

    The first Wasserstein distance of the values in the mask, wherever they lie.
    """
    seen, true = inside(mask, image=image, truth=truth)
    return float(stats.wasserstein_distance(seen, true))


def against_truth(image: Image, truth: Image, mask: Mask) -> dict[str, float]:
    """Return `psnr`, `ssim`, `mae` and `wasserstein` of one image, by name."""
    return {
        "psnr": psnr(image, truth, mask),
        "ssim": ssim(image, truth, mask),
        "mae": mae(image, truth, mask),
        "wasserstein": wasserstein(image, truth, mask),
    }


def gap(
    source: Image, result: Image, rescan: Image, target: Image, mask: Mask
) -> tuple[float, float]:
    """Return how much error is gone and how much could be: `gap_closed` in two parts.

    Mean absolute errors against `target`, of the source less that of the result, and
    of the source less that of the target scanner's own second scan. Parts of several
    subjects are added up before one is divided by the other.
    """
    before, after, least = (mae(one, target, mask) for one in (source, result, rescan))
    return before - after, before - least


def gap_closed(
    error_source: float, error_harmonized: float, error_rescan: float
) -> float:
    """Return how much of the avoidable error is gone: 1 is the physical limit.

    (source − harmonized) / (source − rescan), all against the target scanner.

    Parameters
    ----------
    error_source, error_harmonized, error_rescan : float
        One error, smaller is better, of the source scan, the harmonized scan and the
        target scanner's own second scan.

    Returns
    -------
    float
        0 where nothing was won, below 0 where harmonizing did harm.

    Raises
    ------
    InputError
        If the source is no worse than the rescan: there is no gap.
    """
    require_number(error_source, "source error")
    require_number(error_harmonized, "harmonized error")
    require_number(error_rescan, "rescan error")
    if error_source <= error_rescan:
        raise InputError(
            f"The source error {error_source:g} is not above the rescan error "
            f"{error_rescan:g}: there is no gap to close.",
            fix="Give errors (smaller is better), or leave this pair out.",
        )
    return float((error_source - error_harmonized) / (error_source - error_rescan))


def planted_residual(
    harmonized: Image, truth: Image, planted: Image, region: Mask
) -> float:
    """Return how much of a planted scanner effect is still there.

    Mean of (harmonized − truth) over mean of `planted`, in the region where it was
    planted.

    Parameters
    ----------
    harmonized, truth : array, shape (i, j, k)
        The result, and the target without the effect; white-matter medians.
    planted : array, shape (i, j, k)
        What was added to the source, in the same unit.
    region : array of bool, shape (i, j, k)
        Where it was planted.

    Returns
    -------
    float
        1 where all is still there, 0 where it is gone, below 0 where too much was
        taken away.
    """
    result, true, added = inside(
        region, harmonized=harmonized, truth=truth, planted=planted
    )
    return float((result - true).mean()) / divisor(
        float(added.mean()), "planted effect"
    )


def person_kept(distances: ArrayLike) -> float:
    """Return the share of subjects whose harmonized scan is nearest to their own.

    Parameters
    ----------
    distances : array_like, shape (n_subjects, n_subjects)
        Row r, column c: from the harmonized scan of subject r to the other, real
        scan of subject c. A row counts when its smallest entry is on the diagonal
        and nowhere else: when all are alike, nobody is kept.

    Returns
    -------
    float
        0 to 1; 1 / n_subjects is chance.
    """
    table = np.asarray(distances, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or len(table) < 2:
        raise InputError(
            f"The distances are {table.shape}, not a square of at least 2 subjects.",
            fix="Give one row and one column per subject, in the same order.",
        )
    if not np.isfinite(table).all() or table.min() < 0:
        raise InputError(
            f"The distances run from {table.min()} to {table.max()}.",
            fix="Give distances: finite, 0 or more, smaller is nearer.",
        )
    others = np.where(np.eye(len(table), dtype=bool), np.inf, table)
    return float(np.mean(np.diag(table) < others.min(axis=1)))


def _alone(values: NDArray[np.float64], where: Mask) -> NDArray[np.float64]:
    """Return `values` at `where` in an image that holds their mean elsewhere."""
    image = np.full(where.shape, values.mean())
    image[where] = values
    return image
