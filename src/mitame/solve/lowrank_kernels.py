"""Compiled passes over a wide matrix; `lowrank` says what they compute.

A matrix of few rows is read in tiles of columns that stay in cache, so that its
products with small matrices and all work on single entries cost one reading. The sums
of a part are its own and in one order: the same on any number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from mitame.solve.loops import Doubles, Floats, inline, kernel, parallel

TILE = 256
"""Columns that are in cache together: 60 KB of 60 rows."""

PART = 16 * TILE
"""Columns that one thread takes before it takes others."""


@inline
def _clipped(value: np.float32, bound: np.float32) -> np.float32:
    """Return the number within +-`bound` that is nearest."""
    return max(min(value, bound), -bound)


@kernel
def _add_square(tile: Floats | Doubles, gram: Doubles) -> None:
    """Add ``tile @ tile.T`` to a matrix, but for the upper right quarter."""
    half = len(tile) // 2
    gram[half:] += np.dot(tile[half:], tile.T)
    gram[:half, :half] += np.dot(tile[:half], tile[:half].T)


@parallel
def measure(matrix: Floats, gram: Doubles, sums: Doubles) -> None:
    """Set the Gram matrix and the largest magnitude of each part's columns."""
    n, width = matrix.shape
    for part in prange(len(gram)):
        tile = np.empty((n, TILE))
        most = np.float32(0)
        gram[part] = 0
        for first in range(part * PART, min(width, (part + 1) * PART), TILE):
            columns = min(TILE, width - first)
            tile[:, columns:] = 0
            for i in range(n):
                given, row = matrix[i, first : first + columns], tile[i]
                for k in range(columns):
                    row[k] = given[k]
                    most = max(most, abs(given[k]))
            _add_square(tile, gram[part])
        sums[part, 0] = most


@parallel
def exact_step(
    matrix: Floats,
    state: Floats,
    shrink: Floats,
    bounds: tuple[np.float32, np.float32],
    shares: tuple[np.float32, np.float32],
    fine: bool,
    gram: Doubles,
    sums: Doubles,
) -> None:
    """Make one step of the inexact augmented Lagrangian method.

    Its sparse part S and scaled multiplier U are not kept: both are in the one array
    from which the last step made them, as what is beyond a bound and what is within.

    Parameters
    ----------
    matrix : array of float32, shape (n, p)
    state : array of float32, shape (n, p)
        ``S + U``, changed in place.
    shrink : array of float32, shape (n, n)
        Times ``matrix - S + U``, in today's scale, it is the low-rank part.
    bounds : tuple of two float32
        Largest entry of U, before and after.
    shares : tuple of two float32
        What scales U to this step and then to the next.
    fine : bool
        Whether products of a tile are summed in float64, in twice the time, for
        singular values so small beside the largest that float32 loses their squares.
    gram : array of float64, shape (parts, n, n)
        Set to ``Z @ Z.T`` of each part's columns, Z being what comes to be shrunk next.
    sums : array of float64, shape (parts, any)
        The first is set to the sum of squares of what both parts leave.
    """
    n, width = matrix.shape
    (old, new), (share, after) = bounds, shares
    for part in prange(len(gram)):
        tile, low = np.empty((n, TILE), np.float32), np.empty((n, TILE), np.float32)
        wide = np.empty((n, TILE))
        gram[part], sums[part] = 0, 0
        for first in range(part * PART, min(width, (part + 1) * PART), TILE):
            columns = min(TILE, width - first)
            tile[:, columns:] = 0
            for i in range(n):
                given = matrix[i, first : first + columns]
                held, row = state[i, first : first + columns], tile[i]
                for k in range(columns):
                    inner = _clipped(held[k], old)
                    row[k] = given[k] - held[k] + inner + share * inner
            np.dot(shrink, tile, low)
            for i in range(n):
                given = matrix[i, first : first + columns]
                held = state[i, first : first + columns]
                row, common, squares = tile[i], low[i], np.float32(0)
                for k in range(columns):
                    scaled = share * _clipped(held[k], old)
                    both = given[k] - common[k] + scaled
                    inner = _clipped(both, new)
                    held[k] = both
                    row[k] = given[k] - both + inner + after * inner
                    squares += (inner - scaled) * (inner - scaled)
                sums[part, 0] += squares
            if fine:
                wide[:] = tile
                _add_square(wide, gram[part])
            else:
                _add_square(tile, gram[part])


@parallel
def noisy_step(
    matrix: Floats,
    states: tuple[Floats, Floats],
    shrink: Floats,
    bound: np.float32,
    speeds: tuple[np.float32, np.float32],
    gram: Doubles,
    gram_left: Doubles,
    sums: Doubles,
) -> None:
    """Make one accelerated step between a low-rank and a sparse part under noise.

    Parameters
    ----------
    matrix : array of float32, shape (n, p)
    states : tuple of two arrays of float32, shape (n, p)
        What the low-rank part left at the step before the last, which is overwritten
        with what it leaves now, and at the last. What is beyond `bound` is sparse.
    shrink : array of float32, shape (n, n)
        Times ``matrix - S``, S extrapolated, it is the low-rank part.
    bound : float32
        What is within is noise.
    speeds : tuple of two float32
        How far S goes beyond itself in this step and in the next.
    gram : array of float64, shape (parts, n, n)
        Set to ``Z @ Z.T`` of each part's columns, Z being what comes to be shrunk next.
    gram_left : array of float64, shape (parts or 0, n, n)
        Set to that of what is within `bound`, if there is room.
    sums : array of float64, shape (parts, 3 or more)
        Set to sums of: magnitudes of S; squares of what is within `bound`; and its
        products with `matrix`.
    """
    n, width = matrix.shape
    (older, last), (speed, after) = states, speeds
    for part in prange(len(gram)):
        tile, low = np.empty((n, TILE), np.float32), np.empty((n, TILE), np.float32)
        wide, inside = np.zeros((n, TILE)), np.zeros((n, TILE))
        gram[part], sums[part] = 0, 0
        if len(gram_left):
            gram_left[part] = 0
        for first in range(part * PART, min(width, (part + 1) * PART), TILE):
            columns = min(TILE, width - first)
            tile[:, columns:], wide[:, columns:], inside[:, columns:] = 0, 0, 0
            for i in range(n):
                given, row = matrix[i, first : first + columns], tile[i]
                held = last[i, first : first + columns]
                before = older[i, first : first + columns]
                for k in range(columns):
                    odd = held[k] - _clipped(held[k], bound)
                    move = odd - (before[k] - _clipped(before[k], bound))
                    row[k] = given[k] - odd - speed * move
            np.dot(shrink, tile, low)
            for i in range(n):
                given = matrix[i, first : first + columns]
                held = last[i, first : first + columns]
                before, common = older[i, first : first + columns], low[i]
                size, squares, product = np.float32(0), np.float32(0), np.float32(0)
                for k in range(columns):
                    both = given[k] - common[k]
                    inner = _clipped(both, bound)
                    odd = both - inner
                    move = odd - (held[k] - _clipped(held[k], bound))
                    size += abs(odd)
                    squares += inner * inner
                    product += inner * given[k]
                    wide[i, k] = given[k] - odd - after * move
                    before[k], inside[i, k] = both, inner
                sums[part, 0] += size
                sums[part, 1] += squares
                sums[part, 2] += product
            _add_square(wide, gram[part])
            if len(gram_left):
                _add_square(inside, gram_left[part])


@parallel
def last_step(
    matrix: Floats,
    state: Floats,
    factors: tuple[Floats, Floats],
    bounds: tuple[np.float32, np.float32],
    share: np.float32,
    right: Floats,
    gram: Doubles,
    sums: Doubles,
) -> None:
    """Make a step of either kind and write its parts out: `state` becomes the sparse.

    Parameters
    ----------
    matrix, state, bounds
        As for `exact_step`.
    factors : tuple of two arrays of float32, shape (n, rank) and (rank, n)
        The second, times what `exact_step` shrinks, is `right`; the first, times
        `right`, is the low-rank part.
    share : float32
        As the first of `exact_step`; zero for the step under noise.
    right : array of float32, shape (rank, p)
        Set.
    gram : array of float64, shape (parts, n, n)
        Set to that of what is within the bound.
    sums : array of float64, shape (parts, 5)
        Set to sums of: magnitudes of the sparse part; squares of what is within the
        bound, and its products with `matrix`; squares of what both parts leave; and
        magnitudes of what the low-rank part leaves.
    """
    n, width = matrix.shape
    (left, project), (old, new) = factors, bounds
    for part in prange(len(gram)):
        tile, low = np.empty((n, TILE), np.float32), np.empty((n, TILE), np.float32)
        inside, found = np.zeros((n, TILE)), np.empty((len(project), TILE), np.float32)
        gram[part], sums[part] = 0, 0
        for first in range(part * PART, min(width, (part + 1) * PART), TILE):
            columns = min(TILE, width - first)
            tile[:, columns:], inside[:, columns:] = 0, 0
            for i in range(n):
                given = matrix[i, first : first + columns]
                held, row = state[i, first : first + columns], tile[i]
                for k in range(columns):
                    inner = _clipped(held[k], old)
                    row[k] = given[k] - held[k] + inner + share * inner
            np.dot(project, tile, found)
            right[:, first : first + columns] = found[:, :columns]
            np.dot(left, found, low)
            for i in range(n):
                given = matrix[i, first : first + columns]
                held = state[i, first : first + columns]
                for k in range(columns):
                    rest = given[k] - low[i, k]
                    both = rest + share * _clipped(held[k], old)
                    inner = _clipped(both, new)
                    held[k], inside[i, k] = both - inner, inner
                    sums[part, 0] += abs(held[k])
                    sums[part, 1] += inner * inner
                    sums[part, 2] += inner * given[k]
                    sums[part, 3] += (rest - held[k]) * (rest - held[k])
                    sums[part, 4] += abs(rest)
            _add_square(inside, gram[part])
