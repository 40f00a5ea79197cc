"""The pictures of the page, in the order a reader meets them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mitame.core.session import Suffix
from mitame.present.figures import Form, data_uri
from mitame.present.lightbox import Lightbox, Panel
from mitame.present.native import NativePicture
from mitame.present.sentences import MarkRow, mark_row, slice_in_words
from mitame.present.view import Frame
from mitame.present.words import Words

MARKS_PICTURED = 6
OVERVIEW_SLICES = 6
ZOOM_MM = 60.0
ZOOM_PIXELS = 300
OVERVIEW_PIXELS = 260

OVERVIEW_PANELS: tuple[Panel, ...] = ("harmonized", "current", "after")
MARK_PANELS: tuple[Panel, ...] = ("harmonized", "current", "after")


@dataclass(frozen=True, slots=True)
class Picture:
    """One image of the page: its address, what it shows, and the line below it."""

    uri: str
    alt: str
    title: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class MarkFigure:
    """A mark's line in the table and its enlarged pictures."""

    row: MarkRow
    pictures: tuple[Picture, ...]


@dataclass(frozen=True, slots=True)
class Caption:
    """Names pictures of one sequence: title, note and alternative text."""

    suffix: Suffix
    box: Lightbox
    words: Words

    def picture(self, image: Image.Image, name: str, index: int, form: Form) -> Picture:
        """Return a picture with everything a reader needs to know."""
        panel = self.words[f"panel_{name}"]
        return Picture(
            data_uri(image, form),
            self.alt(name, index),
            panel,
            self.words[f"panel_{name}_note"],
        )

    def alt(self, name: str, index: int) -> str:
        """Return what a picture shows, for readers who do not see it."""
        return self.words.say(
            "alt",
            suffix=self.suffix,
            panel=self.words[f"panel_{name}"],
            slice=slice_in_words(index, self.box, self.words),
        )


def key_rows(
    caption: Caption, index: int, native: NativePicture
) -> tuple[list[Picture], list[Picture]]:
    """Return the row of scans and the row of maps of one slice."""
    box = caption.box
    scans = [caption.picture(native.picture, "native", index, "fine")]
    scan_panels: tuple[Panel, ...] = ("prior", "harmonized", "current")
    for panel in scan_panels:
        scans.append(caption.picture(box.draw(panel, index), panel, index, "fine"))
    marked = box.draw("current", index, marks=True)
    scans.append(caption.picture(marked, "marked", index, "fine"))
    map_panels: tuple[Panel, ...] = ("before", "after", "edit", "noise")
    maps = [
        caption.picture(box.draw(panel, index), panel, index, "jpeg")
        for panel in map_panels
    ]
    return scans, maps


def mark_figures(caption: Caption) -> list[MarkFigure]:
    """Return the largest marks, each enlarged in three panels and on its slice."""
    marks = caption.box.sequence.marks[:MARKS_PICTURED]
    return [
        MarkFigure(
            mark_row(number, mark, caption.box, caption.words),
            tuple(_mark_pictures(caption, number)),
        )
        for number, mark in enumerate(marks, 1)
    ]


def overview_rows(caption: Caption) -> list[list[Picture]]:
    """Return evenly spaced slices, one row per panel, bottom to top."""
    slices = even_slices(caption.box.brain_slices, OVERVIEW_SLICES, inner=True)
    return [
        [
            Picture(
                _overview_uri(caption.box, panel, index),
                caption.alt(panel, index),
                slice_in_words(index, caption.box, caption.words),
            )
            for index in slices
        ]
        for panel in OVERVIEW_PANELS
    ]


def even_slices(slices: Sequence[int], count: int, *, inner: bool = False) -> list[int]:
    """Return at most `count` of `slices`, evenly spaced.

    With `inner`, the lowest and highest tenth are left out: they show little brain.
    """
    if count >= len(slices):
        return list(slices)
    edge = 0.1 * (len(slices) - 1) if inner else 0
    places = np.linspace(edge, len(slices) - 1 - edge, count)
    return [slices[round(place)] for place in places]


def _mark_pictures(caption: Caption, number: int) -> list[Picture]:
    box, words = caption.box, caption.words
    index = box.mark_slice(number)
    side = max(ZOOM_MM, 2.5 * box.sequence.marks[number - 1].diameter_mm)
    place = box.mark_place(number)
    frame = Frame.around(box.view, place, (side, side), ZOOM_PIXELS)
    images: list[tuple[str, Image.Image]] = [
        (panel, box.draw(panel, index, frame=frame, marks=True))
        for panel in MARK_PANELS
    ]
    locator = scaled(box, "current", index, ZOOM_PIXELS, marks=True)
    images.append(("locator", locator))
    return [
        Picture(
            data_uri(image, "jpeg"),
            words.say(
                "alt_zoom",
                suffix=caption.suffix,
                n=number,
                panel=words[f"panel_{name}"],
            ),
            words[f"panel_{name}"],
        )
        for name, image in images
    ]


def _overview_uri(box: Lightbox, panel: Panel, index: int) -> str:
    marks = panel != "harmonized"
    picture = scaled(box, panel, index, OVERVIEW_PIXELS, marks=marks, numbers=False)
    return data_uri(picture, "jpeg")


def scaled(
    box: Lightbox,
    panel: Panel,
    index: int,
    height: int,
    *,
    marks: bool = False,
    numbers: bool = True,
) -> Image.Image:
    """Return a whole-slice picture `height` pixels tall."""
    frame = Frame.around(box.view, box.frame.center, box.frame.size_mm, height)
    return box.draw(panel, index, frame=frame, marks=marks, numbers=numbers)
