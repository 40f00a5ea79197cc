"""Steps in a row, and the way back to the native grid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, fields
from typing import Any, ClassVar, Protocol, Self

from mitame.core.errors import ModelError
from mitame.core.session import Session
from mitame.core.volume import Step

Undo = Callable[[Session], Session]
"""Brings a result back to the grid it had before the step.

Only the grid is brought back. Intensities stay on the model's scale: dividing by
the source's own gain would give the source scanner's scale again.
"""


def keep(result: Session) -> Session:
    """Return `result` as it is: the way back of a step that moves no voxel."""
    return result


def noted(session: Session, step: Step) -> Session:
    """Return `session` with `step` in every history, intensities untouched."""
    return session.with_data({suffix: session[suffix].data for suffix in session}, step)


class PrepareStep(Protocol):
    """One step on the way from a native scan to what engines eat.

    Steps are frozen dataclasses whose fields are plain values, so that a
    preparation can be written as JSON.
    """

    name: ClassVar[str]
    """Under which the step is written into histories and bundles."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the prepared session and the way back."""
        ...


@dataclass(frozen=True, slots=True)
class Preparation:
    """An ordered preparation that knows the way back to the native grid.

    A fitted model carries its `Preparation`, so training and use cannot differ.
    """

    steps: tuple[PrepareStep, ...]

    def to_json(self) -> list[dict[str, Any]]:
        """Return name and parameters of every step, as plain values."""
        return [{"name": step.name, "params": _params(step)} for step in self.steps]

    @classmethod
    def from_json(cls, entries: Sequence[Mapping[str, Any]]) -> Self:
        """Return the preparation that `to_json` wrote.

        Raises
        ------
        ModelError
            If a step or one of its parameters is unknown.
        """
        return cls(tuple(_step(entry) for entry in entries))

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


def _params(step: PrepareStep) -> dict[str, Any]:
    return {field.name: getattr(step, field.name) for field in fields(step)}


def _step(entry: Mapping[str, Any]) -> PrepareStep:
    """Return the step that `entry` describes."""
    # The steps import this module, so their names are looked up when needed.
    from mitame.prepare.default import STEPS

    name, params = entry.get("name"), entry.get("params", {})
    if name not in STEPS:
        raise ModelError(
            f"Unknown preparation step {name!r}; known are {', '.join(STEPS)}.",
            fix="Use the version of mitame the model was made with.",
        )
    known = {field.name for field in fields(STEPS[name])}
    if not known.issuperset(params):
        raise ModelError(
            f"Step {name!r} has no parameter {sorted(set(params) - known)}.",
            fix="Use the version of mitame the model was made with.",
        )
    return STEPS[name](**params)
