"""Tone curves: increasing maps from one intensity scale to another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def through_zero(landmarks: ArrayLike) -> NDArray[np.float64]:
    """Return `landmarks` with a leading zero when all are above zero.

    Air is zero on every scanner, so a tone curve pinned there keeps it dark.
    """
    values = np.asarray(landmarks, dtype=np.float64)
    return np.concatenate([[0.0], values]) if values[0] > 0 else values


def piecewise_linear(
    x: NDArray[np.floating], knots: NDArray[np.float64], values: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Interpolate through (knots, values); the end lines go on past the ends.

    Parameters
    ----------
    x : array, any shape
        Where to evaluate.
    knots, values : array, shape (n_knots,)
        Not decreasing; at least two different ones each. Where one repeats, as
        the quantiles of coarsely stored intensities do, the mean of the other is
        taken: the curve has no jump, and rises everywhere.

    Examples
    --------
    >>> x = np.array([-1.0, 0.5, 3.0])
    >>> piecewise_linear(x, np.array([0.0, 1, 2]), np.array([0.0, 10, 30])).tolist()
    [-10.0, 5.0, 50.0]
    """
    knots, values = _distinct(knots, values)
    values, knots = _distinct(values, knots)
    slopes = np.diff(values) / np.diff(knots)
    segment = np.clip(np.searchsorted(knots, x) - 1, 0, slopes.size - 1)
    return np.asarray(
        values[segment] + slopes[segment] * (x - knots[segment]), dtype=np.float32
    )


def _distinct(
    keys: NDArray[np.float64], others: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each key once, and the mean of what stands with it."""
    found, group = np.unique(keys, return_inverse=True)
    return found, np.bincount(group, others) / np.bincount(group)
