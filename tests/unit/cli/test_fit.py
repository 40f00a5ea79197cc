"""`mitame fit` on people who were on both scanners: what it learns, shows, refuses."""

from dataclasses import replace

import numpy as np
import pytest

from mitame.core.volume import Step, Volume
from mitame.engines.cyclegan import settings
from mitame.engines.cyclegan.watch import Folder
from mitame.io import nifti
from mitame.model import Model
from mitame.prepare.pipeline import Preparation, keep
from mitame.run import fit
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(4.0)


class Ready:
    """A preparation that knows the phantom."""

    def apply(self, session):
        volumes = {
            s: v.with_data(v.data / np.float32(800), Step("scale", {"gain": 1 / 800}))
            for s, v in session.items()
        }
        ready = replace(phantom_session(GRID), volumes=volumes)
        return replace(ready, subject=session.subject), keep

    def to_json(self):
        return []


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(fit, "default_preparation", Ready)
    found = []
    for group, power in (("source", 1.0), ("target", 1.2)):
        for number in (1, 2):
            data = phantom_session(GRID, noise=10, seed=number)["T1w"].data
            data = 800 * np.abs(data / 800) ** power
            path = tmp_path / group / f"sub-0{number}_T1w.nii.gz"
            path.parent.mkdir(exist_ok=True)
            nifti.write(path, Volume(data.astype(np.float32), GRID.affine))
        found += [f"--{group}", path.parent]
    return found


def test_a_plain_dictionary_is_fitted_and_shown(mitame, groups, tmp_path):
    engine = ("--engine", "dictionary", "--variant", "plain", "--report")
    told = mitame("fit", *groups, *engine, "-o", tmp_path / "model", "--json")
    assert told.status == 0, told.err
    assert told.report["engine"] == "dictionary-plain"
    assert str(tmp_path / "model" / "report.html") in told.report["outputs"]
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 3
    assert "sub-0" not in page
    assert "dictionary-plain" in mitame("info", tmp_path / "model").out


def test_without_report_there_is_no_page(mitame, groups, tmp_path):
    told = mitame("fit", *groups, "--engine", "nyul", "-o", tmp_path / "model")
    assert told.status == 0, told.err
    assert not (tmp_path / "model" / "report.html").exists()


def test_a_process_that_only_helps_writes_no_model(
    mitame, groups, tmp_path, monkeypatch
):
    monkeypatch.setenv("RANK", "1")  # as torchrun starts the second of several
    told = mitame("fit", *groups, "--engine", "nyul", "-o", tmp_path / "model")
    assert told.status == 0, told.err
    assert not (tmp_path / "model").exists()


def test_somebody_else_in_a_pair_is_refused_by_name(mitame, groups, tmp_path):
    path = tmp_path / "target" / "sub-02_T1w.nii.gz"
    data = nifti.read(path).data
    stranger = np.roll(data[:, ::-1], 6, axis=2)
    path.unlink()
    nifti.write(path, Volume(np.ascontiguousarray(stranger), GRID.affine))
    told = mitame("fit", *groups, "--engine", "ridge", "-o", tmp_path / "model")
    assert told.status == 2
    assert "subject 02 are no pair" in " ".join(told.err.split())
    assert not (tmp_path / "model").exists()


def test_a_variant_that_is_not_there_is_told(mitame, groups, tmp_path):
    told = mitame("fit", *groups, "--variant", "plain", "-o", tmp_path / "model")
    assert told.status == 2
    assert "'bilateral' has no variant 'plain'" in " ".join(told.err.split())


@pytest.fixture
def short(monkeypatch):
    """The dial, with a training of seconds."""
    few = replace(settings.SIZES["tiny"], steps=144, batch=2)  # two people: 12
    monkeypatch.setitem(settings.SIZES, "tiny", few)


def test_a_cyclegan_is_fitted(mitame, groups, tmp_path, short):
    engine = ("--engine", "cyclegan", "--size", "tiny", "--seed", "4")
    engine = (*engine, "--noise", "match")
    told = mitame("fit", *groups, *engine, "-o", tmp_path / "model", "--json")
    assert told.status == 0, told.err
    fitted = Model.load(tmp_path / "model").engine
    assert (fitted.size, fitted.seed, fitted.noise) == ("tiny", 4, "match")
    assert "step 12 of 12: adversarial" in told.err
    assert not (tmp_path / "model.training").exists()
    assert "cyclegan" in mitame("info", tmp_path / "model").out


def test_an_interrupted_training_is_kept(mitame, groups, tmp_path, short, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Folder, "log", stop)
    told = mitame("fit", *groups, "--engine", "cyclegan", "-o", tmp_path / "model")
    assert told.status != 0
    assert "Interrupted" in told.err
    assert not (tmp_path / "model").exists()
    assert (tmp_path / "model.training").is_dir()


@pytest.mark.parametrize(("option", "value"), [("size", "huge"), ("noise", "loud")])
def test_a_value_that_there_is_not_is_told_before_anything_is_read(
    mitame, groups, tmp_path, option, value
):
    engine = ("--engine", "cyclegan", f"--{option}", value)
    told = mitame("fit", *groups, *engine, "-o", tmp_path / "model")
    assert told.status == 2
    assert f"no {option} '{value}'" in " ".join(told.err.split())
    assert "source 1" not in told.err


@pytest.fixture
def flair(groups, tmp_path):
    """The same people with FLAIR, too."""
    for group in ("source", "target"):
        for number in (1, 2):
            data = phantom_session(GRID, suffixes=("FLAIR",), noise=10, seed=number)
            path = tmp_path / group / f"sub-0{number}_FLAIR.nii.gz"
            nifti.write(path, Volume(data["FLAIR"].data, GRID.affine))
    return groups


@pytest.fixture
def joint(mitame, flair, tmp_path, monkeypatch):
    """A model of both sequences, which knows how to prepare the phantom."""
    monkeypatch.setattr(Preparation, "from_json", lambda _: Ready())
    model = tmp_path / "model"
    told = mitame("fit", *flair, "--engine", "ridge", "-o", model)
    assert told.status == 0, told.err
    return model


def test_all_sequences_of_a_visit_are_harmonized_together(mitame, joint, tmp_path):
    told = mitame("apply", joint, tmp_path / "source", "-o", tmp_path / "out", "--json")
    assert told.status == 0, told.err
    assert len(told.report["scans"]) == 4
    for suffix in ("T1w", "FLAIR"):
        source = nifti.read(tmp_path / "source" / f"sub-01_{suffix}.nii.gz")
        found = nifti.read(tmp_path / "out" / f"sub-01_desc-harmonized_{suffix}.nii.gz")
        found.require_same_grid(source)
        assert np.corrcoef(found.data.ravel(), source.data.ravel())[0, 1] > 0.9
    again = mitame(
        "apply", joint, tmp_path / "source", "-o", tmp_path / "out", "--json"
    )
    assert {scan["state"] for scan in again.report["scans"]} == {"done before"}


def test_half_a_visit_is_refused(mitame, joint, tmp_path):
    scan = tmp_path / "source" / "sub-01_FLAIR.nii.gz"
    told = mitame("apply", joint, scan, "-o", tmp_path / "out")
    assert told.status == 2
    assert "takes FLAIR, T1w of one visit together" in " ".join(told.err.split())
    assert not (tmp_path / "out").exists()


def test_of_two_visits_one_that_lacks_a_sequence_fails_alone(mitame, joint, tmp_path):
    (tmp_path / "source" / "sub-02_FLAIR.nii.gz").unlink()
    told = mitame("apply", joint, tmp_path / "source", "-o", tmp_path / "out", "--json")
    assert told.status == 2
    states = {scan["name"]: scan["state"] for scan in told.report["scans"]}
    assert states == {
        "sub-01_FLAIR.nii.gz": "done",
        "sub-01_T1w.nii.gz": "done",
        "sub-02_T1w.nii.gz": "failed",
    }


def test_a_report_of_two_sequences_shows_both(mitame, flair, tmp_path):
    engine = ("--engine", "ridge", "--report")
    told = mitame("fit", *flair, *engine, "-o", tmp_path / "model")
    assert told.status == 0, told.err
    page = (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 4
    assert "T1w" in page
    assert "FLAIR" in page
