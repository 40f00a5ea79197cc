"""What stands beside a NIfTI file: its JSON, and the dataset's participants table."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from mitame.core.errors import MetadataError
from mitame.core.scanner import Scanner
from mitame.core.volume import Step
from mitame.io.names import Name, parse
from mitame.io.protocol import Protocol

SCANNER_FIELDS = {
    "Manufacturer": "manufacturer",
    "ManufacturersModelName": "model",
    "DeviceSerialNumber": "serial",
}
DATES = ("AcquisitionDateTime", "AcquisitionDate", "SeriesDate", "StudyDate")


def read(image: Path) -> dict[str, Any]:
    """Return the fields of every JSON that BIDS lets `image` inherit.

    A file applies when its name has the same suffix and none but the image's own
    entities; the nearer to the image, the stronger.

    Raises
    ------
    MetadataError
        If a sidecar is not valid JSON.
    """
    name = parse(image)
    fields: dict[str, Any] = {}
    if name.entities:
        for folder in reversed(list(_folders_up(image))):
            for path in sorted(folder.glob("*.json"), key=lambda p: len(p.stem)):
                if _applies(path, name):
                    fields |= _load(path)
    own = image.with_name(f"{name.stem}.json")
    return fields | _load(own) if own.is_file() else fields


def scanner(fields: Mapping[str, Any]) -> Scanner | None:
    """Return the machine that the sidecar names, or None if it names none."""
    named = {
        ours: str(fields[theirs]).strip()
        for theirs, ours in SCANNER_FIELDS.items()
        if fields.get(theirs)
    }
    strength = number(fields.get("MagneticFieldStrength"))
    if not named and strength is None:
        return None
    return Scanner(**named, field_strength=strength)


def protocol(fields: Mapping[str, Any], person: Mapping[str, str]) -> Protocol:
    """Return how the image was acquired; BIDS times are seconds, angles degrees."""
    angle = number(fields.get("FlipAngle"))
    return Protocol(
        te=number(fields.get("EchoTime")),
        tr=number(fields.get("RepetitionTime")),
        ti=number(fields.get("InversionTime")),
        flip_angle=None if angle is None else math.radians(angle),
        slice_thickness=number(fields.get("SliceThickness")),
        description=str(fields.get("SeriesDescription", "")),
        contrast_agent=True if fields.get("ContrastBolusIngredient") else None,
        sex=sex(fields.get("PatientSex") or person.get("sex")),
        age=number(person.get("age")),
    )


def day(fields: Mapping[str, Any]) -> date | None:
    """Return the day of the scan, if a field gives it."""
    days = (iso_day(str(fields[name])) for name in DATES if fields.get(name))
    return next((found for found in days if found), None)


def history(fields: Mapping[str, Any]) -> tuple[Step, ...]:
    """Return what mitame wrote that it did to the image."""
    steps = fields.get("History", [])
    if not isinstance(steps, list):
        return ()
    known = [step for step in steps if isinstance(step, dict) and "name" in step]
    return tuple(Step(str(s["name"]), dict(s.get("params", {}))) for s in known)


def person(image: Path) -> dict[str, str]:
    """Return the image's row of ``participants.tsv``; empty when there is none."""
    name = parse(image)
    for folder in _folders_up(image):
        table = folder / "participants.tsv"
        if table.is_file():
            return _row(table, name)
    return {}


def scan_day(image: Path) -> date | None:
    """Return the day that the BIDS ``…_scans.tsv`` gives for `image`."""
    for folder in _folders_up(image):
        for table in folder.glob("sub-*_scans.tsv"):
            for row in _rows(table):
                if folder / row.get("filename", "") == image:
                    return iso_day(row.get("acq_time", ""))
    return None


def iso_day(text: str) -> date | None:
    """Return the day in ``20240131…`` or ``2024-01-31…``, or None."""
    digits = text.replace("-", "")[:8]
    try:
        return date.fromisoformat(digits)
    except ValueError:
        return None


def number(value: Any) -> float | None:  # noqa: ANN401 - JSON and DICOM values
    """Return `value` as a finite float, or None if it is not one."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def sex(value: Any) -> str | None:  # noqa: ANN401 - JSON and DICOM values
    """Return ``"F"``, ``"M"`` or ``"O"``, or None."""
    first = str(value or "").strip().upper()[:1]
    return first if first in {"F", "M", "O"} else None


def _folders_up(image: Path) -> Iterator[Path]:
    """Yield the image's folder, then those above it up to the BIDS dataset."""
    yield image.parent
    if not image.name.startswith("sub-"):
        return
    for folder in image.parents:
        if (folder / "dataset_description.json").is_file():
            above = [p for p in image.parents if p.is_relative_to(folder)]
            yield from above[1:]
            return


def _applies(path: Path, name: Name) -> bool:
    other = parse(path)
    pairs = dict(
        part.split("-", 1) for part in other.stem.split("_")[:-1] if "-" in part
    )
    same_suffix = other.stem.rpartition("_")[2] == name.stem.rpartition("_")[2]
    return same_suffix and pairs.items() <= name.entities.items()


def _load(path: Path) -> dict[str, Any]:
    try:
        fields = json.loads(path.read_bytes())
    except ValueError as error:
        raise MetadataError(
            f"'{path.name}' is not valid JSON: {error}.",
            fix="Repair it, or move it away.",
        ) from error
    return fields if isinstance(fields, dict) else {}


def _row(table: Path, name: Name) -> dict[str, str]:
    """Return the row whose id is the subject, or what the file name starts with."""
    for row in _rows(table):
        label = row.get("participant_id", "")
        if label and f"{name.stem}_".startswith(f"{label}_"):
            return row
    return {}


def _rows(table: Path) -> list[dict[str, str]]:
    text = table.read_text(encoding="utf-8", errors="replace").splitlines()
    rows = csv.DictReader(text, delimiter="\t")
    return [{k: v for k, v in row.items() if k and isinstance(v, str)} for row in rows]
