"""The atoms of a code, and the inverse of their products, kept up to date.

Codes are short: a few of hundreds of atoms. So an atom enters or leaves the active set
one at a time, and the inverse of the small Gram block is changed, not made anew.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitame.solve.loops import Bits, Doubles, Floats, inline, kernel

WIDE = 8
"""Numbers that loops over a few atoms take at a time, as vector instructions do."""


class Work(NamedTuple):
    """What one patch after another is solved in; entry i is of the i-th used atom.

    Parameters
    ----------
    used : array of uint32, shape (room,)
        Which atoms.
    now, goal : array of float64, shape (room,)
        How much of each; where that is going.
    sign : array of float64, shape (room,)
        1 or -1, that of its correlation.
    among : array of float64, shape (room,)
        Its product with an atom that enters, or how far it is from the penalty.
    by : array of float64, shape (room,)
        Its share of an atom that enters, or room for one column.
    inverse : array of float64, shape (room, room)
        Of the products of used atoms.
    left : array of float32, shape (n_atoms,)
        Correlations of all atoms with what is left of the patch.
    bits : array of int32, shape (n_atoms,)
        The same memory.
    rest : array of float32, shape (d,)
        What is left of the patch.
    """

    used: NDArray[np.uint32]
    now: Doubles
    goal: Doubles
    sign: Doubles
    among: Doubles
    by: Doubles
    inverse: Doubles
    left: Floats
    bits: Bits
    rest: Floats


@kernel
def room_for(most: int, n_atoms: int, size: int) -> Work:
    """Return room for codes of `most` entries, and one that is tried in their place."""
    room = (most + WIDE) // WIDE * WIDE
    left = np.empty(n_atoms, np.float32)
    return Work(
        np.zeros(room, np.uint32),
        np.zeros(room),
        np.zeros(room),
        np.zeros(room),
        np.zeros(room),
        np.zeros(room),
        np.zeros((room, room)),
        left,
        left.view(np.int32),
        np.empty(size, np.float32),
    )


@inline
def times_inverse(inverse: Doubles, given: Doubles, found: Doubles, n: int) -> None:
    """Set `found` to the inverse of `n` atoms times a vector; more mean nothing."""
    for first in range(0, n, WIDE):
        for k in range(WIDE):
            found[first + k] = 0.0
        for i in range(n):
            share = given[i]
            for k in range(WIDE):
                found[first + k] += share * inverse[i, first + k]


@inline
def unspanned(work: Work, own: float, n: int) -> float:
    """Return what `n` atoms do not span of another; set their shares of it.

    Its products with them are ``work.among``, with itself `own`.
    """
    times_inverse(work.inverse, work.among, work.by, n)
    new = own
    for i in range(n):
        new -= work.by[i] * work.among[i]
    return new


@inline
def with_atom(inverse: Doubles, by: Doubles, new: float, n: int) -> None:
    """Take an atom into the inverse of `n` atoms; `unspanned` tells `by` and `new`."""
    scale = 1.0 / new
    for i in range(n):
        share = by[i] * scale
        for first in range(0, n, WIDE):
            for k in range(WIDE):
                inverse[i, first + k] += share * by[first + k]
    for i in range(n):
        inverse[i, n] = -by[i] * scale
        inverse[n, i] = -by[i] * scale
    inverse[n, n] = scale


@inline
def without_atom(work: Work, out: int, n: int) -> int:
    """Take one of `n` atoms out; the last takes its place. Return how many are left."""
    inverse, column, last = work.inverse, work.by, n - 1
    scale = 1.0 / inverse[out, out]
    for i in range(n):
        column[i] = inverse[i, out]
    for i in range(n):
        share = column[i] * scale
        for k in range(n):
            inverse[i, k] -= share * column[k]
    if out != last:
        for k in range(n):
            inverse[out, k] = inverse[last, k]
        for k in range(n):
            inverse[k, out] = inverse[k, last]
        inverse[out, out] = inverse[last, last]
    work.used[out], work.sign[out] = work.used[last], work.sign[last]
    work.now[out], work.goal[out] = work.now[last], work.goal[last]
    return last
