"""Does nothing; the floor of every benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from mitame.core.errors import NotFittedError
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.io import bundle


class Identity:
    """Return every session as it was prepared: same grid, same intensities."""

    needs_pairs: ClassVar[bool] = False
    is_fitted_: bool = False

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn nothing."""
        del source, target
        self.is_fitted_ = True
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with the same intensities."""
        self._require_fitted()
        same = {suffix: volume.data for suffix, volume in session.items()}
        return session.with_data(same, Step("identity"))

    def save(self, folder: Path) -> None:
        """Write an empty bundle into `folder`."""
        self._require_fitted()
        bundle.write(folder, {}, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        bundle.read(folder)
        return cls().fit([], [])

    def _require_fitted(self) -> None:
        if not self.is_fitted_:
            raise NotFittedError(
                "Identity was not fitted.", fix="Call `fit(source, target)` first."
            )
