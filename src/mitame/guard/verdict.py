"""What the guard says of one result: pass, look or refuse, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

from mitame.guard.expected import Range
from mitame.guard.numbers import GRADES, NUMBERS, Grade

WORDS: dict[str, str] = {
    **{name: number.words for name, number in NUMBERS.items()},
    "grid": "The result does not lie where the scan lies",
    "contrast": "White and gray matter lost their contrast or changed places",
    "scan: tissue": "The scan shows no gray matter or no fluid where the template has "
    "it",
    "header: scanner": "The scan is from a scanner that the model does not know",
    "header: age": "The person is younger or older than those the model knows",
    "header: contrast agent": "A contrast agent was given, to nobody the model knows",
    "marks: harmonizing's own": "Marked places that may be harmonizing's own: without "
    "what could remove or invent a lesion not half of the change is there",
    "marks: harmonized away": "Places that may have been harmonized away: without what "
    "could remove or invent a lesion they are marked",
    "marks: not held": "Marks could not be held against the limited mode",
    "focus": "Something was removed, added or changed at one place",
}
"""What a reason says."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One number that is not as it should be.

    Parameters
    ----------
    grade : {"look", "refuse"}
        How bad that is.
    name : str
        What was measured, a key of `WORDS`.
    value : float, optional
        What it is; None where nothing is measured but that it is so.
    usual : Range, optional
        Where it is in other scans.
    told : str
        What is no number.
    """

    grade: Grade
    name: str
    value: float | None = None
    usual: Range | None = None
    told: str = ""

    @property
    def sentence(self) -> str:
        """In words, with the numbers."""
        words = WORDS[self.name]
        if self.told:
            return f"{words} ({self.told})"
        if self.value is None or self.usual is None:
            return words
        return f"{words} ({self.name} {self.value:.3g}; usual {self.usual.words})"

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what `to_json` made plain values of."""
        usual = told["usual"]
        return cls(
            told["grade"],
            told["name"],
            told["value"],
            None if usual is None else Range.from_json(usual),
            told.get("told", ""),  # sidecars before there were words
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "grade": self.grade,
            "name": self.name,
            "value": self.value,
            "usual": None if self.usual is None else self.usual.to_json(),
            "told": self.told,
        }


@dataclass(frozen=True, slots=True)
class Focus:
    """A place to look at.

    Parameters
    ----------
    place : tuple of float
        World position in the scan, mm, RAS+.
    strength : float
        How many times the usual is left there.
    change : float
        By how much the place became brighter beside its edit's slow part,
        white-matter medians.
    """

    place: tuple[float, float, float]
    strength: float
    change: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the guard says of one sequence of a visit.

    Parameters
    ----------
    reasons : tuple of Reason
        Nothing: pass.
    foci : tuple of Focus
        Places to look at, the oddest first.
    """

    reasons: tuple[Reason, ...] = ()
    foci: tuple[Focus, ...] = ()

    @property
    def grade(self) -> Grade:
        """The worst of the reasons."""
        return worst([reason.grade for reason in self.reasons])

    @property
    def places(self) -> list[tuple[float, float, float]]:
        """Of the foci, in the world of the scan, mm."""
        return [focus.place for focus in self.foci]

    def also(self, reasons: tuple[Reason, ...]) -> Verdict:
        """Return the verdict with more reasons."""
        return Verdict(self.reasons + reasons, self.foci)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for a sidecar."""
        return {
            "Verdict": self.grade,
            "Reasons": [r.sentence for r in self.reasons],
            "Measured": [r.to_json() for r in self.reasons],
            "Places": [asdict(f) for f in self.foci],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what `to_json` made plain values of."""
        reasons = [Reason.from_json(one) for one in told["Measured"]]
        foci = [Focus(**{**f, "place": tuple(f["place"])}) for f in told["Places"]]
        return cls(tuple(reasons), tuple(foci))


def worst(grades: Sequence[Grade]) -> Grade:
    """Return the gravest of some grades; pass of none."""
    return max(grades, key=GRADES.index, default="pass")
