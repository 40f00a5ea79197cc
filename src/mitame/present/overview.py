"""One wide picture that tells the story: for the README, a slide or a paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from mitame.compare.comparison import Comparison
from mitame.core.errors import InputError
from mitame.core.session import Suffix
from mitame.io.staging import staged_file
from mitame.present.colors import ColorScale
from mitame.present.lightbox import Lightbox, Panel
from mitame.present.words import Language, Words, words_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_PIXELS = 1800
DOTS_PER_INCH = 150
PICTURE_PIXELS = 560

_PANELS: tuple[Panel, ...] = ("prior", "harmonized", "current", "before", "after")
_PAGE, _INK, _SOFT, _CARE = "#101317", "#eef2f6", "#a9b4c1", "#ffd166"
_GAP, _TOP, _BOTTOM = 0.008, 0.52, 0.72  # share of width; inches; inches


def write_overview_figure(
    path: Path,
    comparison: Comparison,
    suffix: Suffix,
    *,
    slice_index: int | None = None,
    credit: str = "",
) -> None:
    """Write prior, prior harmonized, current, and the difference before and after.

    Parameters
    ----------
    path : Path
        The PNG file to write, about 1800 pixels wide; its folder must exist.
    comparison : Comparison
        What `compare` found.
    suffix : str
        BIDS suffix of the sequence to show.
    slice_index : int, optional
        Slice counted upward from 0; by default the one of the largest mark inside
        the brain's middle half, or with the most brain.
    credit : str, optional
        Where the images come from, as their license asks.

    Raises
    ------
    InputError
        If the comparison has no such sequence or slice.
    OutputError
        If the file exists or cannot be written.
    """
    box = _lightbox(comparison, suffix)
    index = _telling_slice(box) if slice_index is None else slice_index
    if not 0 <= index < box.view.shape[2]:
        raise InputError(
            f"There is no slice {index}; the scan has {box.view.shape[2]}.",
            fix=f"Choose 0 to {box.view.shape[2] - 1}.",
        )
    figure = _figure(box, index, comparison, credit)
    with staged_file(path) as unfinished:
        figure.savefig(unfinished, format="png", facecolor=_PAGE)


def _lightbox(comparison: Comparison, suffix: Suffix) -> Lightbox:
    if suffix not in comparison.sequences:
        raise InputError(
            f"The comparison has no {suffix}.",
            fix=f"Use one of {', '.join(comparison.sequences)}.",
        )
    return Lightbox.of(comparison.sequences[suffix], height=PICTURE_PIXELS)


def _telling_slice(box: Lightbox) -> int:
    """Return the slice of the largest mark in the middle of the brain.

    Near the brain's surface and at its ends, skull, vessels and the edge of the
    field of view make marks; a picture for everyone shows a clearer one.
    """
    labels = box.sequence.mark_labels
    count = len(box.sequence.marks) + 1
    inside = np.bincount(labels[_middle_of(box)], minlength=count)
    mostly = 2 * inside > np.bincount(labels.ravel(), minlength=count)
    numbers = np.flatnonzero(mostly[1:]) + 1
    return box.mark_slice(int(numbers[0])) if numbers.size else box.fullest_slice


def _middle_of(box: Lightbox) -> NDArray[np.bool_]:
    """Return the voxels of the brain deeper than half its greatest depth."""
    depth = distance_transform_edt(box.sequence.brain, box.sequence.current.spacing)
    return np.asarray(depth > depth.max() / 2)


def _figure(box: Lightbox, index: int, comparison: Comparison, credit: str) -> Figure:
    """Return the row of pictures with titles, color bar, notice and credit."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    words = words_in(_LANGUAGE)
    tall, wide = box.frame.pixels
    width = WIDTH_PIXELS / DOTS_PER_INCH
    share = (1 - (len(_PANELS) + 1) * _GAP) / len(_PANELS)
    rise = share * width * tall / wide
    figure = Figure(figsize=(width, rise + _TOP + _BOTTOM), dpi=DOTS_PER_INCH)
    FigureCanvasAgg(figure)
    height = rise + _TOP + _BOTTOM
    for place, panel in enumerate(_PANELS):
        left = _GAP + place * (share + _GAP)
        axes = figure.add_axes((left, _BOTTOM / height, share, rise / height))
        picture = box.draw(panel, index, marks=panel == "after", numbers=False)
        axes.imshow(np.asarray(picture), interpolation="lanczos")
        axes.set_axis_off()
        _title(axes, words[f"panel_{panel}"], _subtitle(panel, box, comparison, words))
    # Centered below the two maps, with room for a word on each side.
    bar_left = _GAP + 3 * (share + _GAP) + 0.5 * share
    bar = figure.add_axes(
        (bar_left, (_BOTTOM - 0.24) / height, share + _GAP, 0.12 / height)
    )
    _color_bar(bar, box.scale("after"), words)
    _foot(figure, words, credit, height)
    return figure


def _title(axes: Axes, title: str, below: str) -> None:
    axes.text(
        0,
        1.07,
        title,
        transform=axes.transAxes,
        color=_INK,
        fontsize=11.5,
        weight="bold",
    )
    axes.text(0, 1.02, below, transform=axes.transAxes, color=_SOFT, fontsize=8.5)


def _subtitle(panel: Panel, box: Lightbox, comparison: Comparison, words: Words) -> str:
    """Return when and where a scan was made, or what a map is."""
    visits = {
        "prior": (comparison.prior_date, box.sequence.prior_native.scanner),
        "current": (comparison.current_date, box.sequence.current.scanner),
    }
    known = [str(part) for part in visits.get(panel, ()) if part]
    if panel == "after" and box.sequence.marks:
        return words["overview_after_note"]
    return " · ".join(known) or words[f"panel_{panel}_note"]


def _color_bar(axes: Axes, scale: ColorScale, words: Words) -> None:
    ramp = np.linspace(scale.low, scale.high, 512, dtype=np.float32)[None]
    ends = (100 * scale.low, 100 * scale.high)
    axes.imshow(scale.paint(ramp), aspect="auto", extent=(*ends, 0, 1))
    axes.set_yticks([])
    minus = "\N{MINUS SIGN}"
    names = [f"{minus}{-ends[0]:.0f}", "0", f"+{ends[1]:.0f}"]
    axes.set_xticks([ends[0], 0, ends[1]], names)
    axes.tick_params(colors=_SOFT, labelsize=8, length=2, pad=2)
    axes.set_xlabel(words["bar_difference"], color=_SOFT, fontsize=8, labelpad=1)
    side: dict[str, Any] = {"color": _SOFT, "fontsize": 8, "va": "center"}
    axes.text(ends[0] * 1.03, 0.5, words["bar_darker"], ha="right", **side)
    axes.text(ends[1] * 1.03, 0.5, words["bar_brighter"], ha="left", **side)
    for spine in axes.spines.values():
        spine.set_color("#555f6c")


def _foot(figure: Figure, words: Words, credit: str, height: float) -> None:
    figure.text(
        _GAP, 0.42 / height, words["notice"], color=_CARE, fontsize=9, weight="bold"
    )
    if credit:
        figure.text(_GAP, 0.18 / height, credit, color=_SOFT, fontsize=8)


_LANGUAGE: Language = "en"
