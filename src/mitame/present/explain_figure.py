"""Where in the head two groups differ: a map over the template."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.fields import field_over
from mitame.explain.groups import Explanation
from mitame.prepare.resample import resample
from mitame.prepare.template import template
from mitame.present.fit_figures import INK, PAGE
from mitame.solve.smooth import gaussian

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LIMIT = 30.0
"""Percent: the ends of the scale."""

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
    most = max(told.places, key=lambda place: place.energy).map
    size = np.abs(most.data)
    peak = np.unravel_index(int(gaussian(size, 2.0).argmax()), size.shape)
    affine = most.affine
    return tuple(float(x) for x in affine[:3, :3] @ peak + affine[:3, 3])


def map_figure(edit: NDArray[np.float32], middle: tuple[float, ...]) -> Figure:
    """Return three slices of the template, through one point, and the map on them."""
    from matplotlib.figure import Figure

    grid = template("t1")
    back = np.linalg.inv(grid.affine)
    index = np.rint(back[:3, :3] @ middle + back[:3, 3]).astype(int)
    figure = Figure(figsize=(12, 4.4), facecolor=PAGE)
    for axis, axes in enumerate(figure.subplots(1, 3)):
        head = np.take(grid.data, index[axis], axis=axis)
        over = np.take(edit, index[axis], axis=axis)
        if axis > 0:  # the patient's right is at the left
            head, over = head[::-1], over[::-1]
        axes.imshow(head.T, cmap="gray", origin="lower")
        seen = np.ma.masked_where(np.abs(over) < 0.5, over)
        shown = axes.imshow(
            seen.T, cmap="PuOr_r", vmin=-LIMIT, vmax=LIMIT, origin="lower", alpha=0.6
        )
        axes.set_axis_off()
        axes.set_title(f"{'xyz'[axis]} = {middle[axis]:.0f} mm", color=INK)
    bar = figure.colorbar(shown, ax=figure.axes, shrink=0.8, pad=0.02)
    bar.set_label("%", color=INK)
    bar.ax.tick_params(colors=INK)
    return figure
