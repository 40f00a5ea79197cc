"""`mitame apply`: harmonize scans with a fitted model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mitame.cli.console import job
from mitame.cli.options import Force, Json, OneSequence, Out, Series, expanded

if TYPE_CHECKING:
    from mitame.guard.verdict import Verdict
    from mitame.run.apply import Outcome


def apply(
    model: Annotated[
        Path, typer.Argument(callback=expanded, help="Folder that `mitame fit` wrote.")
    ],
    scans: Annotated[list[str], typer.Argument(help="Files, folders, 'globs'.")],
    out: Out,
    sequence: OneSequence = None,
    series: Series = None,
    limited: Annotated[
        bool,
        typer.Option(
            "--limited",
            help="Tone, slow shading and known marks only: every lesion stays.",
        ),
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write each scan as the target scanner would have shown it, and the edit map.

    The results lie on the scan's native grid, whole head. A model that learned from
    pairs takes all its sequences of a visit together. An interrupted run goes on where
    it stopped when it is started again; a scan that fails, fails alone.

    With --limited only as much is done as any lesion survives: contrast of tissue
    grows or shrinks as that of white and gray matter does, at every place alike;
    sharpness and noise stay. What is done to nearly everybody at a place is done, too.

    A guard says of every result pass, look (something is odd, or changed at places
    that it tells) or refuse: nothing is written then, unless you --force it.
    """
    with job("apply", as_json=as_json) as running:
        # Heavy: SciPy and SimpleITK. `mitame --help` need not wait for them.
        from mitame.io.staging import require_outside
        from mitame.run.apply import apply_model
        from mitame.run.places import require_apart
        from mitame.run.scans import collect

        found = collect(scans, sequence=sequence, series=series)
        require_apart(out, scans, found)
        require_outside(out, [model])
        running.expect(len(found), "reading the model")
        outcomes = []
        for outcome in apply_model(
            model, found, out, limited=limited, force=force, progress=running.now
        ):
            outcomes.append(outcome)
            running.step(_sentence(outcome), keep=len(found) > 1)
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        if len(outcomes) == 1 and outcomes[0].error is not None:
            raise outcomes[0].error
        running.inputs = [
            {"name": outcome.scan.path.name, "sha256": outcome.sha256}
            for outcome in outcomes
        ]
        running.outputs = [file for outcome in outcomes for file in outcome.files]
        running.result = {
            "mode": "limited" if limited else "full",
            "scans": [_row(outcome) for outcome in outcomes],
        }
        running.lines = [f"{len(outcomes) - len(failed)} of {len(outcomes)} in {out}"]
        running.lines += [_sentence(one) for one in outcomes if _is_odd(one)]
        running.failures = len(failed)
    if failed:
        raise typer.Exit(2)


def _sentence(outcome: Outcome) -> str:
    words = f"{outcome.name}: {outcome.state}"
    if outcome.error is not None:
        return f"{words}. {outcome.error}"
    if outcome.state != "done before":
        words = f"{words}, {outcome.seconds} s"
    if outcome.verdict is None:
        return f"{words}. Guard: none; the model was fitted before there was one."
    return f"{words}. {_told(outcome.verdict)}"


def _told(verdict: Verdict) -> str:
    """Return what the guard says, and where to look, mm right, forward and up."""
    words = f"Guard: {verdict.grade}."
    for reason in verdict.reasons:
        words += f" {reason.sentence}."
    places = [f"({x:.0f}, {y:.0f}, {z:.0f})" for x, y, z in verdict.places]
    return words + (f" Places: {', '.join(places)}." if places else "")


def _is_odd(outcome: Outcome) -> bool:
    """Return whether there is more to say than that it was done."""
    verdict = outcome.verdict
    return outcome.error is not None or bool(verdict and verdict.reasons)


def _row(outcome: Outcome) -> dict[str, Any]:
    error = outcome.error
    return {
        "name": outcome.name,
        "state": outcome.state,
        "seconds": outcome.seconds,
        "files": [str(file) for file in outcome.files],
        "guard": None if outcome.verdict is None else outcome.verdict.to_json(),
        "error": None if error is None else {"what": error.what, "fix": error.fix},
    }
