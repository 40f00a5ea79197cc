"""Smooth functions of the place in the head, of which bias fields are made."""

from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
from numpy.polynomial.legendre import leg2poly, legval
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from mitame.prepare.template import FIELD_MM, MIDDLE_MM, template
from mitame.solve.polynomial import POWERS, over_grid

DEGREE = POWERS - 1
"""Of the polynomials that a bias field is made of: the eight loops of a head coil leave
bumps that a cubic cannot show."""

WIDTH_MM = 50.0
"""Of a field's bumps (SD), before anything is known of it: as wide as a coil's loop."""

OUTERMOST = 1.1
"""In half brains from the middle, just outside the brain: farther out, a field goes on
as it is there."""

DEGREES = sorted(
    (d for d in product(range(DEGREE + 1), repeat=3) if 0 < sum(d) <= DEGREE), key=sum
)
"""Of the polynomials along the three axes."""

N_FIELDS = len(DEGREES)

FEWER = 16
"""Of the template's voxels, one in so many tells what fields there may be."""

TINY = 1e-9
"""Keeps what hardly any field has finite."""


def fields_at(place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return smooth functions of places (n, 3) in template millimeters: (n, N_FIELDS).

    They are orthonormal over the template's brain, and their mean is 0 there: a field's
    standard deviation is the length of its coefficients.
    """
    mean, mix = _orthonormal()
    return np.asarray((_plain(_normal(place)) - mean) @ mix)


@cache
def precision() -> NDArray[np.float64]:
    """Return the prior precision of a field's coefficients, (N_FIELDS, N_FIELDS).

    Before it is seen, a field is a Gaussian process of width `WIDTH_MM` and standard
    deviation 1: where it is not seen it goes on as bumps of that width do, and not as
    polynomials.
    """
    place = _brain()[::FEWER]
    functions = fields_at(place)
    near = np.exp(-cdist(place, place, "sqeuclidean") / (2 * WIDTH_MM**2))
    covariance = functions.T @ near @ functions / len(place) ** 2
    return np.asarray(np.linalg.inv(covariance + TINY * np.eye(N_FIELDS)))


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
    far = np.linalg.norm(away, axis=-1, keepdims=True)
    return np.asarray(away / np.maximum(far / OUTERMOST, 1), np.float32)


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
    plain = _plain(_normal(_brain()))
    mean = plain.mean(axis=0)
    _, upper = np.linalg.qr((plain - mean) / len(plain) ** 0.5)
    return mean, np.linalg.inv(upper)


def _brain() -> NDArray[np.float64]:
    """Return places in the template's brain, (n, 3)."""
    mask = template("mask")
    index = np.argwhere(mask.data > 0.5)[::7]
    return np.asarray(index @ mask.affine[:3, :3].T + mask.affine[:3, 3])
