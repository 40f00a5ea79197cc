"""What the page shows about one sequence."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from mitame.compare.comparison import SequenceComparison
from mitame.core.session import Suffix
from mitame.core.volume import Step, Volume
from mitame.present.colors import WINDOW_PERCENTILES
from mitame.present.contours import NUMBERED
from mitame.present.lightbox import Lightbox
from mitame.present.native import NativePicture, draw_native
from mitame.present.panels import (
    Caption,
    MarkFigure,
    Picture,
    key_rows,
    mark_figures,
    overview_rows,
)
from mitame.present.record import Line, steps_as_lines
from mitame.present.sentences import (
    MarkRow,
    guard_of,
    mark_row,
    more_marks,
    slice_in_words,
    summary_of,
)
from mitame.present.slider import stack
from mitame.present.words import ScoreRow, Words

PICTURE_PIXELS = 460
"""Height of a whole-slice picture."""


@dataclass(frozen=True, slots=True)
class Section:
    """Everything the page shows about one sequence."""

    suffix: Suffix
    summary: str
    size: tuple[int, int]
    key_name: str
    scans: list[Picture]
    maps: list[Picture]
    windows: tuple[str, str]
    view: str
    stack: list[dict[str, Any]]
    stack_start: int
    stack_note: str
    marks: list[MarkRow]
    more_marks: str
    marks_note: str
    guard: str
    figures: list[MarkFigure]
    overview: list[list[Picture]]
    scores: list[ScoreRow]
    steps: tuple[list[Line], list[Line], list[Line]]


def section_of(
    suffix: Suffix, sequence: SequenceComparison, words: Words, budget: int
) -> Section:
    """Return the part of the page about one sequence.

    Parameters
    ----------
    suffix : str
        BIDS suffix of the sequence.
    sequence : SequenceComparison
        What was found.
    words : Words
        The reader's language.
    budget : int
        What all its pictures may weigh together, bytes; the slider gets what
        the others leave.

    Raises
    ------
    InputError
        If a score has no definition.
    """
    # First, so that a score nobody explains stops the page before it is drawn.
    scores = [words.score(name, value) for name, value in sequence.numbers.items()]
    box = Lightbox.of(sequence, height=PICTURE_PIXELS)
    caption, key = Caption(suffix, box, words), box.key_slice
    native = draw_native(box, key)
    scans, maps = key_rows(caption, key, native)
    figures, overview = mark_figures(caption), overview_rows(caption)
    fixed = [scans, maps, *overview, *(figure.pictures for figure in figures)]
    used = sum(len(picture.uri) for row in fixed for picture in row)
    slices = stack(caption, budget - used)
    return Section(
        suffix=suffix,
        summary=summary_of(suffix, box, words),
        size=box.frame.pixels,
        key_name=slice_in_words(key, box, words),
        scans=scans,
        maps=maps,
        windows=_windows(box, native, words),
        view=words.say("view_text", gap=f"{native.gap_mm:.1f}"),
        stack=slices,
        stack_start=[entry["slice"] for entry in slices].index(key),
        stack_note=_stack_note(len(slices), len(box.brain_slices), words),
        marks=[
            mark_row(n, mark, box, words)
            for n, mark in enumerate(sequence.marks[:NUMBERED], 1)
        ],
        more_marks=more_marks(sequence.marks[NUMBERED:], words),
        marks_note=_marks_note(len(figures), len(sequence.marks), words),
        guard=guard_of(sequence, words),
        figures=figures,
        overview=overview,
        scores=scores,
        steps=(
            steps_as_lines(sequence.prior.history, words, middle=box.grid_middle),
            steps_as_lines(sequence.current.history, words),
            steps_as_lines(_steps_since(sequence.prior, sequence.harmonized), words),
        ),
    )


def _windows(box: Lightbox, native: NativePicture, words: Words) -> tuple[str, str]:
    """Return what black and white mean in the scans and in the native picture."""
    low, high = (f"{value:.2f}" for value in box.window)
    p, q = WINDOW_PERCENTILES
    own_low, own_high = (f"{value:.4g}" for value in native.window)
    return (
        words.say("window_text", low=low, high=high, p=p, q=q),
        words.say("window_native", low=own_low, high=own_high),
    )


def _stack_note(shown: int, total: int, words: Words) -> str:
    if shown >= total:
        return words["reader_note"]
    return words.say("reader_note_some", n=shown, total=total)


def _marks_note(pictured: int, total: int, words: Words) -> str:
    """Return which marks are enlarged, or nothing if all of them are."""
    if pictured == total:
        return ""
    return words.say("marks_shown", n=pictured, total=total)


def _steps_since(earlier: Volume, later: Volume) -> tuple[Step, ...]:
    """Return the steps of `later` from where the two histories part."""
    together = takewhile(
        lambda steps: steps[0] == steps[1],
        zip(earlier.history, later.history, strict=False),
    )
    return later.history[len(list(together)) :]
