"""Compiled loops over codes; `coding` says how they lie in memory."""

from __future__ import annotations

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.loops import Floats, kernel, parallel


@kernel
def room_for(n: int) -> tuple[NDArray[np.int32], Floats]:
    """Return room for so many entries of codes, not cleared.

    NumPy asks for huge pages, and most of the room is never touched: where memory is
    in pieces, to clear these takes half as long as to solve.
    """
    return np.empty(n, np.int32), np.empty(n, np.float32)


@parallel
def pack(
    indices: NDArray[np.int32],
    values: Floats,
    places: NDArray[np.int64],
    counts: NDArray[np.int32],
    which: NDArray[np.int64],
    starts: NDArray[np.int64],
    packed: NDArray[np.int32],
    amounts: Floats,
) -> None:
    """Write codes where they belong, those that are solved; `coding.Solved` has them.

    Parameters
    ----------
    indices, values, places, counts : array
        Of n codes, with room between them.
    which : array of int64, shape (n,)
        Which of all codes they are.
    starts : array of int64
        Where all codes begin.
    packed, amounts : array
        What is written.
    """
    for code in prange(len(counts)):
        place, start = places[code], starts[which[code]]
        for i in range(counts[code]):
            packed[start + i] = indices[place + i]
            amounts[start + i] = values[place + i]


@parallel
def decode(
    indices: NDArray[np.int32],
    values: Floats,
    starts: NDArray[np.int64],
    atoms: Floats,
    found: Floats,
) -> None:
    """Set `found` (n, d) to what codes stand for; ``atoms`` is (n_atoms, d) here."""
    for patch in prange(len(found)):
        found[patch] = 0
        for i in range(starts[patch], starts[patch + 1]):
            value, atom = values[i], atoms[indices[i]]
            for k in range(len(atom)):
                found[patch, k] += value * atom[k]
