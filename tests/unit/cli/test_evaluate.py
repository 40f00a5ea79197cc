"""`mitame evaluate`: what it tells, what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from mitame.core.volume import Step, Volume
from mitame.evaluate.site import SiteAccuracy
from mitame.io import nifti
from mitame.prepare.pipeline import keep
from mitame.run import evaluate, sites
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)


class Ready:
    """A preparation that knows the phantom."""

    def apply(self, session):
        volumes = {
            s: v.with_data(v.data / np.float32(800), Step("scale", {}))
            for s, v in session.items()
        }
        ready = replace(phantom_session(GRID), volumes=volumes)
        return replace(ready, subject=session.subject), keep


@pytest.fixture
def pair(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "default_preparation", Ready)
    data = phantom_session(GRID)["T1w"].data
    paths = []
    for subject in ("01", "02"):
        for name, scale in (("result", 0.9 / 800), ("target", 1.0)):
            path = tmp_path / name / f"sub-{subject}_T1w.nii.gz"
            path.parent.mkdir(exist_ok=True)
            nifti.write(path, Volume((data * scale).astype(np.float32), GRID.affine))
            paths.append(path.parent)
    return paths[:2]


def test_scores_of_all_and_of_each_are_told(mitame, pair):
    results, targets = pair
    found = mitame("evaluate", results, "--target", targets, "--json")
    assert found.status == 0
    scores = found.report["scores"]["T1w"]
    assert set(scores) == {"psnr", "ssim", "mae", "wasserstein"}
    assert scores["mae"]["n_subjects"] == 2
    assert [scan["name"] for scan in found.report["scans"]] == [
        "sub-01_T1w.nii.gz",
        "sub-02_T1w.nii.gz",
    ]
    assert len(found.report["inputs"]) == 2


def test_people_read_a_line_a_score(mitame, pair):
    results, targets = pair
    found = mitame("evaluate", results, "--target", targets)
    assert "PSNR: " in found.out
    assert "dB (larger is better)" in found.out
    assert "[" in found.out  # an interval, with two subjects


@pytest.mark.parametrize("wrong", ["nowhere", "empty"])
def test_what_is_not_there_is_one_error(mitame, pair, tmp_path, wrong):
    (tmp_path / "empty").mkdir()
    found = mitame("evaluate", pair[0], "--target", tmp_path / wrong, "--json")
    assert found.status == 2
    assert wrong in found.report["error"]["what"]


def test_sites_need_the_sources(mitame, pair):
    found = mitame("evaluate", pair[0], "--target", pair[1], "--site")
    assert found.status == 2
    assert "Give --source with --site" in found.err


def test_site_accuracies_are_told(mitame, pair, monkeypatch):
    told = (SiteAccuracy(0.9, 1.0), SiteAccuracy(0.5, 0.6))
    answers = iter(told)
    monkeypatch.setattr(sites, "crossed_accuracy", lambda *_, **__: next(answers))
    results, targets = pair
    groups = ("--target", targets, "--source", targets)
    found = mitame("evaluate", results, *groups, "--site", "--json")
    assert found.status == 0, found.err
    one = found.report["sites"]["T1w"]
    assert (one["site_accuracy_before"], one["site_accuracy_after"]) == (1.0, 0.6)
    assert one["n_sources"] == one["n_targets"] == 2
    answers = iter(told)
    people = mitame("evaluate", results, *groups, "--site").out
    assert "site accuracy 1.000 before, 0.600 after" in people
