"""`mitame benchmark`: engines on traveling subjects, one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mitame.cli.console import job
from mitame.cli.options import Json, Lang, Out, expanded


def benchmark(
    cohort: Annotated[
        Path,
        typer.Option(
            callback=expanded, help="BIDS dataset of traveling subjects (simulate)."
        ),
    ],
    out: Out,
    engines: Annotated[
        str, typer.Option(help="Names, with commas; all that are installed if empty.")
    ] = "",
    test: Annotated[int, typer.Option(help="Subjects to test on.")] = 6,
    seed: Annotated[int, typer.Option(help="Of split, classifiers, intervals.")] = 1,
    sites: Annotated[
        bool, typer.Option(help="Train classifiers to tell the scanners apart.")
    ] = True,
    unpaired: Annotated[
        bool, typer.Option(help="Train on other subjects for each scanner.")
    ] = False,
    suite: Annotated[
        str,
        typer.Option(
            help="looks; lesions (do they stay?); bias (and if one group is ill?); "
            "faults (does the guard see them?)."
        ),
    ] = "looks",
    lang: Lang = "en",
    as_json: Json = False,
) -> None:
    """Score engines on subjects who were on several scanners, in every direction.

    Each engine is fitted on the training subjects and scored on the others, beside
    the target scanner's own second scan. A run that was interrupted goes on where it
    stopped. Other suites ask whether lesions stay, with and without the limited mode,
    also if one training group is ill, and whether the guard finds broken results and
    lets good ones pass.
    """
    with job("benchmark", as_json=as_json) as running:
        # Heavy: SciPy, scikit-learn. `mitame --help` need not wait for them.
        from mitame.evaluate.benchmark import Plan, count_steps, run_benchmark
        from mitame.evaluate.cohort import find_cohort
        from mitame.present.benchmark import write_benchmark_report
        from mitame.present.benchmark_figure import write_benchmark_figure
        from mitame.run.benchmark import RESULTS, engines_for, write_tables
        from mitame.run.places import open_dataset, require_apart, require_usable

        names = [name.strip() for name in engines.split(",") if name.strip()]
        people = find_cohort(cohort)
        chosen = tuple(names or engines_for(unpaired=unpaired))
        sites = sites and suite == "looks"
        plan = Plan(chosen, test, seed, sites, unpaired, suite)
        running.expect(count_steps(people, plan), "reading the cohort")
        require_apart(out, [str(cohort)], [])
        require_usable(out)
        open_dataset(out, "mitame benchmark")
        rows = run_benchmark(people, plan, out, progress=running.step)
        about = write_tables(out, rows, people, plan)
        write_benchmark_figure(out / "figure.png", rows)
        write_benchmark_report(out / "report.html", rows, about, lang=lang)
        running.outputs = [out / name for name in RESULTS]
        running.result = {"rows": len(rows)}
        running.lines = [f"{len(rows)} scores. Report: {out / 'report.html'}"]
