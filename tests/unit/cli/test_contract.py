"""Exit status, one JSON object, help and version."""

import json
import math
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mitame.cli.console import show_json
from mitame.core.errors import ImplausibleError


@pytest.mark.parametrize(
    "arguments",
    [
        ("compare",),
        ("frobnicate",),
        ("compare", "a", "b"),
        ("compare", "a", "b", "-o", "c", "--lang", "fr"),
        ("compare", "a", "b", "-o", "c", "--sequence", "T9w"),
        ("fit", "--source", "a", "-o", "c"),
        ("apply", "--unknown", "1"),
        ("info",),
    ],
)
def test_a_usage_error_is_one_json_object_too(mitame, arguments):
    result = mitame(*arguments, "--json")
    assert result.status == result.report["status"] == 2
    assert result.report["error"]["what"]
    assert "--help" in result.report["error"]["fix"]


def test_a_wrong_option_value_is_answered_with_the_known_ones(mitame):
    result = mitame("compare", "a", "b", "-o", "c", "--lang", "fr")
    assert "'en'" in result.err
    assert "'ja'" in result.err


def test_a_misspelt_engine_is_answered_with_the_nearest(mitame, scan, tmp_path):
    result = mitame(
        *("fit", "--source", scan, "--target", scan, "--engine", "bilatral"),
        *("-o", tmp_path / "out", "--json"),
    )
    assert result.status == 2
    assert "Did you mean bilateral?" in result.report["error"]["fix"]


def test_the_version_is_shown(mitame):
    result = mitame("--version")
    assert result.status == 0
    assert result.out.startswith("mitame ")


@pytest.mark.parametrize("arguments", [(), ("--help",)])
def test_help_goes_to_stdout(mitame, arguments):
    result = mitame(*arguments)
    assert result.status == 0
    assert "compare" in result.out
    assert result.err == ""


def test_help_needs_no_heavy_library():
    code = (
        "import sys; from mitame.cli.main import outcome; outcome(['--help'])\n"
        "heavy = {'torch', 'SimpleITK', 'scipy', 'matplotlib', 'nibabel', 'pydicom'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_mistake_of_ours_shows_no_trace_back_but_keeps_it(
    mitame, monkeypatch, tmp_path
):
    def broken(_where):
        raise ZeroDivisionError("three")

    monkeypatch.setattr("mitame.io.scan.describe", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = mitame("info", "x", "--json")
    assert result.status == result.report["status"] == 1
    assert "ZeroDivisionError: three" in result.report["error"]["what"]
    (kept,) = tmp_path.glob("mitame-error-*.txt")
    assert str(kept) in result.report["error"]["fix"]
    assert "Traceback" in kept.read_text()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PermissionError(13, "Permission denied", "/secret.nii"), "/secret.nii"),
        (MemoryError(), "memory"),
        (OSError(28, "No space left on device"), "disk is full"),
        (KeyboardInterrupt(), "Interrupted"),
    ],
)
def test_what_the_user_can_fix_is_no_mistake_of_ours(mitame, monkeypatch, error, words):
    def broken(_where):
        raise error

    monkeypatch.setattr("mitame.io.scan.describe", broken)
    result = mitame("info", "x", "--json")
    assert result.status == 2
    assert words in result.report["error"]["what"]


def test_a_report_names_versions_inputs_outputs_and_seconds(
    mitame, model, scan, tmp_path
):
    report = mitame("apply", model, scan, "-o", tmp_path / "out", "--json").report
    assert report["status"] == 0
    assert set(report["versions"]) >= {"mitame", "numpy", "python", "SimpleITK"}
    assert report["inputs"][0]["name"] == scan.name
    assert len(report["inputs"][0]["sha256"]) == 64
    assert {Path(path).name for path in report["outputs"]} == {
        f"sub-01_desc-{desc}_T1w.{ending}"
        for desc in ("harmonized", "edit")
        for ending in ("nii.gz", "json")
    }
    assert all(Path(path).is_file() for path in report["outputs"])
    assert report["seconds"] >= 0


def test_progress_of_a_batch_names_scan_and_time_without_escape_codes(
    mitame, model, scan, tmp_path
):
    other = scan.with_name("sub-02_T1w.nii.gz")
    other.write_bytes(scan.read_bytes())
    err = mitame("apply", model, scan, other, "-o", tmp_path / "out").err
    assert "1/2 sub-01_T1w.nii.gz" in err
    assert "sub-02_T1w.nii.gz: done, 0." in err
    assert "\x1b" not in err
    assert "\r" not in err


def test_info_tells_times_in_milliseconds_and_json_in_seconds(mitame, scan):
    fields = {
        "EchoTime": 0.0030,
        "RepetitionTime": 2.3,
        "FlipAngle": 9,
        "Manufacturer": "Maker",
        "MagneticFieldStrength": 3,
        "AcquisitionDateTime": "2024-01-31T10:00:00",
    }
    scan.with_name("sub-01_T1w.json").write_text(json.dumps(fields))
    text = mitame("info", scan).out
    assert "TE 3 ms, TR 2300 ms, flip angle 9°" in text
    assert "scanner: Maker 3 T" in text
    assert "date: 2024-01-31" in text
    assert "12 × 11 × 10 voxels of 2 × 2 × 3 mm, RAS" in text
    (found,) = mitame("info", scan, "--json").report["scans"]
    assert found["protocol"]["te"] == 0.003
    assert found["protocol"]["flip_angle"] == pytest.approx(np.radians(9))


def test_info_gives_each_of_many_scans_a_line(mitame, scan):
    for name in ("sub-01_FLAIR.nii.gz", "sub-01_brain_mask.nii.gz"):
        scan.with_name(name).write_bytes(scan.read_bytes())
    lines = mitame("info", scan.parent).out.splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == [
        "sub-01_FLAIR.nii.gz",
        "sub-01_T1w.nii.gz",
        "sub-01_brain_mask.nii.gz",
    ]
    assert "not a scan" in lines[2]


def test_info_lists_the_good_scans_beside_a_bad_one(mitame, scan):
    scan.with_name("sub-02_T1w.nii.gz").write_bytes(b"")
    result = mitame("info", scan.parent)
    assert result.status == 2
    good, bad = result.out.splitlines()
    assert "voxels" in good
    assert "problem: 'sub-02_T1w.nii.gz' is empty." in bad


def test_info_tells_how_a_model_was_made(mitame, model):
    text = mitame("info", model).out
    assert "engine: identity" in text
    assert "source: 2 scans, T1w, Maker One 3 T" in text
    (found,) = mitame("info", model, "--json").report["models"]
    assert found["preparation"] == ["orient"]


def test_a_result_tells_its_history(mitame, model, scan, tmp_path):
    mitame("apply", model, scan, "-o", tmp_path / "out")
    image = tmp_path / "out" / "sub-01_desc-harmonized_T1w.nii.gz"
    assert nib.load(image).shape == (12, 11, 10)
    assert "identity" in mitame("info", image).out


def test_an_error_of_preparation_names_the_scan(mitame, scan, monkeypatch, tmp_path):
    def none(_preparation, _session):
        raise ImplausibleError("No brain.", fix="Look.")

    monkeypatch.setattr("mitame.prepare.pipeline.Preparation.apply", none)
    other = scan.with_name("sub-02_T1w.nii.gz")
    other.write_bytes(scan.read_bytes())
    result = mitame(
        *("fit", "--source", scan, "--target", other, "--engine", "nyul"),
        *("-o", tmp_path / "out", "--json"),
    )
    assert result.report["error"]["what"] == f"'{scan.name}': No brain."


def test_numbers_that_json_does_not_know_become_null(capsys):
    show_json({"a": [1.5, math.nan], "b": {"c": (math.inf, "x")}})
    strict = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert strict == {"a": [1.5, None], "b": {"c": [None, "x"]}}


def test_a_name_that_is_not_utf8_does_not_break_the_report(capsys):
    show_json({"path": "scan-\udce4.nii"})
    assert json.loads(capsys.readouterr().out)["path"] == "scan-\udce4.nii"
