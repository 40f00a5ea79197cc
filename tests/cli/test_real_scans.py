"""Whole commands on whole heads: minutes, not seconds."""

import json
import shutil
import signal
import subprocess
import sys
import time

import nibabel as nib
import numpy as np
import pytest

from mitame.cli.main import outcome
from mitame.run.example import write_example


@pytest.mark.slow
def test_a_comparison_in_compiled_code_is_interrupted_soon(start, tmp_path):
    prior, current = write_example(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    process = start("compare", prior, current, "-o", tmp_path / "out", "--json")
    for line in process.stderr:
        if "brain of the prior found" in line:
            break
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=100)
    assert time.monotonic() - sent < 5
    assert process.returncode == 2
    assert json.loads(out)["error"]["what"].startswith("Interrupted")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.slow
@pytest.mark.data
def test_a_flair_with_the_name_of_a_t1w_is_not_compared(data_folder, tmp_path, capsys):
    patient = data_folder / "ms-longitudinal" / "patient12"
    misnamed = tmp_path / "in" / "study1_T1W.nii.gz"
    misnamed.parent.mkdir()
    shutil.copyfile(patient / "study1_FLAIR.nii.gz", misnamed)
    current = patient / "study2_T1W.nii.gz"
    status = outcome(
        ["compare", str(misnamed), str(current), "-o", str(tmp_path / "out"), "--json"]
    )
    report = json.loads(capsys.readouterr().out)
    assert status == 2
    assert "agree in their details only by" in report["error"]["what"]
    assert "same sequence" in report["error"]["fix"]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_whole_head_is_harmonized_on_its_native_grid(tmp_path):
    prior, current = write_example(tmp_path)
    mitame = [sys.executable, "-c", "from mitame.cli.main import run; run()"]
    groups = ["--source", prior, "--target", current, "--engine", "nyul"]
    for arguments in (
        ["fit", *groups, "-o", "model"],
        ["apply", "model", prior, "-o", "out"],
    ):
        done = subprocess.run(
            [*mitame, *map(str, arguments)], cwd=tmp_path, capture_output=True
        )
        assert done.returncode == 0, done.stderr
    native = nib.load(prior)
    result = nib.load(tmp_path / "out" / "prior_T1w_desc-harmonized_T1w.nii.gz")
    assert result.header["srow_x"].tobytes() == native.header["srow_x"].tobytes()
    source, image = native.get_fdata(), result.get_fdata()
    assert image.shape == source.shape
    assert np.array_equal(image == 0, source == 0)
    assert 0.7 < np.median(image[source > 600]) < 1.1  # brain, white matter being 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_scan_compared_with_itself_shows_no_change(tmp_path, capsys):
    _, current = write_example(tmp_path)
    arguments = ["compare", current, current, "-o", tmp_path / "out", "--json"]
    assert outcome([str(argument) for argument in arguments]) == 0
    found = json.loads(capsys.readouterr().out)["sequences"]["T1w"]
    assert found["marks"] == []
    assert found["changed_ml"] == 0
