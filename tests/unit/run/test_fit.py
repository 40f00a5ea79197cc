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

    def fit(_preparation, _name, source, target, *, engine, about):
        seen["source"], seen["target"] = list(source), list(target)
        seen["engine"], seen["about"] = engine, about

    monkeypatch.setattr(Model, "fit", fit)
    return seen


def found(folder, group):
    return collect([str(folder / group)])


def test_everybody_in_both_groups_is_a_pair(groups, fitted):
    fit_model(found(groups, "source"), found(groups, "target"), "dictionary")
    for group in ("source", "target"):
        assert [visit[0].subject for visit in fitted[group]] == ["01", "03"]
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
    with pytest.raises(InputError, match="01 has two T1w scans"):
        fit_model(found(groups, "source"), found(groups, "target"), "dictionary")


def test_all_sequences_of_a_subject_are_one_visit(groups, fitted):
    for group in ("source", "target"):
        for subject in ("01", "03"):
            scan(groups / group, f"sub-{subject}_FLAIR")
            scan(groups / group, f"sub-{subject}_T2w", shape=(6, 6, 4))
    fit_model(found(groups, "source"), found(groups, "target"), "dictionary")
    visit = fitted["source"][0]
    assert [set(session) for session in visit] == [{"T1w", "FLAIR"}, {"T2w"}]
    assert fitted["about"]["target"]["sequences"] == ["FLAIR", "T1w", "T2w"]
    assert len(fitted["about"]["target"]["sha256"]) == 6


def test_who_lacks_a_sequence_is_named(groups):
    for group in ("source", "target"):
        scan(groups / group, "sub-01_T2w")
    with pytest.raises(InputError, match="03 has no T2w beside") as told:
        fit_model(found(groups, "source"), found(groups, "target"), "dictionary")
    assert "--sequence" in told.value.fix


def test_others_take_every_scan_for_itself(groups, fitted):
    for group in ("source", "target"):
        scan(groups / group, "sub-01_T2w")
    fit_model(found(groups, "source"), found(groups, "target"), "histogram")
    assert len(fitted["source"]) == 4
    assert all(len(visit) == 1 for visit in fitted["source"])


def test_an_unpaired_engine_of_visits_takes_whole_visits(groups, fitted):
    for group in ("source", "target"):
        for subject in ("01", "02", "03", "04"):
            scan(groups / group, f"sub-{subject}_FLAIR")
            if not (groups / group / f"sub-{subject}_T1w.nii.gz").exists():
                scan(groups / group, f"sub-{subject}_T1w")
    sources, targets = found(groups, "source"), found(groups, "target")
    fit_model(sources, targets, "cyclegan", options={"seed": 3})
    for group in ("source", "target"):
        visits = [set(session) for visit in fitted[group] for session in visit]
        assert visits == 4 * [{"T1w", "FLAIR"}]
    assert fitted["engine"].seed == 3


def test_a_visit_that_lacks_a_sequence_is_named(groups):
    scan(groups / "target", "sub-01_T2w")
    with pytest.raises(
        InputError, match=r"no T2w beside 'sub-01_T1w\.nii\.gz'"
    ) as told:
        fit_model(found(groups, "source"), found(groups, "target"), "cyclegan")
    assert "--sequence" in told.value.fix


def test_a_visit_with_two_scans_of_a_sequence_is_named(groups):
    scan(groups / "source", "sub-01_run-2_T1w")
    with pytest.raises(InputError, match=r"2 scans beside 'sub-01.* and 1 sequences"):
        fit_model(found(groups, "source"), found(groups, "target"), "cyclegan")


def test_an_option_that_an_engine_does_not_have_is_told(groups):
    with pytest.raises(InputError, match="'nyul' has no --size"):
        fit_model(
            found(groups, "source"),
            found(groups, "target"),
            "nyul",
            options={"size": "tiny"},
        )
