"""What is known of the edits of one sequence: its limited mode, and verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.guard.edit import Edit
from mitame.guard.expected import Range, tail_limit
from mitame.guard.foci import KINDS, Usual, peaks
from mitame.guard.left import Left
from mitame.guard.marks import Marks
from mitame.guard.numbers import NUMBERS
from mitame.guard.scan_traits import boxes, mean_of, scan_traits, without_each
from mitame.guard.tissue import TissueTones
from mitame.guard.traits import Traits, edit_traits
from mitame.guard.verdict import Focus, Reason, Verdict
from mitame.io import bundle

CHANCE = 0.005
"""That a good result is refused for what was done to the whole head, and that a place
of it is looked at, in one sequence: each."""

MOST_FOCI = 20
"""Places that are told; a result with more is one to look at anyway."""

Pair = tuple[Session, Session]
"""A session before and after an engine."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What an engine does to one sequence, and how scans of it look.

    Parameters
    ----------
    suffix : str
        Which sequence.
    marks : Marks
        What is done to nearly everybody at a place.
    usual : Usual
        How much is left of an edit, by place and brightness.
    mean : array, shape (i, j, k)
        Mean of the training scans in boxes of the template.
    focus : tuple of float
        For each of `foci.KINDS`, how many times the usual is odd.
    ranges : dict of str to Range
        Of the numbers of an edit, in people who were held out, and of a scan, in all.
    n_held : int
        People who were held out. Without any the limits are a guess, and nothing is
        refused for them.
    """

    suffix: Suffix
    marks: Marks
    usual: Usual
    mean: NDArray[np.float32]
    focus: tuple[float, ...]
    ranges: dict[str, Range]
    n_held: int

    @classmethod
    def of(cls, suffix: Suffix, seen: Sequence[Pair], held: Sequence[Pair]) -> Self:
        """Return what is known of one sequence.

        Parameters
        ----------
        suffix : str
            Which sequence.
        seen : sequence of (Session, Session)
            Of people the engine was fitted on: they tell what it does to everybody.
        held : sequence of (Session, Session)
            Of people it was not fitted on: they tell what is odd. If there are none,
            those that were seen do.
        """
        edits = [Edit.of(suffix, *pair) for pair in seen]
        marks = Marks.of(suffix, [(edit.slow, edit.result) for edit in edits])
        usual = Usual.of([edit.left(marks) for edit in edits])
        each = [boxes(source, suffix) for source, _ in seen]
        mean = mean_of(each)
        others = [Edit.of(suffix, *pair) for pair in held]
        means = [*without_each(each), *[mean] * len(others)]
        scans = [
            scan_traits(edit.source, suffix, like, edit.tissue)
            for edit, like in zip((*edits, *others), means, strict=True)
        ]
        found: list[Traits] = []
        heights: list[list[NDArray[np.float32]]] = []
        for edit in others or edits:
            left = edit.left(marks)
            evidence = usual.against(left)
            found.append(edit_traits(left, evidence))
            heights.append([one.strength for one in peaks(left, evidence)])
        chance = CHANCE / len(KINDS)
        focus = [tail_limit(one, chance=chance) for one in zip(*heights, strict=True)]
        ranges = _ranges(found) | _ranges(scans)
        return cls(suffix, marks, usual, mean, tuple(focus), ranges, len(held))

    def limited(self, source: Session, result: Session) -> Volume:
        """Return the source with as much of an edit as any lesion survives."""
        slow = Edit.of(self.suffix, source, result).slow
        return self.marks.added(slow, self.suffix)

    def of_scan(self, source: Session) -> Verdict:
        """Return what is to be said of a scan before anything is done to it."""
        try:
            tissue = TissueTones.of(source, self.suffix)
        except ImplausibleError:
            return Verdict((Reason("refuse", "scan: tissue"),))
        return Verdict(self._odd_scan(source, tissue))

    def judge(self, source: Session, result: Session) -> Verdict:
        """Return what is to be said of an edit.

        Parameters
        ----------
        source, result : Session
            Cropped to the brain, before and after the engine.
        """
        try:
            tissue = TissueTones.of(source, self.suffix)
        except ImplausibleError:
            return Verdict((Reason("refuse", "scan: tissue"),))
        reasons = self._odd_scan(source, tissue)
        if not source.reference.same_grid(result.reference):
            return Verdict((*reasons, Reason("refuse", "grid")))
        try:
            left = Edit.of(self.suffix, source, result, tissue).left(self.marks)
        except ImplausibleError:
            return Verdict((*reasons, Reason("refuse", "contrast")))
        evidence = self.usual.against(left)
        reasons += self._odd(edit_traits(left, evidence))
        foci = self._foci(left, evidence)
        if foci:
            reasons += (Reason("look", "focus", foci[0].strength, Range(0, 1)),)
        return Verdict(reasons, foci[:MOST_FOCI])

    def save(self, folder: Path) -> None:
        """Write what is known into `folder`."""
        words = {
            "suffix": self.suffix,
            "focus": list(self.focus),
            "ranges": {name: one.to_json() for name, one in self.ranges.items()},
            "n_held": self.n_held,
        }
        arrays = {
            "marks": self.marks.shift,
            "usual": self.usual.spread,
            "mean": self.mean,
        }
        bundle.write(folder, words, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, arrays = bundle.read(folder)
        return cls(
            words["suffix"],
            Marks(arrays["marks"]),
            Usual(arrays["usual"]),
            arrays["mean"],
            tuple(words["focus"]),
            {name: Range.from_json(one) for name, one in words["ranges"].items()},
            words["n_held"],
        )

    def _odd_scan(self, source: Session, tissue: TissueTones) -> tuple[Reason, ...]:
        return self._odd(scan_traits(source, self.suffix, self.mean, tissue))

    def _odd(self, numbers: Traits) -> tuple[Reason, ...]:
        """Return which numbers are none that held-out people have."""
        return tuple(
            Reason(NUMBERS[name].grade if self.n_held else "look", name, value, usual)
            for name, value in numbers.items()
            if not (usual := self.ranges[name]).holds(value)
        )

    def _foci(
        self, left: Left, evidence: Sequence[NDArray[np.float32]]
    ) -> tuple[Focus, ...]:
        """Return the odd places, the oddest first."""
        found = []
        each = zip(KINDS, peaks(left, evidence), self.focus, strict=True)
        for (width, _), peak, limit in each:
            odd = peak.strength > limit
            if not odd.any():
                continue
            mean = left.smoothed(width)[tuple(peak.voxel[odd].T)]
            homogeneous = np.column_stack([peak.voxel[odd], np.ones(odd.sum())])
            place = homogeneous @ left.source.reference.affine[:3].T
            for at, times, change in zip(
                place.tolist(), peak.strength[odd] / limit, mean, strict=True
            ):
                found.append(Focus(tuple(at), float(times), float(change)))
        return tuple(sorted(found, key=lambda focus: -focus.strength))


def _ranges(found: Sequence[Traits]) -> dict[str, Range]:
    """Return where the numbers of another person lie."""
    return {
        name: Range.of(
            [one[name] for one in found],
            chance=CHANCE / len(found[0]),
            usual=NUMBERS[name].usual,
            sides=NUMBERS[name].sides,
        )
        for name in found[0]
    }
