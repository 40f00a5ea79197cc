"""The table of a benchmark: one row for each score, and its files."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from mitame.io.staging import staged_file

CEILING = "rescan"
"""The target scanner's own second scan, scored as if it were an engine's result."""

ALL = "all"
"""In place of a sequence: a score of all of them together."""


@dataclass(frozen=True, slots=True)
class Row:
    """One score of one engine.

    Parameters
    ----------
    engine : str
        As in the entry point; ``rescan`` is the target scanner's own second scan of
        the same subjects, the ceiling.
    source, target : str
        Scanners; the direction of the harmonization.
    sequence : str
        BIDS suffix, or ``all`` where a score is of all sequences together.
    metric : str
        A key of `scores.METRICS`.
    value, low, high : float
        Mean over test subjects, and its confidence interval; NaN where there is none.
    n_subjects : int
        Test subjects behind it.
    """

    engine: str
    source: str
    target: str
    sequence: str
    metric: str
    value: float
    low: float
    high: float
    n_subjects: int


def write_table(folder: Path, rows: Sequence[Row], about: Mapping[str, Any]) -> None:
    """Write ``table.csv`` and ``table.json``; the latter says how it was made.

    Numbers that are not finite are empty in the one and null in the other.
    """
    names = [field.name for field in fields(Row)]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(plain(row, "") for row in rows)
    with staged_file(folder / "table.csv") as temporary:
        temporary.write_text(text.getvalue(), encoding="utf-8")
    content = {"about": dict(about), "rows": [plain(row) for row in rows]}
    with staged_file(folder / "table.json") as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def read_rows(entries: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Return the rows that JSON holds."""
    return [Row(**{**entry, **_numbers(entry)}) for entry in entries]


def _numbers(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the numbers of a row, NaN where JSON has null."""
    return {
        key: math.nan if entry[key] is None else entry[key]
        for key in ("value", "low", "high")
    }


def plain(row: Row, missing: str | None = None) -> dict[str, Any]:
    """Return a row as plain values, `missing` in place of NaN."""
    return {
        key: missing if isinstance(value, float) and math.isnan(value) else value
        for key, value in asdict(row).items()
    }
