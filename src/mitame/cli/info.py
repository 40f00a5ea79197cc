"""`mitame info`: what a scan or a model is."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mitame.cli.console import job
from mitame.cli.options import Json
from mitame.core.errors import InputError

if TYPE_CHECKING:
    from mitame.io.scan import Description, Protocol

NOT_SAID = "not in the header"


def info(
    paths: Annotated[list[str], typer.Argument(help="Scans, folders or models.")],
    as_json: Json = False,
) -> None:
    """Say what scans and models are: scanner, sequence, grid, date, history.

    One scan is described in full and read to its last voxel; of many, each gets a
    line, from its header alone.
    """
    with job("info", as_json=as_json) as running:
        # Heavy: nibabel and SciPy. `mitame --help` need not wait for them.
        from mitame.io.scan import describe

        places = [Path(path).expanduser() for path in paths]
        folders = [place for place in places if (place / "model.json").is_file()]
        models = {str(folder): _model(folder) for folder in folders}
        others = [place for place in places if place not in folders]
        scans = [scan for place in others for scan in describe(place)]
        alone = len(scans) == 1
        intensities = _intensities(others[0], scans[0]) if alone else None
        running.result = {
            "scans": [{**asdict(scan), "intensities": intensities} for scan in scans],
            "models": list(models.values()),
        }
        if alone:
            running.lines = _in_full(scans[0], intensities)
        else:
            running.lines = _in_lines(scans)
        for name, facts in models.items():
            running.lines += [name, *_facts(facts)]
        running.failures = sum(scan.problem is not None for scan in scans)
    if running.failures:
        raise typer.Exit(2)


def _intensities(place: Path, scan: Description) -> dict[str, float]:
    """Return least, middle and most of the only scan at `place`, or raise."""
    import numpy as np

    from mitame.io.scan import read
    from mitame.io.scan.find import all_scans

    if scan.problem is not None:
        raise InputError(scan.problem, fix=scan.fix or "Export the scan again.")
    data = read(all_scans(place)[0]).data
    above = data[data > 0]
    return {
        "min": float(data.min()),
        "median_above_zero": float(np.median(above)) if above.size else math.nan,
        "max": float(data.max()),
    }


def _model(folder: Path) -> dict[str, Any]:
    """Return what a model is; raise `ModelError` if it cannot be used."""
    # Heavy: SciPy and SimpleITK.
    from mitame.model import Model

    model = Model.load(folder)
    steps = [str(entry["name"]) for entry in model.preparation.to_json()]
    groups = {
        name: _group(group)
        for name, group in model.about.items()
        if isinstance(group, dict)
    }
    return {
        "path": str(folder),
        "engine": model.engine_name,
        "preparation": steps,
        **groups,
        "mitame": str(model.about.get("mitame", "")),
    }


def _group(group: dict[str, Any]) -> dict[str, Any]:
    return {
        "scans": len(group.get("sha256", [])),
        "sequences": group.get("sequences", []),
        "scanners": group.get("scanners", []),
    }


def _facts(model: dict[str, Any]) -> list[str]:
    def words(value: Any) -> str:  # noqa: ANN401 - values of a JSON report
        if isinstance(value, dict):
            count = value["scans"]
            scanners = ", ".join(value["scanners"]) or "scanner unknown"
            scans = f"{count} scan{'' if count == 1 else 's'}"
            return f"{scans}, {', '.join(value['sequences'])}, {scanners}"
        return " → ".join(value) if isinstance(value, list) else str(value)

    return [f"  {key}: {words(value)}" for key, value in model.items() if key != "path"]


def _in_full(scan: Description, intensities: dict[str, float] | None) -> list[str]:
    facts = {
        "sequence": scan.sequence or ("unknown" if scan.is_image else "not a scan"),
        "scanner": scan.scanner or NOT_SAID,
        "date": scan.date or f"{NOT_SAID}; file of {_file_day(Path(scan.path))}",
        "subject": scan.subject or NOT_SAID,
        "grid": _grid(scan),
        "protocol": _protocol(scan.protocol),
        "history": " → ".join(step["name"] for step in scan.history) or "none",
    }
    if intensities is not None:
        least, middle, most = intensities.values()
        facts["intensities"] = f"{least:g} to {most:g}, median above zero {middle:g}"
    return [scan.name, *(f"  {name}: {value}" for name, value in facts.items())]


def _in_lines(scans: list[Description]) -> list[str]:
    """Return one line for each scan, in columns."""
    rows = [_row(scan) for scan in scans]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return [
        line.rstrip() + (f"  problem: {scan.problem}" if scan.problem else "")
        for line, scan in zip(lines, scans, strict=True)
    ]


def _row(scan: Description) -> tuple[str, ...]:
    kind = scan.sequence or ("?" if scan.is_image else "not a scan")
    agent = "+ contrast" if scan.protocol.contrast_agent else ""
    return scan.name, kind, agent, scan.date or "", scan.scanner or "", _grid(scan)


def _grid(scan: Description) -> str:
    if scan.shape is None or scan.spacing is None:
        return ""
    shape = " × ".join(map(str, scan.shape))
    spacing = " × ".join(f"{edge:.3g}" for edge in scan.spacing)
    return f"{shape} voxels of {spacing} mm, {scan.orientation}"


def _protocol(protocol: Protocol) -> str:
    """Return timing and person in the units of a scanner's console."""
    times = {"TE": protocol.te, "TR": protocol.tr, "TI": protocol.ti}
    words = [f"{name} {1000 * t:.4g} ms" for name, t in times.items() if t is not None]
    if protocol.flip_angle is not None:
        words.append(f"flip angle {math.degrees(protocol.flip_angle):.3g}°")
    if protocol.slice_thickness is not None:
        words.append(f"slices of {protocol.slice_thickness:.3g} mm")
    if protocol.contrast_agent is not None:
        words.append(f"{'with' if protocol.contrast_agent else 'no'} contrast agent")
    if protocol.description:
        words.append(f"“{protocol.description}”")
    if protocol.sex is not None:
        words.append(f"sex {protocol.sex}")
    if protocol.age is not None:
        words.append(f"{protocol.age:.3g} years")
    return ", ".join(words) or NOT_SAID


def _file_day(path: Path) -> str:
    return date.fromtimestamp(path.stat().st_mtime).isoformat()
