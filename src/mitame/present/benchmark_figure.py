"""The benchmark as one picture: engines between the floor and the ceiling."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.evaluate.scores import METRICS, Metric
from mitame.evaluate.table import ALL, CEILING, Row
from mitame.io.staging import staged_file
from mitame.present.standings import (
    FLOOR,
    direction_in_words,
    measured_metrics,
    ranked_engines,
    shortfall,
)
from mitame.present.words import words_in

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE_METRICS = ("gap_closed", "site_accuracy", "psnr")
SUITE_METRICS = (
    ("lesions_safe_limited", "lesions_safe", "psnr_limited"),
    ("lesions_safe_ill_100_limited", "lesions_safe_ill_100", "lesions_safe_ill_000"),
    ("faults_caught", "good_refused", "good_looked_at"),
)
"""Shown of the suites of the guard, which the first one tells."""

CHANCE = {"site_accuracy": 0.5}

WIDTH_PIXELS = 1800
DOTS_PER_INCH = 150

_PAGE, _PLATE, _LINE = "#101317", "#171b21", "#333a44"
_INK, _SOFT, _CARE = "#eef2f6", "#a9b4c1", "#ffd166"

# Colors of Okabe and Ito, who made them for all kinds of color vision, and shapes.
_STYLES = {
    "T1w": ("#56b4e9", "o"),
    "T2w": ("#e69f00", "s"),
    "FLAIR": ("#2fc49a", "^"),
    "PDw": ("#cc79a7", "D"),
    ALL: ("#eef2f6", "o"),
}
_OTHER_STYLE = ("#f0e442", "v")
_CEILING_LINE: dict[str, Any] = {"linestyle": (0, (5, 3)), "linewidth": 1.3}
_CHANCE_LINE: dict[str, Any] = {"linestyle": (0, (1, 1.5)), "linewidth": 1.5}

_LEFT, _RIGHT = "\N{BLACK LEFT-POINTING TRIANGLE}", "\N{BLACK RIGHT-POINTING TRIANGLE}"

_ENGINE, _LETTER, _SIDE = 0.36, 0.085, 0.2  # inches
_TOP, _BETWEEN, _FOOT = 0.95, 0.75, 1.12  # inches; above, between and below panels

FAR = 1.0
"""Scores that lie farther below the floor than so many times the way from the floor
to the best are not shown to scale."""


def write_benchmark_figure(
    path: Path,
    rows: Sequence[Row],
    metrics: Sequence[str] | None = None,
) -> None:
    """Write one panel per direction and metric, engines from top to bottom.

    Parameters
    ----------
    path : Path
        The PNG file to write, 1800 pixels wide; its folder must exist.
    rows : sequence of Row
        What the benchmark found.
    metrics : sequence of str, optional
        Columns, from left to right, if not those of `shown_metrics`. The first one
        sorts the engines; those that were not measured are left out.

    Raises
    ------
    InputError
        If none of the metrics was measured.
    OutputError
        If the file exists or cannot be written.
    """
    figure = benchmark_figure(rows, metrics or shown_metrics(rows))
    with staged_file(path) as unfinished:
        figure.savefig(unfinished, format="png")


def shown_metrics(rows: Sequence[Row]) -> Sequence[str]:
    """Return what is shown first of the suite that was measured."""
    measured = measured_metrics(rows)
    for metrics in SUITE_METRICS:
        if metrics[0] in measured:
            return metrics
    return FIGURE_METRICS


def benchmark_figure(rows: Sequence[Row], metrics: Sequence[str]) -> Figure:
    """Return what `write_benchmark_figure` writes."""
    measured = measured_metrics(rows)
    shown = [metric for metric in metrics if metric in measured]
    if not shown:
        raise InputError(
            f"The benchmark has no score of {', '.join(metrics)}.",
            fix=f"Choose of what it measured: {', '.join(measured) or 'nothing'}.",
        )
    engines = ranked_engines(rows, shown[0])
    directions = list(dict.fromkeys((row.source, row.target) for row in rows))
    figure, grid = _empty_figure(engines, len(directions), len(shown))
    for column, metric in zip(grid.T, shown, strict=True):
        scores = [row for row in rows if row.metric == metric]
        limits = _limits(scores, CHANCE.get(metric))
        _title(column[0], METRICS[metric])
        for axes, direction in zip(column, directions, strict=True):
            here = [row for row in scores if (row.source, row.target) == direction]
            axes.set(xlim=limits, ylim=(len(engines) - 0.5, -0.5))
            _draw_panel(axes, here, engines, CHANCE.get(metric))
    for axes, direction in zip(grid[:, 0], directions, strict=True):
        _name_engines(axes, engines, direction)
    _legend(figure, rows)
    return figure


def _empty_figure(
    engines: Sequence[str], n_lines: int, n_columns: int
) -> tuple[Figure, NDArray[Any]]:
    """Return a figure whose height fits its engines, and its panels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panel = _ENGINE * len(engines)
    width = WIDTH_PIXELS / DOTS_PER_INCH
    height = _TOP + n_lines * panel + (n_lines - 1) * _BETWEEN + _FOOT
    figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor=_PAGE)
    FigureCanvasAgg(figure)
    places = {
        "left": (_LETTER * max(map(len, engines)) + 2 * _SIDE) / width,
        "right": 1 - _SIDE / width,
        "top": 1 - _TOP / height,
        "bottom": _FOOT / height,
        "hspace": _BETWEEN / panel,
        "wspace": 0.07,
    }
    return figure, figure.subplots(
        n_lines, n_columns, squeeze=False, gridspec_kw=places
    )


def _draw_panel(
    axes: Axes, rows: Sequence[Row], engines: Sequence[str], chance: float | None
) -> None:
    """Draw the scores of one metric in one direction."""
    axes.set(facecolor=_PLATE, yticks=np.arange(len(engines) - 1) + 0.5, yticklabels=[])
    axes.tick_params(colors=_SOFT, labelsize=8.5, length=0)
    axes.grid(color=_LINE, linewidth=0.6)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(_LINE)
    if chance is not None:
        axes.axvline(chance, color=_CARE, **_CHANCE_LINE)
    _draw_ceiling(axes, [row for row in rows if row.engine == CEILING])
    sequences = list(dict.fromkeys(row.sequence for row in rows))
    step = 0.6 / max(len(sequences) - 1, 1)
    for row in rows:
        if row.engine in engines and math.isfinite(row.value):
            shift = step * (sequences.index(row.sequence) - (len(sequences) - 1) / 2)
            _draw_score(axes, row, engines.index(row.engine) + shift)


def _draw_score(axes: Axes, row: Row, y: float) -> None:
    """Draw a score with its interval; one out of the panel is a number at its edge."""
    color, marker = _STYLES.get(row.sequence, _OTHER_STYLE)
    low, high = axes.get_xlim()
    if low <= row.value <= high:
        axes.plot([row.low, row.high], [y, y], color=color, linewidth=1.6)
        axes.plot(row.value, y, marker, color=color, ms=6, mec=_PAGE, mew=0.7)
        return
    text = f"{row.value:.3g}".replace("-", "\N{MINUS SIGN}")
    if row.value < low:
        place, side, text = low, "left", f" {_LEFT} {text}"
    else:
        place, side, text = high, "right", f"{text} {_RIGHT} "
    axes.text(place, y, text, color=color, ha=side, va="center_baseline", fontsize=7)


def _draw_ceiling(axes: Axes, rows: Sequence[Row]) -> None:
    """Draw a dashed line per sequence, or one gray line where they coincide."""
    found = {row.sequence: row.value for row in rows if math.isfinite(row.value)}
    if len(found) > 1 and np.ptp(list(found.values())) < 1e-6:
        axes.axvline(next(iter(found.values())), color=_SOFT, **_CEILING_LINE)
        return
    for sequence, value in found.items():
        color, _ = _STYLES.get(sequence, _OTHER_STYLE)
        axes.axvline(value, color=color, **_CEILING_LINE)


def _limits(rows: Sequence[Row], chance: float | None) -> tuple[float, float]:
    """Return ends that show all but engines far below the floor.

    One engine that fails would press all others together.
    """
    scores = [row for row in rows if math.isfinite(row.value)]
    short = [shortfall(row.value, METRICS[row.metric].direction) for row in scores]
    floors = [s for row, s in zip(scores, short, strict=True) if row.engine == FLOOR]
    poor, best = max([float(np.median(short)), *floors]), min(short)
    worst = poor + FAR * (poor - best) if poor > best else math.inf
    ends = [] if chance is None else [chance]
    for row, far in zip(scores, short, strict=True):
        ends += [row.value, row.low, row.high] if far <= worst else []
    low, high = np.nanmin(ends), np.nanmax(ends)
    margin = 0.06 * max(high - low, 1e-3)
    return float(low - margin), float(high + margin)


def _name_engines(
    axes: Axes, engines: Sequence[str], direction: tuple[str, str]
) -> None:
    """Write the engines on the left and, above them, the direction."""
    for place, engine in enumerate(engines):
        color = _SOFT if engine == FLOOR else _INK
        at = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "center"}
        _write(axes, engine, (0, place), (-8, 0), color=color, fontsize=10, **at)
    way = " \N{RIGHTWARDS ARROW} ".join(direction)
    _write(axes, way, (0, 1), (0, 7), color=_INK, fontsize=10.5)


def _title(axes: Axes, metric: Metric) -> None:
    """Write what a column shows, in what unit, and which values are good."""
    below = [metric.unit, direction_in_words(metric.direction, words_in("en"))]
    _write(axes, metric.name, (0, 1), (0, 44), color=_INK, fontsize=12, weight="bold")
    _write(axes, ", ".join(filter(None, below)), (0, 1), (0, 29), color=_SOFT)


def _write(
    axes: Axes,
    text: str,
    place: tuple[float, float],
    offset: tuple[float, float],
    **style: Any,  # noqa: ANN401 - as matplotlib takes it
) -> None:
    """Write beside a panel; names are never read as mathematics."""
    style = {"xycoords": "axes fraction", "fontsize": 9, **style}
    axes.annotate(
        text, place, offset, textcoords="offset points", parse_math=False, **style
    )


def _legend(figure: Figure, rows: Sequence[Row]) -> None:
    """Explain marks and lines below the panels, and repeat the notice."""
    from matplotlib.lines import Line2D

    words = words_in("en")
    keys = []
    for sequence in dict.fromkeys(row.sequence for row in rows):
        color, marker = _STYLES.get(sequence, _OTHER_STYLE)
        name = words["bench_all"] if sequence == ALL else sequence
        keys.append(Line2D([], [], color=color, marker=marker, label=name))
    if any(row.engine == CEILING for row in rows):
        name = words["bench_ceiling"]
        keys.append(Line2D([], [], color=_SOFT, label=name, **_CEILING_LINE))
    if any(row.metric in CHANCE for row in rows):
        name = words["bench_chance"]
        keys.append(Line2D([], [], color=_CARE, label=name, **_CHANCE_LINE))
    left, tall = _SIDE * DOTS_PER_INCH / WIDTH_PIXELS, figure.get_figheight()
    figure.legend(
        handles=keys, loc="upper left", bbox_to_anchor=(left, 0.72 / tall),
        ncols=len(keys), frameon=False, labelcolor=_INK, fontsize=9, borderpad=0,
        borderaxespad=0, columnspacing=1.8,
    )  # fmt: skip
    figure.text(left, 0.33 / tall, words["bench_points"], color=_SOFT, fontsize=8.5)
    figure.text(
        left, 0.13 / tall, words["notice"], color=_CARE, fontsize=8.5, weight="bold"
    )
