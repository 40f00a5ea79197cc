"""Patches of volumes, taken out and put together again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

_kernel: Any = njit(nogil=True, error_model="numpy", cache=True)
_parallel: Any = njit(nogil=True, error_model="numpy", cache=True, parallel=True)

Offsets = NDArray[np.int64]
"""Where the voxels of a patch are, from its center: shape (size, 3)."""


def box(*reach: int) -> Offsets:
    """Return a box that goes out so many voxels along each axis.

    ``box(2, 2, 2)`` is a cube of 5 voxels, ``box(3, 3, 0)`` a square of 7.
    """
    sides = [np.arange(-part, part + 1) for part in reach]
    grids = np.meshgrid(*sides, indexing="ij")
    return np.stack(grids, axis=-1).reshape(-1, len(reach))


def planes(radius: int) -> Offsets:
    """Return the three squares that cross in the middle of a cube, one an axis."""
    cube = box(radius, radius, radius)
    return np.asarray(cube[(cube == 0).any(axis=1)])


def take(
    volumes: NDArray[np.float32],
    centers: NDArray[np.integer],
    offsets: Offsets,
    out: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Return the patches around some voxels, one a row.

    Parameters
    ----------
    volumes : array of float32, shape (n_volumes, i, j, k)
        On one grid.
    centers : array of int, shape (n, 3)
        Voxels; what a patch sees outside the grid is 0.
    offsets : array of int, shape (size, 3)
        Of a patch.
    out : array of float32, shape (n, n_volumes * size), optional
        What is filled and returned; all zero before.

    Returns
    -------
    array of float32, shape (n, n_volumes * size)
        Volume by volume, each in the order of the offsets.
    """
    if out is None:
        out = np.zeros((len(centers), len(volumes) * len(offsets)), np.float32)
    _take(np.ascontiguousarray(volumes), _whole(centers), offsets, out)
    return out


def add(
    rows: NDArray[np.float32],
    centers: NDArray[np.integer],
    offsets: Offsets,
    volumes: NDArray[np.float32],
) -> None:
    """Add patches to `volumes` where they lie: the adjoint of `take`.

    Parameters
    ----------
    rows : array of float32, shape (n, n_volumes * size)
        As `take` returns them; what lies outside the grid is dropped.
    centers, offsets
        As for `take`.
    volumes : array of float32, shape (n_volumes, i, j, k)
        Changed in place.
    """
    _add(np.ascontiguousarray(rows), _whole(centers), offsets, volumes)


def together(
    rows: NDArray[np.float32],
    centers: NDArray[np.integer],
    offsets: Offsets,
    shape: tuple[int, int, int],
) -> NDArray[np.float32]:
    """Return the volumes that patches are parts of: where they overlap, the mean.

    Parameters
    ----------
    rows, centers, offsets
        As for `add`.
    shape : tuple of int
        Of the grid.

    Returns
    -------
    array of float32, shape (n_volumes, i, j, k)
        0 where no patch lies.
    """
    size = len(offsets)
    total = np.zeros((rows.shape[1] // size, *shape), np.float32)
    add(rows, centers, offsets, total)
    count = np.zeros((1, *shape), np.float32)
    add(np.ones((len(rows), size), np.float32), centers, offsets, count)
    return np.asarray(total / np.maximum(count, 1), np.float32)


def _whole(centers: NDArray[np.integer]) -> NDArray[np.int64]:
    return np.ascontiguousarray(centers, np.int64)


@_parallel
def _take(
    volumes: NDArray[np.float32],
    centers: NDArray[np.int64],
    offsets: Offsets,
    found: NDArray[np.float32],
) -> None:
    n, ni, nj, nk = volumes.shape
    for row in prange(len(centers)):
        entry = 0
        for volume in range(n):
            for part in range(len(offsets)):
                i = centers[row, 0] + offsets[part, 0]
                j = centers[row, 1] + offsets[part, 1]
                k = centers[row, 2] + offsets[part, 2]
                if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
                    found[row, entry] = volumes[volume, i, j, k]
                entry += 1


@_kernel
def _add(
    rows: NDArray[np.float32],
    centers: NDArray[np.int64],
    offsets: Offsets,
    volumes: NDArray[np.float32],
) -> None:
    n, ni, nj, nk = volumes.shape
    for row in range(len(centers)):
        entry = 0
        for volume in range(n):
            for part in range(len(offsets)):
                i = centers[row, 0] + offsets[part, 0]
                j = centers[row, 1] + offsets[part, 1]
                k = centers[row, 2] + offsets[part, 2]
                if 0 <= i < ni and 0 <= j < nj and 0 <= k < nk:
                    volumes[volume, i, j, k] += rows[row, entry]
                entry += 1
