"""Codes of many patches by a few steps of shrinking.

x_0 = S(E y), x_n+1 = S(x_n + E (y - D' x_n)), where S moves each entry toward 0 by its
threshold: each step codes what the code so far leaves of the patch. A block of patches
goes through all steps while it is in cache.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import prange
from numpy.typing import NDArray

from mitame.solve.loops import BLOCK, inline, parallel
from mitame.solve.threads import single_blas

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage:
    """What the steps multiply with.

    Parameters
    ----------
    encode : array of float32, shape (n_atoms, d)
        E, products with what is left of a patch.
    atoms : array of float32, shape (n_atoms, d)
        D, what a code stands for.
    threshold : array of float32, shape (n_atoms,)
        What is below it is 0.
    steps : int
        After the first.
    """

    encode: Rows
    atoms: Rows
    threshold: Rows
    steps: int

    def codes(self, patches: Rows) -> Rows:
        """Return the codes of patches (n, d), shape (n, n_atoms)."""
        found = np.empty((len(patches), len(self.threshold)), np.float32)
        self._run(patches, np.empty((0, 0), np.float32), found)
        return found

    def decoded(self, patches: Rows, atoms: Rows) -> Rows:
        """Return the codes times atoms (n_atoms, d_out), shape (n, d_out)."""
        found = np.empty((len(patches), atoms.shape[1]), np.float32)
        self._run(patches, np.ascontiguousarray(atoms), found)
        return found

    def _run(self, patches: Rows, decode: Rows, found: Rows) -> None:
        with single_blas():
            _codes(
                np.ascontiguousarray(patches),
                np.ascontiguousarray(self.encode.T),
                np.ascontiguousarray(self.atoms),
                self.threshold,
                self.steps,
                decode,
                found,
            )


@inline
def _shrink(code: Rows, by: Rows, threshold: Rows) -> None:
    """Set a code to itself and `by`, moved toward 0."""
    for i in range(code.shape[0]):
        for k in range(code.shape[1]):
            value = code[i, k] + by[i, k]
            size = max(abs(value) - threshold[k], np.float32(0))
            code[i, k] = np.copysign(size, value)


@parallel
def _codes(
    patches: Rows,
    encode: Rows,
    atoms: Rows,
    threshold: Rows,
    steps: int,
    decode: Rows,
    found: Rows,
) -> None:
    """Set `found` to codes, times `decode` if that has a row for each atom."""
    for block in prange((len(patches) + BLOCK - 1) // BLOCK):
        some = slice(block * BLOCK, min(len(patches), (block + 1) * BLOCK))
        given = patches[some]
        code = np.zeros((len(given), len(threshold)), np.float32)
        by, stands = np.dot(given, encode), np.empty_like(given)
        _shrink(code, by, threshold)
        for _ in range(steps):
            np.dot(code, atoms, stands)
            np.dot(given - stands, encode, by)
            _shrink(code, by, threshold)
        if len(decode) > 0:
            np.dot(code, decode, found[some])
        else:
            found[some] = code
