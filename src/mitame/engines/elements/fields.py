"""Smooth functions of the place in the head, of which bias fields are made."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from numpy.polynomial.legendre import leg2poly, legval
from numpy.typing import NDArray

from mitame.prepare.template import FIELD_MM, MIDDLE_MM, template
from mitame.solve.polynomial import over_grid

DEGREE = 3
"""Of the polynomials that a bias field is made of."""

OUTERMOST = 1.2
"""In half brains: farther out, a field goes on as it is there."""

DEGREES = sorted(
    (d for d in product(range(DEGREE + 1), repeat=3) if 0 < sum(d) <= DEGREE), key=sum
)
"""Of the polynomials along the three axes."""

N_FIELDS = len(DEGREES)


def fields_at(place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return smooth functions of places (n, 3) in template millimeters: (n, N_FIELDS).

    They are orthonormal over the template's brain, and their mean is 0 there: a field's
    standard deviation is the length of its coefficients.
    """
    mean, mix = _orthonormal()
    return np.asarray((_plain(_normal(place)) - mean) @ mix)


def field_over(
    to_place: NDArray[np.floating],
    shape: tuple[int, ...],
    coefficients: NDArray[np.floating],
) -> NDArray[np.float32]:
    """Return a sum of the functions of `fields_at` at every voxel of a grid.

    Parameters
    ----------
    to_place : array, shape (4, 4)
        From voxels to template millimeters.
    shape : tuple of int
        Of the grid.
    coefficients : array, shape (N_FIELDS,)
        Of the functions.
    """
    half = np.array(FIELD_MM) / 2
    normal = to_place[:3] / half[:, None]
    normal[:, 3] -= np.array(MIDDLE_MM) / half
    return over_grid(_powers(coefficients), normal, shape, OUTERMOST)


def _powers(coefficients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the coefficients of a field's powers of x, y and z."""
    mean, mix = _orthonormal()
    plain = mix @ coefficients
    tensor = np.zeros((DEGREE + 1,) * 3)
    for degree, c in zip(DEGREES, plain, strict=True):
        tensor[degree] = c
    tensor[0, 0, 0] = -mean @ plain
    to_powers = np.zeros((DEGREE + 1, DEGREE + 1))
    for n in range(DEGREE + 1):
        to_powers[: n + 1, n] = leg2poly(np.eye(DEGREE + 1)[n])[: n + 1]
    found = np.einsum("abc,ia,jb,kc->ijk", tensor, to_powers, to_powers, to_powers)
    return np.asarray(found)


def _normal(place: NDArray[np.floating]) -> NDArray[np.float32]:
    half = np.array(FIELD_MM, np.float32) / 2
    away = (place - np.array(MIDDLE_MM, np.float32)) / half
    return np.asarray(np.clip(away, -OUTERMOST, OUTERMOST), np.float32)


def _plain(place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the products of Legendre polynomials of `DEGREES`."""
    along = [
        [legval(place[:, axis], np.eye(DEGREE + 1)[n]) for n in range(DEGREE + 1)]
        for axis in range(3)
    ]
    return np.stack([along[0][a] * along[1][b] * along[2][c] for a, b, c in DEGREES], 1)


@cache
def _orthonormal() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means over the template's brain, and what makes them orthonormal."""
    mask = template("mask")
    index = np.argwhere(mask.data > 0.5)[::7]
    plain = _plain(_normal(index @ mask.affine[:3, :3].T + mask.affine[:3, 3]))
    mean = plain.mean(axis=0)
    _, upper = np.linalg.qr((plain - mean) / len(plain) ** 0.5)
    return mean, np.linalg.inv(upper)
