"""`mitame simulate`: traveling subjects with exact truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeVar

import typer

from mitame.cli.console import job
from mitame.cli.options import Force, Json, expanded
from mitame.core.errors import InputError
from mitame.core.session import SUFFIXES

T = TypeVar("T", bound=str)


def simulate(
    out: Annotated[
        Path, typer.Argument(callback=expanded, help="Folder of the BIDS dataset.")
    ],
    anatomy: Annotated[
        str, typer.Option(help="Folder with FreeSurfer label maps, or 'builtin'.")
    ] = "builtin",
    subjects: Annotated[int, typer.Option(help="How many people.")] = 2,
    scanners: Annotated[
        str, typer.Option(help="Names, with commas; also with an effect: prisma+noise.")
    ] = "avanto,prisma",
    sequences: Annotated[
        str, typer.Option(help="Of T1w, T2w, FLAIR, with commas.")
    ] = "T1w,T2w,FLAIR",
    resolution: Annotated[float, typer.Option(help="Voxel edge, mm.")] = 2.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    plant: Annotated[
        str,
        typer.Option(help="'occipital' (bright, last scanner), 'lesions', 'atrophy'."),
    ] = "",
    catalog: Annotated[
        Path | None,
        typer.Option(help="TOML file with more scanners."),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Put the same simulated people into several scanners; write scans and truth.

    A BIDS dataset: everyone on every scanner, voxel by voxel alike. The truth
    (labels, noise-free images, a second scan of each, what was planted) is in
    derivatives/truth. A run that was interrupted goes on where it stopped.
    """
    with job("simulate", as_json=as_json) as running:
        # Heavy: SciPy. `mitame --help` need not wait for it.
        from mitame.simulate.cohort import simulate as make
        from mitame.simulate.effects import scanner_in_words
        from mitame.simulate.study import PLANTS, Study

        study = Study(
            anatomy,
            subjects,
            tuple(scanner_in_words(name, catalog) for name in _names(scanners)),
            tuple(_known(name, SUFFIXES, "sequence") for name in _names(sequences)),
            resolution,
            seed,
            tuple(_known(name, PLANTS, "thing to plant") for name in _names(plant)),
        )
        scans = len(study.scanners) * len(study.sequences)
        dates = 2 if "atrophy" in study.plants else 1
        running.expect(subjects * (1 + dates * scans), "reading the anatomy")
        made = list(make(study, out, force=force, progress=running.step))
        running.outputs = [out]
        running.result = {"subjects": made, "settings": study.settings()}
        running.lines = [
            f"{len(made)} subjects made ({subjects - len(made)} were there), "
            f"{dates * scans} scans each: {out}"
        ]


def _names(text: str) -> list[str]:
    """Return what stands between commas, each once."""
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _known(name: str, known: tuple[T, ...], what: str) -> T:
    """Return `name` as one of `known`, or raise `InputError`."""
    for one in known:
        if one.lower() == name.lower():
            return one
    raise InputError(f"No {what} is called '{name}'.", fix=f"Use {', '.join(known)}.")
