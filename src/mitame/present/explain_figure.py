"""Where in the head two groups differ: a map over the template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mitame.core.volume import Volume
from mitame.engines.elements.fields import field_over
from mitame.explain.groups import Explanation
from mitame.prepare.resample import resample
from mitame.prepare.template import template
from mitame.present.fit_figures import INK, PAGE
from mitame.solve.smooth import gaussian

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

    from mitame.explain.inside.places import Responds

LIMIT = 30.0
"""Percent: the ends of the scale."""

RESPONSE_LIMIT = 2.0
"""Standard deviations of a channel over the brain: the ends of its scale."""

FAINT, RESPONSE_FAINT = 0.5, 0.5
"""Percent, and standard deviations; less is not drawn."""

PLACES_MM = (2.0, -20.0, 18.0)
"""Where the sagittal, coronal and axial slices are, if no place says otherwise: in
MNI152, beside the midline."""


def edit_map(told: Explanation) -> NDArray[np.float32] | None:
    """Return how much brighter the target is at each place of the template, percent.

    Bias field and places only; None where nothing varies with place.
    """
    grid, mask = template("t1"), template("mask").data > 0.5
    edit = np.zeros(grid.shape, np.float32)
    field = told.found.sizes.get("bias field")
    if field is None and not told.places:
        return None
    if field is not None:
        edit += 100 * np.expm1(field_over(grid.affine, grid.shape, field))
    for place in told.places:
        edit += 100 * resample(place.map, grid, interpolator="linear").data
    return edit * mask


def middle_of(told: Explanation) -> tuple[float, ...]:
    """Return where in MNI152 slices shall meet, mm: in the place, if there is one."""
    if not told.places:
        return PLACES_MM
    return peak_of(max(told.places, key=lambda place: place.energy).map)


def peak_of(found: Volume) -> tuple[float, ...]:
    """Return where in MNI152 a map is farthest from 0 around a voxel, mm."""
    size = np.abs(found.data)
    peak = np.unravel_index(int(gaussian(size, 2.0).argmax()), size.shape)
    return tuple(float(x) for x in found.affine[:3, :3] @ peak + found.affine[:3, 3])


def map_figure(edit: NDArray[np.float32], middle: tuple[float, ...]) -> Figure:
    """Return three slices of the template, through one point, and the map on them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.4), facecolor=PAGE)
    shown = _slices(figure.subplots(1, 3), edit, middle, (FAINT, LIMIT))
    _bar(figure, shown, "%")
    return figure


def responses_figure(places: Sequence[Responds]) -> Figure:
    """Return three slices of the template for each channel, where it responds most."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4 * len(places)), facecolor=PAGE)
    rows = figure.subplots(len(places), 3, squeeze=False)
    drawn = RESPONSE_FAINT, RESPONSE_LIMIT
    for place, row in zip(places, rows, strict=True):
        over = resample(place.map, template("t1"), interpolator="linear").data
        shown = _slices(row, over, peak_of(place.map), drawn)
        title = f"#{place.channel}   {row[0].get_title()}"
        row[0].set_title(title, color=INK)
    _bar(figure, shown, "SD")
    return figure


def _slices(
    row: Sequence[Axes],
    edit: NDArray[np.float32],
    middle: tuple[float, ...],
    drawn: tuple[float, float],
) -> AxesImage:
    """Draw a map over the template in three directions; return the last picture.

    Parameters
    ----------
    row : sequence of Axes
        Three.
    edit : array, shape of the template
        The map.
    middle : tuple of float
        Where slices meet, mm.
    drawn : tuple of float
        The least that is drawn, and the end of the scale.
    """
    faint, limit = drawn
    grid = template("t1")
    back = np.linalg.inv(grid.affine)
    index = np.rint(back[:3, :3] @ middle + back[:3, 3]).astype(int)
    for axis, axes in enumerate(row):
        head = np.take(grid.data, index[axis], axis=axis)
        over = np.take(edit, index[axis], axis=axis)
        if axis > 0:  # the patient's right is at the left
            head, over = head[::-1], over[::-1]
        axes.imshow(head.T, cmap="gray", origin="lower")
        seen = np.ma.masked_where(np.abs(over) < faint, over)
        shown = axes.imshow(
            seen.T, cmap="PuOr_r", vmin=-limit, vmax=limit, origin="lower", alpha=0.6
        )
        axes.set_axis_off()
        axes.set_title(f"{'xyz'[axis]} = {middle[axis]:.0f} mm", color=INK)
    return shown


def _bar(figure: Figure, shown: AxesImage, unit: str) -> None:
    bar = figure.colorbar(shown, ax=figure.axes, shrink=0.8, pad=0.02)
    bar.set_label(unit, color=INK)
    bar.ax.tick_params(colors=INK)
