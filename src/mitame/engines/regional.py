"""What two groups' intensities are around each place of the template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Cloud = tuple[NDArray[np.float32], NDArray[np.float32]]
"""Places (n, 3) in template millimeters, and intensities (n,)."""

QUANTILES = np.linspace(0.02, 0.98, 25)

BIN = 0.02
"""Width of a histogram bin, in white-matter medians."""

WIDTH_NODES = 1.0
"""Width (SD) of the neighborhood whose histogram a node has, in node spacings."""


@dataclass(frozen=True, slots=True, eq=False)
class Match:
    """Intensities of two groups that stand for one another, place by place.

    Parameters
    ----------
    place : array, shape (n, 3)
        Template millimeters.
    source, target : array, shape (n,)
        The same quantile of both groups.
    weight : array, shape (n,)
        Voxels behind it, in the group that has fewer.
    """

    place: NDArray[np.float32]
    source: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]


def matched_quantiles(
    source: Sequence[Cloud], target: Sequence[Cloud], *, spacing: float
) -> Match:
    """Return which intensities have the same rank in both groups, place by place.

    Anatomy differs between subjects, so voxels cannot be compared one by one; the
    histogram of a neighborhood, over a group, hardly differs.

    Parameters
    ----------
    source, target : sequence of (places, intensities)
        One entry a subject; every subject counts the same.
    spacing : float
        Distance of the places looked at, mm.
    """
    everywhere = np.concatenate([place for place, _ in (*source, *target)])
    low, high = everywhere.min(axis=0), everywhere.max(axis=0)
    top = max(float(np.quantile(values, 0.9999)) for _, values in (*source, *target))
    shape = (*(np.ceil((high - low) / spacing).astype(int) + 1), int(top / BIN) + 1)
    counts = [_histograms(group, low, spacing, shape) for group in (source, target)]
    support = np.minimum(*(count.sum(axis=-1) for count in counts))
    nodes = np.argwhere(support > support.max() * 1e-3)
    chosen = tuple(nodes.T)
    ranks = [_quantiles(count[chosen]) for count in counts]
    n = len(QUANTILES)
    return Match(
        np.repeat(low + nodes * spacing, n, axis=0).astype(np.float32),
        ranks[0].ravel(),
        ranks[1].ravel(),
        np.repeat(support[chosen] / n, n).astype(np.float32),
    )


def _histograms(
    group: Sequence[Cloud],
    low: NDArray[np.float32],
    spacing: float,
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """Return the mean histogram around every node, shape (i, j, k, n_bins)."""
    total = np.zeros(shape, np.float32)
    limit = np.array(shape) - 1
    usual = float(np.mean([len(values) for _, values in group]))
    for place, values in group:
        node = np.rint((place - low) / spacing).astype(int)
        bin_ = np.floor(values / BIN).astype(int)
        index = np.clip(np.column_stack([node, bin_]), 0, limit)
        flat = np.ravel_multi_index(tuple(index.T), shape)
        count = np.bincount(flat, minlength=total.size).reshape(shape)
        total += count * np.float32(usual / len(values))
    width = (WIDTH_NODES, WIDTH_NODES, WIDTH_NODES, 0)
    return np.asarray(gaussian_filter(total / len(group), width))


def _quantiles(histograms: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the intensity at each of `QUANTILES`, shape (n_nodes, n_quantiles)."""
    below = np.cumsum(histograms, axis=1)
    below /= below[:, -1:]
    edges = (np.arange(histograms.shape[1]) + 1) * BIN
    rows = [np.interp(QUANTILES, row, edges) for row in below]
    return np.asarray(rows, dtype=np.float32)
