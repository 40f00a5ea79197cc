"""What makes a fit sparse, grouped, of low rank or piecewise constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.solve.loops import Doubles
from mitame.solve.penalty_kernels import flattened


class Penalty(Protocol):
    """A convex function that grows in proportion, of a vector x of shape (n,)."""

    def value(self, x: Doubles) -> float:
        """Return the penalty, >= 0."""

    def prox(self, x: Doubles, step: float) -> Doubles:
        """Return the z least in ``step * value(z) + |x - z|**2 / 2``, step > 0."""

    def distance(self, x: Doubles, gradient: Doubles) -> float:
        """Return how far ``-gradient`` is from the subdifferential at x.

        Zero where a function of that gradient, plus the penalty, is least.
        """

    def dual(self, z: Doubles) -> float:
        """Return the least t so that ``z @ x <= t * value(x)`` for all x.

        The part of z along `free` is left out.
        """

    def free(self, n: int) -> Doubles:
        """Return what costs nothing: a basis as columns, shape (n, any)."""


@dataclass(frozen=True, eq=False)
class L1:
    """The sum of magnitudes.

    Parameters
    ----------
    weights : float or array, shape (n,)
        Of all entries or of each, >= 0; an entry of weight zero is free.
    """

    weights: float | Doubles

    def __post_init__(self) -> None:
        _require_weights(self.weights)

    def value(self, x: Doubles) -> float:
        """Return the weighted sum of magnitudes."""
        return float((self.weights * np.abs(x)).sum())

    def prox(self, x: Doubles, step: float) -> Doubles:
        """Return x with all magnitudes smaller by their weight, or zero."""
        less = np.maximum(np.abs(x) - step * np.asarray(self.weights), 0)
        return np.asarray(np.copysign(less, x))

    def distance(self, x: Doubles, gradient: Doubles) -> float:
        """Return how far ``-gradient`` is from the subdifferential."""
        at_zero = np.maximum(np.abs(gradient) - self.weights, 0)
        away = gradient + self.weights * np.sign(x)
        return float(np.linalg.norm(np.where(x == 0, at_zero, away)))

    def dual(self, z: Doubles) -> float:
        """Return the largest magnitude over its weight."""
        weights = np.broadcast_to(self.weights, z.shape)
        costly = weights > 0
        return float((np.abs(z[costly]) / weights[costly]).max(initial=0))

    def free(self, n: int) -> Doubles:
        """Return the unit vectors of entries without weight."""
        _require_length(np.size(self.weights) if np.ndim(self.weights) else n, n)
        return _unit_vectors(np.broadcast_to(self.weights, n) == 0)


@dataclass(frozen=True, eq=False)
class Groups:
    """The sum of the lengths of groups of entries: a group is zero as a whole.

    Parameters
    ----------
    weights : float or array, shape (n_groups,)
        Of all groups or of each, >= 0; a group of weight zero is free.
    group_of : array of int, shape (n,)
        To which group an entry belongs, from 0.

    References
    ----------
    .. [1] M. Yuan, Y. Lin, "Model selection and estimation in regression with grouped
       variables", Journal of the Royal Statistical Society B 68(1), 2006.
    """

    weights: float | Doubles
    group_of: NDArray[np.integer]

    def __post_init__(self) -> None:
        _require_weights(self.weights)
        given = np.asarray(self.group_of)
        if given.ndim != 1 or not given.size or given.min() < 0:
            raise InputError(
                f"The groups of entries have the shape {given.shape}, or a number < 0.",
                fix="Give one number, 0 or above, for each entry.",
            )

    def value(self, x: Doubles) -> float:
        """Return the weighted sum of lengths."""
        return float((self.weights * self._lengths(x)).sum())

    def prox(self, x: Doubles, step: float) -> Doubles:
        """Return x with each group shorter by its weight, or zero."""
        lengths = self._lengths(x)
        less = np.maximum(lengths - step * np.asarray(self.weights), 0)
        factors = less / np.where(lengths > 0, lengths, 1)
        return np.asarray(x * factors[self.group_of])

    def distance(self, x: Doubles, gradient: Doubles) -> float:
        """Return how far ``-gradient`` is from the subdifferential."""
        lengths = self._lengths(x)
        slopes = self.weights / np.where(lengths > 0, lengths, 1)
        away = self._lengths(gradient + slopes[self.group_of] * x)
        at_zero = np.maximum(self._lengths(gradient) - self.weights, 0)
        return float(np.linalg.norm(np.where(lengths == 0, at_zero, away)))

    def dual(self, z: Doubles) -> float:
        """Return the largest length over its weight."""
        lengths = self._lengths(z)
        weights = np.broadcast_to(self.weights, lengths.shape)
        costly = weights > 0
        return float((lengths[costly] / weights[costly]).max(initial=0))

    def free(self, n: int) -> Doubles:
        """Return the unit vectors of entries of groups without weight."""
        _require_length(len(self.group_of), n)
        count = int(np.max(self.group_of)) + 1
        return _unit_vectors((np.broadcast_to(self.weights, count) == 0)[self.group_of])

    def _lengths(self, x: Doubles) -> Doubles:
        """Return the length of each group."""
        return np.sqrt(np.bincount(self.group_of, x**2))


@dataclass(frozen=True)
class Nuclear:
    """The sum of singular values of x as a matrix, row after row.

    Parameters
    ----------
    weight : float
        > 0.
    shape : tuple of int
        Of the matrix.
    """

    weight: float
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        _require_positive(self.weight)

    def value(self, x: Doubles) -> float:
        """Return the weighted sum of singular values."""
        return self.weight * float(self._svd(x)[1].sum())

    def prox(self, x: Doubles, step: float) -> Doubles:
        """Return x with all singular values smaller, or zero."""
        left, sizes, right = self._svd(x)
        less = np.maximum(sizes - step * self.weight, 0)
        return np.asarray(((left * less) @ right).ravel())

    def distance(self, x: Doubles, gradient: Doubles) -> float:
        """Return how far ``-gradient`` is from the subdifferential.

        Along the singular vectors of x the subgradient is known; across both of their
        spaces it may be any matrix of singular values up to the weight.
        """
        left, sizes, right = self._svd(x)
        rank = int((sizes > sizes[0] * max(self.shape) * np.finfo(float).eps).sum())
        left, right, slope = left[:, :rank], right[:rank], gradient.reshape(self.shape)
        across = slope - left @ (left.T @ slope)
        across -= (across @ right.T) @ right
        along = slope - across + self.weight * left @ right
        over = np.maximum(np.linalg.svd(across, compute_uv=False) - self.weight, 0)
        return float(np.hypot(np.linalg.norm(along), np.linalg.norm(over)))

    def dual(self, z: Doubles) -> float:
        """Return the largest singular value over the weight."""
        return float(self._svd(z)[1][0]) / self.weight

    def free(self, n: int) -> Doubles:
        """Return no direction: each costs."""
        _require_length(self.shape[0] * self.shape[1], n)
        return np.empty((n, 0))

    def _svd(self, x: Doubles) -> tuple[Doubles, Doubles, Doubles]:
        """Return the singular value decomposition."""
        left, sizes, right = np.linalg.svd(x.reshape(self.shape), full_matrices=False)
        return left, sizes, right


@dataclass(frozen=True)
class Variation:
    """The sum of magnitudes of differences of neighbors: total variation on a line.

    Parameters
    ----------
    weight : float
        > 0.

    Examples
    --------
    >>> Variation(1.0).prox(np.array([0.0, 0, 9, 9]), 1.0).tolist()
    [0.5, 0.5, 8.5, 8.5]
    """

    weight: float

    def __post_init__(self) -> None:
        _require_positive(self.weight)

    def value(self, x: Doubles) -> float:
        """Return the weighted sum of steps."""
        return self.weight * float(np.abs(np.diff(x)).sum())

    def prox(self, x: Doubles, step: float) -> Doubles:
        """Return the piecewise constant nearest to x, exactly."""
        return _flat(x, step * self.weight)

    def distance(self, x: Doubles, gradient: Doubles) -> float:
        """Return how far ``-gradient`` is from the subdifferential.

        At each jump of x the subgradient is known. A run between two jumps is free of
        the others: what cannot be explained there is what flattening leaves of it.
        """
        jumps = np.sign(np.diff(x))
        known = gradient - self.weight * np.diff(jumps, prepend=0, append=0)
        runs = np.split(known, np.flatnonzero(jumps) + 1)
        left = [np.linalg.norm(_flat(run, self.weight)) for run in runs]
        return float(np.linalg.norm(left))

    def dual(self, z: Doubles) -> float:
        """Return the largest magnitude of running sums over the weight."""
        sums = np.abs(np.cumsum(z - z.mean())[:-1])
        return float(sums.max(initial=0)) / self.weight

    def free(self, n: int) -> Doubles:
        """Return the constant."""
        return np.ones((n, 1))


def _flat(x: Doubles, weight: float) -> Doubles:
    """Return what is left of x when variation costs `weight`."""
    found = np.empty(len(x))
    # A copy may be written, as `found` may: one type to compile for.
    flattened(np.array(x, np.float64), float(weight), found)
    return found


def _unit_vectors(chosen: NDArray[np.bool_]) -> Doubles:
    """Return those of some entries, as columns."""
    places = np.flatnonzero(chosen)
    found = np.zeros((len(chosen), len(places)))
    found[places, np.arange(len(places))] = 1
    return found


def _require_weights(weights: float | Doubles) -> None:
    """Raise unless no weight is below zero, and all are finite."""
    given = np.asarray(weights)
    if not (np.isfinite(given).all() and (given >= 0).all()):
        raise InputError(
            f"The least weight is {given.min()}, the largest {given.max()}.",
            fix="Give finite weights of 0 (free) and above.",
        )


def _require_length(found: int, n: int) -> None:
    """Raise unless a penalty is for as many entries as there are."""
    if found != n:
        raise InputError(
            f"The penalty is for {found} entries; there are {n}.",
            fix="Give one that is for all entries.",
        )


def _require_positive(weight: float) -> None:
    """Raise unless a weight is above zero and finite."""
    if not 0 < weight < np.inf:
        raise InputError(f"The weight is {weight}.", fix="Give a finite one above 0.")
