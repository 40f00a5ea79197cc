"""What every harmonization engine can do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from mitame.core.errors import InputError, NotFittedError
from mitame.core.session import Session, Suffix


@runtime_checkable
class Harmonizer(Protocol):
    """Learns to give source sessions the appearance of target sessions.

    Constructor arguments are plain values, kept unchanged under their own names.
    What `fit` learns is kept in names that end in ``_``. Sessions that come in are
    prepared: they have a brain mask, template coordinates and a common scale.
    `mitame.testing.check_harmonizer` says whether a class keeps its promises.
    """

    needs_pairs: ClassVar[bool]
    """Whether source[n] and target[n] must be one anatomy on one grid; then all
    sequences of a visit come together, in use as in training (`takes_visits`)."""

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


@runtime_checkable
class Resumable(Protocol):
    """An engine whose training is long: it tells how far it is, and can go on."""

    def keep_in(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Keep checkpoints in a folder, and go on from the one that is there.

        Parameters
        ----------
        folder : Path
            Made if it is missing.
        tell : callable
            Is told how far the training is, in words a user reads.
        """
        ...


@runtime_checkable
class TwoWay(Protocol):
    """An engine that has learned the way back, too."""

    def transform_back(self, session: Session) -> Session:
        """Return a session of the target as the source scanner shows it."""
        ...


def takes_visits(engine: Harmonizer | type[Harmonizer]) -> bool:
    """Return whether all sequences of a visit come together, in use as in training.

    They do for engines of pairs, and for those with an attribute `takes_visits` that
    is true.
    """
    return engine.needs_pairs or bool(getattr(engine, "takes_visits", False))


def params_of(engine: object) -> dict[str, Any]:
    """Return what the constructor of `engine` was given, by name."""
    return {name: getattr(engine, name) for name in signature(type(engine)).parameters}


def require_fitted(engine: object, name: str) -> None:
    """Raise `NotFittedError` unless `engine` has learned what it keeps in `name`."""
    if not hasattr(engine, name):
        raise NotFittedError(
            f"{type(engine).__name__} was not fitted.",
            fix="Call `fit(source, target)` or `load(folder)` first.",
        )


def learned(engine: object, name: str) -> Mapping[Suffix, Any]:
    """Return what `engine` learned of each sequence and keeps in `name`.

    Raises
    ------
    NotFittedError
        If it was not fitted.
    """
    require_fitted(engine, name)
    found: Mapping[Suffix, Any] = getattr(engine, name)
    return found


def learned_of(engine: object, name: str, suffix: Suffix) -> Any:  # noqa: ANN401
    """Return what `engine` learned of one sequence and keeps in `name`.

    Raises
    ------
    NotFittedError
        If it was not fitted.
    InputError
        If it was fitted on other sequences.
    """
    known = learned(engine, name)
    if suffix not in known:
        raise InputError(
            f"This model knows {', '.join(known)}, not {suffix}.",
            fix=f"Fit a model on {suffix} scans of both scanners.",
        )
    return known[suffix]
