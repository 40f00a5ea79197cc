"""Patches of volumes, taken out and put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

_kernel: Any = njit(nogil=True, error_model="numpy", cache=True)


def take(
    volumes: NDArray[np.float32], centers: NDArray[np.integer], radius: int
) -> NDArray[np.float32]:
    """Return the cubes around some voxels, one a row.

    Parameters
    ----------
    volumes : array of float32, shape (n_volumes, i, j, k)
        On one grid.
    centers : array of int, shape (n, 3)
        Voxels; what a cube sees outside the grid is 0.
    radius : int
        A cube has an edge of 2 radius + 1 voxels.

    Returns
    -------
    array of float32, shape (n, n_volumes * edge ** 3)
        Volume by volume, each in the order of its axes.
    """
    edge = 2 * radius + 1
    found = np.zeros((len(centers), len(volumes) * edge**3), np.float32)
    _take(np.ascontiguousarray(volumes), _whole(centers), radius, found)
    return found


def add(
    rows: NDArray[np.float32],
    centers: NDArray[np.integer],
    radius: int,
    volumes: NDArray[np.float32],
) -> None:
    """Add cubes to `volumes` where they lie: the adjoint of `take`.

    Parameters
    ----------
    rows : array of float32, shape (n, n_volumes * edge ** 3)
        As `take` returns them; what lies outside the grid is dropped.
    centers, radius
        As for `take`.
    volumes : array of float32, shape (n_volumes, i, j, k)
        Changed in place.
    """
    _add(np.ascontiguousarray(rows), _whole(centers), radius, volumes)


def together(
    rows: NDArray[np.float32],
    centers: NDArray[np.integer],
    radius: int,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Return the volumes that overlapping cubes are parts of: the mean where they meet.

    Parameters
    ----------
    rows, centers, radius
        As for `add`.
    shape : tuple of int
        Of the grid.

    Returns
    -------
    array of float32, shape (n_volumes, i, j, k)
        0 where no cube lies.
    """
    edge = 2 * radius + 1
    total = np.zeros((rows.shape[1] // edge**3, *shape), np.float32)
    add(rows, centers, radius, total)
    count = np.zeros((1, *shape), np.float32)
    add(np.ones((len(rows), edge**3), np.float32), centers, radius, count)
    return np.asarray(total / np.maximum(count, 1), np.float32)


def _whole(centers: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.ascontiguousarray(centers, np.int64)


@_kernel
def _take(
    volumes: NDArray[np.float32],
    centers: NDArray[np.int64],
    radius: int,
    found: NDArray[np.float32],
) -> None:
    n, ni, nj, nk = volumes.shape
    for row in range(len(centers)):
        i0, j0, k0 = centers[row]
        entry = 0
        for volume in range(n):
            for i in range(i0 - radius, i0 + radius + 1):
                for j in range(j0 - radius, j0 + radius + 1):
                    for k in range(k0 - radius, k0 + radius + 1):
                        if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
                            found[row, entry] = volumes[volume, i, j, k]
                        entry += 1


@_kernel
def _add(
    rows: NDArray[np.float32],
    centers: NDArray[np.int64],
    radius: int,
    volumes: NDArray[np.float32],
) -> None:
    n, ni, nj, nk = volumes.shape
    for row in range(len(centers)):
        i0, j0, k0 = centers[row]
        entry = 0
        for volume in range(n):
            for i in range(i0 - radius, i0 + radius + 1):
                for j in range(j0 - radius, j0 + radius + 1):
                    for k in range(k0 - radius, k0 + radius + 1):
                        if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
                            volumes[volume, i, j, k] += rows[row, entry]
                        entry += 1
