"""What engines have in common that need to know the target only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.harmonizer import learned, learned_of, params_of
from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.io import bundle


class TowardTarget:
    """Move some numbers of every volume to what they are in the target domain.

    An engine of this kind says which numbers (`own`) and how a volume is moved
    (`moved`); those of several target scans are averaged.

    Attributes
    ----------
    target_ : dict of str to array
        The target's numbers, by sequence.
    """

    needs_pairs: ClassVar[bool] = False
    target_: dict[Suffix, NDArray[np.float64]]

    def own(self, suffix: Suffix, session: Session) -> NDArray[np.float64]:
        """Return the numbers of one sequence of a session."""
        raise NotImplementedError

    def moved(
        self, suffix: Suffix, session: Session, target: NDArray[np.float64]
    ) -> Volume:
        """Return one sequence of a session with the target's numbers."""
        raise NotImplementedError

    def together(self, owns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return the numbers of several scans as one."""
        return np.asarray(np.mean(owns, axis=0))

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn the target's numbers; the source is not needed."""
        del source
        suffixes = {suffix for session in target for suffix in session}
        self.target_ = {
            suffix: self.together([self.own(suffix, s) for s in target if suffix in s])
            for suffix in sorted(suffixes)
        }
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with the target's numbers; zeros stay zero."""
        return session.with_volumes(
            {
                suffix: self.moved(suffix, session, learned_of(self, "target_", suffix))
                for suffix in session
            }
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the target's numbers into `folder`."""
        known = learned(self, "target_")
        bundle.write(folder, params_of(self), {str(s): known[s] for s in known})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        params, numbers = bundle.read(folder)
        engine = cls(**params)
        engine.target_ = numbers  # type: ignore[assignment]
        return engine
