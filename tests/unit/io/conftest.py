"""Small scans to write: NIfTI files and DICOM series with a known affine."""

from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    generate_uid,
)

WriteSeries = Callable[..., Path]


@pytest.fixture
def oblique() -> np.ndarray:
    """A rotated grid of 0.9 x 0.8 x 3 mm."""
    a, b = 0.3, -0.2
    turn = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = turn @ [[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]]
    affine = np.eye(4)
    affine[:3, :3] = turn * [0.9, 0.8, 3.0]
    affine[:3, 3] = [-40.5, 12.25, 7.0]
    return affine


@pytest.fixture
def noise() -> np.ndarray:
    """Stored values; (36, 34) is the least that GDCM's JPEG 2000 takes."""
    return np.random.default_rng(7).integers(0, 4000, (36, 34, 5)).astype(np.uint16)


@pytest.fixture
def nifti_file(tmp_path: Path, noise: np.ndarray, oblique: np.ndarray) -> Path:
    path = tmp_path / "sub-01_T1w.nii.gz"
    nib.save(nib.Nifti1Image(noise, oblique), path)
    return path


def _common(sop_class: str, series_uid: str, tags: dict) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = sop_class
    image.SOPClassUID = sop_class
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    image.SeriesInstanceUID = series_uid
    image.Modality, image.SeriesNumber = "MR", 3
    image.SeriesDescription = "t1_mprage"
    image.PatientID, image.PatientName = "P-07", "Someone^Real"
    image.StudyDate = "20240131"
    image.Manufacturer, image.ManufacturerModelName = "Maker", "Model"
    image.MagneticFieldStrength = 3
    image.PhotometricInterpretation, image.SamplesPerPixel = "MONOCHROME2", 1
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    for name, value in tags.items():
        setattr(image, name, value)
    return image


def _lps(affine: np.ndarray) -> np.ndarray:
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine


def _place(affine: np.ndarray, k: int) -> tuple[list, list, list]:
    """Position, orientation and pixel spacing of slice `k`, as DICOM writes them."""
    lps = _lps(affine)
    edges = np.linalg.norm(lps[:3, :3], axis=0)
    directions = (lps[:3, :2] / edges[:2]).T.ravel()
    position = lps @ [0, 0, k, 1]
    digits = [float(f"{v:.10f}") for v in (*position[:3], *directions)]
    return digits[:3], digits[3:], [float(edges[1]), float(edges[0])]


@pytest.fixture
def write_series(noise: np.ndarray, oblique: np.ndarray) -> WriteSeries:
    """A function that writes a classic series, one file a slice."""

    def write(
        folder: Path,
        *,
        slices: list[int] | None = None,
        per_slice: Callable[[int], dict] = lambda _: {},
        prefix: str = "im",
        uid: str = "",
        **tags: object,
    ) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        series_uid = uid or generate_uid()
        for k in slices if slices is not None else range(noise.shape[2]):
            image = _common(MRImageStorage, series_uid, tags)
            place = _place(oblique, k)
            image.ImagePositionPatient, image.ImageOrientationPatient = place[:2]
            image.PixelSpacing = place[2]
            image.InstanceNumber = k + 1
            image.Columns, image.Rows = noise.shape[:2]
            image.PixelData = noise[:, :, k % noise.shape[2]].T.tobytes()
            for name, value in per_slice(k).items():
                setattr(image, name, value)
            # names against the order of the slices: position must decide
            image.save_as(folder / f"{prefix}{99 - k:02d}", enforce_file_format=True)
        return folder

    return write


def _item(**tags: object) -> Sequence:
    item = Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    return Sequence([item])


@pytest.fixture
def write_enhanced(noise: np.ndarray, oblique: np.ndarray) -> WriteSeries:
    """A function that writes one Enhanced MR file; frames may be repeated."""

    def write(
        path: Path,
        *,
        echoes: tuple[float, ...] = (3.0,),
        slices: tuple[int, ...] = (4, 3, 2, 1, 0),
        uid: str = "",
        **tags: object,
    ) -> Path:
        image = _common(EnhancedMRImageStorage, uid or generate_uid(), tags)
        image.Columns, image.Rows = noise.shape[:2]
        shared, frames = Dataset(), []
        shared.MRTimingAndRelatedParametersSequence = _item(
            RepetitionTime=2000.0, FlipAngle=9.0
        )
        _, orientation, spacing = _place(oblique, 0)
        shared.PlaneOrientationSequence = _item(ImageOrientationPatient=orientation)
        shared.PixelMeasuresSequence = _item(PixelSpacing=spacing, SliceThickness=3.0)
        order = [(k, te) for te in echoes for k in slices]
        for k, te in order:
            frame = Dataset()
            position = _place(oblique, k)[0]
            frame.PlanePositionSequence = _item(ImagePositionPatient=position)
            frame.MREchoSequence = _item(EffectiveEchoTime=te)
            frame.PixelValueTransformationSequence = _item(
                RescaleSlope=2.0 + k, RescaleIntercept=-5.0, RescaleType="US"
            )
            frame.add_new(0x20051001, "LO", "a private value")
            frames.append(frame)
        image.SharedFunctionalGroupsSequence = Sequence([shared])
        image.PerFrameFunctionalGroupsSequence = Sequence(frames)
        image.NumberOfFrames = len(frames)
        image.PixelData = b"".join(noise[:, :, k].T.tobytes() for k, _ in order)
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save_as(path, enforce_file_format=True)
        return path

    return write
