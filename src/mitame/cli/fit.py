"""`mitame fit`: learn how to make one scanner's scans look like another's."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from mitame.cli.console import job
from mitame.cli.options import Force, Json, Lang, OneSequence, expanded
from mitame.engines.named import engine_names, new_engine, variant_of
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
    variant: Annotated[
        str | None,
        typer.Option(
            help="Variant of the engine, for study: plain (dictionary); blind, far, "
            "full, patches (cyclegan)."
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(help="Of network and training: tiny, small, base (cyclegan)."),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of what is drawn at random, for engines that do."),
    ] = None,
    noise: Annotated[
        str | None,
        typer.Option(
            help="keep; less, where the target has less; match, also add (cyclegan, "
            "elements)."
        ),
    ] = None,
    sequence: OneSequence = None,
    report: Annotated[
        bool,
        typer.Option("--report", help="Write report.html: a scan before and after."),
    ] = False,
    lang: Lang = "en",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Learn to give the source scanner's scans the look of the target scanner's.

    No subject need be in both groups, except for engines that learn from pairs
    (dictionary, ridge, aplus): these take who is in both. They and cyclegan take all
    sequences of a visit together. The model knows the sequences that both groups have.
    A training that was interrupted goes on when the same command is given again.
    Under torchrun, cyclegan trains in several processes.
    """
    with job("fit", as_json=as_json) as running:
        # Heavy: SciPy and SimpleITK. `mitame --help` need not wait for them.
        from mitame.io.digest import digest
        from mitame.run.fit import Training, fit_example, fit_model, only_helps
        from mitame.run.places import require_apart
        from mitame.run.scans import collect

        # A misspelt name is told before anything is read.
        engine = variant_of(engine, variant) if variant else engine
        given = {"size": size, "seed": seed, "noise": noise}
        options = {name: value for name, value in given.items() if value is not None}
        new_engine(engine, options)
        sources = collect(source, sequence=sequence)
        targets = collect(target, sequence=sequence)
        scans = [*sources, *targets]
        require_apart(out, [*source, *target], scans)
        running.expect(len(scans) + 1 + report, "preparing")
        training = Training(out.with_name(f"{out.name}.training"), running.now)
        fitted = partial(
            fit_model,
            sources,
            targets,
            engine,
            options=options,
            training=training,
            progress=running.step,
        )
        if only_helps():
            fitted()
            return
        with staged(out, force=force) as folder:
            model = fitted()
            model.save(folder)
            running.step(f"{engine} fitted")
            if report:
                from mitame.present.fit_report import write_fit_report

                example = fit_example(model, sources, targets)
                page = folder / "report.html"
                write_fit_report(page, example, engine, model.about, lang=lang)
                running.step("report written")
            files = sorted(path for path in folder.rglob("*") if path.is_file())
            running.outputs = [out / path.relative_to(folder) for path in files]
        shutil.rmtree(training.folder, ignore_errors=True)  # the model is there
        running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in scans]
        running.result = {"engine": engine, "model": str(out)}
        running.lines = [
            f"Model ({engine}, {_count(len(sources))} to {_count(len(targets))}): {out}"
        ]


def _count(scans: int) -> str:
    return f"{scans} scan{'' if scans == 1 else 's'}"
