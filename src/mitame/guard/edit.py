"""An edit of one sequence, split into its slow part and what is left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from mitame.core.session import Session, Suffix
from mitame.guard.left import Left
from mitame.guard.limit import slow_part
from mitame.guard.marks import Marks
from mitame.guard.tissue import TissueTones


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """One sequence before and after an engine, and the slow part of that.

    Parameters
    ----------
    suffix : str
        Which sequence.
    source, result : Session
        Before and after.
    slow : Session
        With that sequence alone: see `slow_part`.
    tissue : TissueTones
        Of the source.
    """

    suffix: Suffix
    source: Session
    result: Session
    slow: Session
    tissue: TissueTones

    @classmethod
    def of(
        cls,
        suffix: Suffix,
        source: Session,
        result: Session,
        tissue: TissueTones | None = None,
    ) -> Self:
        """Return an edit; `tissue` is measured if it is not given."""
        tissue = TissueTones.of(source, suffix) if tissue is None else tissue
        slow = slow_part(suffix, source, result, tissue)
        return cls(suffix, source, result, source.with_volumes({suffix: slow}), tissue)

    def left(self, marks: Marks) -> Left:
        """Return what is left without the slow part and the known marks."""
        limited = marks.added(self.slow, self.suffix)
        result = self.result[self.suffix]
        return Left.of(self.suffix, self.source, limited, result, self.tissue)
