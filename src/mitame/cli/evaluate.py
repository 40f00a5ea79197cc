"""`mitame evaluate`: scores of harmonized scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mitame.cli.console import Job, job
from mitame.cli.options import Json, OneSequence
from mitame.core.errors import InputError

if TYPE_CHECKING:
    from mitame.core.session import Suffix
    from mitame.evaluate.intervals import Interval
    from mitame.io.scan import Scan
    from mitame.run.evaluate import Scores
    from mitame.run.sites import Sites


def evaluate(
    results: Annotated[
        list[str], typer.Argument(help="Harmonized scans: files, folders, 'globs'.")
    ],
    target: Annotated[
        list[str], typer.Option(help="The same subjects on the target scanner.")
    ],
    source: Annotated[
        list[str] | None,
        typer.Option(help="What was harmonized; with --rescan or --site."),
    ] = None,
    rescan: Annotated[
        list[str] | None,
        typer.Option(help="The target scanner's second scans; with --source."),
    ] = None,
    rescale: Annotated[
        bool, typer.Option("--rescale", help="Divide results by their white matter.")
    ] = False,
    site: Annotated[
        bool,
        typer.Option("--site", help="Can classifiers tell scanners? With --source."),
    ] = False,
    sequence: OneSequence = None,
    seed: Annotated[int, typer.Option(help="Of intervals and classifiers.")] = 1,
    as_json: Json = False,
) -> None:
    """Score harmonized scans against the same subjects on the target scanner.

    Traveling subjects only: result and target show one head on one grid. Several are
    paired by BIDS subject. With source and rescan the share of the gap that was
    closed is told, too. With --site the target scans may be anybody's: classifiers
    are trained anew to tell them from sources and from results.
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
        running.inputs = [
            {"name": scan.path.name, "sha256": digest(scan)} for scan in groups[0]
        ]
        if site:
            _tell_sites(running, groups, rescale=rescale, seed=seed)
            return
        pairs = pair_up(*groups)
        running.expect(len(pairs), "reading the scans")
        found = list(evaluate_pairs(pairs, rescale=rescale, progress=running.step))
        whole = summary(found, seed=seed)
        running.result = {
            "scores": {
                suffix: {metric: asdict(score) for metric, score in scores.items()}
                for suffix, scores in whole.items()
            },
            "scans": [_row(scores) for scores in found],
        }
        running.lines = _lines(whole)


def _tell_sites(
    running: Job, groups: Sequence[Sequence[Scan]], *, rescale: bool, seed: int
) -> None:
    """Let fresh classifiers tell the groups apart, before and after."""
    from mitame.run.sites import count_site_steps, evaluate_sites

    results, targets, sources, rescans = groups
    if rescans or not sources:
        raise InputError(
            "Site accuracy is told of sources and results, against target scans.",
            fix="Give --source with --site, and no --rescan.",
        )
    running.expect(count_site_steps(results, targets), "reading the scans")
    found = list(
        evaluate_sites(
            results,
            targets,
            sources,
            rescale=rescale,
            seed=seed,
            progress=running.step,
        )
    )
    running.result = {
        "sites": {one.suffix: {**asdict(one), **_worse(one)} for one in found}
    }
    running.lines = [
        f"{one.suffix}, {one.n_sources} and {one.n_targets} subjects: site accuracy "
        f"{one.before.worse:.3f} before, {one.after.worse:.3f} after (.5 is chance)"
        for one in found
    ]


def _worse(one: Sites) -> dict[str, float]:
    return {
        "site_accuracy_before": one.before.worse,
        "site_accuracy_after": one.after.worse,
    }


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
