"""A benchmark's results on disk: table, figure and page."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mitame.engines.named import engine_class, engine_names
from mitame.evaluate.benchmark import Plan
from mitame.evaluate.cohort import Cohort
from mitame.evaluate.table import Row, write_table

RESULTS = ("table.csv", "table.json", "figure.png", "report.html")


def engines_for(*, unpaired: bool) -> list[str]:
    """Return every installed engine that can be fitted so."""
    return [
        name
        for name in engine_names()
        if not (unpaired and engine_class(name).needs_pairs)
    ]


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
        "training": "unpaired" if plan.unpaired else "paired",
        "suite": plan.suite,
        "seed": plan.seed,
        "mitame": version("mitame"),
    }
    for name in RESULTS:
        (out / name).unlink(missing_ok=True)
    write_table(out, rows, about)
    return about
