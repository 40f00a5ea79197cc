"""Smooth residual displacement between two scanners: gradient non-linearity."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from mitame.core.volume import Volume
from mitame.prepare.warp import slab_positions
from mitame.solve.robust import redescending_weights, spread

DEGREE = 3
"""Gradient coils distort in low orders; a tumor or a ventricle needs high ones."""

REACH_MM = 80.0
"""Half the size of a head: coordinates are divided by it."""

MAX_VOXELS = 150_000
ROUNDS = 5
TUNING = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Distortion:
    """A displacement that is a polynomial of the place.

    Parameters
    ----------
    coefficients : array, shape (n_terms, 3)
        World displacement of each monomial, mm.
    center : array, shape (3,)
        World position where the coordinates are zero, mm.
    """

    coefficients: NDArray[np.float64]
    center: NDArray[np.float64]

    def __add__(self, other: Distortion) -> Distortion:
        """Return both displacements together; they must have one center."""
        assert np.array_equal(self.center, other.center)  # noqa: S101 - our mistake
        return Distortion(self.coefficients + other.coefficients, self.center)

    def at(self, place: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the displacement at world positions (..., 3), mm."""
        terms = _monomials((place - self.center) / REACH_MM)
        return np.asarray(terms @ self.coefficients, dtype=np.float32)

    def over(self, grid: Volume) -> NDArray[np.float32]:
        """Return the displacement of every voxel of `grid`, shape (i, j, k, 3)."""
        displacement = np.empty((*grid.shape, 3), np.float32)
        for i in range(grid.shape[0]):
            displacement[i] = self.at(slab_positions(grid, i))
        return displacement


def none_at(grid: Volume) -> Distortion:
    """Return the distortion that displaces nothing; its center is the grid's."""
    n_terms = _monomials(np.zeros((1, 3))).shape[1]
    return Distortion(np.zeros((n_terms, 3)), _middle(grid))


def fit_distortion(
    moved: Volume, fixed: Volume, brain: NDArray[np.bool_]
) -> Distortion:
    r"""Return the displacement that takes what `moved` still is off `fixed`.

    Solves the linearized brightness equation [1]_ for a polynomial displacement,
    with weights under which real change does not count:

    .. math::

        fixed(x) - moved(x) \approx \nabla moved(x) \cdot u(x)

    Parameters
    ----------
    moved, fixed : Volume
        One grid, and alike in tone.
    brain : array of bool, shape (i, j, k)
        Where to look.

    References
    ----------
    .. [1] B. K. P. Horn, B. G. Schunck, "Determining optical flow", Artificial
       Intelligence 17, 185-203, 1981.
    """
    inside = np.argwhere(binary_erosion(brain, iterations=2))
    # Every nth voxel, not a random choice: the same on every run.
    inside = inside[:: max(1, len(inside) // MAX_VOXELS)]
    place = inside @ fixed.affine[:3, :3].T + fixed.affine[:3, 3]
    center = _middle(fixed)
    at = tuple(inside.T)
    slope = _world_gradient(moved)[at]
    terms = _monomials((place - center) / REACH_MM)
    matrix = (terms[:, :, None] * slope[:, None, :]).reshape(len(place), -1)
    wanted = fixed.data[at].astype(np.float64) - moved.data[at]
    return Distortion(_robust_solution(matrix, wanted).reshape(-1, 3), center)


def _middle(grid: Volume) -> NDArray[np.float64]:
    """Return the world position of the middle of `grid`."""
    half = (np.array(grid.shape) - 1) / 2
    return np.asarray(grid.affine[:3, :3] @ half + grid.affine[:3, 3])


def _robust_solution(
    matrix: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    solution = np.zeros(matrix.shape[1])
    for _ in range(ROUNDS):
        left = wanted - matrix @ solution
        weight = redescending_weights(left, spread(left), tuning=TUNING)
        weighted = matrix * weight[:, None]
        normal = weighted.T @ matrix
        ridge = 1e-6 * np.trace(normal) / len(normal) * np.eye(len(normal))
        solution = np.linalg.solve(normal + ridge, weighted.T @ wanted)
    return solution


def _world_gradient(volume: Volume) -> NDArray[np.float64]:
    """Return the intensity per millimeter along the world axes, (i, j, k, 3)."""
    per_voxel = np.stack([*np.gradient(volume.data)], axis=-1)
    return np.asarray(per_voxel @ np.linalg.inv(volume.affine[:3, :3]))


def _monomials(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return all products of up to `DEGREE` coordinates, shape (..., n_terms)."""
    columns = [np.ones(x.shape[:-1])]
    for degree in range(1, DEGREE + 1):
        for axes in combinations_with_replacement(range(3), degree):
            columns.append(np.prod(x[..., list(axes)], axis=-1))
    return np.stack(columns, axis=-1)
