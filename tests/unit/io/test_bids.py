import datetime
import json
from pathlib import Path

import numpy as np
import pytest

from mitame.core.errors import MetadataError, OutputError
from mitame.core.scanner import Scanner
from mitame.core.volume import Step, Volume
from mitame.io import bids, dicom, sidecar
from mitame.io.scan import describe, find_scans, read
from mitame.io.scan.scan import from_nifti, from_series
from mitame.io.staging import is_ours


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("sub-01_T1w.nii.gz", "sub-01_desc-harmonized_T1w.nii.gz"),
        (
            "sub-01_ses-b_acq-x_desc-old_T1w.nii",
            "sub-01_ses-b_acq-x_desc-harmonized_T1w.nii.gz",
        ),
        ("study1_T1W.nii.gz", "study1_T1W_desc-harmonized_T1w.nii.gz"),
        ("T1.nii.gz", "T1_desc-harmonized_T1w.nii.gz"),
    ],
)
def test_a_result_is_named_after_its_scan(tmp_path, name, result):
    scan = from_nifti(tmp_path / name)
    assert bids.derivative_name(scan, "harmonized", "T1w") == result


def test_results_of_two_dicom_series_have_two_names(tmp_path, write_series):
    for number in (2, 3):
        write_series(tmp_path / str(number), SeriesNumber=number)
    found = {
        bids.derivative_name(from_series(series), "harmonized", "T1w")
        for series in dicom.find_series(tmp_path)
    }
    assert found == {
        f"sub-P07_ses-20240131_run-{n}_desc-harmonized_T1w.nii.gz" for n in (2, 3)
    }


def test_scanner_and_history_survive_in_the_sidecar(nifti_file, noise, oblique):
    scanner = Scanner("Maker", "Model", "42", 1.5)
    steps = (Step("read", {"file": "a"}), Step("nyul", {"landmarks": [1.0]}))
    volume = Volume(noise, oblique, scanner, steps)
    bids.write_sidecar(nifti_file, volume, sources=["a"], description="Harmonized.")
    (scan,) = find_scans(nifti_file)
    assert scan.scanner == scanner
    assert scan.history == steps
    assert read(scan).scanner == scanner
    assert [step.name for step in read(scan).history] == ["read", "nyul", "read"]
    (described,) = describe(nifti_file)
    assert described.history[1] == {"name": "nyul", "params": {"landmarks": [1.0]}}


def test_a_sidecar_is_not_overwritten(nifti_file, noise, oblique):
    put(nifti_file.with_name("sub-01_T1w.json"), {})
    with pytest.raises(OutputError):
        bids.write_sidecar(
            nifti_file, Volume(noise, oblique), sources=[], description=""
        )


def test_the_dataset_says_who_made_it_and_what_for(tmp_path):
    bids.write_dataset_description(tmp_path)
    content = json.loads((tmp_path / "dataset_description.json").read_text())
    assert content["DatasetType"] == "derivative"
    assert "not for primary diagnosis" in content["GeneratedBy"][0]["Description"]
    assert is_ours(tmp_path)


def test_the_nearer_sidecar_is_the_stronger(tmp_path):
    image = tmp_path / "sub-01" / "anat" / "sub-01_acq-x_T1w.nii.gz"
    put(tmp_path / "dataset_description.json", {"Name": "raw"})
    put(tmp_path / "T1w.json", {"EchoTime": 1, "FlipAngle": 180, "Manufacturer": "M"})
    put(tmp_path / "T2w.json", {"EchoTime": 7})
    put(tmp_path / "sub-01" / "sub-01_T1w.json", {"EchoTime": 2})
    put(image.with_name("sub-01_acq-y_T1w.json"), {"EchoTime": 8})
    put(image.with_name("sub-01_acq-x_T1w.json"), {"InversionTime": 0.9})
    fields = sidecar.read(image)
    found = sidecar.protocol(fields, {})
    assert (found.te, found.ti) == (2, 0.9)
    assert found.flip_angle == pytest.approx(np.pi)
    assert sidecar.scanner(fields) == Scanner("M")


def test_nothing_above_the_dataset_is_inherited(tmp_path):
    image = tmp_path / "set" / "sub-01" / "anat" / "sub-01_T1w.nii.gz"
    put(tmp_path / "set" / "dataset_description.json", {})
    put(tmp_path / "T1w.json", {"EchoTime": 1})
    image.parent.mkdir(parents=True)
    assert sidecar.read(image) == {}


def test_a_broken_sidecar_is_named(nifti_file):
    put(nifti_file.with_name("sub-01_T1w.json"), "{")
    with pytest.raises(MetadataError, match=r"sub-01_T1w\.json.*not valid JSON"):
        sidecar.read(nifti_file)
    (scan,) = find_scans(nifti_file)
    with pytest.raises(MetadataError):
        read(scan)


def test_age_sex_and_day_come_from_the_tables(tmp_path, nifti_file):
    put(tmp_path / "participants.tsv", "participant_id\tage\tsex\nsub-01\t33\tfemale\n")
    table = "filename\tacq_time\nsub-01_T1w.nii.gz\t2020-02-03T04:05:06\n"
    put(tmp_path / "sub-01_scans.tsv", table)
    (scan,) = find_scans(nifti_file)
    assert (scan.protocol.age, scan.protocol.sex) == (33, "F")
    assert scan.date == datetime.date(2020, 2, 3)


def test_the_day_in_the_sidecar_comes_first(nifti_file):
    put(nifti_file.with_name("sub-01_T1w.json"), {"AcquisitionDateTime": "20210405"})
    assert from_nifti(nifti_file).date == datetime.date(2021, 4, 5)


@pytest.mark.parametrize("value", ["n/a", "", None, "nan", [1]])
def test_a_value_that_is_no_number_is_not_said(value):
    assert sidecar.number(value) is None
