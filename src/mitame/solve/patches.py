"""Patches of volumes, taken out and put together again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_kernel: Any = njit(nogil=True, error_model="numpy", cache=True)


Reach = tuple[int, int, int]
"""Voxels a box goes out from its center along each axis: (2, 2, 2) is a cube of 5
voxels, (3, 3, 0) a square of 7."""


def size_of(reach: Reach) -> int:
    """Return the number of voxels of a box."""
    return math.prod(2 * part + 1 for part in reach)


def take(
    volumes: NDArray[np.float32], centers: NDArray[np.integer], reach: Reach
) -> NDArray[np.float32]:
    """Return the boxes around some voxels, one a row.

    Parameters
    ----------
    volumes : array of float32, shape (n_volumes, i, j, k)
        On one grid.
    centers : array of int, shape (n, 3)
        Voxels; what a box sees outside the grid is 0.
    reach : tuple of int
        Of a box.

    Returns
    -------
    array of float32, shape (n, n_volumes * size)
        Volume by volume, each in the order of its axes.
    """
    found = np.zeros((len(centers), len(volumes) * size_of(reach)), np.float32)
    _take(np.ascontiguousarray(volumes), _whole(centers), reach, found)
    return found


def add(
    rows: NDArray[np.float32],
    centers: NDArray[np.integer],
    reach: Reach,
    volumes: NDArray[np.float32],
) -> None:
    """Add boxes to `volumes` where they lie: the adjoint of `take`.

    Parameters
    ----------
    rows : array of float32, shape (n, n_volumes * size)
        As `take` returns them; what lies outside the grid is dropped.
    centers, reach
        As for `take`.
    volumes : array of float32, shape (n_volumes, i, j, k)
        Changed in place.
    """
    _add(np.ascontiguousarray(rows), _whole(centers), reach, volumes)


def together(
    rows: NDArray[np.float32],
    centers: NDArray[np.integer],
    reach: Reach,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Return the volumes that overlapping boxes are parts of: the mean where they meet.

    Parameters
    ----------
    rows, centers, reach
        As for `add`.
    shape : tuple of int
        Of the grid.

    Returns
    -------
    array of float32, shape (n_volumes, i, j, k)
        0 where no box lies.
    """
    size = size_of(reach)
    total = np.zeros((rows.shape[1] // size, *shape), np.float32)
    add(rows, centers, reach, total)
    count = np.zeros((1, *shape), np.float32)
    add(np.ones((len(rows), size), np.float32), centers, reach, count)
    return np.asarray(total / np.maximum(count, 1), np.float32)


def _whole(centers: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.ascontiguousarray(centers, np.int64)


@_kernel
def _take(
    volumes: NDArray[np.float32],
    centers: NDArray[np.int64],
    reach: Reach,
    found: NDArray[np.float32],
) -> None:
    n, ni, nj, nk = volumes.shape
    ri, rj, rk = reach
    for row in range(len(centers)):
        i0, j0, k0 = centers[row]
        entry = 0
        for volume in range(n):
            for i in range(i0 - ri, i0 + ri + 1):
                for j in range(j0 - rj, j0 + rj + 1):
                    for k in range(k0 - rk, k0 + rk + 1):
                        if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
                            found[row, entry] = volumes[volume, i, j, k]
                        entry += 1


@_kernel
def _add(
    rows: NDArray[np.float32],
    centers: NDArray[np.int64],
    reach: Reach,
    volumes: NDArray[np.float32],
) -> None:
    n, ni, nj, nk = volumes.shape
    ri, rj, rk = reach
    for row in range(len(centers)):
        i0, j0, k0 = centers[row]
        entry = 0
        for volume in range(n):
            for i in range(i0 - ri, i0 + ri + 1):
                for j in range(j0 - rj, j0 + rj + 1):
                    for k in range(k0 - rk, k0 + rk + 1):
                        if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
                            volumes[volume, i, j, k] += rows[row, entry]
                        entry += 1
