"""What every harmonization engine can do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Protocol, Self, runtime_checkable

from mitame.core.session import Session


@runtime_checkable
class Harmonizer(Protocol):
    """Learns to give source sessions the appearance of target sessions.

    Constructor arguments are plain values, kept unchanged under their own names.
    What `fit` learns is kept in names that end in ``_``. Sessions that come in are
    prepared: they have a brain mask, template coordinates and a common scale.
    `mitame.testing.check_harmonizer` says whether a class keeps its promises.
    """

    needs_pairs: ClassVar[bool]
    """Whether source[n] and target[n] must be one anatomy on one grid."""

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn the mapping from the source domain to the target domain."""
        ...

    def transform(self, session: Session) -> Session:
        """Return `session` as the target scanner would have shown it."""
        ...

    def save(self, folder: Path) -> None:
        """Write what was given and what was learned into `folder`."""
        ...

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        ...
