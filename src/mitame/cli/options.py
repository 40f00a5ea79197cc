"""Options that several commands share, so that they are called the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from mitame.core.session import Suffix


def expanded(path: Path) -> Path:
    """Return `path` with its ``~``, which a shell leaves in ``--out=~/x``."""
    return path.expanduser()


Out = Annotated[
    Path,
    typer.Option("--out", "-o", callback=expanded, help="Folder of the results."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace earlier results.")]
Json = Annotated[
    bool, typer.Option("--json", help="Write one machine-readable report to stdout.")
]
Series = Annotated[
    str | None,
    typer.Option(
        help="DICOM series: number, UID or part of its description; for NIfTI, part "
        "of the file name."
    ),
]
Lang = Annotated[Literal["en", "ja"], typer.Option(help="Language of the report.")]
OneSequence = Annotated[
    Suffix | None,
    typer.Option("--sequence", help="This sequence only; names an unnamed scan."),
]
