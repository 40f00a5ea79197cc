"""One self-contained page: how well the engines of a benchmark harmonize."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mitame.core.errors import InputError
from mitame.evaluate.scores import METRICS
from mitame.evaluate.table import ALL, CEILING, Row
from mitame.io.staging import staged_file
from mitame.present.benchmark_figure import benchmark_figure, shown_metrics
from mitame.present.page import figure_uri, rendered
from mitame.present.record import Line, settings_as_lines
from mitame.present.standings import (
    FLOOR,
    direction_in_words,
    measured_metrics,
    ranked_engines,
    shortfall,
)
from mitame.present.words import Language, Words, metric_translations, words_in

MOST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A metric as the page tells it; `digits` are those behind the point."""

    key: str
    name: str
    definition: str
    unit: str
    good: str
    digits: int
    lang: Language


@dataclass(frozen=True, slots=True)
class Cell:
    """A score and its interval, ready to print; an empty value was not measured."""

    value: str = ""
    interval: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Engines × metrics of one sequence in one direction, best engines first."""

    caption: str
    columns: list[Column]
    lines: list[tuple[str, list[Cell]]]


@dataclass(frozen=True, slots=True)
class Part:
    """All tables of one direction."""

    source: str
    target: str
    tables: list[Table]


def write_benchmark_report(
    path: Path,
    rows: Sequence[Row],
    about: Mapping[str, Any],
    *,
    lang: Language = "en",
) -> None:
    """Write a page with every score, what it means, and one picture of them.

    Parameters
    ----------
    path : Path
        The HTML file to write; its folder must exist. It needs no other file and no
        network, and appears complete or not at all.
    rows : sequence of Row
        What the benchmark found.
    about : mapping of str to object
        What was measured on what, to be printed; paths show their last part only.
    lang : {"en", "ja"}, optional
        Language of the page; the picture is in English.

    Raises
    ------
    InputError
        If there is no score, a metric has no definition, or the language is unknown.
    OutputError
        If the file exists or cannot be written.
    """
    words = words_in(lang)
    with staged_file(path) as unfinished:
        unfinished.write_text(_render(rows, about, words), encoding="utf-8")


def _render(rows: Sequence[Row], about: Mapping[str, Any], words: Words) -> str:
    """Return the page as text."""
    columns = _columns(rows, words)
    shown = [m for m in shown_metrics(rows) if m in columns] or list(columns)[:3]
    engines = [*ranked_engines(rows, shown[0]), CEILING]
    parts = _parts(rows, columns, engines, words)
    return rendered(
        "benchmark.html.j2",
        words,
        about=_about_lines(about, words),
        columns=list(columns.values()),
        parts=parts,
        floor=FLOOR,
        ceiling=CEILING,
        figure=figure_uri(benchmark_figure(rows, shown)),
        figure_alt=_figure_alt(parts, [columns[m].name for m in shown], words),
        figure_order=words.say("bench_order", metric=columns[shown[0]].name),
    )


def _columns(rows: Sequence[Row], words: Words) -> dict[str, Column]:
    """Return the metrics that were measured, in the order of their definitions."""
    measured = measured_metrics(rows)
    if not measured:
        raise InputError("The benchmark has no score.", fix="Run it to its end first.")
    return {name: _column(name, _digits(rows, name), words) for name in measured}


def _column(key: str, digits: int, words: Words) -> Column:
    """Return a metric in the reader's language, or else in English."""
    metric = METRICS[key]
    known = metric_translations().get(key, {}).get(words.lang)
    name, definition, unit = known or (metric.name, metric.definition, metric.unit)
    good = direction_in_words(metric.direction, words)
    lang = words.lang if known else "en"
    return Column(key, name, definition, unit, good, digits, lang)


def _digits(rows: Sequence[Row], metric: str) -> int:
    """Return as many digits behind the point as the surer rows of a metric warrant."""
    found = [row for row in rows if row.metric == metric]
    halves = [(row.high - row.low) / 2 for row in found if row.high > row.low]
    if not halves:
        return 2
    narrow = np.quantile(halves, 0.25)
    return int(np.clip(math.ceil(-math.log10(narrow)), 1, MOST_DIGITS))


def _parts(
    rows: Sequence[Row],
    columns: Mapping[str, Column],
    engines: Sequence[str],
    words: Words,
) -> list[Part]:
    """Return the tables by direction, then by sequence, in the order of the rows."""
    grouped: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for row in rows:
        if row.metric in columns:
            by_sequence = grouped.setdefault((row.source, row.target), {})
            by_sequence.setdefault(row.sequence, []).append(row)
    parts = []
    for (source, target), group in grouped.items():
        tables = [_table(found, columns, engines, words) for found in group.values()]
        parts.append(Part(source, target, tables))
    return parts


def _table(
    rows: Sequence[Row],
    columns: Mapping[str, Column],
    engines: Sequence[str],
    words: Words,
) -> Table:
    """Return the table of one sequence in one direction."""
    scores = {(row.engine, row.metric): row for row in rows}
    shown = [columns[m] for m in columns if any(row.metric == m for row in rows)]
    best = {column.key: _best(rows, column) for column in shown}
    lines = []
    for engine in engines:
        found = [(scores.get((engine, column.key)), column) for column in shown]
        cells = [_cell(row, c, best=engine in best[c.key]) for row, c in found]
        if any(row for row, _ in found):
            lines.append((engine, cells))
    return Table(_caption(rows, words), shown, lines)


def _best(rows: Sequence[Row], column: Column) -> set[str]:
    """Return the engines that none beats by a printed digit; the floor if as good."""
    found = {
        row.engine: _rounded_shortfall(row.value, column)
        for row in rows
        if row.metric == column.key
        and row.engine != CEILING
        and math.isfinite(row.value)
    }
    least = min((v for engine, v in found.items() if engine != FLOOR), default=math.inf)
    return {engine for engine, short in found.items() if short <= least}


def _rounded_shortfall(value: float, column: Column) -> float:
    # Twice: 0.45 and 0.55 are equally far from 0.5, though not in binary.
    printed = round(value, column.digits)
    return round(shortfall(printed, METRICS[column.key].direction), column.digits)


def _cell(row: Row | None, column: Column, *, best: bool) -> Cell:
    if row is None or not math.isfinite(row.value):
        return Cell()
    low, high = (_number(end, column.digits) for end in (row.low, row.high))
    interval = f"[{low}, {high}]" if math.isfinite(row.high - row.low) else ""
    return Cell(_number(row.value, column.digits), interval, best)


def _number(value: float, digits: int) -> str:
    """Return a number with a true minus sign, none before a zero."""
    return f"{value:z.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _caption(rows: Sequence[Row], words: Words) -> str:
    """Return the sequence, and how many subjects its scores are of."""
    sequence = words["bench_all"] if rows[0].sequence == ALL else rows[0].sequence
    counts = sorted({row.n_subjects for row in rows})
    n = f"{counts[0]}\N{EN DASH}{counts[-1]}" if len(counts) > 1 else str(counts[0])
    key = "bench_caption_one" if counts == [1] else "bench_caption"
    return words.say(key, sequence=sequence, n=n)


def _about_lines(about: Mapping[str, Any], words: Words) -> list[Line]:
    """Return what was measured on what; an unknown key keeps its name."""
    return [
        Line(
            words.texts.get(f"bench_about_{name}", str(name).replace("_", " ")),
            _plain(value, words),
        )
        for name, value in about.items()
    ]


def _plain(value: object, words: Words) -> str:
    """Return a value as a person would write it, without brackets and folders."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(v, words)}" for key, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_plain(one, words) for one in value)
    return settings_as_lines({"": value}, words)[0].text


def _figure_alt(parts: Sequence[Part], metrics: Sequence[str], words: Words) -> str:
    """Return what the figure shows, for those who cannot see it."""
    ways = [f"{part.source} \N{RIGHTWARDS ARROW} {part.target}" for part in parts]
    comma = words["bench_comma"]
    return words.say(
        "bench_figure_alt", metrics=comma.join(metrics), directions=comma.join(ways)
    )
