"""Compiled passes over an image and the duals of its gradient.

The last plane of the last axis is outside the mask: loops that do not ask where a row
ends are compiled to vectors, 3 times faster.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mitame.solve.loops import Floats, parallel

TINY = np.float32(1e-30)


@parallel
def primal(
    dual: Floats,
    links: Floats,
    pulled: Floats,
    lightness: Floats,
    l1: np.float32,
    found: Floats,
) -> None:
    """Set `found` to the image that is best for one dual.

    Parameters
    ----------
    dual, links : array of float32, shape (3, i, j, k)
        And how much each difference counts, 0 where there is none.
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
            a, b, c = links[0, i, j], links[1, i, j], links[2, i, j]
            for k in range(size_k):
                row[k] = here[k] + a[k] * x[k] + b[k] * y[k] + c[k] * z[k]
            # The last voxel along an axis is joined to none, so the first may take
            # it for the one before.
            x, a = dual[0, i - 1, j], links[0, i - 1, j]
            y, b = dual[1, i, j - 1], links[1, i, j - 1]
            for k in range(size_k):
                row[k] -= a[k] * x[k] + b[k] * y[k]
            for k in range(1, size_k):
                row[k] -= c[k - 1] * z[k - 1]
            for k in range(size_k):
                size = max(abs(row[k]) - l1, np.float32(0))
                row[k] = np.copysign(size, row[k]) * light[k]


@parallel
def ascend(
    found: Floats,
    links: Floats,
    step: np.float32,
    l2: np.float32,
    push: np.float32,
    dual: Floats,
    ahead: Floats,
) -> None:
    """Take one step of the dual from `ahead`, and set `ahead` beyond it.

    Parameters
    ----------
    found : array of float32, shape (i, j, k)
        The image that is best for `ahead`.
    links : array of float32, shape (3, i, j, k)
        How much each difference counts.
    step, push : float32
        Length of the step, and the share of the last move by which to go beyond.
    l2 : float32
        Longest that a vector of the dual may be.
    dual, ahead : array of float32, shape (3, i, j, k)
        Both are written to.
    """
    size_i, size_j, size_k = found.shape
    for i in prange(size_i):
        for j in range(size_j):
            next_i = found[min(i + 1, size_i - 1), j]
            next_j = found[i, min(j + 1, size_j - 1)]
            row = found[i, j]
            f, g, h = links[0, i, j], links[1, i, j], links[2, i, j]
            p, q, r = dual[0, i, j], dual[1, i, j], dual[2, i, j]
            a, b, c = ahead[0, i, j], ahead[1, i, j], ahead[2, i, j]
            for k in range(size_k - 1):
                next_k = row[k + 1]
                x = a[k] + step * f[k] * (next_i[k] - row[k])
                y = b[k] + step * g[k] * (next_j[k] - row[k])
                z = c[k] + step * h[k] * (next_k - row[k])
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
def gap(found: Floats, dual: Floats, links: Floats, l2: np.float32) -> float:
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
            row = found[i, j]
            f, g, h = links[0, i, j], links[1, i, j], links[2, i, j]
            p, q, r = dual[0, i, j], dual[1, i, j], dual[2, i, j]
            line = np.float32(0)
            for k in range(size_k - 1):
                next_k = row[k + 1]
                x = f[k] * (next_i[k] - row[k])
                y = g[k] * (next_j[k] - row[k])
                z = h[k] * (next_k - row[k])
                length = np.sqrt(x * x + y * y + z * z)
                line += max(l2 * length - p[k] * x - q[k] * y - r[k] * z, np.float32(0))
            whole += float(line)
        parts[i] = whole
    return float(parts.sum())
