"""What is known of an engine's edits, and the limited mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.guard.limit import limited
from mitame.guard.marks import Marks
from mitame.io import bundle

MOST_PEOPLE = 16
"""Whose edits are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """What an engine does to nearly everybody of its source scanner.

    Parameters
    ----------
    marks : dict of str to Marks
        By sequence.
    """

    marks: dict[Suffix, Marks]

    @classmethod
    def fit(cls, engine: Harmonizer, source: Sequence[Session]) -> Self:
        """Return what an engine does to scans it was fitted on.

        Parameters
        ----------
        engine : Harmonizer
            Fitted.
        source : sequence of Session
            Prepared; at most `MOST_PEOPLE` are looked at.
        """
        edited: dict[Suffix, list[tuple[Session, Session]]] = {}
        for session in source[:MOST_PEOPLE]:
            result = engine.transform(session)
            pair = limited(session, result), result
            for suffix in result:
                edited.setdefault(suffix, []).append(pair)
        return cls({suffix: Marks.of(suffix, some) for suffix, some in edited.items()})

    def limited(self, source: Session, result: Session) -> Session:
        """Return the source with as much of an edit as any lesion survives.

        See `guard.limit.limited`; what is done to nearly everybody at a place is done.
        """
        slow = limited(source, result)
        shifts = {s: self.marks[s].over(slow, s) for s in slow if s in self.marks}
        return slow.with_data(
            {s: slow[s].data + shift for s, shift in shifts.items()},
            Step("known marks"),
        )

    def save(self, folder: Path) -> None:
        """Write what is known into `folder`."""
        bundle.write(folder, {}, {str(s): m.shift for s, m in self.marks.items()})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        _, shifts = bundle.read(folder)
        return cls({s: Marks(shift) for s, shift in shifts.items()})  # type: ignore[misc]
