import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.core.volume import Volume
from mitame.io import nifti
from mitame.model import Model
from mitame.run.fit import fit_model
from mitame.run.scans import collect


def scan(folder, name, shape=(6, 6, 6)):
    data = np.random.default_rng(len(name)).normal(100, 20, shape)
    folder.mkdir(exist_ok=True)
    nifti.write(folder / f"{name}.nii.gz", Volume(data.astype(np.float32), np.eye(4)))
    return folder


@pytest.fixture
def groups(tmp_path):
    for subject in ("01", "02", "03"):
        scan(tmp_path / "source", f"sub-{subject}_T1w")
    for subject in ("04", "03", "01"):
        scan(tmp_path / "target", f"sub-{subject}_T1w")
    return tmp_path


@pytest.fixture
def fitted(monkeypatch):
    """What an engine would be fitted on, without preparing it."""
    seen = {}

    def fit(_preparation, _engine, source, target, *, about):
        seen["source"], seen["target"] = list(source), list(target)
        seen["about"] = about

    monkeypatch.setattr(Model, "fit", fit)
    return seen


def found(folder, group):
    return collect([str(folder / group)])


def test_everybody_in_both_groups_is_a_pair(groups, fitted):
    fit_model(found(groups, "source"), found(groups, "target"), "dictionary")
    assert [s.subject for s in fitted["source"]] == ["01", "03"]
    assert [s.subject for s in fitted["target"]] == ["01", "03"]
    assert len(fitted["about"]["source"]["sha256"]) == 2


def test_others_take_everybody(groups, fitted):
    fit_model(found(groups, "source"), found(groups, "target"), "histogram")
    assert len(fitted["source"]) == len(fitted["target"]) == 3


def test_nobody_in_both_groups_is_refused(groups):
    scan(groups / "other", "sub-09_T1w")
    with pytest.raises(InputError, match="Nobody is in both"):
        fit_model(found(groups, "source"), found(groups, "other"), "dictionary")


def test_two_scans_of_one_subject_are_no_pair(groups):
    scan(groups / "target", "sub-01_ses-2_T1w")
    with pytest.raises(InputError, match="01 has two scans"):
        fit_model(found(groups, "source"), found(groups, "target"), "dictionary")


def test_pairs_are_of_one_sequence(groups):
    for group in ("source", "target"):
        scan(groups / group, "sub-01_T2w")
    with pytest.raises(InputError, match=r"T1w, T2w; this engine") as told:
        fit_model(found(groups, "source"), found(groups, "target"), "dictionary")
    assert "--sequence" in told.value.fix
