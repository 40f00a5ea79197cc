from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import ImplausibleError, InputError
from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.prepare import template as module
from mitame.prepare.template import (
    FindTemplate,
    lies_in_template,
    template,
    template_coordinates,
    tissue_prior,
    to_template,
)
from mitame.testing.phantom import phantom, phantom_session


def gap(found, truth, volume, brain):
    """How far the two maps lie apart inside the brain, mm."""
    index = np.argwhere(brain)[::97]
    world = volume.affine @ np.column_stack([index, np.ones(len(index))]).T
    return np.linalg.norm(((found - truth) @ world)[:3], axis=0)


@pytest.fixture(scope="module")
def found(known_head):
    return to_template(known_head.volume, known_head.brain)


def test_a_known_map_is_found(known_head, found):
    off = gap(found, known_head.to_template, known_head.volume, known_head.brain)
    assert off.mean() < 1.0
    assert off.max() < 3.0


def test_another_contrast_leads_to_the_same_place(known_head, found):
    data, brain = known_head.volume.data, known_head.brain
    inverse = np.where(brain, 1.2 * data[brain].max() - data, 0)
    volume = Volume(inverse, known_head.volume.affine)
    other = to_template(volume, brain)
    assert gap(other, found, volume, brain).mean() < 1.5


def test_every_run_gives_the_same_map(known_head, found):
    again = to_template(known_head.volume, known_head.brain)
    assert np.array_equal(again, found)


def test_the_step_writes_its_map_into_the_history(known_head, monkeypatch):
    monkeypatch.setattr(module, "to_template", lambda *_: np.eye(4))
    session = Session({"T1w": known_head.volume}, brain=known_head.brain)
    placed, undo = FindTemplate().apply(session)
    assert placed["T1w"].history[-1].params["affine"] == np.eye(4).tolist()
    assert np.array_equal(placed.to_template, np.eye(4))
    assert undo(placed) is placed


def test_a_map_of_your_own_is_kept():
    session = phantom_session()
    placed, _ = FindTemplate().apply(session)
    assert placed.to_template is session.to_template
    assert placed["T1w"].history[-1].params["from"] == "given"


def test_a_brain_mask_is_needed():
    with pytest.raises(InputError, match="brain mask"):
        FindTemplate().apply(Session({"T1w": phantom()}))


@pytest.mark.parametrize("scale", [0.5, -1.0, 2.0])
def test_a_map_no_head_has_is_refused(known_head, monkeypatch, scale):
    wrong = np.diag([scale, 1.0, 1.0, 1.0])
    monkeypatch.setattr(module, "match_brains", lambda *_: wrong)
    with pytest.raises(ImplausibleError, match="scales"):
        to_template(known_head.volume, known_head.brain)


def test_coordinates_are_millimetres_of_the_template():
    session = phantom_session()
    where = template_coordinates(session)
    expected = session.reference.affine @ [3, 4, 5, 1.0]
    assert where.dtype == np.float32
    np.testing.assert_allclose(where[3, 4, 5], expected[:3], atol=1e-4)


def test_priors_share_the_inside_of_the_skull():
    total = sum(template(tissue).data for tissue in ("wm", "gm", "csf"))
    inside = template("mask").data > 0.5
    assert total[inside].min() > 0.99
    assert template("csf").data.min() >= 0


def test_white_matter_lies_where_the_template_has_it(known_head):
    session = Session(
        {"T1w": known_head.volume},
        brain=known_head.brain,
        to_template=known_head.to_template,
    )
    white, grey = (tissue_prior(session, name) > 0.8 for name in ("wm", "gm"))
    data = known_head.volume.data
    assert np.median(data[white]) > 1.2 * np.median(data[grey])


def test_coordinates_need_a_place_in_the_template():
    with pytest.raises(InputError, match="FindTemplate"):
        template_coordinates(Session({"T1w": phantom()}))


def test_a_brain_lies_in_the_template_only_where_its_map_says(known_head):
    truth = known_head.to_template
    session = Session({"T1w": known_head.volume}, brain=known_head.brain)
    assert lies_in_template(replace(session, to_template=truth))
    for shift, lies in ((5, True), (25, False)):
        off = truth.copy()
        off[2, 3] += shift
        assert lies_in_template(replace(session, to_template=off)) is lies
