"""Dictionaries learned from patches, batch by batch.

Each batch is coded with the atoms there are; then the atoms are set to the best for
all codes so far, old ones counting less and less [1]_.

References
----------
.. [1] J. Mairal, F. Bach, J. Ponce, G. Sapiro, "Online learning for matrix
   factorization and sparse coding", JMLR 11, 19-60, 2010.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mitame.core.errors import InputError
from mitame.solve import learn_kernels
from mitame.solve.coding import Atoms, Codes, Patches, lasso
from mitame.solve.threads import single_blas

CODE_TOLERANCE = 1e-3
"""Atoms move on anyhow, so their codes need not be exact."""

FIRST_BATCH, LARGEST_BATCH = 512, 1024
"""Patches a step: few at first, when every step changes much."""

MEMORY = 0.97
"""What earlier batches count for after each step, in the long run."""

DEAD = 1e-4
"""An atom used so much less than the mean one is replaced."""

CHECKED_EVERY = 5


def learn_atoms(
    patches: Patches, n_atoms: int, penalty: float, *, passes: int = 1, seed: int
) -> Atoms:
    """Return atoms with which the lasso codes patches well.

    Parameters
    ----------
    patches : array of float32, shape (n, d)
        One a row.
    n_atoms : int
        Of the dictionary, at most n.
    penalty : float
        Of the codes' L1 norm.
    passes : int
        Times every patch is seen.
    seed : int
        Of the first atoms and the order of patches.

    Returns
    -------
    array of float32, shape (n_atoms, d)
        Each of length 1.

    Raises
    ------
    InputError
        If there are fewer patches than atoms that are not 0.
    """
    rng = np.random.default_rng(seed)
    atoms = first_atoms(patches, n_atoms, rng)
    gram = np.zeros((n_atoms, n_atoms), np.float32)
    cross = np.zeros_like(atoms)
    for step, batch in enumerate(_batches(patches, passes, rng)):
        codes = lasso(batch, atoms, penalty, tolerance=CODE_TOLERANCE)
        keep = np.float32(min(MEMORY, (step + 1) / (step + 3)))
        gram *= keep
        cross *= keep
        learn_kernels.tally(
            codes.indices, codes.values, codes.starts, batch, gram, cross
        )
        with single_blas():
            learn_kernels.improve(atoms, gram, cross)
        if step % CHECKED_EVERY == CHECKED_EVERY - 1:
            _replace_dead(atoms, gram, cross, batch, codes)
    return atoms


def first_atoms(patches: Patches, n_atoms: int, rng: np.random.Generator) -> Atoms:
    """Return some of the patches with much to them, of length 1.

    Raises
    ------
    InputError
        If there are fewer of them than atoms.
    """
    length = np.sqrt(np.einsum("ij,ij->i", patches, patches))
    busy = np.flatnonzero(length >= max(np.median(length), np.finfo(np.float32).tiny))
    if len(busy) < n_atoms:
        raise InputError(
            f"{len(busy)} patches with something in them cannot start {n_atoms} atoms.",
            fix="Give more patches, or learn fewer atoms.",
        )
    chosen = rng.choice(busy, n_atoms, replace=False)
    return np.ascontiguousarray(patches[chosen] / length[chosen, None], np.float32)


def _batches(
    patches: Patches, passes: int, rng: np.random.Generator
) -> Iterator[Patches]:
    """Yield batches of all patches in random order, larger and larger."""
    size = FIRST_BATCH
    for _ in range(passes):
        order, first = rng.permutation(len(patches)), 0
        while first < len(order):
            yield np.ascontiguousarray(patches[order[first : first + size]])
            first += size
            size = min(LARGEST_BATCH, size + size // 8)


def _replace_dead(
    atoms: Atoms, gram: Atoms, cross: Atoms, batch: Patches, codes: Codes
) -> None:
    """Set atoms that hardly anything uses to the patches that are coded worst."""
    use = np.diagonal(gram)
    dead = np.flatnonzero(use < DEAD * use.mean())[: len(batch)]
    if not dead.size:
        return
    left = ((batch - codes.decode(atoms)) ** 2).sum(axis=1)
    worst = np.argsort(left)[::-1][: len(dead)]
    length = np.linalg.norm(batch[worst], axis=1)
    if not (length > 0).all():
        return
    atoms[dead] = batch[worst] / length[:, None]
    gram[dead], gram[:, dead], cross[dead] = 0, 0, 0
