"""Results on the native grid; what goes on, what is replaced, what fails alone."""

import gzip
import json
import math
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mitame.core.errors import MitameError, ModelError
from mitame.core.volume import Step
from mitame.engines.identity import Identity
from mitame.guard.expected import Range
from mitame.guard.guard import Guard
from mitame.guard.verdict import Reason, Verdict
from mitame.io.scan import find_scans
from mitame.model import Model
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation
from mitame.run.apply import apply_model
from mitame.run.scans import collect

GEOMETRY = (
    *("dim", "pixdim", "xyzt_units", "qform_code", "sform_code"),
    *("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("srow_x", "srow_y", "srow_z"),
)


def saved_model(
    folder: Path,
    *,
    number: int = 0,
    guard: Guard | None = None,
    scanners: tuple[str, ...] = (),
) -> Path:
    """A model that changes nothing and needs no brain."""
    group = {"sequences": ["T1w"], "scanners": scanners}
    about = {"number": number, "source": group}
    engine = Identity().fit([], [])
    Model(Preparation((Orient(),)), "identity", engine, about, guard).save(folder)
    return folder


def turned(*degrees: float) -> np.ndarray:
    a, b = np.radians(degrees)
    about_x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    about_y = [[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]
    return np.array(about_x) @ np.array(about_y)


def affine_of(kind: str) -> np.ndarray:
    edges = {
        "psr": np.array([[0, 0, 2.0], [-2, 0, 0], [0, 2, 0]]),
        "oblique": turned(17, -9) * [0.9, 0.8, 3.0],
        "left_handed": np.diag([-0.7, 1.1, 2.3]),
    }
    affine = np.eye(4)
    affine[:3, :3] = edges.get(kind, turned(5, 3) * [1.0, 1.0, 1.2])
    affine[:3, 3] = [-31.7, 22.25, 9.5]
    return affine


def image_of(kind: str) -> nib.Nifti1Image:
    data = np.random.default_rng(3).integers(0, 4000, (13, 11, 9)).astype(np.int16)
    image = nib.Nifti1Image(data, affine_of(kind))
    image.set_qform(affine_of(kind), code=1)
    image.set_sform(affine_of(kind), code=4)
    header = image.header
    if kind == "sform_only":
        header["qform_code"] = 0
    elif kind == "qform_only":
        header["sform_code"] = 0
        header["srow_x"] = [7, 7, 7, 7]
    elif kind == "slope":
        header.set_slope_inter(0.37, -12)
    return image


def stored(image: nib.Nifti1Image) -> bytes:
    """The file as scanners write it; nibabel's writer would mend the header."""
    header = image.header.copy()
    header["magic"], header["vox_offset"] = b"n+1", 352
    voxels = np.asarray(image.dataobj, np.int16).tobytes(order="F")
    return gzip.compress(header.binaryblock + bytes(4) + voxels)


@pytest.mark.parametrize(
    "kind", ["psr", "oblique", "left_handed", "sform_only", "qform_only", "slope"]
)
def test_a_result_has_the_geometry_of_its_scan_byte_for_byte(tmp_path, kind):
    scan = tmp_path / "scan_T1w.nii.gz"
    scan.write_bytes(stored(image_of(kind)))
    model = saved_model(tmp_path / "model")
    (outcome,) = apply_model(model, find_scans(scan), tmp_path / "out")
    assert outcome.error is None
    native = nib.load(scan)
    for path in outcome.files:
        if path.name.endswith(".nii.gz"):
            result = nib.load(path)
            for field in GEOMETRY:
                assert result.header[field].tobytes() == native.header[field].tobytes()
            assert np.array_equal(result.affine, native.affine)
    image = outcome.files[0]
    assert np.allclose(nib.load(image).get_fdata(), native.get_fdata(), rtol=1e-6)


@pytest.fixture
def scans(tmp_path) -> Path:
    """A folder with three scans."""
    (tmp_path / "scans").mkdir()
    for number in (1, 2, 3):
        image = image_of("oblique")
        data = np.asarray(image.dataobj) + number
        path = tmp_path / "scans" / f"sub-0{number}_T1w.nii.gz"
        nib.save(nib.Nifti1Image(data, image.affine), path)
    return tmp_path / "scans"


def states(model: Path, scans: Path, out: Path, *, force: bool = False) -> list[str]:
    found = find_scans(scans)
    return [one.state for one in apply_model(model, found, out, force=force)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_second_run_makes_nothing_again(tmp_path, scans):
    model = saved_model(tmp_path / "model")
    assert states(model, scans, tmp_path / "out") == ["done"] * 3
    before = contents(tmp_path / "out")
    assert states(model, scans, tmp_path / "out") == ["done before"] * 3
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("missing", ["harmonized_T1w.nii.gz", "edit_T1w.json"])
def test_an_unfinished_result_is_made_again_and_equal(tmp_path, scans, missing):
    model = saved_model(tmp_path / "model")
    states(model, scans, tmp_path / "out")
    before = contents(tmp_path / "out")
    (tmp_path / "out" / f"sub-02_desc-{missing}").unlink()
    found = states(model, scans, tmp_path / "out")
    assert found == ["done before", "done", "done before"]
    assert contents(tmp_path / "out") == before


def test_results_of_another_model_are_replaced_only_with_force(tmp_path, scans):
    first, second = (saved_model(tmp_path / f"m{n}", number=n) for n in (1, 2))
    out = tmp_path / "out"
    states(first, scans, out)
    before = contents(out)
    assert states(second, scans, out) == ["failed"] * 3
    assert contents(out) == before
    assert states(second, scans, out, force=True) == ["done"] * 3
    fields = json.loads(contents(out)["sub-01_desc-edit_T1w.json"])
    old = json.loads(before["sub-01_desc-edit_T1w.json"])
    assert fields["ModelSHA256"] != old["ModelSHA256"]


def test_a_model_without_a_guard_knows_no_limited_mode(tmp_path, scans):
    model = saved_model(tmp_path / "model")
    with pytest.raises(ModelError, match="before there was a limited mode"):
        list(apply_model(model, find_scans(scans), tmp_path / "out", limited=True))
    assert not (tmp_path / "out").exists()


def test_a_limited_result_says_so_and_is_not_taken_for_a_full_one(
    tmp_path, scans, monkeypatch
):
    def halved(_guard, source, _result):
        data = {suffix: volume.data / 2 for suffix, volume in source.items()}
        return source.with_data(data, Step("limited"))

    monkeypatch.setattr(Guard, "limited", halved)
    monkeypatch.setattr(Guard, "judge", lambda *_, **_k: {})
    model, out = saved_model(tmp_path / "model", guard=Guard({})), tmp_path / "out"
    found = find_scans(scans)
    done = list(apply_model(model, found, out, limited=True))
    assert [one.state for one in done] == ["done"] * 3
    scan = nib.load(scans / "sub-01_T1w.nii.gz").get_fdata()
    image = nib.load(out / "sub-01_desc-harmonized_T1w.nii.gz").get_fdata()
    np.testing.assert_allclose(image, scan / 2, rtol=1e-6)
    fields = json.loads(contents(out)["sub-01_desc-harmonized_T1w.json"])
    assert fields["Mode"] == "limited"
    assert "any lesion survives" in fields["Description"]
    assert states(model, scans, out) == ["failed"] * 3


LOOK = Reason("look", "scan: noise", 0.3, Range(0.1, 0.2))
REFUSE = Reason("refuse", "moved", 0.5, Range(-math.inf, 0.1))


def judged(monkeypatch, *reasons: Reason) -> None:
    """Let the guard say this of every result."""
    verdict = {"T1w": Verdict(reasons)}
    monkeypatch.setattr(Guard, "judge", lambda *_, **_k: verdict)


def test_what_the_guard_refuses_is_not_written(tmp_path, scans, monkeypatch):
    judged(monkeypatch, REFUSE)
    model, out = saved_model(tmp_path / "model", guard=Guard({})), tmp_path / "out"
    outcomes = list(apply_model(model, find_scans(scans), out))
    assert [one.state for one in outcomes] == ["failed"] * 3
    assert "Edges moved (moved 0.5; usual up to 0.1)" in str(outcomes[0].error)
    assert not list(tmp_path.glob("out/**/*.nii.gz"))


def test_forced_it_is_written_and_its_sidecar_says_so(tmp_path, scans, monkeypatch):
    judged(monkeypatch, LOOK, REFUSE)
    model, out = saved_model(tmp_path / "model", guard=Guard({})), tmp_path / "out"
    for _ in range(2):  # done, and done before
        outcomes = list(apply_model(model, find_scans(scans), out, force=True))
        assert [one.verdict.grade for one in outcomes] == ["refuse"] * 3
    fields = json.loads(contents(out)["sub-01_desc-harmonized_T1w.json"])
    assert fields["Guard"]["Verdict"] == "refuse"
    assert len(fields["Guard"]["Reasons"]) == 2


def test_what_is_to_be_looked_at_is_written_with_the_reason(
    tmp_path, scans, monkeypatch
):
    judged(monkeypatch, LOOK)
    model, out = saved_model(tmp_path / "model", guard=Guard({})), tmp_path / "out"
    outcomes = list(apply_model(model, find_scans(scans), out))
    assert [one.verdict.grade for one in outcomes] == ["look"] * 3
    assert "noisier or smoother" in outcomes[0].verdict.reasons[0].sentence


def test_a_scan_of_another_scanner_is_to_be_looked_at(tmp_path, scans, monkeypatch):
    judged(monkeypatch)
    told = {"Manufacturer": "Maker", "MagneticFieldStrength": 3}
    (scans / "sub-01_T1w.json").write_text(json.dumps(told))
    model = saved_model(tmp_path / "model", guard=Guard({}), scanners=("Maker 1.5 T",))
    outcomes = list(apply_model(model, find_scans(scans), tmp_path / "out"))
    assert [one.verdict.grade for one in outcomes] == ["look", "pass", "pass"]
    (reason,) = outcomes[0].verdict.reasons
    assert "Maker 3 T; known: Maker 1.5 T" in reason.sentence


def test_half_a_result_of_another_model_is_not_taken_for_an_unfinished_one(
    tmp_path, scans
):
    first, second = (saved_model(tmp_path / f"m{n}", number=n) for n in (1, 2))
    out = tmp_path / "out"
    states(first, scans, out)
    for path in out.glob("*desc-edit*"):
        path.unlink()  # as people do who need the images only
    before = contents(out)
    assert states(second, scans, out) == ["failed"] * 3
    assert contents(out) == before


def test_a_scan_that_fails_fails_alone_and_leaves_nothing(tmp_path, scans):
    broken = scans / "sub-02_T1w.nii.gz"
    broken.write_bytes(broken.read_bytes()[:900])
    model = saved_model(tmp_path / "model")
    outcomes = list(apply_model(model, find_scans(scans), tmp_path / "out"))
    assert [one.state for one in outcomes] == ["done", "failed", "done"]
    assert isinstance(outcomes[1].error, MitameError)
    assert "sub-02_T1w.nii.gz" in outcomes[1].error.what
    assert not list((tmp_path / "out").glob("sub-02*"))


def test_an_interrupted_write_leaves_none_of_the_four_files(
    tmp_path, scans, monkeypatch
):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("mitame.run.results.nifti.write", interrupted)
    model = saved_model(tmp_path / "model")
    with pytest.raises(KeyboardInterrupt):
        states(model, scans, tmp_path / "out")
    assert list(contents(tmp_path / "out")) == ["dataset_description.json"]


def test_one_scan_named_twice_is_harmonized_once(tmp_path, scans):
    scan = scans / "sub-01_T1w.nii.gz"
    (tmp_path / "link_T1w.nii.gz").symlink_to(scan)
    found = collect([str(scan), str(scans), str(tmp_path / "link_T1w.nii.gz")])
    assert len(found) == 3


def test_the_scans_stay_as_they_are(tmp_path, scans):
    before = contents(scans)
    states(saved_model(tmp_path / "model"), scans, tmp_path / "out")
    shutil.rmtree(tmp_path / "out")
    assert contents(scans) == before
