"""Which DICOM series a folder holds; headers only."""

from __future__ import annotations

import textwrap
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pydicom
from pydicom import Dataset
from pydicom.errors import BytesLengthException, InvalidDicomError

from mitame.core.errors import InputError
from mitame.core.scanner import Scanner
from mitame.core.session import Suffix
from mitame.io.dicom import header
from mitame.io.dicom.frames import TELLS_APART, Frame, frames_in
from mitame.io.dicom.stack import Stack, stack
from mitame.io.protocol import Protocol

MAGIC_AT = 128
UNREADABLE = (
    AttributeError,
    BytesLengthException,
    EOFError,
    InvalidDicomError,
    KeyError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What pydicom and its decoders raise for damaged files, found by flipping bytes."""
TAGS = [
    *TELLS_APART,
    *header.DATES,
    "SpecificCharacterSet", "SOPClassUID", "SOPInstanceUID", "Modality",
    "SeriesInstanceUID", "SeriesNumber", "SeriesDescription", "ProtocolName",
    "PatientID", "PatientSex", "PatientAge",
    "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber",
    "MagneticFieldStrength", "ScanningSequence", "SequenceVariant", "AngioFlag",
    "RepetitionTime", "FlipAngle", "SliceThickness", "ContrastBolusAgent",
    "Rows", "Columns", "PhotometricInterpretation", "ModalityLUTSequence",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing",
    "RescaleSlope", "RescaleIntercept",
    "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence",
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One DICOM series: its files and what their headers say.

    Parameters
    ----------
    uid : str
        Series Instance UID.
    number : int, optional
        Series Number.
    description : str
        Series Description.
    files : tuple of Path
        In the order of their names.
    suffix : Suffix, optional
        The sequence, by name or timing; None when neither tells.
    subject : str, optional
        Patient ID.
    date : datetime.date, optional
        Day of the scan.
    scanner : Scanner, optional
        The machine.
    protocol : Protocol
        Timing and contrast.
    is_localizer : bool
        Whether it was made to plan the other series.
    n_frames : int
        Slices in all files.
    stack : Stack, optional
        The grid; None when there is a problem.
    problem : InputError, optional
        Why this series is no volume.
    """

    uid: str
    number: int | None
    description: str
    files: tuple[Path, ...]
    suffix: Suffix | None
    subject: str | None
    date: date | None
    scanner: Scanner | None
    protocol: Protocol
    is_localizer: bool
    n_frames: int
    stack: Stack | None
    problem: InputError | None

    def __str__(self) -> str:
        number = "?" if self.number is None else self.number
        kind = self.suffix or "sequence unknown"
        title = self.description or "no description"
        return f"series {number} ({title}, {self.n_frames} slices, {kind})"


def is_dicom(path: Path) -> bool:
    """Whether the file has the DICOM mark, whatever its name."""
    try:
        with path.open("rb") as file:
            file.seek(MAGIC_AT)
            return file.read(4) == b"DICM"
    except OSError:
        return False


def find_series(where: Path) -> list[Series]:
    """Return the image series in a file, or anywhere below a folder.

    Files that are not DICOM and objects without an image (structured reports,
    presentation states, DICOMDIR) are passed over.

    Raises
    ------
    InputError
        If a DICOM header is damaged.
    """
    groups: dict[str, list[tuple[Path, Dataset]]] = defaultdict(list)
    paths = [where] if where.is_file() else sorted(where.rglob("*"))
    for path in paths:
        if path.is_file() and is_dicom(path):
            found = _read_header(path)
            if "Rows" in found and "Columns" in found:
                groups[str(found.get("SeriesInstanceUID", ""))].append((path, found))
    series = [_series(uid, files) for uid, files in groups.items()]
    return sorted(series, key=lambda one: (one.number or 0, one.uid))


def select(series: Sequence[Series], choice: str) -> list[Series]:
    """Return the series with that number or UID, or whose description has `choice`.

    Raises
    ------
    InputError
        If there is none.
    """
    wanted = choice.strip().lower()
    exact = [one for one in series if wanted in {str(one.number), one.uid}]
    found = exact or [one for one in series if wanted in one.description.lower()]
    if found:
        return found
    listed = "; ".join(str(one) for one in series)
    raise InputError(
        f"No series is '{choice}'; there are: {listed}.",
        fix="Give a series number, its UID or part of its description.",
    )


def _read_header(path: Path) -> Dataset:
    try:
        with pydicom.config.disable_value_validation():
            found = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=TAGS)
            found.decode()
            return found
    except UNREADABLE as error:
        raise _damaged(path, error) from error


def reason(error: Exception) -> str:
    """Return the library's own words in one line; pydicom may quote whole pixels."""
    return textwrap.shorten(str(error), 200, placeholder=" …")


def _damaged(path: Path, error: Exception) -> InputError:
    return InputError(
        f"The DICOM header of '{path.name}' cannot be read: {reason(error)}.",
        fix="Export the series again, or move this file away.",
    )


def _series(uid: str, files: Sequence[tuple[Path, Dataset]]) -> Series:
    path, first = files[0]
    try:
        frames, problem = _frames(files)
        made, problem = (None, problem) if problem else _stack(frames)
        return Series(
            uid=uid,
            number=None
            if first.get("SeriesNumber") is None
            else int(first.SeriesNumber),
            description=header.text(first, "SeriesDescription"),
            files=tuple(path for path, _ in files),
            suffix=header.sequence(first),
            subject=header.text(first, "PatientID") or None,
            date=header.day(first),
            scanner=header.scanner(first),
            protocol=header.protocol(first),
            is_localizer=header.is_localizer(first),
            n_frames=len(frames) or len(files),
            stack=made,
            problem=problem,
        )
    except UNREADABLE as error:
        raise _damaged(path, error) from error


def _frames(
    files: Sequence[tuple[Path, Dataset]],
) -> tuple[list[Frame], InputError | None]:
    """Return the frames of all files, or why they are no gray MR images."""
    try:
        _require_different_files(files)
        return [one for path, found in files for one in frames_in(found, path)], None
    except InputError as problem:
        return [], problem


def _stack(frames: Sequence[Frame]) -> tuple[Stack | None, InputError | None]:
    try:
        return stack(frames), None
    except InputError as problem:
        return None, problem


def _require_different_files(files: Sequence[tuple[Path, Dataset]]) -> None:
    seen: dict[str, Path] = {}
    for path, found in files:
        uid = str(found.get("SOPInstanceUID", path))
        if uid in seen:
            raise InputError(
                f"'{seen[uid].name}' and '{path.name}' are the same image.",
                fix="Remove the duplicate files.",
            )
        seen[uid] = path
