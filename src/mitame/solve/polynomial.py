"""A polynomial of the place, over a grid, in compiled loops."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.loops import Doubles, Floats, parallel


def over_grid(
    coefficients: NDArray[np.floating],
    to_place: NDArray[np.floating],
    shape: tuple[int, ...],
    most: float,
) -> NDArray[np.float32]:
    r"""Return :math:`\sum_{abc} c_{abc} x^a y^b z^c` at every voxel of a grid.

    Parameters
    ----------
    coefficients : array, shape (n, n, n)
        c.
    to_place : array, shape (3, 4)
        Affine map from voxels to x, y and z.
    shape : tuple of int
        Of the grid.
    most : float
        So far from 0, the sum goes on as it is there.

    Returns
    -------
    array of float32, shape (i, j, k)
    """
    found = np.empty(shape, np.float32)
    _over_grid(
        np.ascontiguousarray(coefficients, np.float64),
        np.ascontiguousarray(to_place, np.float64),
        most,
        found,
    )
    return found


@parallel
def _over_grid(c: Doubles, to: Doubles, most: float, found: Floats) -> None:
    n = c.shape[0]
    for i in prange(found.shape[0]):
        at = np.empty(3)
        for j in range(found.shape[1]):
            for k in range(found.shape[2]):
                for axis in range(3):
                    x = to[axis, 0] * i + to[axis, 1] * j + to[axis, 2] * k
                    at[axis] = x + to[axis, 3]
                far = np.sqrt(at[0] ** 2 + at[1] ** 2 + at[2] ** 2)
                if far > most:
                    at *= most / far
                total = 0.0
                for a in range(n - 1, -1, -1):
                    row = 0.0
                    for b in range(n - 1 - a, -1, -1):
                        cell = 0.0
                        for d in range(n - 1 - a - b, -1, -1):
                            cell = cell * at[2] + c[a, b, d]
                        row = row * at[1] + cell
                    total = total * at[0] + row
                found[i, j, k] = total
