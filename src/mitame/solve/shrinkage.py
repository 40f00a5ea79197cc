"""Codes of many patches by a few steps of shrinking.

x_0 = S(E y), x_n+1 = S(E y + R x_n), where S moves each entry toward 0 by its
threshold. A block of patches goes through all steps while it is in cache.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from mitame.solve.threads import single_blas

BLOCK = 256
"""Patches that stay in cache together."""

Rows = NDArray[np.float32]

_inline: Any = njit(fastmath=True, error_model="numpy")
_parallel: Any = njit(
    fastmath=True, nogil=True, error_model="numpy", cache=True, parallel=True
)


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage:
    """What the steps multiply with.

    Parameters
    ----------
    encode : array of float32, shape (n_atoms, d)
        E, first products with a patch.
    again : array of float32, shape (n_atoms, n_atoms)
        R, products of a code with itself, for the next step.
    threshold : array of float32, shape (n_atoms,)
        What is below it is 0.
    steps : int
        After the first.
    """

    encode: Rows
    again: Rows
    threshold: Rows
    steps: int

    def codes(self, patches: Rows) -> Rows:
        """Return the codes of patches (n, d), shape (n, n_atoms)."""
        found = np.empty((len(patches), len(self.threshold)), np.float32)
        with single_blas():
            _codes(np.ascontiguousarray(patches), *self._factors, found)
        return found

    def decoded(self, patches: Rows, atoms: Rows) -> Rows:
        """Return the codes times atoms (n_atoms, d_out), shape (n, d_out)."""
        found = np.empty((len(patches), atoms.shape[1]), np.float32)
        with single_blas():
            _decoded(
                np.ascontiguousarray(patches),
                *self._factors,
                np.ascontiguousarray(atoms),
                found,
            )
        return found

    @property
    def _factors(self) -> tuple[Rows, Rows, Rows, int]:
        turned = (np.ascontiguousarray(m.T) for m in (self.encode, self.again))
        encode, again = turned
        return encode, again, self.threshold, self.steps


@_inline
def _block(
    patches: Rows, encode: Rows, again: Rows, threshold: Rows, steps: int
) -> Rows:
    """Return the codes of some patches."""
    start: Rows = np.dot(patches, encode)
    code: Rows = np.empty_like(start)
    product = np.zeros_like(start)
    for step in range(steps + 1):
        if step > 0:
            np.dot(code, again, product)
        for i in range(start.shape[0]):
            for k in range(start.shape[1]):
                value = start[i, k] + product[i, k]
                size = max(abs(value) - threshold[k], np.float32(0))
                code[i, k] = np.copysign(size, value)
    return code


@_parallel
def _codes(
    patches: Rows,
    encode: Rows,
    again: Rows,
    threshold: Rows,
    steps: int,
    found: Rows,
) -> None:
    for block in prange((len(patches) + BLOCK - 1) // BLOCK):
        some = slice(block * BLOCK, min(len(patches), (block + 1) * BLOCK))
        found[some] = _block(patches[some], encode, again, threshold, steps)


@_parallel
def _decoded(
    patches: Rows,
    encode: Rows,
    again: Rows,
    threshold: Rows,
    steps: int,
    atoms: Rows,
    found: Rows,
) -> None:
    for block in prange((len(patches) + BLOCK - 1) // BLOCK):
        some = slice(block * BLOCK, min(len(patches), (block + 1) * BLOCK))
        code = _block(patches[some], encode, again, threshold, steps)
        np.dot(code, atoms, found[some])
