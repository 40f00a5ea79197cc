"""Files of a simulated dataset: truth, scans and their sidecars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitame.core.volume import Volume
from mitame.io import bids, nifti
from mitame.prepare.resample import resample
from mitame.simulate.acquire import scan_grid
from mitame.simulate.acquisition import Acquisition
from mitame.simulate.anatomy import OUTSIDE_BRAIN
from mitame.simulate.atrophy import MEASURED, lost, volumes
from mitame.simulate.plant import Lesion
from mitame.simulate.subject import Subject

LATER = "later"
"""Ends the names of sessions of the second date: ``ses-prismalater``."""


def write_anatomy(
    told: Path,
    subject: Subject,
    numbers: NDArray[np.int16],
    lesions: Sequence[Lesion],
    spacing: float,
) -> None:
    """Write labels, brain mask and lesions of a subject on the grid of its scans.

    Parameters
    ----------
    told : Path
        Folder of the subject in the truth.
    subject : Subject
        Who it is.
    numbers : array of int, shape of the subject
        n where ``lesions[n - 1]`` is.
    lesions : sequence of Lesion
        What was planted.
    spacing : float
        Voxel edge of the scans, mm.
    """
    grid = scan_grid(subject, spacing)
    folder = told / "anat"
    folder.mkdir()
    stem = f"sub-{subject.name}"
    labels = _nearest(subject.labels, grid)
    nifti.write_labels(folder / f"{stem}_desc-labels_dseg.nii.gz", labels, grid)
    brain = ~np.isin(labels, OUTSIDE_BRAIN)
    nifti.write_mask(folder / f"{stem}_desc-brain_mask.nii.gz", brain, grid)
    if lesions:
        there = _nearest(numbers, grid)
        nifti.write_labels(folder / f"{stem}_desc-lesions_dseg.nii.gz", there, grid)
        rows = [
            {"index": number, "name": f"{lesion.kind} {number}", **asdict(lesion)}
            for number, lesion in enumerate(lesions, start=1)
        ]
        columns = {
            "index": "Value in the label map",
            "name": "Kind and number",
            "kind": "Which tissue replaces the healthy one",
            "region": "Where it was planted",
            "center": "World position, mm, RAS+",
            "diameter_mm": "Of the ball of the same size",
            "strength": "Share of the healthy tissue that is replaced in the middle",
        }
        bids.write_table(folder / f"{stem}_desc-lesions_dseg.tsv", rows, columns)


def write_atrophy(told: Path, before: Subject, after: Subject, spacing: float) -> None:
    """Write what a subject lost until the second date, and the labels then.

    Parameters
    ----------
    told : Path
        Folder of the subject in the truth.
    before, after : Subject
        The same person on both dates.
    spacing : float
        Voxel edge of the scans, mm.
    """
    grid = scan_grid(before, spacing)
    stem = f"{told / 'anat'}/sub-{before.name}_desc-"
    labels = _nearest(after.labels, grid)
    nifti.write_labels(Path(f"{stem}labels{LATER}_dseg.nii.gz"), labels, grid)
    share = resample(
        Volume(lost(before, after), before.affine), grid, interpolator="linear"
    )
    nifti.write(Path(f"{stem}atrophy_probseg.nii.gz"), share)
    first, second = volumes(before), volumes(after)
    rows = [
        {
            "index": label,
            "name": MEASURED[label],
            "before_ml": f"{size:.3f}",
            "after_ml": f"{second[label]:.3f}",
            "change_percent": f"{100 * (second[label] / size - 1):.2f}",
        }
        for label, size in first.items()
    ]
    columns = {
        "index": "Value in the label map",
        "name": "Structure",
        "before_ml": "Size on the first date",
        "after_ml": "Size on the second date",
        "change_percent": "Of the size on the first date",
    }
    bids.write_table(Path(f"{stem}labels{LATER}_dseg.tsv"), rows, columns)


def write_image(
    path: Path, volume: Volume, fields: Mapping[str, Any], words: str
) -> None:
    """Write an image and its sidecar; what a scanner stored stays whole numbers."""
    if np.array_equal(volume.data, np.rint(volume.data)):
        nifti.write_labels(path, volume.data, volume)
    else:
        nifti.write(path, volume)
    bids.write_sidecar(
        path,
        volume,
        sources=[],
        description=words,
        fields={"Simulated": True, **fields},
    )


def protocol_fields(acquisition: Acquisition) -> dict[str, Any]:
    """Return the protocol as BIDS names it: seconds and degrees."""
    angle = acquisition.flip_angle
    fields = {
        "EchoTime": acquisition.te,
        "RepetitionTime": acquisition.tr,
        "InversionTime": acquisition.ti,
        "FlipAngle": 90.0 if angle is None else round(math.degrees(angle), 3),
        "SliceThickness": acquisition.slice_thickness_mm,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _nearest(labels: NDArray[np.int16], grid: Volume) -> NDArray[np.int16]:
    """Return labels of the fine grid at the voxels of a scan's; they share a corner."""
    picks = [
        np.minimum(
            np.rint(np.arange(n) * labels.shape[axis] / n), labels.shape[axis] - 1
        )
        for axis, n in enumerate(grid.shape)
    ]
    return np.ascontiguousarray(labels[np.ix_(*(p.astype(int) for p in picks))])
