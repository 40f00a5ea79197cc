"""Pictures with everything burnt in: side letters, badge, outlines; as data URIs."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mitame.present.colors import ColorScale
from mitame.present.contours import Contour

BADGE = "HARMONIZED \N{EN DASH}\nresearch use"
"""Burnt into every picture of a harmonized image."""

_INK = (238, 242, 246)
_BADGE_INK = (255, 209, 102)
_MARK_INK = (214, 245, 74)
_FINER = 4
"""Outlines are drawn on so many times finer pixels, or thin lines would be ragged."""
_OUTLINE_INK = np.array([96, 104, 112], dtype=np.uint8)


Form = Literal["png", "fine", "jpeg", "small"]

# Subsampling 0 (4:4:4) keeps the colors of small marks; 2 (4:2:0) halves their
# resolution and keeps their lightness.
_JPEG = {
    "fine": {"quality": 93, "subsampling": 0},
    "jpeg": {"quality": 86, "subsampling": 0},
    "small": {"quality": 75, "subsampling": 2},
}


def draw(
    values: NDArray[np.float32],
    scale: ColorScale,
    *,
    badge: bool = False,
    contours: Sequence[Contour] = (),
    outline: NDArray[np.float32] | None = None,
) -> Image.Image:
    """Return the picture of `values`, radiological letters burnt in.

    Parameters
    ----------
    values : array, shape (height, width)
        As `Frame.cut` gives them: patient right on the left, anterior on top.
    scale : ColorScale
        Numbers to colors.
    badge : bool
        Whether the picture shows a harmonized image.
    contours : sequence of Contour
        Marks to outline.
    outline : array, shape (height, width), optional
        Brain, 0 to 1; its edge is drawn thinly so that a map keeps its anatomy.
    """
    colors = scale.paint(values)
    if outline is not None:
        colors[_edge(outline)] = _OUTLINE_INK
    picture = Image.fromarray(colors)
    _burn_letters(picture)
    if contours:
        _burn_contours(picture, contours)
    if badge:
        _burn_badge(picture)
    return picture


def data_uri(picture: Image.Image, form: Form = "png") -> str:
    """Return the picture as a ``data:`` address that needs no other file.

    Parameters
    ----------
    picture : Image
        What `draw` returned.
    form : {"png", "fine", "jpeg", "small"}
        Lossless; with losses no eye sees; lighter; or as light as a slider of many
        slices needs.
    """
    buffer = BytesIO()
    if form == "png":
        picture.save(buffer, "PNG", optimize=True)
    else:
        picture.save(buffer, "JPEG", optimize=True, **_JPEG[form])
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f"data:image/{'png' if form == 'png' else 'jpeg'};base64,{text}"


def number_pixels(height: int) -> int:
    """Return how tall the number beside an outline is in a picture `height` tall."""
    return max(height // 34, 11)


def color_bar(scale: ColorScale, *, width: int = 320, height: int = 14) -> Image.Image:
    """Return the scale as a strip, lowest number on the left."""
    ramp = np.linspace(scale.low, scale.high, width, dtype=np.float32)
    return Image.fromarray(scale.paint(np.tile(ramp, (height, 1))))


def _edge(brain: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the pixels just inside the border of the brain."""
    inside = brain > 0.5
    core = inside.copy()
    for axis in (0, 1):
        for step in (-1, 1):
            core &= np.roll(inside, step, axis=axis)
    return inside & ~core


def _burn_letters(picture: Image.Image) -> None:
    width, height = picture.size
    pen, font = ImageDraw.Draw(picture), _font(max(height // 24, 11))
    gap = max(height // 90, 3)
    places = {
        "R": (gap, height / 2, "lm"),
        "L": (width - gap, height / 2, "rm"),
        "A": (width / 2, gap, "mt"),
        "P": (width / 2, height - gap, "mb"),
    }
    for letter, (x, y, anchor) in places.items():
        pen.text(
            (x, y), letter, _INK, font, anchor, stroke_width=2, stroke_fill=(0, 0, 0)
        )


def _burn_badge(picture: Image.Image) -> None:
    """Write the badge into the top left corner, on a dark plate."""
    height = picture.size[1]
    pen, font = ImageDraw.Draw(picture), _font(max(height // 36, 10))
    gap = max(height // 90, 3)
    left, top, right, bottom = pen.multiline_textbbox((2 * gap, 2 * gap), BADGE, font)
    pen.rectangle(
        (left - gap, top - gap, right + gap, bottom + gap),
        fill=(22, 22, 22),
        outline=_BADGE_INK,
    )
    pen.multiline_text((2 * gap, 2 * gap), BADGE, _BADGE_INK, font)


def _burn_contours(picture: Image.Image, contours: Sequence[Contour]) -> None:
    """Draw thin lines with a dark rim, so that they show on white and on black."""
    width, height = picture.size
    line = max(height / 400, 1)
    rim = _lines_of(contours, picture.size, 2.5 * line).point(lambda ink: ink // 2)
    picture.paste((0, 0, 0), mask=rim)
    picture.paste(_MARK_INK, mask=_lines_of(contours, picture.size, line))
    pen, font = ImageDraw.Draw(picture), _font(number_pixels(height))
    for contour in contours:
        if contour.label is not None:
            x, y = contour.label
            pen.text(
                (x * width, y * height), str(contour.number), _MARK_INK, font, "mm",
                stroke_width=2, stroke_fill=(0, 0, 0),
            )  # fmt: skip


def _lines_of(
    contours: Sequence[Contour], size: tuple[int, int], width: float
) -> Image.Image:
    """Return the share of each pixel that the lines cover, 0 to 255."""
    ink = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    pen = ImageDraw.Draw(ink)
    for points in (line for contour in contours for line in contour.lines):
        scaled = [(x * ink.width, y * ink.height) for x, y in points]
        pen.line(scaled, 255, round(_FINER * width), joint="curve")
    return ink.resize(size, Image.Resampling.BOX)


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    """Return the bold letters that come with matplotlib, so all systems agree."""
    import matplotlib

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return ImageFont.truetype(str(fonts / "DejaVuSans-Bold.ttf"), size)
