"""Foci that a result has and no noise-free scan of the same person."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.session import Suffix
from mitame.evaluate import metrics
from mitame.evaluate.case import Case, Truth
from mitame.solve.smooth import gaussian

FOCUS_MM = (1.3, 3.9)
"""Widths (SD) of a focus and of what is around it."""

NOISE = 5.0
"""Standard deviations of the noise, of the scanner that has more of it, above which a
focus stands out."""

STRONGER = 0.25
"""Share by which structure may stand out more or less without being a focus."""

TONE_STEP = 0.02
"""White-matter medians between levels of the tone curve that makes images alike."""

FEWEST = 10
"""Voxels that a level must have."""

END = 5
"""Levels at each end of the curve that tell how it goes on."""

Curve = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Brightnesses, rising, and what they become."""


def invented_in(case: Case, truth: Truth, suffix: Suffix, *, smallest_mm: float) -> int:
    """Return how many foci a result has that neither noise-free scan has.

    Foci stand out from what is around them. Both scans are given the result's tones
    first, and what the result shows of their structure more or less strongly, by
    `STRONGER` at most, is no focus.

    Parameters
    ----------
    case : Case
        With the result.
    truth : Truth
        Of the case.
    suffix : str
        Which sequence.
    smallest_mm : float
        Diameter of the ball as large as the smallest focus that counts.
    """
    spacing, mask = case.source.reference.spacing, case.mask
    image = case.result[suffix].data
    pairs = (
        (case.source, truth.source_noise_free),
        (case.target, truth.noise_free),
    )
    structure, noise = [], []
    for noisy, quiet in pairs:
        tones = _tones(quiet[suffix].data[mask], image[mask])
        scan, still = (
            _standing_out(_toned(session[suffix].data, tones), spacing)
            for session in (noisy, quiet)
        )
        structure.append(still)
        noise.append(float(np.std((scan - still)[mask])))
    reach = np.float32(STRONGER) * np.abs(structure).max(axis=0)
    low, high = np.min(structure, axis=0) - reach, np.max(structure, axis=0) + reach
    result = _standing_out(image, spacing)
    return metrics.invented_foci(
        result,
        np.clip(result, low, high),
        mask,
        spacing=spacing,
        threshold=NOISE * max(noise),
        smallest_mm=smallest_mm,
    )


def _tones(before: NDArray[np.float32], after: NDArray[np.float32]) -> Curve:
    """Return the tone curve between two images of the same voxels, by medians."""
    level = np.rint((before - before.min()) / TONE_STEP).astype(int)
    index = np.flatnonzero(np.bincount(level) >= FEWEST)
    return ndimage.median(before, level, index), ndimage.median(after, level, index)


def _toned(image: NDArray[np.float32], curve: Curve) -> NDArray[np.float32]:
    """Return an image with another tone; beyond its ends the curve goes on straight."""
    before, after = curve
    beyond = image - np.clip(image, before[0], before[-1])
    ends = [slice(None, END), slice(-END, None)]
    down, up = (np.polyfit(before[end], after[end], 1)[0] for end in ends)
    added = np.where(beyond < 0, down, up) * beyond
    return np.asarray(np.interp(image, before, after) + added, np.float32)


def _standing_out(
    image: NDArray[np.float32], spacing: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return how far each place stands out from what is around it."""
    near, around = (gaussian(image, width / np.array(spacing)) for width in FOCUS_MM)
    return near - around
