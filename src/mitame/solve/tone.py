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
        Increasing; at least two.

    Examples
    --------
    >>> x = np.array([-1.0, 0.5, 3.0])
    >>> piecewise_linear(x, np.array([0.0, 1, 2]), np.array([0.0, 10, 30])).tolist()
    [-10.0, 5.0, 50.0]
    """
    rise, run = np.diff(values), np.diff(knots)
    slopes = rise / np.maximum(run, np.finfo(np.float64).tiny)
    segment = np.clip(np.searchsorted(knots, x) - 1, 0, slopes.size - 1)
    return np.asarray(
        values[segment] + slopes[segment] * (x - knots[segment]), dtype=np.float32
    )
