"""How much two scans without any change would differ, place by place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.optimize import nnls

from mitame.core.volume import Volume

MEAN_ABSOLUTE_TO_SD = 1.2533
"""Standard deviation of a normal distribution over its mean absolute value."""

OUTLIER = 3.0
"""Differences beyond this many standard deviations are change, not noise."""

REGION_MM = 15.0
"""Width (SD) of the regions between which the noise may differ."""

ROUNDS = 8

LEAST_LEVEL = 1e-3
"""White-matter medians; a scan compared with itself has no differences at all."""


def noise_level(
    difference: NDArray[np.float32],
    harmonized: Volume,
    current: Volume,
    brain: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return the standard deviation `difference` would have without change.

    From the pair alone: differences grow beside edges, where half a voxel of
    misplacement or another sharpness shows, and in the dark of moving fluid. What
    each of these costs is fitted to the ordinary differences; the few large ones
    are left out. A slow regional factor follows the coils.

    Parameters
    ----------
    difference : array, shape (i, j, k)
        current − harmonized.
    harmonized, current : Volume
        The two images on one grid, in white-matter medians.
    brain : array of bool, shape (i, j, k)
        Where to look; outside it the level is that of the nearest known kind.
    """
    mean = np.asarray((harmonized.data + current.data) / 2, dtype=np.float32)
    causes = _causes(mean, current.spacing)
    size = np.abs(difference[brain]) * np.float32(MEAN_ABSOLUTE_TO_SD)
    costs = _costs(causes[brain], size)
    level = np.maximum(causes @ costs, np.float32(LEAST_LEVEL))
    ratio = np.asarray(np.abs(difference) / level, dtype=np.float32)
    regional = _regional(ratio, brain, current.spacing)
    return np.asarray(np.maximum(level * regional, np.float32(LEAST_LEVEL)))


def _causes(
    mean: NDArray[np.float32], spacing: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return what makes differences, shape (i, j, k, 5): all of it >= 0."""
    slopes = [gaussian_filter(slope**2, 0.8) ** 0.5 for slope in np.gradient(mean)]
    thickest = int(np.argmax(spacing))
    across = slopes.pop(thickest)
    within = np.hypot(*slopes)
    dark = np.maximum(0.8 - mean, 0)
    bright = np.maximum(mean - 1.2, 0)
    causes = np.stack([np.ones_like(mean), within, across, dark, bright], axis=-1)
    return causes.astype(np.float32)


def _costs(
    causes: NDArray[np.float32], size: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the non-negative cost of each cause, by reweighted least squares."""
    step = max(1, len(size) // 200_000)
    causes, size = causes[::step].astype(np.float64), size[::step].astype(np.float64)
    level = np.full(len(size), max(float(np.median(size)) / 0.845, LEAST_LEVEL))
    for _ in range(ROUNDS):
        ordinary = size < OUTLIER * MEAN_ABSOLUTE_TO_SD * level
        weight = ordinary / level
        costs, _ = nnls(causes * weight[:, None], size * weight)
        level = np.maximum(causes @ costs, LEAST_LEVEL)
    return np.asarray(costs, dtype=np.float32)


def _regional(
    ratio: NDArray[np.float32],
    brain: NDArray[np.bool_],
    spacing: tuple[float, float, float],
) -> NDArray[np.float32]:
    """Return by which factor each region is noisier than the costs say."""
    width = REGION_MM / np.array(spacing)
    inside = brain & (ratio < OUTLIER)
    total = gaussian_filter(np.where(inside, ratio, 0).astype(np.float32), width)
    count = gaussian_filter(inside.astype(np.float32), width)
    # Far from the brain there is nothing to average: the factor goes to one.
    known = np.float32(1e-3)
    mean = (total + known / MEAN_ABSOLUTE_TO_SD) / (count + known)
    return np.asarray(mean * MEAN_ABSOLUTE_TO_SD, dtype=np.float32)
