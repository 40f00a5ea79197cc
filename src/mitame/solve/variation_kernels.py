"""Compiled passes over an image and the duals of its gradient."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.loops import Floats, parallel

TINY = np.float32(1e-30)


@parallel
def primal(
    dual: Floats, pulled: Floats, lightness: Floats, l1: np.float32, found: Floats
) -> None:
    """Set `found` to the image that is best for one dual.

    Parameters
    ----------
    dual : array of float32, shape (3, i, j, k)
        Zero where a voxel is not joined to its next.
    pulled, lightness : array of float32, shape (i, j, k)
        Weight times data, and one over the weight; both zero outside the mask.
    l1 : float32
        What is smaller becomes zero.
    found : array of float32, shape (i, j, k)
        Written to.
    """
    size_i, size_j, size_k = pulled.shape
    for i in prange(size_i):
        for j in range(size_j):
            row, here, light = found[i, j], pulled[i, j], lightness[i, j]
            x, y, z = dual[0, i, j], dual[1, i, j], dual[2, i, j]
            # The first planes have no plane before them: there `x - before` is to be
            # x, and minus a zero row would need one.
            for k in range(size_k):
                row[k] = here[k] + x[k] + y[k] + z[k]
            if i > 0:
                before = dual[0, i - 1, j]
                for k in range(size_k):
                    row[k] -= before[k]
            if j > 0:
                before = dual[1, i, j - 1]
                for k in range(size_k):
                    row[k] -= before[k]
            for k in range(1, size_k):
                row[k] -= z[k - 1]
            for k in range(size_k):
                size = abs(row[k]) - l1
                row[k] = np.copysign(max(size, np.float32(0)), row[k]) * light[k]


@parallel
def ascend(
    found: Floats,
    dual: Floats,
    ahead: Floats,
    joined: NDArray[np.uint8],
    step: np.float32,
    l2: np.float32,
    push: np.float32,
) -> None:
    """Take one step of the dual from `ahead`, and set `ahead` beyond it.

    Parameters
    ----------
    found : array of float32, shape (i, j, k)
        The image that is best for `ahead`.
    dual, ahead : array of float32, shape (3, i, j, k)
        Both are written to.
    joined : array of uint8, shape (i, j, k)
        To which of its next neighbors a voxel is joined.
    step, push : float32
        Length of the step, and the share of the last move by which to go beyond.
    l2 : float32
        Longest that a vector of the dual may be.
    """
    size_i, size_j, size_k = found.shape
    for i in prange(size_i):
        for j in range(size_j):
            next_i = found[min(i + 1, size_i - 1), j]
            next_j = found[i, min(j + 1, size_j - 1)]
            row, edges = found[i, j], joined[i, j]
            p, q, r = dual[0, i, j], dual[1, i, j], dual[2, i, j]
            a, b, c = ahead[0, i, j], ahead[1, i, j], ahead[2, i, j]
            for k in range(size_k):
                next_k = row[min(k + 1, size_k - 1)]
                edge = np.int32(edges[k])
                x = a[k] + step * np.float32(edge & 1) * (next_i[k] - row[k])
                y = b[k] + step * np.float32((edge >> 1) & 1) * (next_j[k] - row[k])
                z = c[k] + step * np.float32((edge >> 2) & 1) * (next_k - row[k])
                length = np.sqrt(x * x + y * y + z * z)
                short = l2 / max(length, max(l2, TINY))
                x *= short
                y *= short
                z *= short
                a[k] = x + push * (x - p[k])
                b[k] = y + push * (y - q[k])
                c[k] = z + push * (z - r[k])
                p[k], q[k], r[k] = x, y, z


@parallel
def gap(
    found: Floats, dual: Floats, joined: NDArray[np.uint8], l2: np.float32
) -> float:
    """Return how far the objective of `found` is at most above the least.

    `found` is the image that is best for `dual`. Then what the two objectives differ by
    is a sum of terms that are >= 0: no large numbers are subtracted.
    """
    size_i, size_j, size_k = found.shape
    parts = np.zeros(size_i)
    for i in prange(size_i):
        whole = 0.0
        for j in range(size_j):
            next_i = found[min(i + 1, size_i - 1), j]
            next_j = found[i, min(j + 1, size_j - 1)]
            row, edges = found[i, j], joined[i, j]
            p, q, r = dual[0, i, j], dual[1, i, j], dual[2, i, j]
            line = np.float32(0)
            for k in range(size_k):
                next_k = row[min(k + 1, size_k - 1)]
                edge = np.int32(edges[k])
                x = np.float32(edge & 1) * (next_i[k] - row[k])
                y = np.float32((edge >> 1) & 1) * (next_j[k] - row[k])
                z = np.float32((edge >> 2) & 1) * (next_k - row[k])
                length = np.sqrt(x * x + y * y + z * z)
                line += l2 * length - p[k] * x - q[k] * y - r[k] * z
            whole += line
        parts[i] = whole
    return float(parts.sum())
