"""The outlines of the marks on a slice, and where their numbers stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import contourpy
import numpy as np
from numpy.typing import NDArray

from mitame.present.view import Frame

NUMBERED = 20
"""The largest marks: the table lists them, and their outlines bear their numbers."""

LEVEL = 0.25
"""A quarter voxel outside the mark's edge, so that the line does not cover it."""

_DIGIT_WIDTH = 0.7
"""Of the letters in `figures`, as a share of their height."""

Line = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Contour:
    """A mark's outline on one slice, in fractions of the picture from its top left.

    Parameters
    ----------
    number : int
        The mark's number in the table.
    lines : tuple of tuple of (x, y)
        Closed lines; a mark can come through a slice in several parts.
    label : tuple of float, optional
        Middle of the number beside it; without one the number is not written.
    """

    number: int
    lines: tuple[Line, ...]
    label: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Box:
    """A rectangle in fractions of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: _Box) -> float:
        wide = min(self.right, other.right) - max(self.left, other.left)
        tall = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(wide, 0) * max(tall, 0)


_PICTURE = _Box(0, 0, 1, 1)


def contours_of(
    labels: NDArray[np.int32], frame: Frame, *, letter: float = 0
) -> tuple[Contour, ...]:
    """Return the outline of every mark that shows in the frame, largest first.

    Parameters
    ----------
    labels : array of int, shape (row, column)
        A slice of `SequenceComparison.mark_labels`.
    frame : Frame
        The field of view.
    letter : float
        Height of a digit as a share of the picture's; 0 for outlines without numbers.
    """
    outlines = {
        int(number): _lines(labels == number, frame)
        for number in np.unique(labels[labels > 0])
    }
    shown = {n: ls for n, ls in outlines.items() if _bounds(ls).overlap(_PICTURE)}
    places = _label_places(shown, frame, letter) if letter else {}
    return tuple(Contour(n, lines, places.get(n)) for n, lines in shown.items())


def _lines(inside: NDArray[np.bool_], frame: Frame) -> tuple[Line, ...]:
    padded = np.pad(inside.astype(np.float32), 1)
    tracer = contourpy.contour_generator(z=padded, line_type="Separate")
    found = cast("list[NDArray[np.float64]]", tracer.lines(LEVEL))
    return tuple(
        tuple(_rounded(frame.fraction(row - 1, column - 1)) for column, row in line)
        for line in found
    )


def _rounded(place: tuple[float, float]) -> tuple[float, float]:
    """Return a place to a ten-thousandth, so that pages stay light."""
    return round(float(place[0]), 4), round(float(place[1]), 4)


def _bounds(lines: Sequence[Line]) -> _Box:
    points = np.concatenate([np.asarray(line) for line in lines])
    return _Box(*points.min(axis=0), *points.max(axis=0))


def _label_places(
    outlines: dict[int, tuple[Line, ...]], frame: Frame, letter: float
) -> dict[int, tuple[float, float]]:
    """Return where each number covers the least of the outlines and numbers."""
    height, width = frame.pixels
    taken = [_bounds(lines) for lines in outlines.values()]
    places = {}
    for number, lines in outlines.items():
        if number > NUMBERED:
            continue
        size = (len(str(number)) * _DIGIT_WIDTH * letter * height / width, letter)
        boxes = _beside(_bounds(lines), size)
        best = min(boxes, key=lambda box: _covered(box, taken))
        taken.append(best)
        places[number] = _rounded(
            ((best.left + best.right) / 2, (best.top + best.bottom) / 2)
        )
    return places


def _beside(mark: _Box, size: tuple[float, float]) -> list[_Box]:
    """Return rectangles right, left, above and below, and at the corners."""
    wide, tall = size
    gap = 0.3 * tall
    columns = (mark.right + gap, (mark.left + mark.right - wide) / 2,
               mark.left - gap - wide)  # fmt: skip
    rows = (mark.top - gap - tall, (mark.top + mark.bottom - tall) / 2,
            mark.bottom + gap)  # fmt: skip
    order = ((0, 1), (2, 1), (1, 0), (1, 2), (0, 0), (2, 0), (0, 2), (2, 2))
    corners = ((columns[column], rows[row]) for column, row in order)
    return [_Box(left, top, left + wide, top + tall) for left, top in corners]


def _covered(box: _Box, taken: Sequence[_Box]) -> float:
    """Return how much is hidden by a number there; leaving the picture weighs most."""
    area = (box.right - box.left) * (box.bottom - box.top)
    outside = area - box.overlap(_PICTURE)
    return 100 * outside + sum(box.overlap(other) for other in taken)
