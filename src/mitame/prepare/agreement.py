"""Whether two images on one grid show the same head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mitame.core.errors import ImplausibleError
from mitame.core.volume import Volume

DETAIL_MM = 5.0
"""Details are what stands out from its surroundings of this width (SD)."""

TISSUE = (0.65, 1.8)
"""Grey and white matter of every sequence lie between these, in white-matter
medians; fluid does not."""

LEAST_AGREEMENT = 0.5
"""Details of one head in one sequence agree better than this, see `agreement`."""


def agreement(one: Volume, other: Volume, brain: NDArray[np.bool_]) -> float:
    """Return the correlation of the details of two images on one grid, −1 to 1.

    Neither slow shading counts nor fluid, which is dark in T1w and in FLAIR. Two
    scans of one head in one sequence agree well, however different the scanners;
    T1w against FLAIR, a wrong alignment or another head do not.

    Parameters
    ----------
    one, other : Volume
        On one grid, in white-matter medians.
    brain : array of bool, shape (i, j, k)
        Where to look.
    """
    width = DETAIL_MM / np.array(one.spacing)
    # Smoothed to about the resolution of a thick slice: noise is not a detail.
    fine = [gaussian_filter(v.data * brain, width / 5) for v in (one, other)]
    darkest, brightest = TISSUE
    tissue = brain & np.logical_and.reduce(
        [(darkest < image) & (image < brightest) for image in fine]
    )
    details = [_details(image, tissue, width) for image in fine]
    return float(np.corrcoef(details[0], details[1])[0, 1])


def require_same_head(one: Volume, other: Volume, brain: NDArray[np.bool_]) -> None:
    """Raise `ImplausibleError` unless two aligned images show one head.

    Parameters
    ----------
    one, other, brain
        As for `agreement`.
    """
    found = agreement(one, other, brain)
    if found < LEAST_AGREEMENT:
        raise ImplausibleError(
            f"After alignment the two scans agree in their details only by {found:.2f} "
            f"(correlation); one head in one sequence gives over {LEAST_AGREEMENT}.",
            fix="Check that both are the same patient and the same sequence.",
        )


def _details(
    fine: NDArray[np.float32], tissue: NDArray[np.bool_], width: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return by how much each voxel of `tissue` stands out from its surroundings."""
    inside = tissue.astype(np.float32)
    support = np.maximum(gaussian_filter(inside, width), 1e-3)
    detail = (fine - gaussian_filter(fine * inside, width) / support)[tissue]
    low, high = np.quantile(detail, (0.02, 0.98))
    return np.asarray(np.clip(detail, low, high))
