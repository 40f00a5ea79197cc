"""Compiled loops of sparse coding; `coding` says what they compute.

Atoms enter and leave a code one at a time (`active_kernels`), and only the correlations
with all atoms cost more than a glance. They come from one matrix product for a block
of patches that stays in cache.
"""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.active_kernels import (
    Work,
    room_for,
    times_inverse,
    unspanned,
    with_atom,
    without_atom,
)
from mitame.solve.loops import (
    BLOCK,
    Doubles,
    Floats,
    bits_of_places,
    inline,
    kernel,
    largest,
    nearly_largest,
    parallel,
)

LEAST_NEW = 1e-5
"""Share of an atom that the used ones do not span, below which it is one of them."""

ROUNDING = 3e-7
"""What single precision leaves of a correlation, relative to a patch's largest."""

PATIENCE = 20
"""Steps for each entry a code may have, after which it is given up."""

REFINEMENTS = 3
"""Corrections of a code, at most; what is left then is the rounding of a product."""

NOT_FINITE = -2
"""Entries of the code of a patch that holds a value that is not finite."""

EXPONENT = np.int32(0x7F800000)
"""Bits of a float32 that are all 1 in one that is not finite."""

SHORT = 0.25
"""Entries of a code to numbers of a patch, below which the inverse is exact enough to
correct the code by what is left of the patch."""


@inline
def _unexplained(
    left: Floats,
    raw: Floats,
    gram: Floats,
    used: NDArray[np.uint32],
    now: Doubles,
    n: int,
) -> None:
    """Set `left` to raw - sum of now[i] gram[used[i]]; four atoms a pass."""
    # The first pass copies, too, so that no pass is made for that alone.
    first = (n - 1) % 4 + 1
    u, a = used[0], np.float32(now[0])
    if first == 1:
        for k in range(len(left)):
            left[k] = raw[k] - a * gram[u, k]
    elif first == 2:
        v, b = used[1], np.float32(now[1])
        for k in range(len(left)):
            left[k] = raw[k] - a * gram[u, k] - b * gram[v, k]
    elif first == 3:
        v, b = used[1], np.float32(now[1])
        w, c = used[2], np.float32(now[2])
        for k in range(len(left)):
            left[k] = raw[k] - a * gram[u, k] - b * gram[v, k] - c * gram[w, k]
    else:
        for k in range(len(left)):
            left[k] = raw[k]
        first = 0
    for i in range(first, n, 4):
        u, a = used[i], np.float32(now[i])
        v, b = used[i + 1], np.float32(now[i + 1])
        w, c = used[i + 2], np.float32(now[i + 2])
        x, d = used[i + 3], np.float32(now[i + 3])
        for k in range(len(left)):
            two = a * gram[u, k] + b * gram[v, k]
            left[k] -= two + c * gram[w, k] + d * gram[x, k]


@inline
def _swap(work: Work, turn: float, n: int) -> tuple[float, int]:
    """Take an atom in place of those that span it, until one of them is at zero.

    The patch stays explained as it is, and the code gets shorter; return how much of
    the atom was taken, and which one is at zero (-1: none ever is).
    """
    step, out = np.inf, -1
    for i in range(n):
        rate = work.by[i] * turn  # what it loses
        if rate * work.sign[i] > 0.0:
            share = work.now[i] / rate
            if share < step:
                step, out = share, i
    if out >= 0:
        for i in range(n):
            work.now[i] -= step * work.by[i] * turn
    return step, out


@inline
def _enter(
    work: Work, gram: Floats, atom: int, penalty: float, n: int, most: int
) -> int:
    """Take an atom into the code; return how many there are, -1 if there is no room."""
    for i in range(n):
        work.among[i] = gram[atom, work.used[i]]
    strength = np.float64(work.left[atom])
    turn = 1.0 if strength > 0 else -1.0
    own, start = np.float64(gram[atom, atom]), 0.0
    new = unspanned(work, own, n)
    while new < LEAST_NEW * own and n > 0:
        step, out = _swap(work, turn, n)
        if out < 0:
            break
        start += step
        n = without_atom(work, out, n)
        work.among[out] = work.among[n]
        new = unspanned(work, own, n)
    if n == most or new <= 0.0:
        return -1
    with_atom(work.inverse, work.by, new, n)
    work.used[n], work.now[n], work.sign[n] = atom, turn * start, turn
    rise = (strength - penalty * turn) / new
    work.goal[n] = work.now[n] + rise
    for i in range(n):
        work.goal[i] = work.now[i] - work.by[i] * rise
    return n + 1


@inline
def _refine(work: Work, penalty: float, slack: float, n: int) -> bool:
    """Set a goal that undoes what single precision added up; False if it is little."""
    drift = 0.0
    for i in range(n):
        away = np.float64(work.left[work.used[i]]) - penalty * work.sign[i]
        work.among[i] = away
        drift = max(drift, abs(away))
    if drift <= slack:
        return False
    times_inverse(work.inverse, work.among, work.by, n)
    for i in range(n):
        work.goal[i] = work.now[i] + work.by[i]
    return True


@inline
def _walk(work: Work, n: int) -> int:
    """Go from `now` to `goal`; what changes its sign on the way leaves."""
    now, goal = work.now, work.goal
    while True:
        step, out = 1.0, -1
        for i in range(n):
            if goal[i] * work.sign[i] < 0.0:
                share = now[i] / (now[i] - goal[i])
                if share < step:
                    step, out = share, i
        if out < 0:
            for i in range(n):
                now[i] = goal[i]
            return n
        for i in range(n):
            now[i] += step * (goal[i] - now[i])
        # The goal of those that stay, without the one that leaves.
        ratio = goal[out] / work.inverse[out, out]
        for i in range(n):
            goal[i] -= work.inverse[i, out] * ratio
        n = without_atom(work, out, n)


@inline
def _settle(patch: Floats, words: Floats, work: Work, penalty: float, n: int) -> None:
    """Correct a code by what is left of the patch itself.

    Correlations of whole patches and Gram entries are rounded; what a code leaves is
    smaller, and so is its rounding.
    """
    rest, among = work.rest, work.among
    for k in range(len(rest)):
        rest[k] = patch[k]
    for i in range(n):
        value, atom = np.float32(work.now[i]), work.used[i]
        for k in range(len(rest)):
            rest[k] -= value * words[atom, k]
    for i in range(n):
        total, atom = np.float32(0), work.used[i]
        for k in range(len(rest)):
            total += words[atom, k] * rest[k]
        among[i] = np.float64(total) - penalty * work.sign[i]
    times_inverse(work.inverse, among, work.by, n)
    for i in range(n):
        if (work.now[i] + work.by[i]) * work.sign[i] > 0.0:
            work.now[i] += work.by[i]


@inline
def _holds(used: NDArray[np.uint32], atom: int, n: int) -> bool:
    """Return whether an atom is one of the `n` used ones."""
    for i in range(n):
        if used[i] == atom:
            return True
    return False


@inline
def _solve(
    work: Work, raw: Floats, gram: Floats, penalty: float, tolerance: float, most: int
) -> int:
    """Solve one patch by its correlations; return its entries, -1 if that fails."""
    places = bits_of_places(len(raw))
    for k in range(len(raw)):
        work.left[k] = raw[k]
    atom, n, refined = largest(work.bits), 0, 0
    strongest = abs(work.left[atom])
    slack = penalty * tolerance + ROUNDING * strongest
    for _ in range(PATIENCE * (most + 1)):
        strongest = abs(work.left[atom])
        if strongest > penalty + slack and not _holds(work.used, atom, n):
            n = _enter(work, gram, atom, penalty, n, most)
            if n < 0:
                return -1
        elif n == 0 or refined == REFINEMENTS:
            return n
        elif strongest <= penalty + slack and n <= SHORT * len(work.rest):
            return n  # the patch itself will settle it
        elif _refine(work, penalty, slack, n):
            refined += 1
        else:
            return n
        n = _walk(work, n)
        _unexplained(work.left, raw, gram, work.used, work.now, n)
        atom = nearly_largest(work.bits, places)
        weak = abs(work.left[atom]) <= penalty + slack
        if weak or _holds(work.used, atom, n):
            atom = largest(work.bits)
    return -1  # rounding can make atoms come and go for ever


@kernel
def lasso_block(
    patches: Floats,
    words: Floats,
    correlations: Floats,
    gram: Floats,
    penalty: float,
    tolerance: float,
    most: int,
    first: int,
    indices: NDArray[np.int32],
    values: Floats,
    places: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> None:
    """Write the lasso codes of some patches; a count below zero is not solved.

    One of ``NOT_FINITE`` tells why: what is not finite in a patch is in all its
    correlations, and is looked for there, by bits, for fast math knows no such numbers.

    Parameters
    ----------
    patches : array of float32, shape (n, d)
        One a row.
    words : array of float32, shape (n_atoms, d)
        The atoms.
    correlations : array of float32, shape (n, n_atoms)
        Products of patches and atoms.
    gram : array of float32, shape (n_atoms, n_atoms)
        Products of atoms.
    penalty : float
        Of the L1 norm.
    tolerance : float
        An atom enters if its correlation is above penalty (1 + tolerance).
    most : int
        Entries that a code may have.
    first : int
        Entry at which the first code begins; each begins where the last one ends, so
        that little memory is touched.
    indices, values : array, shape (n_entries,)
        Where codes are written.
    places : array of int64, shape (n,)
        Where each begins.
    counts : array of int32, shape (n,)
        How many entries each code has.
    """
    size, place = patches.shape[1], first
    work = room_for(most, len(gram), size)
    bits = correlations.view(np.int32)
    for patch in range(len(patches)):
        places[patch] = place
        if bits[patch, 0] & EXPONENT == EXPONENT:
            counts[patch] = NOT_FINITE
            continue
        n = _solve(work, correlations[patch], gram, penalty, tolerance, most)
        if n <= SHORT * size:
            _settle(patches[patch], words, work, penalty, n)
        counts[patch] = n
        for i in range(n):
            indices[place + i] = work.used[i]
            values[place + i] = work.now[i]
        place += max(n, 0)


@parallel
def lasso(
    patches: Floats,
    words: Floats,
    turned: Floats,
    gram: Floats,
    penalty: float,
    tolerance: float,
    most: int,
    indices: NDArray[np.int32],
    values: Floats,
    places: NDArray[np.int64],
    counts: NDArray[np.int32],
) -> None:
    """Write the lasso codes of all patches; `turned` is the atoms, (d, n_atoms)."""
    for block in prange((len(patches) + BLOCK - 1) // BLOCK):
        some = slice(block * BLOCK, min(len(patches), (block + 1) * BLOCK))
        given = patches[some]
        correlations = np.empty((len(given), len(gram)), np.float32)
        np.dot(given, turned, correlations)
        lasso_block(
            given, words, correlations, gram, penalty, tolerance, most,
            block * BLOCK * most, indices, values, places[some], counts[some],
        )  # fmt: skip
