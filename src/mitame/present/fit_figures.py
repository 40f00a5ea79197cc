"""A fitted model as pictures: one scan before and after, and the atoms of its code."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.engines.coded import Atoms
from mitame.present.colors import gray_scale, signed_scale
from mitame.present.words import Words
from mitame.run.fit_example import Example

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PAGE, INK, SOFT, CARE = "#101317", "#eef2f6", "#a9b4c1", "#ffd166"

BRIGHTEST = 0.995
"""Quantile of the brain that is shown white."""

TINY = float(np.finfo(np.float32).tiny)

SHOWN_ATOMS, IN_A_ROW = 48, 16
COLUMNS = ("given", "made", "edit")
"""Of `changes_figure`."""

PANEL_INCHES, ATOM_INCHES = 3.0, 0.75


def panels_figure(example: Example, suffix: Suffix, words: Words) -> Figure:
    """Return A and B, and what the model makes of A, from black to one white."""
    panels = _panels(example, words)
    white = _white(example.target, suffix)
    figure = _figure(PANEL_INCHES * len(panels), PANEL_INCHES * 1.3)
    for axes, (title, session, made) in zip(
        figure.subplots(1, len(panels)), panels, strict=True
    ):
        picture, aspect = _slice(session, suffix)
        axes.imshow(picture, cmap="gray", vmin=0, vmax=white, aspect=aspect)
        axes.set_title(title, color=INK, fontsize=11)
        for letter, x in (("R", 0.02), ("L", 0.98)):
            _write(axes, letter, x, 0.5, "left" if x < 0.5 else "right", SOFT)
        if made:
            _write(axes, words["fit_badge"], 0.5, 0.02, "center", CARE)
        axes.set_axis_off()
    figure.subplots_adjust(0.005, 0.01, 0.995, 0.92, wspace=0.02)
    return figure


def changes_figure(example: Example, suffix: Suffix, words: Words) -> Figure:
    """Return what is given, what the model makes of it, and what it changed.

    Of both directions, if the model has learned the way back: the second row is B.
    """
    rows = [(example.source, example.result, example.target, "there")]
    if example.back is not None:
        rows.append((example.target, example.back, example.source, "back"))
    figure = _figure(PANEL_INCHES * 3, PANEL_INCHES * 1.3 * len(rows))
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for line, (given, made, aim, way) in zip(grid, rows, strict=True):
        white = _white(aim, suffix)
        (before, aspect), (after, _) = (_slice(one, suffix) for one in (given, made))
        pictures = (
            *(gray_scale(0, white).paint(one) for one in (before, after)),
            signed_scale().paint(after - before),
        )
        for axes, picture, column in zip(line, pictures, COLUMNS, strict=True):
            axes.imshow(picture, aspect=aspect)
            axes.set_title(words[f"fit_{column}_{way}"], color=INK, fontsize=11)
            axes.set_axis_off()
        _write(line[1], words["fit_badge"], 0.5, 0.02, "center", CARE)
    figure.subplots_adjust(0.005, 0.01, 0.995, 0.95, wspace=0.02, hspace=0.08)
    return figure


def atoms_figure(atoms: Atoms, sequence: int) -> Figure:
    """Return the most used atoms of one sequence: the source's above the target's."""
    order = np.argsort(atoms.use, kind="stable")[-SHOWN_ATOMS:][::-1]
    lines = math.ceil(len(order) / IN_A_ROW)
    figure = _figure(ATOM_INCHES * IN_A_ROW, ATOM_INCHES * 2.5 * lines)
    grid = figure.subplots(2 * lines, IN_A_ROW, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for place, atom in enumerate(order):
        line, column = divmod(place, IN_A_ROW)
        for side, boxes in enumerate((atoms.source, atoms.target)):
            axes = grid[2 * line + side, column]
            picture = _middle(boxes[atom, sequence])
            most = max(float(np.abs(picture).max()), TINY)
            axes.imshow(picture.T[::-1, ::-1], cmap="gray", vmin=-most, vmax=most)
        grid[2 * line, column].set_title(
            f"{100 * atoms.use[atom]:.1f} %", color=SOFT, fontsize=7, pad=2
        )
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.94, wspace=0.15, hspace=0.15)
    return figure


def _panels(example: Example, words: Words) -> Sequence[tuple[str, Session, bool]]:
    """Return title, session, and whether the model made it."""
    found = [
        (words["fit_panel_source"], example.source, False),
        (words["fit_panel_target"], example.target, False),
    ]
    if example.from_code is None:
        return [*found, (words["fit_panel_result"], example.result, True)]
    return [
        *found,
        (words["fit_panel_own_code"], example.from_code, True),
        (words["fit_panel_code"], example.result, True),
    ]


def _slice(session: Session, suffix: Suffix) -> tuple[NDArray[np.float32], float]:
    """Return the slice with most brain, front up, the patient's right at the left."""
    volume, spacing = session[suffix], session[suffix].spacing
    k = int(session.require_brain().sum(axis=(0, 1)).argmax())
    return volume.data[:, :, k].T[::-1, ::-1], spacing[1] / spacing[0]


def _white(session: Session, suffix: Suffix) -> float:
    return float(np.quantile(session[suffix].data[session.require_brain()], BRIGHTEST))


def _middle(box: NDArray[np.float32]) -> NDArray[np.float32]:
    return box[:, :, box.shape[2] // 2]


def _figure(width: float, height: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, facecolor=PAGE)
    FigureCanvasAgg(figure)
    return figure


def _write(axes: Axes, text: str, x: float, y: float, align: str, color: str) -> None:
    axes.text(
        x, y, text, transform=axes.transAxes, ha=align, va="bottom", color=color,
        fontsize=8,
    )  # fmt: skip
