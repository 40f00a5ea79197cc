"""`mitame simulate` and `mitame benchmark`: what they are given, what they refuse."""

import numpy as np
import pytest

from mitame.simulate import cohort
from mitame.simulate.anatomy import Anatomy, builtin_anatomy


@pytest.fixture(scope="module")
def coarse():
    head = builtin_anatomy()
    labels = np.ascontiguousarray(head.labels[::4, ::4, ::4])
    return Anatomy("coarse", labels, head.affine @ np.diag([4.0, 4, 4, 1]))


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--scanners", "avant"), "avant"),
        (("--sequences", "T1w,T9w"), "T9w"),
        (("--sequences", "PDw"), "PDw"),
        (("--plant", "roses"), "roses"),
        (("--subjects", "0"), "0 subjects"),
        (("--resolution", "0.1"), "0.1 mm"),
        (("--anatomy", "nowhere"), "nowhere"),
        (("--catalog", "nowhere.toml"), "nowhere.toml"),
    ],
)
def test_a_study_that_cannot_be_is_refused_and_leaves_nothing(
    mitame, tmp_path, options, what
):
    result = mitame("simulate", tmp_path / "out", *options, "--json")
    assert result.status == 2
    assert what in result.report["error"]["what"]
    assert result.report["error"]["fix"]
    assert not (tmp_path / "out").exists()


def test_a_folder_of_something_else_is_not_touched(mitame, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    result = mitame("simulate", tmp_path, "--subjects", "1", "--force", "--json")
    assert result.status == 2
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_people_are_simulated_and_told(mitame, tmp_path, monkeypatch, coarse):
    monkeypatch.setattr(cohort, "builtin_anatomy", lambda: coarse)
    asked = (
        *("simulate", tmp_path / "out", "--subjects", "1", "--resolution", "4"),
        *("--sequences", "t1w", "--scanners", "avanto, prisma", "--json"),
    )
    result = mitame(*asked)
    assert result.status == 0
    assert result.report["subjects"] == ["001"]
    assert len(list((tmp_path / "out").glob("sub-*/ses-*/anat/*.nii.gz"))) == 2
    assert mitame(*asked).report["subjects"] == []  # it was there
    other = mitame(*asked, "--seed", "2")
    assert other.status == 2
    assert mitame(*asked, "--seed", "2", "--force").report["subjects"] == ["001"]


@pytest.mark.parametrize(
    ("options", "what"),
    [(("--cohort", "nowhere"), "nowhere"), (("--cohort", "."), "scanners")],
)
def test_a_benchmark_needs_travelers(mitame, tmp_path, monkeypatch, options, what):
    monkeypatch.chdir(tmp_path)
    result = mitame("benchmark", *options, "-o", "out", "--json")
    assert result.status == 2
    assert what in result.report["error"]["what"]
    assert not (tmp_path / "out").exists()
