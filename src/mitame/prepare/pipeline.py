"""Steps in a row, and the way back to the native grid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mitame.core.session import Session

Undo = Callable[[Session], Session]
"""Brings a result back to the grid it had before the step.

Only the grid is brought back. Intensities stay on the model's scale: dividing by
the source's own gain would give the source scanner's scale again.
"""


def keep(result: Session) -> Session:
    """Return `result` as it is: the way back of a step that moves no voxel."""
    return result


class PrepareStep(Protocol):
    """One step on the way from a native scan to what engines eat."""

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the prepared session and the way back."""
        ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """An ordered preparation that knows the way back to the native grid.

    A fitted model carries its `Preparation`, so training and use cannot differ.
    """

    steps: tuple[PrepareStep, ...]

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the prepared session and a function back to the native grid."""
        undos: list[Undo] = []
        for step in self.steps:
            session, undo = step.apply(session)
            undos.append(undo)

        def restore(result: Session) -> Session:
            for undo in reversed(undos):
                result = undo(result)
            return result

        return session, restore
