"""What may be given and where results may go."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mitame.core.errors import OutputError
from mitame.io.scan import find_scans
from mitame.run.places import require_apart

STEM = "sub-P07_ses-20240131"


def failed(result, *words: str) -> None:
    assert result.status == 2
    for word in words:
        assert word in json.dumps(result.report["error"], ensure_ascii=False)


def copied(scan: Path, name: str) -> Path:
    other = scan.parent.parent / name
    other.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(scan, other)
    return other


def test_two_subjects_are_not_compared(mitame, scan, tmp_path):
    other = copied(scan, "other/sub-02_T1w.nii.gz")
    result = mitame("compare", scan, other, "-o", tmp_path / "out", "--json")
    failed(result, "subject 01", "subject 02", "one subject")
    assert not (tmp_path / "out").exists()


def test_scans_without_a_common_sequence_are_not_compared(mitame, scan, tmp_path):
    other = copied(scan, "other/sub-01_FLAIR.nii.gz")
    result = mitame("compare", scan, other, "-o", tmp_path / "out", "--json")
    failed(result, "T1w", "FLAIR", "no sequence is in both")


def test_groups_without_a_common_sequence_make_no_model(mitame, scan, tmp_path):
    other = copied(scan, "other/sub-01_FLAIR.nii.gz")
    result = mitame(
        *("fit", "--source", scan, "--target", other, "-o", tmp_path / "out"),
        "--json",
    )
    failed(result, "T1w", "FLAIR", "no sequence is in both")


def test_a_scan_is_not_source_and_target_at_once(mitame, scan, tmp_path):
    link = tmp_path / "link_T1w.nii.gz"
    link.symlink_to(scan)
    result = mitame(
        *("fit", "--source", scan, "--target", link, "-o", tmp_path / "out"), "--json"
    )
    failed(result, "1 scan is source and target at once")


def test_a_sequence_the_model_does_not_know_is_told_before_preparing(
    mitame, scan, model, tmp_path
):
    other = copied(scan, "other/sub-01_FLAIR.nii.gz")
    result = mitame("apply", model, other, "-o", tmp_path / "out", "--json")
    failed(result, "is FLAIR; the model knows T1w", "Fit a model with FLAIR")
    assert not (tmp_path / "out").exists()


def test_a_scan_of_unknown_sequence_can_be_named(mitame, scan, model, tmp_path):
    other = copied(scan, "other/brain.nii.gz")
    out = tmp_path / "out"
    result = mitame("apply", model, other, "-o", out, "--json")
    failed(result, "cannot be told", "--sequence T1w")
    assert mitame("apply", model, other, "-o", out, "--sequence", "T1w").status == 0
    assert (out / "brain_desc-harmonized_T1w.nii.gz").exists()


@pytest.mark.parametrize("pattern", ["*.nii.gz", "nothing_*_T1w.nii"])
def test_a_pattern_that_matches_nothing_is_told(mitame, model, tmp_path, pattern):
    (tmp_path / "empty").mkdir()
    place = tmp_path / "empty" / pattern
    failed(mitame("apply", model, place, "-o", tmp_path / "out", "--json"), pattern)


def test_a_folder_without_scans_is_told(mitame, model, tmp_path):
    (tmp_path / "empty").mkdir()
    result = mitame("info", tmp_path / "empty", "--json")
    failed(result, "no NIfTI or DICOM image")


def commands(scan: Path, model: Path, out: object) -> list[tuple]:
    return [
        ("apply", model, scan.parent, "-o", out),
        ("compare", scan.parent, scan.parent, "-o", out),
        ("fit", "--source", scan.parent, "--target", scan.parent, "-o", out),
    ]


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("where", ["inside", "holding", "same"])
def test_results_never_lie_among_the_scans(
    mitame, scan, model, number, where, untouched
):
    places = {
        "inside": scan.parent / "new" / "out",
        "holding": scan.parent.parent,
        "same": scan.parent,
    }
    untouched()
    result = mitame(*commands(scan, model, places[where])[number], "--json", "--force")
    failed(result, "overlap")
    untouched()


def test_the_derivatives_of_a_dataset_are_a_place_for_results(
    mitame, scan, model, tmp_path
):
    out = scan.parent / "derivatives" / "mitame"
    assert mitame("apply", model, scan.parent, "-o", out).status == 0
    again = mitame("apply", model, scan.parent, "-o", out, "--json")
    assert [row["state"] for row in again.report["scans"]] == ["done before"]


def test_the_folder_of_derivatives_itself_is_not(scan):
    with pytest.raises(OutputError, match="overlap"):
        require_apart(scan.parent / "derivatives", [str(scan.parent)], find_scans(scan))


def test_results_may_lie_beside_a_single_scan(mitame, scan, model):
    assert mitame("apply", model, scan, "-o", scan.parent / "out").status == 0


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("place", ["file/out", "/proc/mitame/out"])
def test_a_place_that_cannot_be_written_is_told_at_once(
    mitame, scan, model, tmp_path, number, place
):
    if place.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("There is no /proc here.")
    (tmp_path / "file").write_text("mine")
    other = copied(scan, "other/sub-01_T1w.nii.gz")
    arguments = [
        ("apply", model, scan, "-o", tmp_path / place),
        ("compare", scan, other, "-o", tmp_path / place),
        ("fit", "--source", scan, "--target", other, "-o", tmp_path / place),
    ][number]
    failed(mitame(*arguments, "--json"), "cannot be written", place)
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("force", [(), ("--force",)])
@pytest.mark.parametrize("number", range(3))
def test_a_folder_of_somebody_else_is_never_touched(
    mitame, scan, model, tmp_path, number, force, untouched
):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    other = copied(scan, "other/sub-01_T1w.nii.gz")
    arguments = [
        ("apply", model, scan, "-o", tmp_path / "thesis"),
        ("compare", scan, other, "-o", tmp_path / "thesis"),
        ("fit", "--source", scan, "--target", other, "-o", tmp_path / "thesis"),
    ][number]
    untouched()
    failed(mitame(*arguments, "--json", *force), "not written by mitame")
    untouched()


@pytest.mark.parametrize("command", ["compare", "fit"])
def test_an_earlier_result_stays_without_force(
    mitame, scan, model, tmp_path, command, untouched
):
    other = copied(scan, "other/sub-01_T1w.nii.gz")
    arguments = {
        "compare": ("compare", scan, other),
        "fit": ("fit", "--source", scan, "--target", other),
    }[command]
    untouched()
    failed(mitame(*arguments, "-o", model, "--json"), "not empty", "--force")
    untouched()


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_results_are_not_written_into_a_model(
    mitame, scan, model, tmp_path, force, untouched
):
    shutil.copytree(model, tmp_path / "other model")
    untouched()
    arguments = ("apply", model, scan, "--json", *force)
    failed(mitame(*arguments, "-o", tmp_path / "other model"), "holds a model")
    failed(mitame(*arguments, "-o", model), "overlap")
    untouched()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda model: shutil.rmtree(model), "no readable"),
        (lambda model: (model / "model.json").write_text("{"), "damaged"),
        (lambda model: (model / "arrays.npz").write_bytes(b"PK"), "damaged"),
        (lambda model: shutil.rmtree(model / "engine"), "no readable"),
        (lambda model: changed(model, format=99), "format 99"),
        (lambda model: changed(model, meta={}), "holds no model"),
    ],
)
def test_a_model_that_cannot_be_used_is_told(
    mitame, scan, model, tmp_path, spoil, words
):
    spoil(model)
    result = mitame("apply", model, scan, "-o", tmp_path / "out", "--json")
    failed(result, words)
    assert not (tmp_path / "out").exists()
    if model.exists() and (model / "model.json").exists():
        failed(mitame("info", model, "--json"), words)


def changed(model: Path, **fields: object) -> None:
    words = json.loads((model / "model.json").read_text())
    (model / "model.json").write_text(json.dumps({**words, **fields}))


def test_unicode_spaces_links_and_relative_paths_are_fine(
    mitame, scan, model, tmp_path, monkeypatch
):
    folder = tmp_path / "患者 7, été"
    shutil.copytree(scan.parent, folder)
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    assert mitame("info", "患者 7, été", "--json").status == 0
    for number, place in enumerate(
        ("患者 7, été", "link/sub-01_T1w.nii.gz", "./link/../link")
    ):
        result = mitame("apply", "model", place, "-o", f"出力 {number}/", "--json")
        assert result.status == 0, result.report
        assert len(list((tmp_path / f"出力 {number}").iterdir())) == 5


def test_a_tilde_is_the_home_folder(mitame, scan, model, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert mitame("info", "~/model").status == 0
    result = mitame("apply", "~/model", "~/good", "--out=~/out", "--json")
    assert result.status == 0, result.report
    assert (tmp_path / "out" / "dataset_description.json").exists()


def test_a_read_only_input_folder_is_enough(mitame, scan, model, tmp_path, untouched):
    scan.chmod(0o444)
    scan.parent.chmod(0o555)
    assert mitame("info", scan.parent).status == 0
    assert mitame("apply", model, scan.parent, "-o", tmp_path / "out").status == 0
    assert [path.name for path in scan.parent.iterdir()] == [scan.name]
    scan.parent.chmod(0o755)


def test_two_scans_that_would_share_a_name_are_told_before_work(
    mitame, scan, model, tmp_path
):
    other = copied(scan, "other/sub-01_T1w.nii.gz")
    result = mitame("apply", model, scan, other, "-o", tmp_path / "out", "--json")
    failed(result, "would both become", str(scan), str(other))
    assert not (tmp_path / "out").exists()


def test_a_full_disk_is_told_and_no_half_file_stays(mitame, model, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() or mount is None:
        pytest.skip("Only root can mount a small disk.")
    options = ["-t", "tmpfs", "-o", "size=256k", "none", str(disk)]
    if subprocess.run([mount, *options], capture_output=True).returncode:
        pytest.skip("A small disk cannot be mounted here.")
    try:
        noise = np.random.default_rng(1).normal(100, 20, (50, 50, 50))
        scans = [tmp_path / f"{name}_T1w.nii.gz" for name in "ab"]
        for scan in scans:
            image = nib.Nifti1Image(noise.astype(np.float32), np.diag([2, 2, 2, 1]))
            nib.save(image, scan)
        result = mitame("apply", model, *scans, "-o", disk / "out", "--json")
        failed(result, "No space left", "Free some space")
        left = [path.name for path in disk.rglob("*") if path.is_file()]
        assert left == ["dataset_description.json"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_of_several_series_one_must_be_chosen_to_compare(mitame, study, tmp_path):
    arguments = ("compare", study, study, "-o", tmp_path / "out", "--json")
    failed(
        mitame(*arguments),
        "series 3 (t1_mprage, 5 slices, T1w); series 4 (t1_mprage late",
        "--series NUMBER",
    )
    failed(mitame(*arguments, "--series", "9"), "No series is '9'", "series 5 (ep2d")


def test_a_series_is_chosen_by_number_or_description(mitame, study, model, tmp_path):
    arguments = ("apply", model, study, "-o", tmp_path / "out", "--json", "--series")
    for choice in ("4", "late"):
        (row,) = mitame(*arguments, choice).report["scans"]
        assert row["name"].startswith("series 4 ")
    assert (tmp_path / "out" / f"{STEM}_run-4_desc-edit_T1w.nii.gz").exists()


def test_of_a_study_all_known_sequences_are_harmonized(mitame, study, model, tmp_path):
    report = mitame("apply", model, study, "-o", tmp_path / "out", "--json").report
    assert [row["state"] for row in report["scans"]] == ["done", "done"]
    names = {Path(path).name for path in report["outputs"]}
    assert {f"{STEM}_run-{n}_desc-harmonized_T1w.nii.gz" for n in (3, 4)} <= names


def test_info_lists_every_series(mitame, study):
    lines = mitame("info", study).out.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        "series 3",
        "series 4",
        "series 5",
    ]
