r"""Images of few pieces: denoising that keeps borders and drops what is small.

.. math::

    \min_u \tfrac12 \sum_v w_v (u_v - d_v)^2 + \lambda_1 \sum_v |u_v|
           + \lambda_2 \sum_v \|(\nabla u)_v\|_2

over the voxels v of a mask. The gradient's three forward differences end at the mask's
border, so nothing outside it is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.solve.loops import Floats
from mitame.solve.variation_kernels import ascend, gap, primal

CHECKED = 10
"""Steps between two looks at the gap: a look costs half a step."""

CURVATURE = 12.0
"""Largest eigenvalue of minus the discrete Laplacian in three dimensions."""


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """What `fewest_pieces` found.

    Parameters
    ----------
    values : array of float32, shape (p,)
        The minimizer, at the voxels of the mask.
    gap : float
        Certified: the objective is at most this share of its value at ``u = 0`` above
        the least there is.
    dual : array of float32, shape (3, i, j, k)
        One vector for each voxel of the mask's box, no longer than `l2`; where
        a similar problem starts from.
    """

    values: Floats
    gap: float
    dual: Floats


class Mask:
    """The voxels of a brain, and which of them are neighbors.

    Parameters
    ----------
    inside : array of bool, shape (i, j, k)
        At least one voxel.
    """

    def __init__(self, inside: NDArray[np.bool_]) -> None:
        box = tuple(
            slice(int(where.min()), int(where.max()) + 1)
            for where in np.nonzero(inside)
        )
        self.inside = np.ascontiguousarray(inside[box])
        self.shape = self.inside.shape
        self.joined = _joined(self.inside)

    def image(self, values: NDArray[np.floating]) -> Floats:
        """Return values (p,) as an image of the mask's box, zero outside."""
        found = np.zeros(self.shape, np.float32)
        found[self.inside] = values
        return found

    def no_dual(self) -> Floats:
        """Return a dual of zeros, from which a first problem starts."""
        return np.zeros((3, *self.shape), np.float32)


def fewest_pieces(
    data: NDArray[np.floating],
    mask: Mask,
    *,
    l1: float,
    l2: float,
    weight: NDArray[np.floating] | None = None,
    start: Floats | None = None,
    tolerance: float = 1e-4,
    steps: int = 500,
) -> Pieces:
    """Return the minimizer of the objective in the module's docstring.

    Accelerated ascent of the dual problem [1]_, started anew whenever the gap grows.

    Parameters
    ----------
    data : array, shape (p,)
        d, at the voxels of the mask.
    mask : Mask
        Where they are.
    l1, l2 : float
        Weights of size and of variation, >= 0, in the unit of `weight` times `data`.
    weight : array, shape (p,), optional
        w, > 0; by default 1. Progress is slow where they differ a lot.
    start : array, shape (3, i, j, k), optional
        `dual` of a similar problem.
    tolerance : float
        Gap at which to end.
    steps : int
        At most so many, whatever the gap is.

    References
    ----------
    .. [1] A. Beck, M. Teboulle, "Fast gradient-based algorithms for constrained total
       variation image denoising and deblurring problems", IEEE Transactions on Image
       Processing 18(11), 2009.
    """
    heavy = np.ones(len(data), np.float32) if weight is None else weight
    pulled = mask.image(heavy * data)
    lightness = mask.image(1 / heavy)
    whole = 0.5 * float(np.sum(heavy * data.astype(np.float64) ** 2)) or 1.0
    step = float(heavy.min()) / CURVATURE
    dual = mask.no_dual() if start is None else _shortened(start, l2)
    ahead, found = dual.copy(), np.zeros(mask.shape, np.float32)
    best, momentum, left = np.inf, 1.0, 0.0
    for count in range(0, steps + 1, CHECKED):
        primal(dual, pulled, lightness, np.float32(l1), found)
        left = gap(found, dual, mask.joined, np.float32(l2)) / whole
        if left <= tolerance or count == steps:
            break
        if left > best:
            ahead[:], momentum = dual, 1.0
        best = left
        for _ in range(CHECKED):
            after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            push = np.float32((momentum - 1) / after)
            momentum = after
            primal(ahead, pulled, lightness, np.float32(l1), found)
            ascend(
                found, dual, ahead, mask.joined, np.float32(step), np.float32(l2), push
            )
    return Pieces(found[mask.inside], left, dual)


def _joined(inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return to which of its next neighbors a voxel is joined: bits 1, 2 and 4."""
    joined = np.zeros(inside.shape, np.uint8)
    joined[:-1] |= (inside[:-1] & inside[1:]).astype(np.uint8)
    joined[:, :-1] |= (inside[:, :-1] & inside[:, 1:]).astype(np.uint8) << 1
    joined[:, :, :-1] |= (inside[:, :, :-1] & inside[:, :, 1:]).astype(np.uint8) << 2
    return joined


def _shortened(start: Floats, l2: float) -> Floats:
    """Return a dual whose vectors are no longer than `l2`."""
    length = np.sqrt(np.sum(start**2, axis=0))
    return start * (l2 / np.maximum(length, max(l2, 1e-30))).astype(np.float32)
