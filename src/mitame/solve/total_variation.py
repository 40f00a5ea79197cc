r"""Images of few pieces: denoising that keeps borders and drops what is small.

.. math::

    \min_u \tfrac12 \sum_v w_v (u_v - d_v)^2 + \lambda_1 \sum_v |u_v|
           + \lambda_2 \sum_v \|(c \nabla u)_v\|_2

over the voxels v of a mask. The gradient's three forward differences end at the mask's
border, so nothing outside it is looked at; c in 0 to 1 says how much each counts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitame.solve.loops import Floats
from mitame.solve.variation_kernels import ascend, gap, primal

CHECKED = 10
"""Steps between two looks at the gap: a look costs half a step."""

CURVATURE = 12.0
"""Largest eigenvalue of minus the discrete Laplacian in three dimensions."""


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """The voxels of a brain, and how strongly neighbors hold together.

    Parameters
    ----------
    inside : array of bool, shape (i, j, k)
        The smallest box around the voxels, and one empty plane behind it.
    links : array of float32, shape (3, i, j, k)
        c of each voxel's difference to its next along each axis, 0 to 1; 0 where the
        next is outside.
    """

    inside: NDArray[np.bool_]
    links: Floats

    @classmethod
    def of(cls, inside: NDArray[np.bool_]) -> Mask:
        """Return a mask whose neighbors all hold together, c = 1.

        Parameters
        ----------
        inside : array of bool, shape (i, j, k)
            At least one voxel.
        """
        box = tuple(
            slice(int(where.min()), int(where.max()) + 1)
            for where in np.nonzero(inside)
        )
        small = np.pad(inside[box], ((0, 0), (0, 0), (0, 1)))
        links = np.zeros((3, *small.shape), np.float32)
        for axis in range(3):
            here, beyond = _pairs(small, axis)
            _pairs(links[axis], axis)[0][:] = here & beyond
        return cls(small, links)

    def parted(self, values: NDArray[np.floating], step: float) -> Mask:
        """Return a mask whose neighbors hold together less where an image has a border.

        Parameters
        ----------
        values : array, shape (p,)
            An image that shows the borders.
        step : float
            Difference of neighbors whose link counts half, unit of `values`.
        """
        image, links = self.image(values), self.links.copy()
        for axis in range(3):
            here, beyond = _pairs(image, axis)
            _pairs(links[axis], axis)[0][:] /= 1 + ((beyond - here) / step) ** 2
        return replace(self, links=links)

    def image(self, values: NDArray[np.floating]) -> Floats:
        """Return values (p,) as an image of the mask's box, zero outside."""
        found = np.zeros(self.inside.shape, np.float32)
        found[self.inside] = values
        return found


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
    whole = 0.5 * float(np.sum(heavy * data.astype(np.float64) ** 2)) or 1.0
    step = float(heavy.min()) / CURVATURE
    dual = _shortened(start, l2, mask)
    ahead, found = dual.copy(), np.zeros(mask.inside.shape, np.float32)
    fixed = mask.links, mask.image(heavy * data), mask.image(1 / heavy), np.float32(l1)
    best, momentum, left = np.inf, 1.0, 0.0
    for count in range(0, steps + CHECKED, CHECKED):
        primal(dual, *fixed, found)
        left = gap(found, dual, mask.links, np.float32(l2)) / whole
        if left <= tolerance or count >= steps:
            break
        if left > best:
            ahead[:], momentum = dual, 1.0
        best = left
        for _ in range(min(CHECKED, steps - count)):
            after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
            push, momentum = np.float32((momentum - 1) / after), after
            primal(ahead, *fixed, found)
            ascend(
                found, mask.links, np.float32(step), np.float32(l2), push, dual, ahead
            )
    return Pieces(found[mask.inside], left, dual)


def _pairs(image: NDArray[Any], axis: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return views of each voxel and of its next along an axis."""
    along = np.moveaxis(image, axis, 0)
    return along[:-1], along[1:]


def _shortened(start: Floats | None, l2: float, mask: Mask) -> Floats:
    """Return a dual to start from, whose vectors are no longer than `l2`."""
    if start is None:
        return np.zeros_like(mask.links)
    length = np.sqrt(np.sum(start**2, axis=0))
    return np.asarray(start * (l2 / np.maximum(length, max(l2, 1e-30))), np.float32)
