"""What was found, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from mitame.compare.comparison import Mark, SequenceComparison
from mitame.core.session import Suffix
from mitame.present.lightbox import Lightbox
from mitame.present.words import Words

MIDLINE_MM = 5.0
"""Closer to the middle of the brain than this is called midline."""

_SIDES = (("right", "left", "R", "L"), ("anterior", "posterior", "A", "P"),
          ("superior", "inferior", "S", "I"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class MarkRow:
    """One line of the table of marks, ready to print."""

    number: int
    size: str
    diameter: str
    direction: str
    change: str
    peak: str
    words: str
    place: str
    world: str


def mark_row(number: int, mark: Mark, box: Lightbox, words: Words) -> MarkRow:
    """Return what the table says about a mark."""
    return MarkRow(
        number=number,
        size=_number(mark.volume_ml, 2),
        diameter=_number(mark.diameter_mm, 1),
        direction=words[_direction(mark)],
        change=_number(100 * mark.mean_change, 1, signed=True),
        peak=_number(mark.peak_z, 1, signed=True),
        words=place_in_words(mark, box, words),
        place=place_in_letters(mark, box),
        world=", ".join(_number(value, 1) for value in mark.center),
    )


def more_marks(rest: Sequence[Mark], words: Words) -> str:
    """Return how many marks the table leaves out, or nothing if it has them all."""
    if not rest:
        return ""
    total = _number(sum(mark.volume_ml for mark in rest), 2)
    largest = _number(rest[0].volume_ml, 2)
    return words.say("marks_more", n=len(rest), total=total, largest=largest)


def guard_of(sequence: SequenceComparison, words: Words) -> str:
    """Return which marks depend on how the prior was harmonized."""
    verdict, marks = sequence.verdict, sequence.marks
    if not verdict.reasons:
        return words["guard_holds" if marks else "guard_nothing"]
    alone = [n for n, mark in enumerate(marks, 1) if not mark.holds]
    hidden = verdict.places[len(alone) :]
    parts = []
    if alone:
        parts.append(words.say("guard_alone", marks=", ".join(map(str, alone))))
    if hidden:
        places = "; ".join(
            ", ".join(_number(value, 1) for value in place) for place in hidden
        )
        parts.append(words.say("guard_hidden", n=len(hidden), places=places))
    return ("" if words.lang == "ja" else " ").join(parts or [words["guard_unheld"]])


def summary_of(suffix: Suffix, box: Lightbox, words: Words) -> str:
    """Return how many marks, how large, where, and the noise level."""
    sequence = box.sequence
    parts = [_finding(suffix, sequence, box, words)]
    numbers = {name: f"{100 * value:.1f}" for name, value in sequence.numbers.items()}
    if "noise_level" in numbers:
        parts.append(words.say("summary_noise", noise=numbers["noise_level"]))
    if {"difference_before", "difference_after"} <= set(numbers):
        before, after = numbers["difference_before"], numbers["difference_after"]
        parts.append(words.say("summary_gain", before=before, after=after))
    return ("" if words.lang == "ja" else " ").join(parts)


def place_in_words(mark: Mark, box: Lightbox, words: Words) -> str:
    """Return the place seen from the middle of the brain, like 'right, anterior'."""
    offsets = box.offset(np.asarray(mark.center))
    named = []
    for axis, (offset, side) in enumerate(zip(offsets, _SIDES, strict=True)):
        if abs(offset) >= MIDLINE_MM:
            named.append(words[side[0] if offset > 0 else side[1]])
        elif axis == 0:
            named.append(words["midline"])
    return words["joiner"].join(named)


def place_in_letters(mark: Mark, box: Lightbox) -> str:
    """Return the place seen from the middle of the brain, like ``R 32 A 12 S 45``."""
    offsets = box.offset(np.asarray(mark.center))
    return " ".join(
        f"{side[2] if offset >= 0 else side[3]} {abs(offset):.0f}"
        for offset, side in zip(offsets, _SIDES, strict=True)
    )


def slice_in_words(index: int, box: Lightbox, words: Words) -> str:
    """Return which slice it is and its height, like 'slice 31 of 66, S 23 mm'."""
    height = box.slice_height(index)
    return words.say(
        "slice_text",
        n=index + 1,
        total=box.view.shape[2],
        side="S" if height >= 0 else "I",
        mm=f"{abs(height):.0f}",
    )


def days_between(first: date | None, last: date | None, words: Words) -> str:
    """Return the days from the first visit to the last, or a dash."""
    if first is None or last is None:
        return words["unknown"]
    days = (last - first).days
    return words["days_one"] if days == 1 else words.say("days", n=f"{days:,}")


def _finding(
    suffix: Suffix, sequence: SequenceComparison, box: Lightbox, words: Words
) -> str:
    marks = sequence.marks
    if not marks:
        return words.say("summary_none", suffix=suffix)
    return words.say(
        "summary_one" if len(marks) == 1 else "summary_many",
        suffix=suffix,
        n=len(marks),
        total=_number(sum(mark.volume_ml for mark in marks), 2),
        size=_number(marks[0].volume_ml, 2),
        diameter=_number(marks[0].diameter_mm, 0),
        direction=words[_direction(marks[0])],
        place=place_in_words(marks[0], box, words),
    )


def _direction(mark: Mark) -> str:
    return "brighter" if mark.mean_change > 0 else "darker"


def _number(value: float, digits: int, *, signed: bool = False) -> str:
    """Return a number with a true minus sign."""
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}")
