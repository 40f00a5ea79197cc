"""Compiled loops of sparse coding; `coding` says what they compute.

Codes are short: a few of hundreds of atoms. So an atom enters or leaves one at a time,
the inverse of the small Gram block of those that are used is kept up to date, and only
the correlations with all atoms cost more than a glance. They come from one matrix
product for a block of patches that stays in cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

BLOCK = 256
"""Patches whose correlations stay in cache together."""

GROUP = 32
"""Atoms that are improved together."""

MAGNITUDE = np.int32(0x7FFFFFFF)
"""All bits of a float32 but its sign."""

LEAST_NEW = 1e-5
"""Share of an atom that the used ones do not span, below which it is one of them."""

ROUNDING = 3e-7
"""What single precision leaves of a correlation, relative to a patch's largest."""

PATIENCE = 20
"""Steps for each entry a code may have, after which it is given up."""

REFINEMENTS = 3
"""Corrections of a code, at most; what is left then is the rounding of a product."""

SHORT = 0.25
"""Entries of a code to numbers of a patch, below which the inverse is exact enough to
correct the code by what is left of the patch."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

_inline: Any = njit(fastmath=True, error_model="numpy")
_kernel: Any = njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
_parallel: Any = njit(
    fastmath=True, nogil=True, error_model="numpy", cache=True, parallel=True
)


@_inline
def largest(values: Floats) -> tuple[int, np.float32]:
    """Return where the largest magnitude is, the first of equal ones, and how large.

    The bits of numbers >= 0 are in the order of the numbers, and unlike a maximum of
    floats, that of integers is compiled to vector instructions: 4 times faster.
    """
    bits = values.view(np.int32)
    most = np.int32(0)
    for k in range(len(bits)):
        most = max(most, bits[k] & MAGNITUDE)
    place = np.int32(len(bits))
    for k in range(len(bits)):
        here = np.int32(k) if bits[k] & MAGNITUDE == most else np.int32(len(bits))
        place = min(place, here)
    return int(place), abs(values[place])


@_inline
def nearly_largest(values: Floats, places: np.uint32) -> tuple[int, np.float32]:
    """Return where a magnitude is than which none is much larger, and how large.

    The last bits of each magnitude make room for its place, so that both are found at
    once. What is cut off is a share of ``places / 2**23``.

    Parameters
    ----------
    values : array of float32, shape (n,)
        Any.
    places : uint32
        All bits that a place, less than n, may have.
    """
    bits, most = values.view(np.uint32), np.uint32(0)
    kept = np.uint32(np.uint32(MAGNITUDE) & ~places)
    for k in range(len(bits)):
        most = max(most, np.uint32(np.uint32(bits[k] & kept) | np.uint32(k)))
    place = int(np.int64(most & places))
    return place, abs(values[place])


@_inline
def bits_of_places(n: int) -> np.uint32:
    """Return all bits that numbers less than n may have."""
    above = 1
    while above < n:
        above *= 2
    return np.uint32(above - 1)


@_inline
def _unexplained(
    found: Floats, raw: Floats, gram: Floats, used: Ints, code: Floats, n: int
) -> None:
    """Set `found` to raw - sum of code[i] gram[used[i]]; four atoms a pass."""
    # The first pass copies, too, so that no pass is made for that alone.
    first = (n - 1) % 2 + 1
    a0, row0 = code[0], gram[used[0]]
    if first == 1:
        for k in range(len(found)):
            found[k] = raw[k] - a0 * row0[k]
    else:
        a1, row1 = code[1], gram[used[1]]
        for k in range(len(found)):
            found[k] = raw[k] - a0 * row0[k] - a1 * row1[k]
    for i in range(first, n, 2):
        a0, row0, a1, row1 = code[i], gram[used[i]], code[i + 1], gram[used[i + 1]]
        for k in range(len(found)):
            found[k] -= a0 * row0[k] + a1 * row1[k]


@_inline
def _without(inverse: Doubles, out: int, n: int, column: Doubles) -> None:
    """Take one of `n` atoms out of the inverse; the last takes its place."""
    scale = 1.0 / inverse[out, out]
    for i in range(n):
        column[i] = inverse[i, out]
    for i in range(n):
        share = column[i] * scale
        for k in range(n):
            inverse[i, k] -= share * column[k]
    last = n - 1
    if out != last:
        for k in range(n):
            inverse[out, k] = inverse[last, k]
        for k in range(n):
            inverse[k, out] = inverse[k, last]
        inverse[out, out] = inverse[last, last]


@_inline
def _span(inverse: Doubles, among: Doubles, by: Doubles, own: float, n: int) -> float:
    """Return what `n` atoms do not span of another; fill `by`, its share of each.

    ``among[i]`` is its product with atom i, `own` with itself.
    """
    new = own
    for i in range(n):
        total = 0.0
        for k in range(n):
            total += inverse[i, k] * among[k]
        by[i] = total
        new -= total * among[i]
    return new


@_inline
def _with(inverse: Doubles, by: Doubles, new: float, n: int) -> None:
    """Take an atom into the inverse of `n` atoms; `_span` tells `by` and `new`."""
    scale = 1.0 / new
    for i in range(n):
        share = by[i] * scale
        for k in range(n):
            inverse[i, k] += share * by[k]
        inverse[i, n] = -share
        inverse[n, i] = -share
    inverse[n, n] = scale


@_inline
def _settle(
    patch: Floats,
    words: Floats,
    used: Ints,
    now: Doubles,
    sign: Doubles,
    penalty: float,
    inverse: Doubles,
    n: int,
    left: Floats,
    away: Doubles,
) -> None:
    """Correct a code by what is left of the patch itself.

    Correlations of whole patches and Gram entries are rounded; what a code leaves is
    smaller, and so is its rounding.
    """
    for k in range(len(patch)):
        left[k] = patch[k]
    for i in range(n):
        value, word = np.float32(now[i]), words[used[i]]
        for k in range(len(patch)):
            left[k] -= value * word[k]
    for i in range(n):
        word, total = words[used[i]], np.float32(0)
        for k in range(len(patch)):
            total += word[k] * left[k]
        away[i] = np.float64(total) - penalty * sign[i]
    for i in range(n):
        step = 0.0
        for k in range(n):
            step += inverse[i, k] * away[k]
        if (now[i] + step) * sign[i] > 0.0:
            now[i] += step


@_kernel
def lasso_block(
    patches: Floats,
    words: Floats,
    correlations: Floats,
    gram: Floats,
    penalty: float,
    tolerance: float,
    indices: NDArray[np.int32],
    values: Floats,
    counts: NDArray[np.int32],
) -> None:
    """Write the lasso codes of some patches; a count below zero is not solved.

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
    indices, values : array, shape (n, most)
        Where codes are written.
    counts : array of int32, shape (n,)
        How many entries each code has.
    """
    most, n_atoms = indices.shape[1], gram.shape[0]
    left = np.empty(n_atoms, np.float32)
    rest = np.empty(patches.shape[1], np.float32)
    inverse = np.empty((most + 1, most + 1))  # one is tried before one may leave
    now, goal, sign = np.empty(most + 1), np.empty(most + 1), np.empty(most + 1)
    by, among, column = np.empty(most + 1), np.empty(most + 1), np.empty(most + 1)
    code = np.empty(most + 1, np.float32)
    used = np.empty(most + 1, np.int64)
    places = bits_of_places(n_atoms)
    most_settled = SHORT * patches.shape[1]
    for patch in range(len(correlations)):
        n, solved, refined = 0, True, 0
        atom, strongest = largest(correlations[patch])
        strength = np.float64(correlations[patch, atom])
        slack = penalty * tolerance + ROUNDING * strongest
        limit = penalty + slack
        for _ in range(PATIENCE * (most + 1)):
            missing = strongest > limit and not _holds(used, atom, n)
            if missing:
                row = gram[atom]
                for i in range(n):
                    among[i] = row[used[i]]
                turn = 1.0 if strength > 0 else -1.0
                own, start = np.float64(row[atom]), 0.0
                new = _span(inverse, among, by, own, n)
                while new < LEAST_NEW * own and n > 0:
                    step, out = _swap(now, sign, by, turn, n)
                    if out < 0:
                        break
                    start += step
                    _without(inverse, out, n, column)
                    n -= 1
                    _forget(out, n, used, now, goal, sign)
                    among[out] = among[n]
                    new = _span(inverse, among, by, own, n)
                if n == most or new <= 0.0:
                    solved = False
                    break
                _with(inverse, by, new, n)
                used[n], now[n], sign[n] = atom, turn * start, turn
                rise = (strength - penalty * turn) / new
                goal[n] = now[n] + rise
                for i in range(n):
                    goal[i] = now[i] - by[i] * rise
                n += 1
            else:
                if n == 0 or refined == REFINEMENTS:
                    break
                if strongest <= limit and n <= most_settled:
                    break
                # Single precision adds up over many steps; two corrections undo it.
                drift = _drift(left, used, sign, penalty, n, among)
                if drift <= slack:
                    break
                refined += 1
                for i in range(n):
                    goal[i] = now[i]
                    for k in range(n):
                        goal[i] += inverse[i, k] * among[k]
            n = _walk(now, goal, sign, used, inverse, by, n)
            for i in range(n):
                code[i] = now[i]
            _unexplained(left, correlations[patch], gram, used, code, n)
            atom, strongest = nearly_largest(left, places)
            if strongest <= limit or _holds(used, atom, n):
                atom, strongest = largest(left)
            strength = np.float64(left[atom])
        else:
            solved = False  # rounding can make atoms come and go for ever
        if solved and n <= most_settled:
            row = patches[patch]
            _settle(row, words, used, now, sign, penalty, inverse, n, rest, among)
        counts[patch] = n if solved else -1 - n
        for i in range(n):
            indices[patch, i] = used[i]
            values[patch, i] = now[i]


@_inline
def _forget(
    out: int, n: int, used: Ints, now: Doubles, goal: Doubles, sign: Doubles
) -> None:
    """Put entry `n`, the last, where entry `out` was."""
    used[out], now[out], goal[out], sign[out] = used[n], now[n], goal[n], sign[n]


@_inline
def _swap(
    now: Doubles, sign: Doubles, by: Doubles, turn: float, n: int
) -> tuple[float, int]:
    """Take an atom in place of those that span it, until one of them is at zero.

    The patch stays explained as it is, and the code gets shorter; return how much of
    the atom was taken, and which one is at zero (-1: none ever is).
    """
    step, out = np.inf, -1
    for i in range(n):
        rate = by[i] * turn  # what it loses
        if rate * sign[i] > 0.0:
            share = now[i] / rate
            if share < step:
                step, out = share, i
    if out >= 0:
        for i in range(n):
            now[i] -= step * by[i] * turn
    return step, out


@_inline
def _holds(used: Ints, atom: int, n: int) -> bool:
    """Return whether an atom is one of the `n` used ones."""
    for i in range(n):
        if used[i] == atom:
            return True
    return False


@_inline
def _drift(
    left: Floats, used: Ints, sign: Doubles, penalty: float, n: int, away: Doubles
) -> float:
    """Return how far correlations of used atoms are from the penalty; fill `away`."""
    largest = 0.0
    for i in range(n):
        away[i] = np.float64(left[used[i]]) - penalty * sign[i]
        largest = max(largest, abs(away[i]))
    return largest


@_inline
def _walk(
    now: Doubles,
    goal: Doubles,
    sign: Doubles,
    used: Ints,
    inverse: Doubles,
    column: Doubles,
    n: int,
) -> int:
    """Go from `now` to `goal`; what changes its sign on the way leaves."""
    while True:
        step, out = 1.0, -1
        for i in range(n):
            if goal[i] * sign[i] < 0.0:
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
        ratio = goal[out] / inverse[out, out]
        for i in range(n):
            goal[i] -= inverse[i, out] * ratio
        _without(inverse, out, n, column)
        n -= 1
        _forget(out, n, used, now, goal, sign)


@_parallel
def lasso(
    patches: Floats,
    words: Floats,
    turned: Floats,
    gram: Floats,
    penalty: float,
    tolerance: float,
    indices: NDArray[np.int32],
    values: Floats,
    counts: NDArray[np.int32],
) -> None:
    """Write the lasso codes of all patches; `turned` is the atoms, (d, n_atoms)."""
    for block in prange((len(patches) + BLOCK - 1) // BLOCK):
        first = block * BLOCK
        last = min(len(patches), first + BLOCK)
        correlations = np.empty((last - first, gram.shape[0]), np.float32)
        np.dot(patches[first:last], turned, correlations)
        lasso_block(
            patches[first:last],
            words,
            correlations,
            gram,
            penalty,
            tolerance,
            indices[first:last],
            values[first:last],
            counts[first:last],
        )


@_parallel
def decode(
    indices: NDArray[np.int32],
    values: Floats,
    counts: NDArray[np.int32],
    atoms: Floats,
    found: Floats,
) -> None:
    """Set `found` (n, d) to what codes stand for; ``atoms`` is (n_atoms, d) here."""
    for patch in prange(len(counts)):
        found[patch] = 0
        for i in range(counts[patch]):
            value, atom = values[patch, i], atoms[indices[patch, i]]
            for k in range(len(atom)):
                found[patch, k] += value * atom[k]


@_kernel
def tally(
    indices: NDArray[np.int32],
    values: Floats,
    counts: NDArray[np.int32],
    patches: Floats,
    gram: Floats,
    cross: Floats,
) -> None:
    """Add the products of codes with codes and with patches; see `improve`."""
    for patch in range(len(counts)):
        row = patches[patch]
        for i in range(counts[patch]):
            atom, value = indices[patch, i], values[patch, i]
            for k in range(counts[patch]):
                gram[atom, indices[patch, k]] += value * values[patch, k]
            sums = cross[atom]
            for k in range(len(row)):
                sums[k] += value * row[k]


@_kernel
def improve(atoms: Floats, gram: Floats, cross: Floats) -> None:
    """Set each atom in turn to its best, of length 1, the others staying as they are.

    Atoms of one group feel each other's moves at once; those of later groups feel the
    moves of a group together, by a matrix product.

    Parameters
    ----------
    atoms : array of float32, shape (n_atoms, d)
        Changed in place.
    gram : array of float32, shape (n_atoms, n_atoms)
        Products of codes, summed over patches.
    cross : array of float32, shape (n_atoms, d)
        Products of codes and patches, summed over patches.
    """
    n_atoms, size = atoms.shape
    left = cross - np.dot(gram, atoms)
    moves = np.empty((GROUP, size), np.float32)
    for first in range(0, n_atoms, GROUP):
        last = min(n_atoms, first + GROUP)
        for j in range(first, last):
            move = moves[j - first]
            _move(atoms[j], left[j], gram[j, j], move)
            for i in range(j + 1, last):
                share = gram[i, j]
                if share != 0:
                    for k in range(size):
                        left[i, k] -= share * move[k]
        if last < n_atoms:
            shares = np.ascontiguousarray(gram[last:, first:last])
            left[last:] -= np.dot(shares, moves[: last - first])


@_inline
def _move(atom: Floats, left: Floats, own: np.float32, move: Floats) -> None:
    """Set an atom to the direction of ``left + own * atom``; tell how it moved."""
    length = np.float32(0)
    for k in range(len(atom)):
        move[k] = left[k] + own * atom[k]
        length += move[k] * move[k]
    scale = np.float32(1) / np.sqrt(length) if length > 0 else np.float32(0)
    for k in range(len(atom)):
        best = scale * move[k] if length > 0 else atom[k]
        move[k] = best - atom[k]
        atom[k] = best
