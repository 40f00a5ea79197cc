"""What a scan is, in plain values: what `mitame info` prints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np

from mitame.io.protocol import Protocol
from mitame.io.scan.find import all_scans
from mitame.io.scan.scan import Scan


@dataclass(frozen=True, slots=True)
class Description:
    """One scan in words and numbers; no name of a person, only the subject's id.

    Parameters
    ----------
    name : str
        File name, or the DICOM series in words.
    path : str
        Where it is.
    kind : str
        ``"nifti"`` or ``"dicom"``.
    is_image : bool
        False for masks, label maps, difference maps and localizers.
    sequence, subject, visit, date, scanner : str, optional
        As `Scan` has them; the date as YYYY-MM-DD.
    protocol : Protocol
        Timing and contrast.
    shape : tuple of int, optional
        Voxels along each axis.
    spacing : tuple of float, optional
        Voxel edges, mm.
    orientation : str, optional
        Where each axis leads, such as ``"LPS"``.
    history : tuple of dict
        What mitame did to it: ``name`` and ``params`` of each step.
    problem, fix : str, optional
        Why it cannot be read, and what to do.
    """

    name: str
    path: str
    kind: str
    is_image: bool
    sequence: str | None
    subject: str | None
    visit: str | None
    date: str | None
    scanner: str | None
    protocol: Protocol
    shape: tuple[int, int, int] | None
    spacing: tuple[float, float, float] | None
    orientation: str | None
    history: tuple[dict[str, Any], ...]
    problem: str | None
    fix: str | None


def describe(where: str | Path) -> list[Description]:
    """Return what is at `where`, masks and localizers too; pixels are not read.

    Raises
    ------
    InputError
        If there is no image.
    """
    return [_describe(scan) for scan in all_scans(where)]


def _describe(scan: Scan) -> Description:
    spacing, orientation = _grid(scan)
    return Description(
        name=scan.path.name if scan.series is None else str(scan.series),
        path=str(scan.path),
        kind=scan.kind,
        is_image=scan.is_image,
        sequence=scan.suffix,
        subject=scan.subject,
        visit=scan.visit,
        date=None if scan.date is None else scan.date.isoformat(),
        scanner=None if scan.scanner is None else str(scan.scanner),
        protocol=scan.protocol,
        shape=scan.shape,
        spacing=spacing,
        orientation=orientation,
        history=tuple({"name": s.name, "params": s.params} for s in scan.history),
        problem=None if scan.problem is None else scan.problem.what,
        fix=None if scan.problem is None else scan.problem.fix,
    )


def _grid(scan: Scan) -> tuple[tuple[float, float, float] | None, str | None]:
    if scan.affine is None:
        return None, None
    i, j, k = np.linalg.norm(scan.affine[:3, :3], axis=0).round(4)
    codes = nib.aff2axcodes(scan.affine)
    return (float(i), float(j), float(k)), "".join(code or "?" for code in codes)
