"""`mitame evaluate`: scores of harmonized scans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mitame.cli.console import job
from mitame.cli.options import Json, OneSequence

if TYPE_CHECKING:
    from mitame.core.session import Suffix
    from mitame.evaluate.intervals import Interval
    from mitame.run.evaluate import Scores


def evaluate(
    results: Annotated[
        list[str], typer.Argument(help="Harmonized scans: files, folders, 'globs'.")
    ],
    target: Annotated[
        list[str], typer.Option(help="The same subjects on the target scanner.")
    ],
    source: Annotated[
        list[str] | None, typer.Option(help="What was harmonized; with --rescan.")
    ] = None,
    rescan: Annotated[
        list[str] | None,
        typer.Option(help="The target scanner's second scans; with --source."),
    ] = None,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Divide results by their white matter.")
    ] = False,
    sequence: OneSequence = None,
    seed: Annotated[int, typer.Option(help="Of the intervals.")] = 1,
    as_json: Json = False,
) -> None:
    """Score harmonized scans against the same subjects on the target scanner.

    Traveling subjects only: result and target show one head on one grid. Several are
    paired by BIDS subject. With source and rescan the share of the gap that was
    closed is told, too.
    """
    with job("evaluate", as_json=as_json) as running:
        # Heavy: SciPy and SimpleITK. `mitame --help` need not wait for them.
        from mitame.io.digest import digest
        from mitame.run.evaluate import evaluate_pairs, pair_up, summary
        from mitame.run.scans import collect

        groups = [
            collect(places or [], sequence=sequence)
            for places in (results, target, source, rescan)
        ]
        pairs = pair_up(*groups)
        running.expect(len(pairs), "reading the scans")
        found = list(evaluate_pairs(pairs, rescale=rescale, progress=running.step))
        whole = summary(found, seed=seed)
        running.inputs = [
            {"name": pair.result.path.name, "sha256": digest(pair.result)}
            for pair in pairs
        ]
        running.result = {
            "scores": {
                suffix: {metric: asdict(score) for metric, score in scores.items()}
                for suffix, scores in whole.items()
            },
            "scans": [_row(scores) for scores in found],
        }
        running.lines = _lines(whole)


def _row(scores: Scores) -> dict[str, Any]:
    return {"name": scores.pair.result.path.name, **scores.values}


def _lines(whole: Mapping[Suffix, Mapping[str, Interval]]) -> list[str]:
    """Return one line a score, with its interval and which way is better."""
    from mitame.evaluate.scores import METRICS

    lines = []
    for suffix, scores in whole.items():
        n = next(iter(scores.values())).n_subjects
        lines.append(f"{suffix}, {n} subject{'s' if n > 1 else ''}:")
        for metric, score in scores.items():
            about = METRICS[metric]
            value = f"{score.value:.4g}"
            if score.n_subjects > 1:
                value += f" [{score.low:.4g}, {score.high:.4g}]"
            unit = f" {about.unit}" if about.unit else ""
            lines.append(f"{about.name}: {value}{unit} ({about.direction} is better)")
    return lines
