"""What is known of an engine's edits: the limited mode, and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.guard.known import Known, Pair
from mitame.guard.verdict import Verdict
from mitame.io import bundle
from mitame.prepare.crop import crop_to_brain

MOST_PEOPLE = 16
"""Of each group, whose edits are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Guard:
    """What an engine does to scans of its source scanner.

    Parameters
    ----------
    known : dict of str to Known
        By sequence.
    """

    known: dict[Suffix, Known]

    @classmethod
    def fit(
        cls, engine: Harmonizer, seen: Sequence[Session], held: Sequence[Session]
    ) -> Self:
        """Return what an engine does.

        Parameters
        ----------
        engine : Harmonizer
            Fitted.
        seen : sequence of Session
            Prepared source scans it was fitted on; at most `MOST_PEOPLE` are looked at.
        held : sequence of Session
            Others, from which is told what is odd; if there are none, from `seen`.
        """
        pairs = [_edited(engine, some[:MOST_PEOPLE]) for some in (seen, held)]
        found = {}
        for suffix in sorted({suffix for _, result in pairs[0] for suffix in result}):
            mine = [[pair for pair in some if suffix in pair[1]] for some in pairs]
            found[suffix] = Known.of(suffix, *mine)
        return cls(found)

    def limited(self, source: Session, result: Session) -> Session:
        """Return the source with as much of an edit as any lesion survives.

        See `guard.limit.slow_part`. What is done to nearly everybody at a place is
        done, too.
        """
        return result.with_volumes(
            {suffix: self.known[suffix].limited(source, result) for suffix in result}
        )

    def judge(
        self, source: Session, result: Session, *, limited: bool = False
    ) -> dict[Suffix, Verdict]:
        """Return what is to be said of the result of each sequence.

        Parameters
        ----------
        source, result : Session
            Prepared, before and after the engine.
        limited : bool
            Only as much will be done as any lesion survives: it is the scan alone that
            can be odd.
        """
        before, after = _cropped(source, result)
        found = {}
        for suffix in result:
            one = before.with_volumes({suffix: before[suffix]})
            other = after.with_volumes({suffix: after[suffix]})
            known = self.known[suffix]
            found[suffix] = known.of_scan(one) if limited else known.judge(one, other)
        return found

    def save(self, folder: Path) -> None:
        """Write what is known into `folder`."""
        bundle.write(folder, {"sequences": list(self.known)}, {})
        for suffix, one in self.known.items():
            one.save(folder / suffix)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, _ = bundle.read(folder)
        return cls(
            {suffix: Known.load(folder / suffix) for suffix in words["sequences"]}
        )


def _edited(engine: Harmonizer, sessions: Sequence[Session]) -> list[Pair]:
    return [_cropped(session, engine.transform(session)) for session in sessions]


def _cropped(source: Session, result: Session) -> Pair:
    """Return both where the brain of the source is."""
    here = replace(result, brain=source.brain, to_template=source.to_template)
    return crop_to_brain(source), crop_to_brain(here)
