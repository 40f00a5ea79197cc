"""Print a page of scores, such as LEADERBOARD.md, from the tables of benchmarks.

Usage: python benchmarks/leaderboard.py "TITLE=RESULTS/table.json" ... > LEADERBOARD.md
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
from collections.abc import Iterable
from pathlib import Path

from mitame.evaluate.scores import METRICS
from mitame.evaluate.table import Row, read_rows

HEAD = """# Leaderboard

Written by `benchmarks/leaderboard.py`; every number is tied to the commit it was
measured at. In brackets: 95 % intervals over test subjects. `identity` is the floor,
nothing but preparation; `rescan` the ceiling, the target scanner's own second scan.
What each column means, and how to read it: `docs/reference/scores.md`. What did not
work: `LOG.md`.
"""


def commit() -> str:
    """Return the commit that is checked out, with a star if files were changed."""

    def git(*words: str) -> str:
        return subprocess.check_output(["git", *words], text=True).strip()

    changed = "*" if git("status", "--porcelain", "src") else ""
    return git("rev-parse", "--short", "HEAD") + changed


def cell(row: Row | None) -> str:
    """Return value and interval of one score."""
    if row is None or math.isnan(row.value):
        return "-"
    if math.isnan(row.low):
        return f"{row.value:.3g}"
    return f"{row.value:.3g} [{row.low:.3g}, {row.high:.3g}]"


def table(rows: list[Row], source: str, target: str, sequence: str) -> Iterable[str]:
    """Yield the lines of one direction and sequence."""
    here = {
        (row.engine, row.metric): row
        for row in rows
        if (row.source, row.target, row.sequence) == (source, target, sequence)
    }
    metrics = [m for m in METRICS if any(metric == m for _, metric in here)]
    engines = list(dict.fromkeys(engine for engine, _ in here))
    yield f"\n### {source} → {target}, {sequence}\n"
    yield "| engine | " + " | ".join(METRICS[m].name for m in metrics) + " |"
    yield "|---" * (len(metrics) + 1) + "|"
    for engine in engines:
        cells = [cell(here.get((engine, metric))) for metric in metrics]
        yield f"| {engine} | " + " | ".join(cells) + " |"


def chapter(title: str, path: Path) -> Iterable[str]:
    """Yield the lines of one benchmark."""
    content = json.loads(path.read_bytes())
    rows = read_rows(content["rows"])
    yield f"\n## {title}\n"
    yield ". ".join(f"{key}: {value}" for key, value in content["about"].items()) + "."
    for source, target in dict.fromkeys((row.source, row.target) for row in rows):
        for sequence in dict.fromkeys(row.sequence for row in rows):
            yield from table(rows, source, target, sequence)


def main() -> None:
    """Read the arguments and print the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tables", nargs="+", help="TITLE=PATH of a table.json")
    parser.add_argument("--at", default=commit(), help="commits it was measured at")
    given = parser.parse_args()
    print(HEAD)
    print(f"Measured at commit {given.at}.")
    for entry in given.tables:
        title, _, path = entry.rpartition("=")
        print("\n".join(chapter(title, Path(path))))


if __name__ == "__main__":
    main()
