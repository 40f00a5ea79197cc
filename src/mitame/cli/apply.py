"""`mitame apply`: harmonize scans with a fitted model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mitame.cli.console import job
from mitame.cli.options import Force, Json, Out
from mitame.io.digest import digest
from mitame.io.staging import require_outside
from mitame.run.harmonization import apply_model, collect


def apply(
    model: Annotated[Path, typer.Argument(help="Folder that `mitame fit` wrote.")],
    scans: Annotated[list[str], typer.Argument(help="Files, folders, 'globs'.")],
    out: Out,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Write each scan as the target scanner would have shown it, and the edit map.

    The results lie on the scan's native grid, whole head. An interrupted run goes on
    where it stopped when it is started again; a scan that fails, fails alone.
    """
    with job("apply", as_json=as_json) as running:
        found = collect(scans)
        require_outside(out, [scan.path for scan in found])
        running.expect(len(found), "harmonizing")
        outcomes = []
        for outcome in apply_model(model, found, out, force=force):
            outcomes.append(outcome)
            running.step(f"{outcome.scan}: {outcome.state}")
        failed = [outcome for outcome in outcomes if outcome.error is not None]
        if failed and len(outcomes) == 1 and failed[0].error is not None:
            raise failed[0].error
        running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in found]
        running.outputs = [file for outcome in outcomes for file in outcome.files]
        running.result = {
            "scans": [
                {"name": o.scan, "state": o.state, "error": str(o.error or "")}
                for o in outcomes
            ]
        }
        running.lines = [
            f"{o.scan}: {o.state}" + (f". {o.error}" if o.error else "")
            for o in outcomes
        ]
    if failed:
        raise typer.Exit(2)
