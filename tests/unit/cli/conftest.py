"""Scans good and bad, a model that needs no brain, and commands in this process."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

from mitame.cli.main import outcome
from mitame.engines.identity import Identity
from mitame.model import Model
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation

Mitame = Callable[..., SimpleNamespace]


@pytest.fixture
def mitame(capsys) -> Mitame:
    """Run a command here; return its status, stdout, stderr and JSON report."""

    def run(*arguments: object) -> SimpleNamespace:
        capsys.readouterr()
        status = outcome([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        report = json.loads(shown.out) if "--json" in arguments else None
        return SimpleNamespace(
            status=status, out=shown.out, err=shown.err, report=report
        )

    return run


@pytest.fixture
def voxels() -> np.ndarray:
    return np.random.default_rng(5).integers(1, 900, (12, 11, 10)).astype(np.int16)


@pytest.fixture
def scan(tmp_path, voxels) -> Path:
    """A good scan in a folder of its own."""
    return save(tmp_path / "good" / "sub-01_T1w.nii.gz", voxels)


def save(path: Path, data: np.ndarray, affine: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    place = np.diag([2.0, 2.0, 3.0, 1.0]) if affine is None else affine
    nib.save(nib.Nifti1Image(data, place), path)
    return path


@pytest.fixture
def model(tmp_path) -> Path:
    """A model for T1w that changes nothing and needs no brain."""
    known = {"sequences": ["T1w"], "scanners": ["Maker One 3 T"], "sha256": ["a", "b"]}
    about = {"mitame": "0", "source": known, "target": known}
    engine = Identity().fit([], [])
    made = Model(Preparation((Orient(),)), "identity", engine, about)
    made.save(tmp_path / "model")
    return tmp_path / "model"


BAD: dict[str, tuple[str, str]] = {
    "missing": ("There is no", "Check the name"),
    "empty": ("is empty", "again"),
    "truncated": ("cannot be read as NIfTI", "cut short"),
    "text": ("cannot be read as NIfTI", "another format"),
    "four_d": ("is 4-D", "split"),
    "one_slice": ("fewer than 3 slices", "whole scan"),
    "nan": ("NaN", "Repair"),
    "zeros": ("Every voxel", "again"),
    "rgb": ("color", "one number per voxel"),
    "singular": ("singular", "Repair"),
    "no_codes": ("which side is left", "dcm2niix"),
}
"""What is wrong with a file, and words of the error and of its remedy."""


@pytest.fixture(params=BAD)
def bad(request, tmp_path, voxels) -> SimpleNamespace:
    """One unusable scan, with the words its error must have."""
    path = tmp_path / "bad" / "sub-01_T1w.nii.gz"
    path.parent.mkdir()
    spoil(request.param, path, voxels)
    what, fix = BAD[request.param]
    return SimpleNamespace(path=path, what=what, fix=fix, name=request.param)


def spoil(kind: str, path: Path, voxels: np.ndarray) -> None:
    if kind == "missing":
        return
    save(path, voxels)
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "truncated":
        path.write_bytes(path.read_bytes()[:1200])
    elif kind == "text":
        path.write_bytes(gzip.compress(b"no image at all" * 100))
    elif kind == "four_d":
        save(path, np.stack([voxels, voxels], axis=-1))
    elif kind == "one_slice":
        save(path, voxels[..., :1])
    elif kind == "nan":
        save(path, np.where(voxels > 500, np.nan, voxels).astype(np.float32))
    elif kind == "zeros":
        save(path, 0 * voxels)
    elif kind == "rgb":
        color = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
        save(path, np.zeros(voxels.shape, color))
    else:
        image = nib.Nifti1Image(voxels, np.eye(4))
        image.header["sform_code"], image.header["qform_code"] = 0, 0
        if kind == "singular":
            image.header["sform_code"] = 1
            image.header["srow_z"] = [0, 0, 1, 0]
            image.header["srow_x"] = image.header["srow_y"] = [1, 1, 0, 0]
        path.write_bytes(gzip.compress(image.header.binaryblock + bytes(4)
                                       + voxels.tobytes(order="F")))  # fmt: skip


def snapshot(folder: Path) -> dict[str, tuple[bytes, int] | None]:
    """Everything below a folder: bytes and time of files, names of folders."""
    return {
        str(path.relative_to(folder)): (
            (path.read_bytes(), path.stat().st_mtime_ns) if path.is_file() else None
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def untouched(tmp_path) -> Callable[[], None]:
    """A function that fails if anything below `tmp_path` changed since the first call.

    Call it before and after.
    """
    seen: list[dict] = []

    def check() -> None:
        seen.append(snapshot(tmp_path))
        assert seen[-1] == seen[0]

    return check


@pytest.fixture
def study(tmp_path, voxels) -> Path:
    """A DICOM folder with two T1w series and one of diffusion."""
    folder = tmp_path / "study"
    folder.mkdir()
    names = {3: "t1_mprage", 4: "t1_mprage late", 5: "ep2d_diff"}
    for number, description in names.items():
        series = generate_uid()
        for k in range(5):
            image = Dataset()
            image.file_meta = FileMetaDataset()
            image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            image.file_meta.MediaStorageSOPClassUID = MRImageStorage
            image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, generate_uid()
            image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
            image.SeriesInstanceUID, image.SeriesNumber = series, number
            image.SeriesDescription, image.Modality = description, "MR"
            image.PatientID, image.StudyDate = "P-07", "20240131"
            image.ImagePositionPatient = [0.0, 0.0, 3.0 * k]
            image.ImageOrientationPatient = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
            image.PixelSpacing, image.SliceThickness = [2.0, 2.0], 3.0
            image.Columns, image.Rows = voxels.shape[:2]
            image.PhotometricInterpretation, image.SamplesPerPixel = "MONOCHROME2", 1
            image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
            image.PixelRepresentation = 0
            image.PixelData = voxels[:, :, k].T.tobytes()
            path = folder / f"{number}-{k}.dcm"
            image.save_as(path, enforce_file_format=True)
    return folder
