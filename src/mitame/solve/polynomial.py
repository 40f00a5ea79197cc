"""A polynomial of the place, over a grid, in compiled loops."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.loops import Doubles, Floats, kernel, parallel

POWERS = 6
"""Of each coordinate, from 0 on. Known to the compiler, loops over them are ten times
faster."""


def over_grid(
    coefficients: NDArray[np.floating],
    to_place: NDArray[np.floating],
    shape: tuple[int, ...],
    most: float,
) -> NDArray[np.float32]:
    r"""Return :math:`\sum_{abc} c_{abc} x^a y^b z^c` at every voxel of a grid.

    Parameters
    ----------
    coefficients : array, shape (POWERS, POWERS, POWERS)
        c; those of order `POWERS` and more are taken to be 0.
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
        np.ascontiguousarray(coefficients, np.float64).reshape((POWERS,) * 3),
        np.ascontiguousarray(to_place, np.float64),
        most,
        found,
    )
    return found


@parallel
def _over_grid(c: Doubles, to: Doubles, most: float, found: Floats) -> None:
    for i in prange(found.shape[0]):
        x, y, z, total = np.empty((4, found.shape[2]))
        for j in range(found.shape[1]):
            _places(to, i, j, most, x, y, z)
            _over_line(c, x, y, z, total)
            found[i, j] = total


@kernel
def _places(
    to: Doubles, i: int, j: int, most: float, x: Doubles, y: Doubles, z: Doubles
) -> None:
    """Set the places of a line of voxels, none farther from 0 than `most`."""
    first = to[:, 0] * i + to[:, 1] * j + to[:, 3]
    for k in range(len(x)):
        a = first[0] + to[0, 2] * k
        b = first[1] + to[1, 2] * k
        c = first[2] + to[2, 2] * k
        far = np.sqrt(a * a + b * b + c * c)
        nearer = most / max(far, most)
        x[k], y[k], z[k] = a * nearer, b * nearer, c * nearer


@kernel
def _over_line(c: Doubles, x: Doubles, y: Doubles, z: Doubles, total: Doubles) -> None:
    """Set the sum at each place of a line."""
    for k in range(len(x)):
        a_sum = 0.0
        for a in range(POWERS - 1, -1, -1):
            b_sum = 0.0
            for b in range(POWERS - 1 - a, -1, -1):
                c_sum = 0.0
                for d in range(POWERS - 1 - a - b, -1, -1):
                    c_sum = c_sum * z[k] + c[a, b, d]
                b_sum = b_sum * y[k] + c_sum
            a_sum = a_sum * x[k] + b_sum
        total[k] = a_sum
