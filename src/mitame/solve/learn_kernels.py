"""Compiled loops of learning; `learn` says what they compute."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mitame.solve.loops import Floats, inline, kernel, product

GROUP = 64
"""Atoms that are improved together."""


@kernel
def tally(
    indices: NDArray[np.int32],
    values: Floats,
    starts: NDArray[np.int64],
    patches: Floats,
    gram: Floats,
    cross: Floats,
) -> None:
    """Add the products of codes with codes and with patches; see `improve`."""
    for patch in range(len(patches)):
        row, first, last = patches[patch], starts[patch], starts[patch + 1]
        for i in range(first, last):
            atom, value = indices[i], values[i]
            for k in range(first, last):
                gram[atom, indices[k]] += value * values[k]
            sums = cross[atom]
            for k in range(len(row)):
                sums[k] += value * row[k]


@kernel
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
    felt = np.empty_like(cross)
    product(gram, atoms, felt)
    left = cross - felt
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
            product(shares, moves[: last - first], felt[last:])
            left[last:] -= felt[last:]


@inline
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
