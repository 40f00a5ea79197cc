"""`mitame explain`: what it writes, says and refuses."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mitame.core.volume import Step
from mitame.engines.cyclegan import CycleGAN
from mitame.explain import local
from mitame.io import nifti
from mitame.model import Model
from mitame.prepare.pipeline import keep
from mitame.run import explain
from mitame.testing.people import people

TONE = 1.3


class Ready:
    """A preparation that knows the people, and leaves their bias fields in."""

    def __init__(self, *, bias):
        assert not bias

    def apply(self, session):
        return replace(people(1, seed=0)[0], volumes=session.volumes), keep


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setattr(explain, "default_preparation", Ready)
    monkeypatch.setattr(local, "SPACING_MM", 4.0)
    found = []
    for group, power, seed in (("source", 1.0, 1), ("target", TONE, 2)):
        for number, session in enumerate(people(6, seed=seed), 1):
            volume = session["T1w"]
            seen = volume.with_data(800 * volume.data**power, Step("tone", {}))
            path = tmp_path / group / f"sub-{number:02d}_T1w.nii.gz"
            path.parent.mkdir(exist_ok=True)
            nifti.write(path, seen.with_data(seen.data / 800, Step("scale", {})))
        found += [f"--{group}", path.parent]
    return found


@pytest.mark.slow
def test_a_tone_curve_is_named_and_shown(mitame, places, tmp_path):
    out = tmp_path / "out"
    told = mitame("explain", *places, "-o", out, "--json")
    assert told.status == 0, told.err
    elements = told.report["sequences"]["T1w"]["elements"]
    assert elements[0]["name"] == "tone curve"
    assert elements[0]["size"] == pytest.approx(TONE, abs=0.1)
    assert sorted(p.name for p in out.iterdir()) == [
        "explanation.html",
        "explanation.json",
    ]
    assert "not a medical device" in (out / "explanation.json").read_text()
    assert "sub-" not in (out / "explanation.html").read_text()
    again = mitame("explain", *places, "-o", out)
    assert again.status == 2
    assert "--force" in again.err


def test_one_scan_in_both_groups_is_an_error(mitame, places, tmp_path):
    source = places[1]
    told = mitame(
        "explain", "--source", source, "--target", source, "-o", tmp_path / "o"
    )
    assert told.status == 2
    assert "source and target at once" in told.err
    assert not (tmp_path / "o").exists()


def test_too_few_scans_are_told_before_any_is_prepared(
    mitame, places, tmp_path, monkeypatch
):
    monkeypatch.setattr(explain, "default_preparation", None)
    one = sorted(places[1].iterdir())[0]
    told = mitame("explain", "--source", one, *places[2:], "-o", tmp_path / "o")
    assert told.status == 2
    assert "1 T1w scans of the source, 6 of the target" in told.err
    assert not (tmp_path / "o").exists()


class Toned:
    """An engine that puts intensities to a power, and a model of it."""

    needs_pairs = False

    def transform(self, session):
        volume = session["T1w"]
        seen = volume.with_data(volume.data**TONE, Step("tone", {}))
        return session.with_volumes({"T1w": seen})


@pytest.mark.slow
def test_a_model_is_explained_by_what_it_does(mitame, places, tmp_path, monkeypatch):
    model = Model(Ready(bias=False), "toned", Toned(), {})
    monkeypatch.setattr(Model, "load", lambda _: model)
    out = tmp_path / "out"
    told = mitame("explain", tmp_path / "model", *places[:2], "-o", out, "--json")
    assert told.status == 0, told.err
    found = told.report["sequences"]["T1w"]
    assert [one["name"] for one in found["elements"]] == ["tone curve"]
    assert found["elements"][0]["size"] == pytest.approx(TONE, abs=0.03)
    assert found["edit_unexplained"] < 0.05
    page = (out / "explanation.html").read_text(encoding="utf-8")
    assert "what the model makes of them" in page


@pytest.mark.slow
def test_a_model_with_networks_is_looked_into(mitame, places, tmp_path, monkeypatch):
    brighter = [
        one.with_data({"T1w": one["T1w"].data * np.float32(1.1)}, Step("look"))
        for one in people(4, seed=4)
    ]
    engine = CycleGAN(base="identity", steps=30).fit(people(4, seed=3), brighter)
    model = Model(Ready(bias=False), "cyclegan", engine, {})
    monkeypatch.setattr(Model, "load", lambda _: model)
    # The elements of what a model does are another test's, and take long.
    monkeypatch.setattr(explain, "explain", lambda *_, **__: {})
    out = tmp_path / "out"
    told = mitame("explain", tmp_path / "model", *places[:2], "-o", out, "--json")
    assert told.status == 0, told.err
    assert "networks asked about scan 6 of 6" in told.err
    inside = told.report["inside"]
    assert json.loads((out / "explanation.json").read_text())["inside"] == inside
    given = inside["responses"]["T1w"]["given"]
    assert {one["kind"] for one in given} >= {"tissue", "look", "place", "added"}
    assert all(one["passed"]["low"] <= one["passed"]["high"] for one in given)
    assert [layer["name"] for layer in inside["layers"]] == ["first", "block 1"]
    assert inside["places"]["channels"][0]["regions"]
    page = (out / "explanation.html").read_text(encoding="utf-8")
    assert "Inside the networks" in page
    assert "sub-" not in page


@pytest.mark.parametrize("more", [[], ["--target", "there", "MODEL"]])
def test_what_to_compare_with_is_said_once(mitame, places, tmp_path, more):
    told = mitame("explain", *places[:2], *more, "-o", tmp_path / "out")
    assert told.status == 2
    assert "Give --target, or the folder of a model." in told.err
    assert not (tmp_path / "out").exists()
