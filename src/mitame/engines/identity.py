"""Does nothing; the floor of every benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from mitame.core.harmonizer import require_fitted
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.io import bundle


class Identity:
    """Return every session as it was prepared: same grid, same intensities."""

    needs_pairs: ClassVar[bool] = False
    is_fitted_: bool

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn nothing."""
        del source, target
        self.is_fitted_ = True
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with the same intensities."""
        require_fitted(self, "is_fitted_")
        same = {suffix: volume.data for suffix, volume in session.items()}
        return session.with_data(same, Step("identity"))

    def save(self, folder: Path) -> None:
        """Write an empty bundle into `folder`."""
        require_fitted(self, "is_fitted_")
        bundle.write(folder, {}, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        bundle.read(folder)
        return cls().fit([], [])
