"""`mitame info`: what a scan or a model is."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from mitame.cli.console import job
from mitame.cli.options import Json
from mitame.io.scan import Description, describe
from mitame.model import Model


def info(
    paths: Annotated[list[str], typer.Argument(help="Scans, folders or models.")],
    as_json: Json = False,
) -> None:
    """Say what scans and models are: scanner, sequence, grid, date, history."""
    with job("info", as_json=as_json) as running:
        models = [path for path in paths if (Path(path) / "model.json").is_file()]
        scans = [d for path in paths if path not in models for d in describe(path)]
        found_models = {path: _model(Path(path)) for path in models}
        running.result = {
            "scans": [asdict(scan) for scan in scans],
            "models": list(found_models.values()),
        }
        running.lines = [line for scan in scans for line in _scan_lines(scan)]
        for path, model in found_models.items():
            running.lines += [
                path,
                *(f"  {key}: {value}" for key, value in model.items()),
            ]


def _model(folder: Path) -> dict[str, Any]:
    model = Model.load(folder)
    steps = [entry["name"] for entry in model.preparation.to_json()]
    groups = {
        name: f"{len(group['sha256'])} scans, {', '.join(group['sequences'])}, "
        f"{', '.join(group['scanners']) or 'scanner unknown'}"
        for name, group in model.about.items()
        if isinstance(group, dict)
    }
    return {
        "engine": model.engine_name,
        "preparation": ", ".join(steps),
        "mitame": model.about.get("mitame", ""),
        **groups,
    }


def _scan_lines(scan: Description) -> list[str]:
    if scan.problem is not None:
        return [scan.name, f"  problem: {scan.problem} {scan.fix or ''}"]
    spacing = (
        "" if scan.spacing is None else " × ".join(f"{s:.3g}" for s in scan.spacing)
    )
    shape = "" if scan.shape is None else " × ".join(map(str, scan.shape))
    facts = {
        "sequence": scan.sequence or ("unknown" if scan.is_image else "not a scan"),
        "scanner": scan.scanner or "not in the header",
        "date": scan.date or "not in the header",
        "subject": scan.subject or "not in the header",
        "grid": f"{shape} voxels of {spacing} mm, {scan.orientation}",
        "protocol": _protocol(scan),
        "history": " → ".join(step["name"] for step in scan.history) or "none",
    }
    return [scan.name, *(f"  {name}: {value}" for name, value in facts.items())]


def _protocol(scan: Description) -> str:
    known = {k: v for k, v in asdict(scan.protocol).items() if v not in (None, "")}
    return ", ".join(f"{name} {value}" for name, value in known.items()) or "unknown"
