"""Compiled loops of greedy pursuit; `pursuit` says what they compute.

What an atom would gain is known from two numbers: its product with what is left of the
patch, and how much of it the chosen atoms do not span. Both change by its product with
the newest direction, the newest atom less its parts along the directions before; these
products are one row of the Gram matrix, less earlier rows of the same kind.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.loops import (
    BLOCK,
    Doubles,
    Floats,
    inline,
    kernel,
    largest,
    parallel,
)

LEAST_NEW = np.float32(1e-4)
"""Share of an atom that the chosen ones do not span, below which it is one of them."""

LEAST_GAIN = np.float32(1e-12)
"""Share of a patch's squared length, below which a gain is rounding."""

Ints = NDArray[np.int64]


@inline
def _squared(patch: Floats) -> np.float32:
    """Return the squared length of a patch."""
    total = np.float32(0)
    for k in range(len(patch)):
        total += patch[k] * patch[k]
    return total


@inline
def _start(raw: Floats, left: Floats, new: Floats, gains: Floats) -> None:
    """Set everything to what it is before any atom is chosen."""
    for k in range(len(raw)):
        left[k] = raw[k]
        new[k] = np.float32(1)
        gains[k] = raw[k] * raw[k]


@inline
def _orthogonal(
    found: Floats, row: Floats, before: Floats, share: Floats, n: int
) -> None:
    """Set `found` to row - sum of share[i] before[i]; two a pass."""
    first = n % 2
    if first == 0:
        for k in range(len(found)):
            found[k] = row[k]
    else:
        a0, row0 = share[0], before[0]
        for k in range(len(found)):
            found[k] = row[k] - a0 * row0[k]
    for i in range(first, n, 2):
        a0, row0, a1, row1 = share[i], before[i], share[i + 1], before[i + 1]
        for k in range(len(found)):
            found[k] -= a0 * row0[k] + a1 * row1[k]


@inline
def _explain(
    along: Floats,
    inverse: np.float32,
    amount: np.float32,
    left: Floats,
    new: Floats,
    gains: Floats,
) -> None:
    """Take a direction out of what is left; ``along`` is its product with each atom."""
    for k in range(len(along)):
        rest = left[k] - amount * along[k]
        span = new[k] - inverse * along[k] * along[k]
        left[k], new[k] = rest, span
        gains[k] = rest * rest / span if span > LEAST_NEW else np.float32(0)


@inline
def _code(
    code: Doubles, used: Ints, before: Floats, inverse: Floats, amount: Floats, n: int
) -> None:
    """Set `code` to shares of atoms, from shares of directions."""
    for i in range(n - 1, -1, -1):
        later = 0.0
        for k in range(i + 1, n):
            later += before[i, used[k]] * code[k]
        code[i] = amount[i] - inverse[i] * later


@kernel
def pursue_block(
    patches: Floats,
    correlations: Floats,
    gram: Floats,
    residual: float,
    indices: NDArray[np.int32],
    values: Floats,
    counts: NDArray[np.int32],
) -> None:
    """Write the greedy codes of some patches.

    Parameters
    ----------
    patches : array of float32, shape (n, d)
        One a row.
    correlations : array of float32, shape (n, n_atoms)
        Products of patches and atoms.
    gram : array of float32, shape (n_atoms, n_atoms)
        Products of atoms, which are of length 1 or 0.
    residual : float
        A patch is done when no more is left of its squared length.
    indices, values : array, shape (n, most)
        Where codes are written.
    counts : array of int32, shape (n,)
        How many entries each code has.
    """
    most, n_atoms = indices.shape[1], gram.shape[0]
    left, new = np.empty(n_atoms, np.float32), np.empty(n_atoms, np.float32)
    gains = np.empty(n_atoms, np.float32)
    bits = gains.view(np.int32)
    before = np.empty((most, n_atoms), np.float32)
    inverse, amount = np.empty(most, np.float32), np.empty(most, np.float32)
    share, code = np.empty(most, np.float32), np.empty(most)
    used = np.empty(most, np.int64)
    for patch in range(len(patches)):
        size = _squared(patches[patch])
        rest, n = np.float64(size), 0
        _start(correlations[patch], left, new, gains)
        while n < most and rest > residual:
            atom = largest(bits)
            if gains[atom] <= LEAST_GAIN * size:
                break
            inverse[n] = np.float32(1) / new[atom]
            amount[n] = left[atom] * inverse[n]
            used[n] = atom
            rest -= np.float64(gains[atom])
            if n + 1 < most and rest > residual:  # the last needs no direction
                for i in range(n):
                    share[i] = before[i, atom] * inverse[i]
                _orthogonal(before[n], gram[atom], before, share, n)
                _explain(before[n], inverse[n], amount[n], left, new, gains)
            n += 1
        _code(code, used, before, inverse, amount, n)
        counts[patch] = n
        for i in range(n):
            indices[patch, i] = used[i]
            values[patch, i] = code[i]


@parallel
def pursue(
    patches: Floats,
    atoms: Floats,
    gram: Floats,
    residual: float,
    indices: NDArray[np.int32],
    values: Floats,
    counts: NDArray[np.int32],
) -> None:
    """Write the greedy codes of all patches; ``atoms`` is (d, n_atoms) here."""
    for block in prange((len(patches) + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        last = min(len(patches), first + BLOCK)
        correlations = np.empty((last - first, gram.shape[0]), np.float32)
        np.dot(patches[first:last], atoms, correlations)
        pursue_block(
            patches[first:last],
            correlations,
            gram,
            residual,
            indices[first:last],
            values[first:last],
            counts[first:last],
        )
