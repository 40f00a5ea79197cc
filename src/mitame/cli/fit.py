"""`mitame fit`: learn how to make one scanner's scans look like another's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mitame.cli.console import job
from mitame.cli.options import Force, Json, OneSequence, expanded
from mitame.engines.named import engine_class, engine_names
from mitame.io.staging import staged

Places = Annotated[
    list[str],
    typer.Option(help="File, folder, 'glob' or DICOM folder; may be repeated."),
]


def fit(
    source: Places,
    target: Places,
    out: Annotated[
        Path,
        typer.Option("--out", "-o", callback=expanded, help="Folder of the model."),
    ],
    engine: Annotated[
        str, typer.Option(help=f"One of {', '.join(engine_names())}.")
    ] = "bilateral",
    sequence: OneSequence = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Learn to give the source scanner's scans the look of the target scanner's.

    No subject need be in both groups, except for engines that learn from pairs
    (dictionary): these take who is in both. Scans of every sequence are taken
    together; the model knows the sequences that both groups have.
    """
    with job("fit", as_json=as_json) as running:
        # Heavy: SciPy and SimpleITK. `mitame --help` need not wait for them.
        from mitame.io.digest import digest
        from mitame.run.fit import fit_model
        from mitame.run.places import require_apart
        from mitame.run.scans import collect

        engine_class(engine)  # a misspelt name is told before anything is read
        sources = collect(source, sequence=sequence)
        targets = collect(target, sequence=sequence)
        scans = [*sources, *targets]
        require_apart(out, [*source, *target], scans)
        running.expect(len(scans) + 1, "preparing")
        with staged(out, force=force) as folder:
            model = fit_model(sources, targets, engine, progress=running.step)
            model.save(folder)
            running.step(f"{engine} fitted")
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            running.outputs = [out / path.relative_to(folder) for path in files]
        running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in scans]
        running.result = {"engine": engine, "model": str(out)}
        running.lines = [
            f"Model ({engine}, {_count(len(sources))} to {_count(len(targets))}): {out}"
        ]


def _count(scans: int) -> str:
    return f"{scans} scan{'' if scans == 1 else 's'}"
