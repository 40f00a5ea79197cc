from pathlib import Path

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from mitame.core.errors import ImplausibleError, InputError, MetadataError
from mitame.core.scanner import Scanner
from mitame.io import dicom


def only(folder: Path) -> dicom.Series:
    (series,) = dicom.find_series(folder)
    return series


def problem_of(folder: Path) -> InputError:
    """The one error that both the header check and reading give."""
    series = only(folder)
    assert series.problem is not None
    with pytest.raises(type(series.problem)):
        dicom.read(series)
    return series.problem


def test_a_classic_series_lies_where_it_was_scanned(
    tmp_path, write_series, noise, oblique
):
    volume = dicom.read(only(write_series(tmp_path)))
    np.testing.assert_allclose(volume.affine, oblique, atol=1e-5)
    np.testing.assert_array_equal(volume.data, noise)
    assert volume.scanner == Scanner("Maker", "Model", "", 3.0)


def test_simpleitk_agrees_on_place_and_values(tmp_path, write_series):
    folder = write_series(tmp_path)
    volume = dicom.read(only(folder))
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = SimpleITK.ReadImage(names)
    rng = np.random.default_rng(1)
    for index in rng.integers(0, volume.shape, (10, 3)).tolist():
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        ras = volume.affine @ [*index, 1]
        np.testing.assert_allclose(ras[:3], lps * [-1, -1, 1], atol=1e-4)
        assert volume.data[*index] == image[index]


def test_rescale_slope_and_intercept_are_applied_to_each_slice(
    tmp_path, write_series, noise
):
    def scaling(k: int) -> dict:
        return {"RescaleSlope": 1.5 + k, "RescaleIntercept": -3}

    volume = dicom.read(only(write_series(tmp_path, per_slice=scaling)))
    np.testing.assert_allclose(volume.data, noise * (1.5 + np.arange(5)) - 3)


def test_signed_pixels_are_read(tmp_path, write_series, noise):
    folder = write_series(tmp_path, PixelRepresentation=1, BitsStored=16, HighBit=15)
    np.testing.assert_array_equal(dicom.read(only(folder)).data, noise.astype(np.int16))


def test_every_third_slice_is_a_coarser_grid(tmp_path, write_series, noise, oblique):
    volume = dicom.read(only(write_series(tmp_path, slices=[0, 3, 6, 9])))
    assert volume.spacing == pytest.approx((0.9, 0.8, 9.0))


def test_a_missing_slice_is_named_with_its_place(tmp_path, write_series):
    problem = problem_of(write_series(tmp_path, slices=[0, 1, 2, 4, 5]))
    assert isinstance(problem, ImplausibleError)
    assert "usually 3.00 mm, but 6.00 mm after" in problem.what
    assert "im97" in problem.what


def test_a_slice_off_the_line_is_told(tmp_path, write_series):
    def shift(k: int) -> dict:
        return {"ImagePositionPatient": [40.5 + 5 * (k == 2), -12.25, 7.0 + 3 * k]}

    problem = problem_of(
        write_series(
            tmp_path, per_slice=shift, ImageOrientationPatient=[1, 0, 0, 0, 1, 0]
        )
    )
    assert isinstance(problem, ImplausibleError)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_slices_are_refused(tmp_path, write_series, count):
    problem = problem_of(write_series(tmp_path, slices=list(range(count))))
    assert "whole series" in problem.fix


def test_echoes_at_one_place_are_listed(tmp_path, write_series):
    uid = generate_uid()
    for te in (10, 90):
        write_series(tmp_path, uid=uid, prefix=f"te{te}_", EchoTime=te)
    problem = problem_of(tmp_path)
    assert "2 images lie at one place; they differ in EchoTime 10" in problem.what
    assert "90" in problem.what


def test_copies_of_one_file_are_told(tmp_path, write_series):
    folder = write_series(tmp_path / "a")
    (tmp_path / "a" / "copy").write_bytes((folder / "im99").read_bytes())
    assert "are the same image" in problem_of(tmp_path).what


def test_slices_that_nothing_tells_apart_are_told(tmp_path, write_series):
    uid = generate_uid()
    write_series(tmp_path / "a", uid=uid)
    write_series(tmp_path / "b", uid=uid)
    assert "nothing tells them apart" in problem_of(tmp_path).what


def test_slices_in_two_directions_are_refused(tmp_path, write_series):
    def turned(k: int) -> dict:
        return {} if k < 3 else {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}

    assert (
        "values of orientation"
        in problem_of(write_series(tmp_path, per_slice=turned)).what
    )


def test_slices_of_two_sizes_are_refused(tmp_path, write_series):
    def smaller(k: int) -> dict:
        return {"Rows": 4, "PixelData": bytes(36 * 4 * 2)} if k == 2 else {}

    assert (
        "different sizes" in problem_of(write_series(tmp_path, per_slice=smaller)).what
    )


@pytest.mark.parametrize(
    ("tags", "what"),
    [
        ({"PhotometricInterpretation": "RGB"}, "is RGB"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "is PALETTE COLOR"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "is MONOCHROME1"),
        ({"Modality": "CT"}, "is CT, not MR"),
        ({"ImageType": ["ORIGINAL", "PRIMARY", "M", "MOSAIC"]}, "mosaic"),
        ({"PixelSpacing": [0, 0]}, "PixelSpacing"),
    ],
)
def test_what_is_no_gray_mr_image_is_refused(tmp_path, write_series, tags, what):
    folder = write_series(tmp_path, per_slice=lambda _: tags)
    assert what in problem_of(folder).what


def test_a_screen_copy_without_geometry_is_refused(tmp_path, write_series):
    folder = write_series(tmp_path)
    for path in folder.iterdir():
        image = pydicom.dcmread(path)
        del image.ImagePositionPatient
        image.save_as(path)
    assert isinstance(problem_of(folder), MetadataError)


def test_foreign_files_and_objects_without_image_are_passed_over(
    tmp_path, write_series
):
    folder = write_series(tmp_path / "scan.dcm" / "nested")
    (folder / "notes.txt").write_text("hello")
    (folder / ".DS_Store").write_bytes(bytes(600))
    (folder / "empty").touch()
    report = pydicom.dcmread(folder / "im99")
    for name in ("Rows", "Columns", "PixelData"):
        delattr(report, name)
    report.SeriesInstanceUID = generate_uid()
    report.save_as(folder / "report.dcm")
    assert only(tmp_path / "scan.dcm").n_frames == 5


def test_a_file_cut_short_is_told(tmp_path, write_series):
    folder = write_series(tmp_path)
    content = (folder / "im97").read_bytes()
    (folder / "im97").write_bytes(content[:-20])
    with pytest.raises(InputError, match=r"pixels of 'im97'"):
        dicom.read(only(folder))


def test_constant_pixels_are_refused(tmp_path, write_series):
    folder = write_series(
        tmp_path, per_slice=lambda _: {"PixelData": bytes(36 * 34 * 2)}
    )
    with pytest.raises(ImplausibleError, match="Every pixel"):
        dicom.read(only(folder))


def transcoded(path: Path, syntax: str) -> None:
    """Compress one file: RLE by pydicom, the JPEG family by GDCM."""
    image = pydicom.dcmread(path)
    if syntax == RLELossless:
        image.compress(RLELossless)
    else:
        # only the pixels: GDCM writes the first frame's rescale slope to all
        image.PixelData = gdcm_pixels(path, syntax)
        image["PixelData"].is_undefined_length = True
        image.file_meta.TransferSyntaxUID = syntax
    image.save_as(path)


def gdcm_pixels(path: Path, syntax: str) -> bytes:
    import gdcm

    reader, change = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax()
    reader.SetFileName(str(path))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path.with_suffix(".gdcm")))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    pixels = pydicom.dcmread(path.with_suffix(".gdcm")).PixelData
    path.with_suffix(".gdcm").unlink()
    return pixels


@pytest.mark.parametrize(
    "syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, RLELossless]
)
def test_compressed_pixels_are_the_same_pixels(tmp_path, write_series, noise, syntax):
    folder = write_series(tmp_path)
    for path in folder.iterdir():
        transcoded(path, syntax)
        assert pydicom.dcmread(path).file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(dicom.read(only(folder)).data, noise)


def test_an_enhanced_file_is_one_volume(tmp_path, write_enhanced, noise, oblique):
    series = only(write_enhanced(tmp_path / "one.dcm"))
    volume = dicom.read(series)
    np.testing.assert_allclose(volume.affine, oblique, atol=1e-5)
    np.testing.assert_allclose(volume.data, noise * (2.0 + np.arange(5)) - 5)
    assert (series.protocol.tr, series.protocol.te) == (2.0, 0.003)
    assert series.protocol.slice_thickness == 3.0


def test_an_enhanced_file_with_two_echoes_lists_them(tmp_path, write_enhanced):
    problem = problem_of(write_enhanced(tmp_path / "one.dcm", echoes=(10.0, 90.0)))
    assert "EffectiveEchoTime 10.0, 90.0" in problem.what


def test_a_series_of_two_enhanced_files_is_one_volume(tmp_path, write_enhanced, noise):
    uid = generate_uid()
    write_enhanced(tmp_path / "b", uid=uid, slices=(2, 0))
    write_enhanced(tmp_path / "a", uid=uid, slices=(3, 1, 4))
    data = dicom.read(only(tmp_path)).data
    np.testing.assert_allclose(data, noise * (2.0 + np.arange(5)) - 5)


@pytest.mark.parametrize(
    "syntax", [JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless, RLELossless]
)
def test_a_compressed_enhanced_file_is_read(tmp_path, write_enhanced, noise, syntax):
    path = write_enhanced(tmp_path / "one.dcm")
    transcoded(path, syntax)
    data = dicom.read(only(path)).data
    np.testing.assert_allclose(data, noise * (2.0 + np.arange(5)) - 5)


def test_the_header_is_told_in_si_units_and_without_a_name(tmp_path, write_series):
    series = only(
        write_series(
            tmp_path, EchoTime=3, RepetitionTime=2000, InversionTime=900, FlipAngle=180,
            PatientAge="006M", PatientSex="F", ContrastBolusAgent="Gadovist",
        )
    )  # fmt: skip
    found = series.protocol
    assert (found.te, found.tr, found.ti) == (0.003, 2.0, 0.9)
    assert found.flip_angle == pytest.approx(np.pi)
    assert (found.age, found.sex, found.contrast_agent) == (0.5, "F", True)
    assert f"{series.date}" == "2024-01-31"
    assert "Someone" not in repr(series)


def test_a_converter_is_no_scanner(tmp_path, write_series):
    folder = write_series(tmp_path, ManufacturerModelName="nifti2dicom")
    assert only(folder).scanner is None


LONG_TI = {"RepetitionTime": 9000, "EchoTime": 120, "InversionTime": 2500}
SE = {"ScanningSequence": "SE", "SequenceVariant": "SK"}
GR = {"ScanningSequence": ["GR", "IR"], "SequenceVariant": ["SP", "MP"]}


@pytest.mark.parametrize(
    ("tags", "suffix"),
    [
        ({"SeriesDescription": "t2_tirm_tra_dark-fluid"}, "FLAIR"),
        ({"SeriesDescription": "Ax T2 FLAIR"}, "FLAIR"),
        ({"SeriesDescription": "Sag T1 FLAIR"}, "T1w"),
        ({"SeriesDescription": "3D T1 MPRAGE +C"}, "T1w"),
        ({"SeriesDescription": "Ax T2 FSE"}, "T2w"),
        ({"SeriesDescription": "", "ProtocolName": "PD"}, "PDw"),
        ({"SeriesDescription": "ep2d_diff_T2"}, None),
        ({"SeriesDescription": "T2* GRE"}, None),
        ({"SeriesDescription": "T1 map"}, None),
        ({"SeriesDescription": "Epilepsy T1"}, "T1w"),
        ({"SeriesDescription": "t1 localizer"}, None),
        ({**SE, **LONG_TI}, "FLAIR"),
        ({**SE, "RepetitionTime": 500, "EchoTime": 10}, "T1w"),
        ({**SE, "RepetitionTime": 4000, "EchoTime": 100}, "T2w"),
        ({**SE, "RepetitionTime": 2500, "EchoTime": 20}, "PDw"),
        ({**SE, "RepetitionTime": 1400, "EchoTime": 60}, None),
        ({**GR, "RepetitionTime": 2000, "EchoTime": 3, "InversionTime": 900}, "T1w"),
        ({"ScanningSequence": "GR", "RepetitionTime": 9, "EchoTime": 4}, "T1w"),
        ({"ScanningSequence": "GR", "RepetitionTime": 600, "EchoTime": 20}, None),
        (
            {"ScanningSequence": "GR", "SequenceVariant": "SS",
             "RepetitionTime": 5, "EchoTime": 2},
            None,
        ),
        ({"ScanningSequence": "EP", "RepetitionTime": 3000, "EchoTime": 30}, None),
    ],
)  # fmt: skip
def test_the_sequence_is_told_by_name_then_by_timing(
    tmp_path, write_series, tags, suffix
):
    tags = {"SeriesDescription": "head", **tags}
    assert only(write_series(tmp_path, slices=[0, 1, 2], **tags)).suffix == suffix


def test_a_series_is_chosen_by_number_uid_or_description(tmp_path, write_series):
    write_series(tmp_path / "a", SeriesNumber=2)
    write_series(tmp_path / "b", SeriesNumber=12, SeriesDescription="Ax T2 FSE")
    series = dicom.find_series(tmp_path)
    one, two = series
    assert dicom.select(series, "2") == [one]
    assert dicom.select(series, "fse") == [two]
    assert dicom.select(series, two.uid) == [two]
    with pytest.raises(InputError, match=r"series 2 \(t1_mprage, 5 slices, T1w\)"):
        dicom.select(series, "nothing")


@pytest.mark.data
@pytest.mark.parametrize("name", ["avanto_1p5T_T1c", "studyforrest02_3T_T1"])
def test_real_series_show_the_anatomy_of_their_nifti_twin(data_folder, name):
    volume = dicom.read(only(data_folder / "dicom" / name))
    twin = nib.load(data_folder / "dicom_demo" / f"{name}.nii.gz")
    rng = np.random.default_rng(3)
    index = rng.integers(0, np.array(volume.shape), (40_000, 3))
    world = index @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    back = np.linalg.inv(twin.affine)
    there = np.rint(world @ back[:3, :3].T + back[:3, 3]).astype(int)
    inside = ((there >= 0) & (there < twin.shape)).all(axis=1)
    ours = volume.data[tuple(index[inside].T)]
    theirs = np.asarray(twin.dataobj)[tuple(there[inside].T)]
    assert inside.mean() > 0.8
    assert np.corrcoef(ours, theirs)[0, 1] > 0.93


@pytest.mark.data
@pytest.mark.parametrize("name", ["avanto_1p5T_T1c", "studyforrest02_3T_T1"])
def test_real_series_lie_where_simpleitk_puts_them(data_folder, name):
    folder = data_folder / "dicom" / name
    volume = dicom.read(only(folder))
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = SimpleITK.ReadImage(names)
    for index in ([0, 0, 0], [9, 20, 30], [n - 1 for n in volume.shape]):
        lps = np.array(image.TransformIndexToPhysicalPoint(index))
        ras = volume.affine @ [*index, 1]
        np.testing.assert_allclose(ras[:3], lps * [-1, -1, 1], atol=0.02)
        assert volume.data[*index] == image[index]
