"""Which scans a file, a pattern, a folder or a dataset holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from mitame.core.errors import InputError, MetadataError
from mitame.core.session import Suffix
from mitame.io import dicom, nifti
from mitame.io.scan.scan import Scan, from_nifti, from_series

NOT_SCANNED = {"derivatives", "sourcedata", "code"}
"""BIDS folders that hold no raw scan."""


def find_scans(
    where: str | Path, *, sequence: Suffix | None = None, series: str | None = None
) -> list[Scan]:
    """Return the scans at `where`, by path; headers are read, pixels are not.

    Masks, label maps, difference maps and localizers are left out unless `where`
    or `series` names them. A damaged file in a folder is kept, with its `problem`.

    Parameters
    ----------
    where : str or Path
        NIfTI file, DICOM file, glob pattern, BIDS dataset, or any folder.
    sequence : Suffix, optional
        Keep this sequence only. A single scan of unknown sequence is taken for it;
        so is whatever `series` chooses.
    series : str, optional
        DICOM series number, UID or part of its description; for NIfTI, part of the
        file name.

    Raises
    ------
    InputError
        If there is nothing there, or nothing that was asked for.
    MetadataError
        If `sequence` is asked for and no scan's sequence can be told.
    """
    found = all_scans(where)
    found = _images(found, where) if series is None else _chosen(found, series)
    return found if sequence is None else _of(found, sequence, forced=bool(series))


def all_scans(where: str | Path) -> list[Scan]:
    """Return everything at `where` that is an image, masks and localizers too."""
    found = [scan for path in _expand(where) for scan in _scans_in(path)]
    if not found:
        raise InputError(
            f"There is no NIfTI or DICOM image in '{where}'.",
            fix="Give a .nii.gz file, a folder with DICOM files, or a BIDS dataset.",
        )
    return found


def listing(scans: list[Scan]) -> str:
    """Return the scans in one line, at most eight of them by name."""
    shown = "; ".join(str(scan) for scan in scans[:8])
    return shown if len(scans) <= 8 else f"{shown}; and {len(scans) - 8} more"


def _expand(where: str | Path) -> list[Path]:
    path = Path(where).expanduser()
    if path.exists():
        return [path.parent] if path.name == "DICOMDIR" else [path]
    matches = _matches(path)
    if not matches:
        raise InputError(f"There is no '{where}'.", fix="Check the name.")
    return [p for p in matches if p.is_dir() or nifti.is_nifti(p) or dicom.is_dicom(p)]


def _matches(pattern: Path) -> list[Path]:
    """Return what a glob pattern finds; like a shell's, it finds no hidden file."""
    base = Path(pattern.anchor or ".")
    try:
        found = sorted(base.glob(str(pattern.relative_to(pattern.anchor))))
    except ValueError as error:
        raise InputError(
            f"'{pattern}' is no file and no pattern: {error}.", fix="Check the name."
        ) from error
    return [path for path in found if not path.name.startswith(".")]


def _scans_in(path: Path) -> list[Scan]:
    if path.is_file() and nifti.is_nifti(path):
        return [from_nifti(path)]
    if path.is_file() and not dicom.is_dicom(path):
        raise InputError(
            f"'{path.name}' is neither NIfTI nor DICOM.",
            fix="Convert it to .nii.gz; unpack archives first.",
        )
    files = [from_nifti(file) for file in _nifti_files(path)]
    return files + [from_series(one) for one in dicom.find_series(path)]


def _nifti_files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in inside)
        if nifti.is_nifti(path) and not hidden and not NOT_SCANNED & set(inside):
            yield path


def _images(found: list[Scan], where: str | Path) -> list[Scan]:
    """Drop masks, localizers and objects that are no volume, unless alone."""
    if len(found) == 1:
        return found
    images = [scan for scan in found if scan.is_image]
    if not images:
        raise InputError(
            f"'{where}' holds only masks or localizers: {listing(found)}.",
            fix="Give the scans themselves.",
        )
    usable = [s for s in images if s.kind == "nifti" or s.problem is None or s.suffix]
    return usable or images


def _chosen(found: list[Scan], choice: str) -> list[Scan]:
    known = [scan.series for scan in found if scan.series is not None]
    named = [s for s in found if not s.series and choice.lower() in s.path.name.lower()]
    if named:
        return named
    if not known:
        raise InputError(
            f"No file name has '{choice}' in it: {listing(found)}.",
            fix="Give part of a file name.",
        )
    wanted = dicom.select(known, choice)
    return [scan for scan in found if scan.series in wanted]


def _of(found: list[Scan], sequence: Suffix, *, forced: bool) -> list[Scan]:
    """Keep `sequence`; take one scan for it when only the user can know."""
    same = [scan for scan in found if scan.suffix == sequence]
    if same:
        return same
    unknown = [scan for scan in found if scan.suffix is None]
    if len(found) == 1 and (forced or unknown):
        return [replace(found[0], suffix=sequence)]
    if unknown:
        raise MetadataError(
            f"None is known to be {sequence}: {listing(found)}.",
            fix="Name the file by BIDS, or choose one with --series.",
        )
    raise InputError(
        f"There is no {sequence}: {listing(found)}.",
        fix="Choose a sequence that is there.",
    )
