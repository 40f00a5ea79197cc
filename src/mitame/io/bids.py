"""Names and descriptions of results, as BIDS derivatives."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mitame.core.volume import Volume
from mitame.io import names, sidecar
from mitame.io.notice import NOTICE
from mitame.io.scan.scan import Scan
from mitame.io.staging import staged_file

BIDS_VERSION = "1.9.0"
DESCRIPTION = "dataset_description.json"
GENERATED_BY = [{"Name": "mitame", "Version": version("mitame")}]


def derivative_name(scan: Scan, desc: str, suffix: str) -> str:
    """Return the BIDS name of a result made from `scan`, ending in ``.nii.gz``.

    The scan's own entities are kept; a file not named by BIDS keeps its whole name,
    so no two results of different files share one.

    Examples
    --------
    ``sub-01_ses-2_T1w.nii.gz`` gives ``sub-01_ses-2_desc-harmonized_T1w.nii.gz``.
    """
    return f"{_stem(scan)}_desc-{names.label(desc)}_{suffix}.nii.gz"


def write_sidecar(
    image: Path,
    volume: Volume,
    *,
    sources: Sequence[str],
    description: str,
    fields: Mapping[str, Any] | None = None,
) -> Path:
    """Write the JSON beside `image`, with its scanner and history; return its path.

    Parameters
    ----------
    image : Path
        The result, ending in ``.nii.gz``.
    volume : Volume
        What is in it.
    sources : sequence of str
        File names or BIDS URIs of what it was made from; no folders.
    description : str
        What the image shows, in one sentence.
    fields : mapping, optional
        More BIDS fields.

    Raises
    ------
    OutputError
        If the file exists or cannot be written.
    """
    content = {
        "Description": description,
        "Sources": list(sources),
        **_scanner_fields(volume),
        **(fields or {}),
        "GeneratedBy": GENERATED_BY,
        "History": [asdict(step) for step in volume.history],
        "Notice": NOTICE,
    }
    path = image.with_name(re.sub(r"\.nii(\.gz)?$", ".json", image.name))
    _write_json(path, content)
    return path


def write_dataset_description(
    folder: Path,
    *,
    name: str = "mitame results",
    fields: Mapping[str, Any] | None = None,
) -> None:
    """Write the file that makes `folder` a BIDS derivative dataset of mitame.

    Parameters
    ----------
    folder : Path
        The dataset.
    name : str
        What it is called.
    fields : mapping, optional
        More fields, plain values.

    Raises
    ------
    OutputError
        If the file exists or cannot be written.
    """
    _write_description(folder, name, "derivative", fields or {})


def write_raw_description(folder: Path, *, name: str, readme: str) -> None:
    """Write the files that make `folder` a raw BIDS dataset that mitame simulated.

    Raises
    ------
    OutputError
        If a file exists or cannot be written.
    """
    fields = {"License": "CC0", "Authors": ["mitame"]}
    _write_description(folder, name, "raw", fields)
    with staged_file(folder / "README.md") as temporary:
        temporary.write_text(f"# {name}\n\n{readme}\n\n{NOTICE}\n", encoding="utf-8")


def write_table(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    descriptions: Mapping[str, str],
) -> None:
    """Write a BIDS table and the JSON that says what its columns mean.

    Parameters
    ----------
    path : Path
        Ends in ``.tsv``.
    rows : sequence of mapping
        One entry a column, in the order of `descriptions`.
    descriptions : mapping of str to str
        Every column, with what it means.
    """
    lines = ["\t".join(descriptions)]
    lines += ["\t".join(str(row[key]) for key in descriptions) for row in rows]
    with staged_file(path) as temporary:
        temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    columns = {key: {"Description": text} for key, text in descriptions.items()}
    _write_json(path.with_suffix(".json"), columns)


def _stem(scan: Scan) -> str:
    """Return what stands before ``_desc-``."""
    if scan.series is not None:
        return _series_stem(scan, scan.series.number)
    name = names.parse(scan.path)
    if not name.entities:
        return name.stem
    kept = (f"{key}-{value}" for key, value in name.entities.items() if key != "desc")
    return "_".join(kept)


def _series_stem(scan: Scan, number: int | None) -> str:
    """Two series of one patient and day must not share a name: the number is in it."""
    subject = names.label(scan.subject or "") or "unknown"
    visit = f"_ses-{scan.visit}" if scan.visit else ""
    run = "" if number is None else f"_run-{number}"
    return f"sub-{subject}{visit}{run}"


def _scanner_fields(volume: Volume) -> dict[str, Any]:
    if volume.scanner is None:
        return {}
    values = asdict(volume.scanner)
    fields = {bids: values[ours] for bids, ours in sidecar.SCANNER_FIELDS.items()}
    fields["MagneticFieldStrength"] = values["field_strength"]
    return {name: value for name, value in fields.items() if value}


def _write_description(
    folder: Path, name: str, kind: str, fields: Mapping[str, Any]
) -> None:
    content = {
        "Name": name,
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": kind,
        "GeneratedBy": [{**GENERATED_BY[0], "Description": NOTICE}],
        **fields,
    }
    _write_json(folder / DESCRIPTION, content)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with staged_file(path) as temporary:
        text = json.dumps(content, indent=2, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
