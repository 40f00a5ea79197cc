"""A smooth function on a regular lattice: sample it, and fit it to data."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.ndimage import map_coordinates
from scipy.sparse.linalg import cg

from mitame.solve.lattice_kernels import over_grid

Lattice = NDArray[np.float32]
"""Values at the nodes, one axis per coordinate."""


def corners(
    coordinates: NDArray[np.floating], shape: Sequence[int]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return the nodes around each point, and their multilinear weights.

    Parameters
    ----------
    coordinates : array, shape (n_points, n_axes)
        In node units. A point outside the lattice counts as the nearest point
        on its surface, so a lattice goes on as a constant.
    shape : sequence of int
        Nodes along each axis, each >= 2.

    Returns
    -------
    index : array of int, shape (n_points, 2 ** n_axes)
        Flat (C order) node indices.
    weight : array, shape (n_points, 2 ** n_axes)
        Weights, each row adding up to one.
    """
    top = np.asarray(shape) - 2
    low = np.clip(np.floor(coordinates), 0, top).astype(np.int32)
    share = np.clip(coordinates - low, 0, 1).astype(np.float32)
    index = np.zeros((len(low), 2 ** len(shape)), np.int32)
    weight = np.ones(index.shape, np.float32)
    for column, corner in enumerate(product((0, 1), repeat=len(shape))):
        for axis, side in enumerate(corner):
            index[:, column] = index[:, column] * shape[axis] + low[:, axis] + side
            weight[:, column] *= share[:, axis] if side else 1 - share[:, axis]
    return index, weight


def sample(lattice: Lattice, coordinates: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the lattice at `coordinates` (n_points, n_axes), in node units."""
    values = map_coordinates(lattice, coordinates.T, order=1, mode="nearest")
    return np.asarray(values, dtype=np.float32)


def sample_grid(
    lattice: Lattice, to_node: NDArray[np.float64], last: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return a lattice of four axes at every voxel of a grid.

    Parameters
    ----------
    lattice : array, shape (n_i, n_j, n_k, n_last)
        Goes on as a constant, as for `corners`.
    to_node : array, shape (3, 4)
        Affine map from voxels to the first three axes, in node units.
    last : array, shape (i, j, k)
        Of every voxel, where it is on the fourth, in node units.
    """
    found = np.empty(last.shape, np.float32)
    over_grid(
        np.ascontiguousarray(lattice, np.float32),
        np.ascontiguousarray(to_node, np.float64),
        np.ascontiguousarray(last, np.float32),
        found,
    )
    return found


def roughness(shape: Sequence[int], stiffness: Sequence[float]) -> sparse.csr_array:
    r"""Return Q such that :math:`x^T Q x` is the summed squared bending of x.

    Parameters
    ----------
    shape : sequence of int
        Nodes along each axis.
    stiffness : sequence of float
        Weight of the squared second differences along each axis, >= 0.

    Returns
    -------
    sparse array, shape (n_nodes, n_nodes)
        Symmetric, positive semi-definite; zero for constants and straight lines.
    """
    size = int(np.prod(shape))
    total = sparse.csr_array((size, size), dtype=np.float32)
    for axis, weight in enumerate(stiffness):
        bend = _second_difference(shape, axis)
        total = total + weight * (bend.T @ bend)
    return sparse.csr_array(total, dtype=np.float32)


def design(
    coordinates: NDArray[np.floating],
    factor: NDArray[np.floating],
    shape: Sequence[int],
) -> sparse.csr_array:
    """Return X with ``X @ lattice.ravel() == factor * sample(lattice, coordinates)``.

    Parameters
    ----------
    coordinates : array, shape (n_points, n_axes)
        In node units.
    factor : array, shape (n_points,)
        What each sample is multiplied by.
    shape : sequence of int
        Nodes along each axis.
    """
    index, weight = corners(coordinates, shape)
    weight *= factor[:, None]
    rows = np.arange(len(index) + 1) * index.shape[1]
    size = (len(index), int(np.prod(shape)))
    return sparse.csr_array((weight.ravel(), index.ravel(), rows), shape=size)


def weighted_ridge(
    matrix: sparse.csr_array,
    target: NDArray[np.floating],
    weight: NDArray[np.floating],
    penalty: sparse.csr_array,
    start: NDArray[np.floating],
) -> NDArray[np.float32]:
    r"""Return the minimizer of a weighted fit plus a quadratic penalty.

    .. math::

        \min_x \sum_n w_n \left(y_n - (Xx)_n\right)^2 + x^T Q x

    Parameters
    ----------
    matrix : sparse array, shape (n_points, n_nodes)
        X.
    target, weight : array, shape (n_points,)
        y and w; w >= 0.
    penalty : sparse array, shape (n_nodes, n_nodes)
        Q; with X it must leave no direction free.
    start : array, shape (n_nodes,)
        Where conjugate gradients begin.

    Returns
    -------
    array, shape (n_nodes,)
        x, to a relative residual of 1e-4.
    """
    normal = matrix.T @ matrix.multiply(weight[:, None]) + penalty
    diagonal = sparse.diags_array(1 / normal.diagonal())
    solution, _ = cg(
        normal.tocsr(),
        matrix.T @ (weight * target),
        x0=start,
        rtol=1e-4,
        maxiter=400,
        M=diagonal,
    )
    return np.asarray(solution, dtype=np.float32)


def _second_difference(shape: Sequence[int], axis: int) -> sparse.csr_array:
    """Second differences along `axis`, on flattened (C order) nodes."""
    n = shape[axis]
    bend = sparse.diags_array(
        [1.0, -2.0, 1.0], offsets=[0, 1, 2], shape=(n - 2, n), dtype=np.float32
    )
    before = sparse.eye_array(int(np.prod(shape[:axis])), dtype=np.float32)
    after = sparse.eye_array(int(np.prod(shape[axis + 1 :])), dtype=np.float32)
    return sparse.csr_array(sparse.kron(sparse.kron(before, bend), after))
