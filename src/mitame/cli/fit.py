"""`mitame fit`: learn how to make one scanner's scans look like another's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mitame.cli.console import job
from mitame.cli.options import Force, Json
from mitame.engines.named import engine_names
from mitame.io.digest import digest
from mitame.io.staging import require_outside, staged
from mitame.run.harmonization import collect, fit_model

Places = Annotated[
    list[str],
    typer.Option(help="File, folder, 'glob' or DICOM folder; may be repeated."),
]


def fit(
    source: Places,
    target: Places,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the model.")],
    engine: Annotated[
        str, typer.Option(help=f"One of {', '.join(engine_names())}.")
    ] = "bilateral",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Learn to give the source scanner's scans the look of the target scanner's.

    No subject need be in both groups. Scans of every sequence are taken together;
    the model knows the sequences that both groups have.
    """
    with job("fit", as_json=as_json) as running:
        sources, targets = collect(source), collect(target)
        scans = [*sources, *targets]
        require_outside(out, [scan.path for scan in scans])
        running.expect(len(scans), "preparing")
        with staged(out, force=force) as folder:
            model = fit_model(sources, targets, engine, progress=running.step)
            model.save(folder)
            files = [path for path in folder.rglob("*") if path.is_file()]
            running.outputs = [out / path.relative_to(folder) for path in files]
        running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in scans]
        running.result = {"engine": engine, "model": str(out)}
        running.lines = [f"Model ({engine}): {out}"]
