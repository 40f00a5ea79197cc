"""Scan: one acquired image on disk, its pixels not yet read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.scanner import Scanner
from mitame.core.session import Suffix
from mitame.core.volume import Step, Volume
from mitame.io import dicom, names, nifti, sidecar
from mitame.io.protocol import Protocol


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One acquired image: where it is and what its header says; pixels not read.

    Parameters
    ----------
    path : Path
        NIfTI file, or the file or folder of the DICOM series.
    kind : {"nifti", "dicom"}
        What is there.
    is_image : bool
        False for a mask, a label map, a difference map or a localizer, by its name.
    suffix : Suffix, optional
        The sequence; None when it cannot be told.
    subject, visit : str, optional
        BIDS ``sub`` and ``ses`` labels; for DICOM Patient ID and the day.
    date : datetime.date, optional
        Day of the scan.
    scanner : Scanner, optional
        The machine; None when the files do not say.
    protocol : Protocol
        Timing, contrast, sex and age.
    shape : tuple of int, optional
        Voxels along each axis; None when there is a problem.
    affine : array, shape (4, 4), optional
        Voxel indices to world mm, RAS+; None when there is a problem.
    history : tuple of Step
        What mitame did to the image before, as its sidecar tells.
    series : dicom.Series, optional
        The DICOM series.
    problem : InputError, optional
        Why it cannot be read; `read` raises it.
    """

    path: Path
    kind: Literal["nifti", "dicom"]
    is_image: bool
    suffix: Suffix | None
    subject: str | None
    visit: str | None
    date: date | None
    scanner: Scanner | None
    protocol: Protocol
    shape: tuple[int, int, int] | None
    affine: NDArray[np.float64] | None
    history: tuple[Step, ...] = ()
    series: dicom.Series | None = None
    problem: InputError | None = None

    def __str__(self) -> str:
        if self.series is not None:
            return str(self.series)
        return f"{self.path.name} ({self.suffix or 'sequence unknown'})"


def read(scan: Scan) -> Volume:
    """Return the image of `scan`, with its scanner and earlier history.

    Raises
    ------
    InputError
        If it cannot be read; also its kinds `MetadataError`, `ImplausibleError`.
    """
    if scan.problem is not None:
        raise scan.problem
    if scan.series is not None:
        return dicom.read(scan.series)
    volume = nifti.read(scan.path)
    history = (*scan.history, *volume.history)
    return replace(volume, scanner=scan.scanner, history=history)


def from_nifti(path: Path) -> Scan:
    """Return the scan in a NIfTI file; its sidecar and table tell the rest."""
    name, problem = names.parse(path), None
    shape, affine, fields = None, None, {}
    try:
        fields = sidecar.read(path)
        shape, affine = nifti.grid(path)
    except InputError as error:
        problem = error
    protocol = sidecar.protocol(fields, sidecar.person(path))
    if protocol.contrast_agent is None:
        protocol = replace(protocol, contrast_agent=name.contrast_agent)
    return Scan(
        path=path,
        kind="nifti",
        is_image=name.is_scan,
        suffix=name.suffix if name.is_scan else None,
        subject=name.entities.get("sub"),
        visit=name.entities.get("ses"),
        date=sidecar.day(fields) or sidecar.scan_day(path),
        scanner=sidecar.scanner(fields),
        protocol=protocol,
        shape=shape,
        affine=affine,
        history=sidecar.history(fields),
        problem=problem,
    )


def from_series(series: dicom.Series) -> Scan:
    """Return the scan in a DICOM series."""
    files, stack = series.files, series.stack
    return Scan(
        path=files[0] if len(files) == 1 else files[0].parent,
        kind="dicom",
        is_image=not series.is_localizer,
        suffix=series.suffix,
        subject=series.subject,
        visit=None if series.date is None else f"{series.date:%Y%m%d}",
        date=series.date,
        scanner=series.scanner,
        protocol=series.protocol,
        shape=None if stack is None else stack.shape,
        affine=None if stack is None else stack.affine,
        series=series,
        problem=series.problem,
    )
