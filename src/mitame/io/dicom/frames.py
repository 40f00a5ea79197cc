"""Where each frame of a DICOM file lies, and how its values are scaled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from mitame.core.errors import ImplausibleError, InputError, MetadataError
from mitame.io.dicom.header import text

TELLS_APART = (
    "EchoTime",
    "EffectiveEchoTime",
    "EchoNumbers",
    "InversionTime",
    "ImageType",
    "FrameType",
    "ComplexImageComponent",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "TriggerTime",
    "NominalCardiacTriggerDelayTime",
    "DiffusionBValue",
    "AcquisitionNumber",
    "FrameAcquisitionNumber",
)
"""What can differ between two frames at one place, the most telling first."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One slice: where its pixels are stored and where it lies in the patient.

    Parameters
    ----------
    file : Path
        File that holds it.
    index : int
        Frame number in the file, from 0.
    size : tuple of int
        Rows, columns.
    position : array, shape (3,)
        Center of the first pixel, mm, LPS+.
    orientation : array, shape (2, 3)
        Direction along a row, then down a column; LPS+.
    spacing : array, shape (2,)
        Between rows, between columns, mm.
    slope, intercept : float
        Stored value to intensity.
    marks : dict of str to str
        What tells it from other frames at the same place.
    """

    file: Path
    index: int
    size: tuple[int, int]
    position: NDArray[np.float64]
    orientation: NDArray[np.float64]
    spacing: NDArray[np.float64]
    slope: float
    intercept: float
    marks: dict[str, str] = field(default_factory=dict)


def frames_in(header: Dataset, file: Path) -> list[Frame]:
    """Return the frames of one file, classic or Enhanced.

    Raises
    ------
    InputError
        If it is no gray MR image.
    MetadataError
        If a frame does not say where it lies.
    """
    _require_gray_mr(header, file)
    shared = _items(header, "SharedFunctionalGroupsSequence")
    per_frame = _items(header, "PerFrameFunctionalGroupsSequence")
    if not per_frame:
        return [_frame([header], header, file, 0)]
    return [
        _frame(
            [*_groups(own), *[g for s in shared for g in _groups(s)]], header, file, n
        )
        for n, own in enumerate(per_frame)
    ]


def _frame(groups: list[Dataset], header: Dataset, file: Path, index: int) -> Frame:
    position = _numbers(groups, "ImagePositionPatient", 3, file)
    orientation = _numbers(groups, "ImageOrientationPatient", 6, file).reshape(2, 3)
    if abs(np.linalg.norm(np.cross(*orientation)) - 1) > 0.01:
        raise ImplausibleError(
            f"The row and column directions in '{file.name}' are not at right "
            f"angles: {orientation.tolist()}.",
            fix="Repair ImageOrientationPatient, or export the series again.",
        )
    spacing = _numbers(groups, "PixelSpacing", 2, file)
    if not (spacing > 0).all():
        raise ImplausibleError(
            f"PixelSpacing in '{file.name}' is {spacing.tolist()}.",
            fix="Export the series again.",
        )
    slope, intercept = (
        _first(groups, "RescaleSlope"),
        _first(groups, "RescaleIntercept"),
    )
    return Frame(
        file,
        index,
        (int(header.Rows), int(header.Columns)),
        position,
        orientation,
        spacing,
        1.0 if slope is None else float(slope),
        0.0 if intercept is None else float(intercept),
        _marks([*groups, header]),
    )


def _marks(groups: list[Dataset]) -> dict[str, str]:
    found = {mark: _first(groups, mark) for mark in TELLS_APART}
    return {mark: str(value) for mark, value in found.items() if value is not None}


def _numbers(
    groups: list[Dataset], name: str, count: int, file: Path
) -> NDArray[np.float64]:
    value = _first(groups, name)
    if value is None or len(value) != count:
        raise MetadataError(
            f"'{file.name}' has no usable {name}: {value}.",
            fix="Export the series with its geometry; a screen copy has none.",
        )
    return np.array([float(one) for one in value])


def _first(groups: list[Dataset], name: str) -> Any:  # noqa: ANN401 - DICOM values
    """Return the first value that is there and not empty."""
    for group in groups:
        value = group.get(name)
        if value is not None and value != "":
            return value
    return None


def _items(header: Dataset, name: str) -> list[Dataset]:
    return list(header.get(name) or [])


def _groups(functional: Dataset) -> list[Dataset]:
    """Return the items of all functional groups: the macros of PS3.3 C.7.6.16."""
    public = (e for e in functional if e.VR == "SQ" and not e.tag.is_private)
    return [item for element in public for item in element.value]


def _require_gray_mr(found: Dataset, path: Path) -> None:
    modality = text(found, "Modality")
    color = text(found, "PhotometricInterpretation")
    if modality != "MR":
        raise InputError(
            f"'{path.name}' is {modality or 'of no modality'}, not MR.",
            fix="Give an MR series.",
        )
    if color != "MONOCHROME2":
        raise InputError(
            f"'{path.name}' is {color or 'of no photometric interpretation'}.",
            fix="Give the original gray images (MONOCHROME2), not a color map, a "
            "screen copy or a negative.",
        )
    if "MOSAIC" in text(found, "ImageType").upper():
        raise InputError(
            f"'{path.name}' is a mosaic of many slices.",
            fix="Export the series with one image per slice.",
        )
    if found.get("ModalityLUTSequence"):
        raise InputError(
            f"'{path.name}' has a modality look-up table, not a rescale slope.",
            fix="Export the series as plain MR images.",
        )
