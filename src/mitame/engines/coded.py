"""What engines that code patches can show: their atoms, and both sides of a code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session


@dataclass(frozen=True, slots=True, eq=False)
class Atoms:
    """Two dictionaries that share their codes.

    Parameters
    ----------
    source, target : array of float32, shape (n_atoms, n_sequences, i, j, k)
        What each atom looks like on either scanner, one for one.
    use : array of float32, shape (n_atoms,)
        Share of the training patches whose code has it.
    """

    source: NDArray[np.float32]
    target: NDArray[np.float32]
    use: NDArray[np.float32]


@runtime_checkable
class Coded(Protocol):
    """An engine whose results come from a code with two sides."""

    def atoms(self) -> Atoms:
        """Return both dictionaries as pictures."""
        ...

    def from_code(self, session: Session) -> tuple[Session, Session]:
        """Return what the code of a source session stands for on either scanner."""
        ...
