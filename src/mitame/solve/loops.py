"""How loops over patches are compiled, and what several of them need."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

BLOCK = 256
"""Patches whose correlations stay in cache together."""

PART = 128
"""Rows of a small matrix that one thread multiplies."""

MAGNITUDE = np.int32(0x7FFFFFFF)
"""All bits of a float32 but its sign."""

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bits = NDArray[np.int32]

# A loop of a few steps costs less than a call would: an array is seven arguments. What
# it is given its caller holds; to count that (`_nrt`) costs a tenth of a code.
inline: Any = njit(  # type: ignore[call-overload]
    fastmath=True, error_model="numpy", forceinline=True, _nrt=False
)
kernel: Any = njit(fastmath=True, nogil=True, error_model="numpy", cache=True)
parallel: Any = njit(
    fastmath=True, nogil=True, error_model="numpy", cache=True, parallel=True
)


@parallel
def product(rows: Floats, matrix: Floats, found: Floats) -> None:
    """Set `found` to ``rows @ matrix``, as a BLAS of one thread does it, on all."""
    for part in prange((len(rows) + PART - 1) // PART):
        some = slice(part * PART, min(len(rows), (part + 1) * PART))
        np.dot(rows[some], matrix, found[some])


@inline
def largest(bits: Bits) -> int:
    """Return where the largest magnitude is, the first of equal ones.

    The bits of numbers >= 0 are in the order of the numbers, and unlike a maximum of
    floats, that of integers is compiled to vector instructions: 4 times faster.

    Parameters
    ----------
    bits : array of int32, shape (n,)
        Of float32 numbers, ``values.view(np.int32)``.
    """
    most = np.int32(0)
    for k in range(len(bits)):
        most = max(most, np.int32(bits[k] & MAGNITUDE))
    place = np.int32(len(bits))
    for k in range(len(bits)):
        here = bits[k] & MAGNITUDE == most
        place = min(place, np.int32(k) if here else np.int32(len(bits)))
    return int(place)


@inline
def nearly_largest(bits: Bits, places: np.int32) -> int:
    """Return where a magnitude is than which none is much larger.

    The last bits of each magnitude make room for its place, so that both are found at
    once. What is cut off is a share of ``places / 2**23``.

    Parameters
    ----------
    bits : array of int32, shape (n,)
        Of float32 numbers, ``values.view(np.int32)``.
    places : int32
        `bits_of_places` of n.
    """
    most, kept = np.int32(0), np.int32(MAGNITUDE & ~places)
    for k in range(len(bits)):
        most = max(most, np.int32(np.int32(bits[k] & kept) | np.int32(k)))
    return int(most & places)


@inline
def bits_of_places(n: int) -> np.int32:
    """Return all bits that numbers less than n may have."""
    above = 1
    while above < n:
        above *= 2
    return np.int32(above - 1)
