import json

import numpy as np
import pytest

from mitame.core.errors import ModelError
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.prepare import brain, template
from mitame.prepare.bias import CorrectBias
from mitame.prepare.default import STEPS, default_preparation
from mitame.prepare.pipeline import Preparation, noted
from mitame.testing.phantom import phantom, phantom_session


@pytest.mark.parametrize("bias", [True, False])
def test_a_preparation_goes_to_json_and_back(bias):
    preparation = default_preparation(bias=bias)
    text = json.dumps(preparation.to_json())
    assert Preparation.from_json(json.loads(text)) == preparation


def test_parameters_are_kept():
    preparation = Preparation((CorrectBias(shrink_mm=3.0, iterations=7),))
    assert Preparation.from_json(preparation.to_json()) == preparation


def test_an_unknown_step_is_refused_with_the_known_ones():
    with pytest.raises(ModelError, match="orient"):
        Preparation.from_json([{"name": "sharpen", "params": {}}])


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ModelError, match="strength"):
        Preparation.from_json([{"name": "bias", "params": {"strength": 1}}])


def test_every_step_is_found_by_its_name():
    assert all(STEPS[name].name == name for name in STEPS)


def test_a_note_changes_no_intensity():
    session = phantom_session()
    after = noted(session, Step("note"))
    assert np.array_equal(after["T1w"].data, session["T1w"].data)
    assert after["T1w"].history == (Step("note"),)


def test_the_default_runs_from_a_native_scan_and_back(monkeypatch):
    truth = phantom_session()
    monkeypatch.setattr(brain, "brain_mask", lambda _: truth.brain)
    monkeypatch.setattr(template, "to_template", lambda *_: np.eye(4))
    native = Session({"T1w": phantom(noise=5.0)})
    prepared, undo = default_preparation().apply(native)
    back = undo(prepared)
    back.reference.require_same_grid(native.reference)
    names = [step.name for step in back["T1w"].history]
    assert names == ["orient", "brain", "template", "bias", "scale", "unorient"]
    assert prepared.brain is not None
