"""Sparse codes of many patches under one dictionary.

The lasso of each patch y under the atoms d_k (rows of D),

    minimize over x   1/2 |y - D'x|^2 + penalty |x|_1,

is solved by an active set [1]_, to an optimum that `duality_gap` certifies.

References
----------
.. [1] M. R. Osborne, B. Presnell, B. A. Turlach, "A new approach to variable selection
   in least squares problems", IMA J. Numer. Anal. 20(3), 389-403, 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError, InputError
from mitame.solve import code_kernels, lasso_kernels
from mitame.solve.loops import product
from mitame.solve.threads import single_blas

FIRST_ROOM = 32
"""Entries of a code that are made room for; a few patches need more, and get it."""

SPARE = 16
"""A code has no more entries than a patch has numbers, but for rounding."""

TOLERANCE = 1e-6
"""A correlation so far above the penalty, relative to it, is an atom that is missing.
The duality gap is at most as large: it is this times a part of the objective."""

Patches = NDArray[np.float32]
Atoms = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """Sparse codes, one after another; the entries of each in no order.

    Parameters
    ----------
    indices : array of int32, shape (n_entries,)
        Which atoms.
    values : array of float32, shape (n_entries,)
        How much of each.
    starts : array of int64, shape (n + 1,)
        Where each code begins, and where the last one ends.
    n_atoms : int
        Of the dictionary.
    """

    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    starts: NDArray[np.int64]
    n_atoms: int

    @property
    def counts(self) -> NDArray[np.int64]:
        """Return how many entries each code has, shape (n,)."""
        return np.diff(self.starts)

    def dense(self) -> NDArray[np.float32]:
        """Return the codes with their zeros, shape (n, n_atoms)."""
        found = np.zeros((len(self.starts) - 1, self.n_atoms), np.float32)
        rows = np.repeat(np.arange(len(found)), self.counts)
        found[rows, self.indices] = self.values
        return found

    def decode(self, atoms: Atoms) -> Patches:
        """Return the patches that the codes stand for, shape (n, d)."""
        found = np.empty((len(self.starts) - 1, atoms.shape[1]), np.float32)
        code_kernels.decode(self.indices, self.values, self.starts, atoms, found)
        return found

    def uses(self) -> NDArray[np.int64]:
        """Return how many codes each atom is in, shape (n_atoms,)."""
        return np.bincount(self.indices, minlength=self.n_atoms)


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """What the compiled loop writes: codes with room between them.

    Parameters
    ----------
    indices, values : array, shape (n * room,)
        As of `Codes`.
    places : array of int64, shape (n,)
        Where each code begins.
    counts : array of int32, shape (n,)
        Its entries; below zero if it is not solved.
    """

    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    places: NDArray[np.int64]
    counts: NDArray[np.int32]


def lasso(
    patches: Patches, atoms: Atoms, penalty: float, *, tolerance: float = TOLERANCE
) -> Codes:
    """Return the lasso codes of patches.

    Parameters
    ----------
    patches : array of float32, shape (n, d)
        One a row.
    atoms : array of float32, shape (n_atoms, d)
        The dictionary.
    penalty : float
        Of the L1 norm, > 0.
    tolerance : float
        Relative to the penalty.

    Raises
    ------
    InputError
        If shapes do not fit or the penalty is not above zero.
    ImplausibleError
        If a value is not finite, or a patch cannot be solved.
    """
    require_rows(patches, atoms)
    require_finite(atoms)
    if not 0 < penalty < np.inf:
        raise InputError(f"The penalty is {penalty}.", fix="Give more than zero.")
    found = _solved(patches, atoms, penalty, tolerance, FIRST_ROOM)
    if (found.counts == lasso_kernels.NOT_FINITE).any():
        require_finite(patches)
    parts = [(np.arange(len(patches)), found)]
    long = np.flatnonzero(found.counts < 0)
    if long.size:
        more = _with_more_room(patches[long], atoms, penalty, tolerance)
        parts.append((long, more))
    return _packed(parts, len(atoms))


def duality_gap(
    patches: Patches, atoms: Atoms, codes: Codes, penalty: float
) -> NDArray[np.float64]:
    r"""Return how far codes are from the lasso's optimum at most, shape (n,).

    Relative to the objective at zero, :math:`|y|^2 / 2`. The dual point is the
    residual, scaled until no atom correlates with it by more than the penalty [1]_:

    .. math::

        \theta = r \min(1, \lambda / |D r|_\infty), \qquad
        g = \tfrac12 |r|^2 + \lambda |x|_1 - \tfrac12 |y|^2 + \tfrac12 |y - \theta|^2

    Parameters
    ----------
    patches, atoms, penalty
        As for `lasso`.
    codes : Codes
        Any codes of these patches.

    References
    ----------
    .. [1] S. Kim et al., "An interior-point method for large-scale l1-regularized least
       squares", IEEE J. Sel. Top. Signal Process. 1(4), 606-617, 2007.
    """
    exact, dense = patches.astype(np.float64), codes.dense().astype(np.float64)
    words = atoms.astype(np.float64)
    left = exact - dense @ words
    largest = np.abs(left @ words.T).max(axis=1)
    shrink = np.minimum(1, penalty / np.maximum(largest, np.finfo(float).tiny))
    dual = left * shrink[:, None]
    primal = 0.5 * (left**2).sum(axis=1) + penalty * np.abs(dense).sum(axis=1)
    size = 0.5 * (exact**2).sum(axis=1)
    gap = primal - size + 0.5 * ((exact - dual) ** 2).sum(axis=1)
    return np.asarray(gap / np.maximum(size, np.finfo(float).tiny))


def _solved(
    patches: Patches, atoms: Atoms, penalty: float, tolerance: float, room: int
) -> Solved:
    """Return codes of at most `room` entries; a count below zero is no solution."""
    words, turned = np.ascontiguousarray(atoms), np.ascontiguousarray(atoms.T)
    indices, values = code_kernels.room_for(len(patches) * room)
    places = np.empty(len(patches), np.int64)
    counts = np.empty(len(patches), np.int32)
    gram = np.empty((len(atoms), len(atoms)), np.float32)
    with single_blas():
        product(words, turned, gram)
        lasso_kernels.lasso(
            np.ascontiguousarray(patches), words, turned, gram,
            penalty, tolerance, room, indices, values, places, counts,
        )  # fmt: skip
    return Solved(indices, values, places, counts)


def _with_more_room(
    patches: Patches, atoms: Atoms, penalty: float, tolerance: float
) -> Solved:
    """Return codes as long as need be.

    Raises
    ------
    ImplausibleError
        If there are patches without a solution.
    """
    found = _solved(patches, atoms, penalty, tolerance, min(atoms.shape) + SPARE)
    if (found.counts < 0).any():
        raise ImplausibleError(
            f"{int((found.counts < 0).sum())} patches have no code.",
            fix="Take atoms away that are nearly sums of others, or raise the penalty.",
        )
    return found


def _packed(parts: Sequence[tuple[NDArray[np.int64], Solved]], n_atoms: int) -> Codes:
    """Return codes without room between them.

    Parameters
    ----------
    parts : sequence of (array of int, Solved)
        Which codes, and these; the first part has all, and what it has not solved
        later ones have.
    n_atoms : int
        Of the dictionary.
    """
    counts = np.empty(len(parts[0][0]), np.int64)
    for which, part in parts:
        counts[which] = part.counts
    starts = np.concatenate([np.zeros(1, np.int64), counts.cumsum()])
    indices, values = code_kernels.room_for(int(starts[-1]))
    for which, part in parts:
        code_kernels.pack(
            part.indices, part.values, part.places, part.counts,
            which, starts, indices, values,
        )  # fmt: skip
    return Codes(indices, values, starts, n_atoms)


def require_rows(patches: Patches, atoms: Atoms) -> None:
    """Raise unless patches and atoms are rows of one length."""
    if patches.ndim != 2 or atoms.ndim != 2 or patches.shape[1] != atoms.shape[1]:
        raise InputError(
            f"Patches {patches.shape} do not fit atoms {atoms.shape}.",
            fix="Give both as rows of the same length.",
        )


def require_finite(*rows: Patches) -> None:
    """Raise unless all values are finite."""
    if not all(np.isfinite(some).all() for some in rows):
        raise ImplausibleError(
            "A patch or an atom holds a value that is not finite.",
            fix="Look at the step that made them.",
        )
