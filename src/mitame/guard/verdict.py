"""What the guard says of one result: pass, look or refuse, and why."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self

Grade = Literal["pass", "look", "refuse"]
GRADES: tuple[Grade, ...] = ("pass", "look", "refuse")

WORDS: dict[str, str] = {
    "grid": "The result does not lie where the scan lies.",
    "contrast": "White and gray matter lost their contrast or changed places.",
    "left 1.3 mm": "Fine structure changed as no scanner changes it.",
    "left 3 mm": "Structure of some millimeters changed as no scanner changes it.",
    "detail, fine": "The result is softer, sharper or noisier than this model's are.",
    "detail, middle": "Detail of 2 to 4 mm is weaker or stronger than in this model's "
    "results.",
    "detail, coarse": "Detail of 4 to 8 mm is weaker or stronger than in this model's "
    "results.",
    "shading": "Brightness changed between parts of the head as in no training scan.",
    "moved": "Edges moved.",
    "slices": "A slice differs from its neighbors: it may be lost or repeated.",
    "pattern": "A regular pattern lies over the result.",
    "scan: likeness": "The scan is not like those the model learned from: another "
    "sequence, orientation or part of the head.",
    "scan: tissue": "The scan shows no gray matter or no fluid where the template has "
    "it.",
    "scan: gray": "Gray matter of the scan is darker or brighter than the model knows.",
    "scan: fluid": "Fluid of the scan is darker or brighter than the model knows.",
    "scan: brightest": "The brightest tissue is not as bright as the model knows it: "
    "a contrast agent?",
    "scan: noise": "The scan is noisier or smoother than the model knows.",
    "scan: voxel": "Voxels are larger or smaller than the model knows.",
    "scan: view": "Part of the brain is not in the scan.",
    "scan: size": "The head is larger or smaller than the model knows.",
    "focus": "Something was removed, added or changed at one place.",
}
"""By what was measured, one sentence each."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One number that is not as it should be.

    Parameters
    ----------
    grade : {"look", "refuse"}
        How bad that is.
    name : str
        What was measured, a key of `WORDS`.
    value, low, high : float
        What it is, and the range in which it is in held-out scans.
    """

    grade: Grade
    name: str
    value: float = 0.0
    low: float = -math.inf
    high: float = 0.0

    @property
    def sentence(self) -> str:
        """In words, with the numbers."""
        usual = f"{self.low:.3g} to {self.high:.3g}"
        if math.isinf(self.low):
            usual = f"up to {self.high:.3g}"
        words = WORDS[self.name].removesuffix(".")
        return f"{words} ({self.name} {self.value:.3g}; usual {usual})"


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

    def to_json(self) -> dict[str, Any]:
        """Return plain values, for a sidecar."""
        return {
            "Verdict": self.grade,
            "Reasons": [r.sentence for r in self.reasons],
            "Measured": [_finite(asdict(r)) for r in self.reasons],
            "Places": [asdict(f) for f in self.foci],
        }

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Return what `to_json` made plain values of."""
        reasons = [Reason(**_known(one)) for one in told["Measured"]]
        foci = [Focus(**{**f, "place": tuple(f["place"])}) for f in told["Places"]]
        return cls(tuple(reasons), tuple(foci))


def _finite(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields as JSON has them: it knows no infinity."""
    return {k: None if v in (math.inf, -math.inf) else v for k, v in fields.items()}


def _known(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "low": -math.inf if fields["low"] is None else fields["low"]}


def worst(grades: Sequence[Grade]) -> Grade:
    """Return the gravest of some grades; pass of none."""
    return max(grades, key=GRADES.index, default="pass")
