"""A sparse code that is trained for what it shall give: atoms of two scanners.

The code of a source patch is a few steps of shrinking, as iterative soft thresholding
[1]_ takes them toward the lasso's code; what each step multiplies with is learned,
starting at the lasso [2]_. The target patch is the code times the target's atoms.

References
----------
.. [1] I. Daubechies, M. Defrise, C. De Mol, "An iterative thresholding algorithm for
   linear inverse problems with a sparsity constraint", Comm. Pure Appl. Math. 57, 2004.
.. [2] K. Gregor, Y. LeCun, "Learning fast approximations of sparse coding", ICML 2010.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.solve.shrinkage import Shrinkage

STEPS = 1
"""Times the code is shrunk again after the first."""

STIFFNESS = 1e-6
"""Of the least squares that give the source's atoms, relative to the mean use."""

CHUNK = 8192
"""Patches whose codes are in memory at once."""

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class TrainedCode:
    """From source patches to target patches, by a sparse code.

    Parameters
    ----------
    encode : array of float32, shape (n_atoms, d)
        Products with what is left of a patch.
    atoms : array of float32, shape (n_atoms, d)
        What a code takes of a patch before the next step.
    threshold : array of float32, shape (n_atoms,)
        What is below it is 0.
    decode : array of float32, shape (n_atoms, d_target)
        The target's atoms.
    """

    encode: Rows
    atoms: Rows
    threshold: Rows
    decode: Rows

    def codes(self, patches: Rows) -> Rows:
        """Return the codes of patches (n, d), shape (n, n_atoms), mostly 0."""
        return self._shrinkage.codes(patches)

    def apply(self, patches: Rows) -> Rows:
        """Return the target patches, shape (n, d_target)."""
        return self._shrinkage.decoded(patches, self.decode)

    @property
    def _shrinkage(self) -> Shrinkage:
        return Shrinkage(self.encode, self.atoms, self.threshold, STEPS)


def source_atoms(code: TrainedCode, patches: Rows) -> tuple[Rows, Rows]:
    """Return the source's atoms for the codes there are, and how often each is used.

    Parameters
    ----------
    code : TrainedCode
        Trained.
    patches : array of float32, shape (n, d)
        Those it was trained on.

    Returns
    -------
    atoms : array of float32, shape (n_atoms, d)
        The codes times these are nearest to the patches (least squares).
    use : array of float32, shape (n_atoms,)
        Share of the patches whose code has the atom.
    """
    n_atoms = len(code.threshold)
    gram = np.zeros((n_atoms, n_atoms))
    cross = np.zeros((n_atoms, patches.shape[1]))
    used = np.zeros(n_atoms)
    for first in range(0, len(patches), CHUNK):
        some = patches[first : first + CHUNK]
        codes = code.codes(some)
        gram += codes.T @ codes
        cross += codes.T @ some
        used += (codes != 0).sum(axis=0)
    # An atom that nothing uses is nothing, and must not stop the others.
    gram[np.diag_indices(n_atoms)] += STIFFNESS * max(gram.trace() / n_atoms, 1)
    atoms = np.linalg.solve(gram, cross)
    return atoms.astype(np.float32), (used / len(patches)).astype(np.float32)
