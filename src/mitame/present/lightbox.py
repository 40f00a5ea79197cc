"""One sequence of a comparison, ready to be drawn: any panel, any slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitame.compare.comparison import SequenceComparison
from mitame.core.volume import Volume
from mitame.present.colors import (
    ColorScale,
    gray_scale,
    noise_scale,
    signed_scale,
    window_of,
)
from mitame.present.contours import Contour, contours_of
from mitame.present.figures import draw, number_pixels
from mitame.present.view import AxialView, Frame, brain_frame

Panel = Literal["prior", "harmonized", "current", "before", "after", "edit", "noise"]

MARGIN_MM = 10.0

_SCANS = ("prior", "harmonized", "current")
_MAPS = {"after": "change", "noise": "noise"}
_DIFFERENCES = {"before": ("current", "prior"), "edit": ("harmonized", "prior")}


@dataclass(frozen=True, slots=True, eq=False)
class Lightbox:
    """Every panel of one sequence with one field of view, window and signed scale.

    Parameters
    ----------
    sequence : SequenceComparison
        What is shown.
    view : AxialView
        Of the current grid.
    frame : Frame
        The brain with a margin; the field of view of every whole slice.
    window : tuple of float
        Black and white of the scans, white-matter medians.
    middle : array, shape (3,)
        Middle of the brain mask, world mm; positions are told from here.
    """

    sequence: SequenceComparison
    view: AxialView
    frame: Frame
    window: tuple[float, float]
    middle: NDArray[np.float64]

    @classmethod
    def of(cls, sequence: SequenceComparison, *, height: int) -> Lightbox:
        """Return the lightbox whose whole-slice pictures are `height` pixels tall."""
        view = AxialView.of(sequence.current)
        brain = view.arrange(sequence.brain)
        frame = brain_frame(view, sequence.brain, margin_mm=MARGIN_MM, height=height)
        inside = np.argwhere(brain if brain.any() else np.ones_like(brain))
        return cls(
            sequence,
            view,
            frame,
            window_of(sequence.current.data[sequence.brain]),
            view.world(inside.mean(axis=0)),
        )

    @property
    def brain_slices(self) -> list[int]:
        """The slices that hold brain, bottom to top; all of them if none does."""
        held = np.flatnonzero(self.view.arrange(self.sequence.brain).any(axis=(0, 1)))
        return [int(index) for index in held] or list(range(self.view.shape[2]))

    @property
    def key_slice(self) -> int:
        """The slice of the largest mark, or else the one with the most brain."""
        if self.sequence.marks:
            return self.mark_slice(1)
        return self.fullest_slice

    @property
    def fullest_slice(self) -> int:
        """The slice with the most brain."""
        area = self.view.arrange(self.sequence.brain).sum(axis=(0, 1))
        return int(np.argmax(area))

    @property
    def grid_middle(self) -> NDArray[np.float64]:
        """The middle of the current grid, world mm; shifts are told there."""
        return self.view.world((np.asarray(self.view.shape) - 1) / 2)

    def draw(
        self,
        panel: Panel,
        index: int,
        *,
        frame: Frame | None = None,
        marks: bool = False,
        numbers: bool = True,
    ) -> Image.Image:
        """Return one panel of one slice, with the panel's own scale and badge.

        With `marks` they are outlined, and with `numbers` the largest are numbered.
        """
        frame = frame or self.frame
        scan = panel in _SCANS
        return draw(
            frame.cut(self._slab(panel, index)),
            self.scale(panel),
            badge=panel == "harmonized",
            contours=self.contours(index, frame, numbers=numbers) if marks else (),
            outline=None if scan else frame.cut(self._slab("brain", index)),
        )

    def scale(self, panel: Panel) -> ColorScale:
        """Return the colors of a panel: gray, signed or noise."""
        if panel in _SCANS:
            return gray_scale(*self.window)
        return noise_scale() if panel == "noise" else signed_scale()

    def contours(
        self, index: int, frame: Frame, *, numbers: bool = True
    ) -> tuple[Contour, ...]:
        """Return the outline of every mark on the slice."""
        height = frame.pixels[0]
        return contours_of(
            self._slice(self.sequence.mark_labels, index),
            frame,
            letter=number_pixels(height) / height if numbers else 0,
        )

    def mark_slice(self, number: int) -> int:
        """Return the slice that shows most of a mark; of equals, the middle one."""
        inside = self.view.arrange(self.sequence.mark_labels == number)
        area = inside.sum(axis=(0, 1))
        middle = self.view.locate(self.sequence.marks[number - 1].center)[2]
        largest = np.flatnonzero(area == area.max())
        return int(largest[np.argmin(np.abs(largest - middle))])

    def mark_place(self, number: int) -> tuple[float, float]:
        """Return row and column of the middle of a mark on its `mark_slice`."""
        labels = self._slice(self.sequence.mark_labels, self.mark_slice(number))
        row, column = np.argwhere(labels == number).mean(axis=0)
        return float(row), float(column)

    def offset(self, world: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return mm to the right, front and top of the middle of the brain."""
        return np.asarray(world, dtype=np.float64) - self.middle

    def slice_height(self, index: int) -> float:
        """Return mm of a slice above the middle of the brain."""
        row, column = self.frame.center
        return float(self.offset(self.view.world((row, column, index)))[2])

    def _slab(self, panel: Panel | Literal["brain"], index: int) -> NDArray[np.float32]:
        """Return one slice (row, column); maps are zero outside the brain."""
        brain = self._slice(self.sequence.brain, index).astype(np.float32)
        if panel == "brain":
            return brain
        if panel in _SCANS:
            return self._shown(panel, index)
        if panel in _MAPS:
            return self._shown(_MAPS[panel], index) * brain
        more, less = (self._shown(name, index) for name in _DIFFERENCES[panel])
        return (more - less) * brain

    def _shown(self, name: str, index: int) -> NDArray[np.float32]:
        """Return one slice of a volume of the comparison."""
        volume: Volume = getattr(self.sequence, name)
        return self._slice(volume.data, index)

    def _slice(self, data: NDArray[Any], index: int) -> NDArray[Any]:
        slab: NDArray[Any] = self.view.arrange(data)[:, :, index]
        return slab
