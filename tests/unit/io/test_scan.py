import datetime
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mitame.core.errors import InputError, MetadataError
from mitame.io.scan import describe, find_scans, find_visit, read, read_visit


@pytest.fixture
def put(noise: np.ndarray, oblique: np.ndarray):
    """A function that writes NIfTI files by name."""

    def write(folder: Path, *names: str) -> Path:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(noise, oblique), path)
        return folder

    return write


def found(where: str | Path, **choice: str) -> list[str]:
    return [scan.path.name for scan in find_scans(where, **choice)]


def test_a_folder_gives_its_scans_without_masks(tmp_path, put):
    put(tmp_path, "T1.nii.gz", "gt.nii.gz", "brainmask.nii.gz", "deep/T2.nii")
    (tmp_path / "notes.csv").touch()
    assert found(tmp_path) == ["T1.nii.gz", "T2.nii"]


def test_hidden_and_derived_files_are_passed_over(tmp_path, put):
    put(tmp_path, "sub-01/anat/sub-01_T1w.nii.gz", "derivatives/x/sub-01_T1w.nii.gz")
    put(tmp_path, "sourcedata/a.nii.gz", ".out.partial-1/T1.nii.gz", "._T1.nii.gz")
    assert [str(s.path.relative_to(tmp_path)) for s in find_scans(tmp_path)] == [
        "sub-01/anat/sub-01_T1w.nii.gz"
    ]


def test_a_folder_inside_derivatives_is_read_when_asked_for(tmp_path, put):
    put(tmp_path, "derivatives/x/sub-01_desc-harmonized_T1w.nii.gz")
    assert len(found(tmp_path / "derivatives" / "x")) == 1


def test_a_pattern_gives_the_images_it_matches(tmp_path, put, monkeypatch):
    put(tmp_path, "study1_T1.nii.gz", "study1_T2.nii.gz", "study2_T1.nii.gz")
    (tmp_path / "study1_to_common.txt").touch()
    assert found(str(tmp_path / "study1_*")) == ["study1_T1.nii.gz", "study1_T2.nii.gz"]
    monkeypatch.chdir(tmp_path)
    assert found("*2_T1*") == ["study2_T1.nii.gz"]


@pytest.mark.parametrize("where", ["gone.nii.gz", "gone*", "a**b"])
def test_nothing_there_is_told(tmp_path, where):
    with pytest.raises(InputError, match=r"no '|no file and no pattern"):
        find_scans(tmp_path / where)


def test_a_folder_without_images_is_told(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(InputError, match="no NIfTI or DICOM image"):
        find_scans(tmp_path)


def test_another_kind_of_file_is_told(tmp_path):
    (tmp_path / "scan.zip").write_bytes(b"PK" * 100)
    with pytest.raises(InputError, match="neither NIfTI nor DICOM"):
        find_scans(tmp_path / "scan.zip")


def test_only_masks_are_told(tmp_path, put):
    put(tmp_path, "gt.nii.gz", "brainmask.nii.gz")
    with pytest.raises(InputError, match="only masks"):
        find_scans(tmp_path)


def test_one_damaged_file_does_not_stop_the_others(tmp_path, put):
    put(tmp_path, "a_T1.nii.gz", "b_T1.nii.gz")
    (tmp_path / "a_T1.nii.gz").write_bytes(b"")
    bad, good = find_scans(tmp_path)
    assert read(good).shape == good.shape
    with pytest.raises(InputError, match=r"a_T1\.nii\.gz' is empty"):
        read(bad)
    assert "is empty" in describe(tmp_path)[0].problem


def test_a_visit_has_each_sequence_once(tmp_path, put):
    put(tmp_path, "T1.nii.gz", "FLAIR.nii.gz", "something.nii.gz", "gt.nii.gz")
    visit = read_visit(tmp_path)
    assert list(visit.volumes) == ["T1w", "FLAIR"]
    assert visit.scans["FLAIR"].path.name == "FLAIR.nii.gz"


def test_two_of_one_sequence_are_listed_with_a_way_to_choose(tmp_path, put):
    put(tmp_path, "study1_FLAIR.nii.gz", "study2_FLAIR.nii.gz", "study1_T1W.nii.gz")
    with pytest.raises(InputError, match="2 FLAIR scans: study1_FLAIR") as caught:
        find_visit(tmp_path)
    assert "study1_*" in caught.value.fix
    chosen = find_visit(tmp_path, series="study1")
    assert {s.path.name for s in chosen.values()} == {
        "study1_FLAIR.nii.gz",
        "study1_T1W.nii.gz",
    }


def test_with_and_without_contrast_agent_the_user_chooses(tmp_path, put):
    put(tmp_path, "T1w.nii.gz", "T1w_gadolinium.nii.gz")
    with pytest.raises(InputError, match="2 T1w scans"):
        find_visit(tmp_path)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (("sub-01_T1w.nii.gz", "sub-02_T2w.nii.gz"), "more than one subject: 01, 02"),
        (
            ("sub-01_ses-a_T1w.nii.gz", "sub-01_ses-b_T2w.nii.gz"),
            "more than one visit: a, b",
        ),
    ],
)
def test_two_subjects_or_visits_are_no_visit(tmp_path, put, names, what):
    with pytest.raises(InputError, match=what):
        find_visit(put(tmp_path, *names))


def test_an_unknown_sequence_has_to_be_named(tmp_path, put):
    put(tmp_path, "head.nii.gz")
    with pytest.raises(MetadataError, match="cannot be told") as caught:
        find_visit(tmp_path / "head.nii.gz")
    assert "--sequence T1w" in caught.value.fix
    assert list(find_visit(tmp_path / "head.nii.gz", sequence="T2w")) == ["T2w"]


def test_the_sequence_asked_for_is_the_only_one_given(tmp_path, put):
    put(tmp_path, "T1.nii.gz", "T2.nii.gz", "head.nii.gz")
    assert found(tmp_path, sequence="T2w") == ["T2.nii.gz"]
    with pytest.raises(MetadataError, match="None is known to be FLAIR"):
        find_scans(tmp_path, sequence="FLAIR")


def test_a_known_sequence_is_not_renamed(tmp_path, put):
    put(tmp_path, "sub-01_T2w.nii.gz")
    with pytest.raises(InputError, match="no T1w"):
        find_scans(tmp_path, sequence="T1w")


def test_dicom_series_of_one_day_are_a_visit(tmp_path, write_series):
    write_series(tmp_path / "a", SeriesNumber=1, SeriesDescription="localizer")
    write_series(tmp_path / "b", SeriesNumber=2)
    write_series(tmp_path / "c", SeriesNumber=3, SeriesDescription="Ax T2 FSE")
    write_series(tmp_path / "d", SeriesNumber=4, SeriesDescription="ADC")
    visit = read_visit(tmp_path)
    assert {k: s.series.number for k, s in visit.scans.items()} == {"T1w": 2, "T2w": 3}
    assert (visit.subject, visit.date) == ("P-07", datetime.date(2024, 1, 31))


def test_two_dicom_series_of_one_sequence_are_chosen_by_number(tmp_path, write_series):
    write_series(tmp_path, SeriesNumber=2, prefix="a")
    write_series(tmp_path, SeriesNumber=5, prefix="b", SeriesDescription="t1 repeat")
    with pytest.raises(InputError, match=r"series 2 .* series 5") as caught:
        find_visit(tmp_path)
    assert "--series NUMBER" in caught.value.fix
    assert find_visit(tmp_path, series="5")["T1w"].series.number == 5


def test_a_chosen_series_is_what_the_user_says_it_is(tmp_path, write_series):
    write_series(tmp_path, SeriesNumber=2, prefix="a", SeriesDescription="head")
    write_series(tmp_path, SeriesNumber=5, prefix="b", SeriesDescription="head")
    assert list(find_visit(tmp_path, series="2", sequence="PDw")) == ["PDw"]


def test_a_screen_copy_beside_a_series_is_passed_over(tmp_path, write_series):
    write_series(tmp_path / "a")
    write_series(
        tmp_path / "b", PhotometricInterpretation="RGB", SeriesDescription="screen"
    )
    assert len(find_scans(tmp_path)) == 1


def test_a_dicomdir_stands_for_its_folder(tmp_path, write_series):
    write_series(tmp_path / "a")
    (tmp_path / "DICOMDIR").touch()
    assert len(find_scans(tmp_path / "DICOMDIR")) == 1


def test_a_description_names_no_person(tmp_path, write_series):
    (described,) = describe(write_series(tmp_path))
    assert "Someone" not in repr(described)
    assert described.subject == "P-07"
    assert described.scanner == "Maker Model 3 T"
    assert described.date == "2024-01-31"
    assert described.spacing == (0.9, 0.8, 3.0)


def test_a_description_tells_orientation_and_masks(tmp_path, put):
    put(tmp_path, "T1.nii.gz", "gt.nii.gz")
    scan, mask = describe(tmp_path)
    assert (scan.orientation, scan.sequence, scan.is_image) == ("RAS", "T1w", True)
    assert not mask.is_image


@pytest.mark.data
def test_the_two_dates_of_a_real_patient_are_two_visits(data_folder):
    folder = data_folder / "ms-longitudinal" / "patient01"
    for study in ("study1", "study2"):
        visit = find_visit(str(folder / f"{study}_*"))
        assert list(visit) == ["T1w", "T2w", "FLAIR"]
    with pytest.raises(InputError, match="2 T1w scans"):
        find_visit(folder)


@pytest.mark.data
def test_the_real_cohort_is_found_without_its_masks(data_folder):
    scans = find_scans(data_folder / "ixi-hh-3t", sequence="T1w")
    assert len(scans) == 72
    assert all(scan.protocol.sex in {"F", "M"} for scan in scans)
