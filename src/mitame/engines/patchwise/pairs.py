"""What is a pair, and what a model of pairs can be given."""

from __future__ import annotations

from collections.abc import Sequence

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix


def require_pairs(
    source: Sequence[Session], target: Sequence[Session]
) -> tuple[Suffix, ...]:
    """Return the sequences that all sessions have.

    Raises
    ------
    InputError
        If there are not as many of both, two of a pair are of other subjects, or no
        sequence is in all.
    GridMismatchError
        If a pair is not on one grid.
    """
    if len(source) != len(target) or not source:
        raise InputError(
            f"{len(source)} sources and {len(target)} targets are no pairs.",
            fix="Give every subject on both scanners.",
        )
    for one, other in zip(source, target, strict=True):
        if one.subject != other.subject:
            raise InputError(
                f"Subjects {one.subject} and {other.subject} are no pair.",
                fix="Give every subject on both scanners, in the same order.",
            )
        one.reference.require_same_grid(other.reference)
    shared = set.intersection(*(set(session) for session in (*source, *target)))
    if not shared:
        raise InputError(
            "No sequence is in all sessions.", fix="Give scans of one sequence."
        )
    return tuple(suffix for suffix in source[0] if suffix in shared)


def require_known(session: Session, known: Sequence[Suffix]) -> None:
    """Raise `InputError` unless a session has just the sequences that are known."""
    if set(session) != set(known):
        raise InputError(
            f"This model knows {', '.join(known)} together, not {', '.join(session)}.",
            fix="Give all sequences of a visit that the model was fitted on.",
        )
