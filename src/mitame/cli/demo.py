"""`mitame demo`: the whole story in one go."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer

from mitame.cli.compare import compare_into
from mitame.cli.console import job
from mitame.cli.options import Force, Json, Lang, expanded
from mitame.core.errors import InputError
from mitame.io.staging import discarded

DATA_ENVIRONMENT = "MITAME_DATA"
BESIDE = Path("../shared/data")
PATIENT = Path("ms-longitudinal/patient03")
CREDIT = "Images: patient 03 of Lesjak et al., Neuroinformatics 2016 (CC BY)"
NO_DATA = "No scans found: compared the MNI152 average head with another look of it."


def demo(
    data: Annotated[
        Path | None,
        typer.Option(help=f"Folder with {PATIENT}; ${DATA_ENVIRONMENT} by default."),
    ] = None,
    out: Annotated[
        Path, typer.Option(callback=expanded, help="Folder of the results.")
    ] = Path("mitame-demo"),
    lang: Lang = "en",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Compare two dates of a real MS patient; without data, an average head."""
    with job("demo", as_json=as_json) as running:
        patient = _patient(data)
        if patient is not None:
            prior, current = (str(patient / f"study{n}_*.nii.gz") for n in (1, 2))
            compare_into(
                running, prior, current, out, lang=lang, force=force, credit=CREDIT
            )
            return
        # Heavy: SciPy. `mitame --help` need not wait for it.
        from mitame.run.example import write_example

        with discarded(Path(mkdtemp(prefix="mitame-"))) as folder:
            prior, current = map(str, write_example(folder))
            compare_into(running, prior, current, out, lang=lang, force=force)
        running.lines.insert(0, NO_DATA)


def _patient(data: Path | None) -> Path | None:
    """Return the folder of the demo's patient, or None where there is no data."""
    place = (data or Path(os.environ.get(DATA_ENVIRONMENT, BESIDE))).expanduser()
    if (place / PATIENT).is_dir():
        return place / PATIENT
    if data is not None:
        raise InputError(
            f"There is no '{PATIENT}' in '{data}'.",
            fix="Give the folder that holds it, or leave --data out.",
        )
    return None
