"""A benchmark's results on disk: table, figure and page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mitame.evaluate.benchmark import Plan
from mitame.evaluate.cohort import Cohort
from mitame.evaluate.table import Row, write_table
from mitame.io import bids
from mitame.io.staging import is_ours, staged

RESULTS = ("table.csv", "table.json", "figure.png", "report.html")


def open_results(out: Path) -> None:
    """Make `out` a folder of results, unless it is one of an earlier run."""
    if not is_ours(out):
        with staged(out) as folder:
            bids.write_dataset_description(folder, name="mitame benchmark")


def write_tables(
    out: Path, rows: Sequence[Row], cohort: Cohort, plan: Plan
) -> dict[str, Any]:
    """Write the table in both forms; return how it was made.

    Results of an earlier run make way.
    """
    about = {
        "cohort": cohort.folder.name,
        "scanners": list(cohort.scanners),
        "sequences": list(cohort.sequences),
        "subjects_train": len(cohort.subjects) - plan.test,
        "subjects_test": plan.test,
        "seed": plan.seed,
        "mitame": version("mitame"),
    }
    for name in RESULTS:
        (out / name).unlink(missing_ok=True)
    write_table(out, rows, about)
    return about
