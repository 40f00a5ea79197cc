"""The numbers a guard looks at: how much people differ in them, and what is odd."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grade = Literal["pass", "look", "refuse"]
GRADES: tuple[Grade, ...] = ("pass", "look", "refuse")


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an edit or of a scan.

    Parameters
    ----------
    words : str
        What it means if it is odd, without a full stop.
    usual : float
        Spread (SD) over people, about, in the models that were looked at.
    grade : {"look", "refuse"}
        How bad an odd one is.
    sides : int
        1: only large values are odd.
    """

    words: str
    usual: float
    grade: Grade = "refuse"
    sides: int = 2


NUMBERS: dict[str, Number] = {
    "left 1.3 mm": Number(
        "Fine structure changed as no scanner changes it", 0.1, sides=1
    ),
    "left 3 mm": Number(
        "Structure of some millimeters changed as no scanner changes it", 0.1, sides=1
    ),
    "detail, fine": Number(
        "The result is softer, sharper or noisier than this model's are", 0.02
    ),
    "detail, middle": Number(
        "Detail of 2 to 4 mm is weaker or stronger than in this model's results", 0.02
    ),
    "detail, coarse": Number(
        "Detail of 4 to 8 mm is weaker or stronger than in this model's results", 0.02
    ),
    "shading": Number(
        "Brightness changed between parts of the head as in no training scan",
        0.01,
        sides=1,
    ),
    "moved": Number("Edges moved", 0.02, sides=1),
    "slices": Number(
        "A slice differs from its neighbors: it may be lost or repeated", 0.2, sides=1
    ),
    "pattern": Number("A regular pattern lies over the result", 0.2, sides=1),
    "scan: likeness": Number(
        "The scan is not like those the model learned from: another sequence, "
        "orientation or part of the head",
        0.03,
        sides=1,
    ),
    "scan: gray": Number(
        "Gray matter of the scan is darker or brighter than the model knows",
        0.02,
        "look",
    ),
    "scan: fluid": Number(
        "Fluid of the scan is darker or brighter than the model knows", 0.05, "look"
    ),
    "scan: brightest": Number(
        "The brightest tissue is darker or brighter than the model knows: a contrast "
        "agent?",
        0.05,
        "look",
    ),
    "scan: noise": Number(
        "The scan is noisier or smoother than the model knows", 0.1, "look"
    ),
    "scan: voxel": Number(
        "Voxels are larger or smaller than the model knows", 0.1, "look"
    ),
    "scan: view": Number("Part of the brain is not in the scan", 0.005, "look", 1),
    "scan: size": Number(
        "The head is larger or smaller than the model knows", 0.05, "look"
    ),
}
"""By name: those of `edit_traits`, then those of `scan_traits`."""
