"""Marks that depend on how the prior was harmonized are told; the others hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mitame.compare.guarded import limited_prior, unheld
from mitame.compare.pair import held, judge
from mitame.core.errors import ImplausibleError
from mitame.core.volume import Step, Volume
from mitame.guard.verdict import WORDS
from mitame.prepare.template import template_coordinates
from mitame.testing.people import people

CENTER = (-28.0, 10.0, 24.0)
PERSON = people(1, seed=4, spacing=2.0)[0]


def ball(center=CENTER):
    away = np.linalg.norm(template_coordinates(PERSON) - center, axis=-1)
    return (-0.4 * (away < 6)).astype(np.float32)


def image(change=0.0, seed=0):
    noise = np.random.default_rng(seed).normal(0, 0.02, PERSON["T1w"].data.shape)
    gain = Step("bilateral", {"gain_low": 0.9, "gain_high": 1.1})
    data = (PERSON["T1w"].data + noise + change).astype(np.float32)
    return Volume(data, PERSON["T1w"].affine, None, (gain,))


def found_with(prior, current, harmonized, limited):
    brain = PERSON.require_brain()
    return held(judge(prior, prior, current, harmonized, brain), limited)


def test_a_lesion_that_came_is_a_mark_that_holds():
    prior, current = image(seed=1), image(ball(), seed=2)
    found = found_with(prior, current, prior, prior)
    assert [mark.holds for mark in found.marks] == [True]
    assert found.verdict.grade == "pass"


def test_a_mark_that_harmonizing_made_is_told():
    prior, current = image(seed=1), image(seed=2)
    erased = prior.with_data(prior.data - ball(), Step("harm"))
    found = found_with(prior, current, erased, prior)
    assert [mark.holds for mark in found.marks] == [False]
    (reason,) = found.verdict.reasons
    assert reason.grade == "look"
    assert reason.sentence.startswith(WORDS["marks: harmonizing's own"])
    assert "(1 of 1)" in reason.sentence
    assert found.verdict.places == [found.marks[0].center]


def test_a_lesion_that_came_and_was_harmonized_into_the_prior_is_told():
    prior, current = image(seed=1), image(ball(), seed=2)
    hidden = prior.with_data(prior.data + ball(), Step("harm"))
    found = found_with(prior, current, hidden, prior)
    assert found.marks == ()
    (reason,) = found.verdict.reasons
    assert reason.name == "marks: harmonized away"
    (place,) = found.verdict.places
    world = np.linalg.inv(PERSON.require_template()) @ [*CENTER, 1]
    assert np.linalg.norm(np.array(place) - world[:3]) < 2


def test_a_change_of_the_other_sign_is_no_answer():
    prior, current = image(seed=1), image(seed=2)
    brighter = prior.with_data(prior.data - ball(), Step("harm"))
    darker = prior.with_data(prior.data + ball(), Step("harm"))
    found = found_with(prior, current, brighter, darker)
    assert [mark.holds for mark in found.marks] == [False]
    assert len(found.verdict.reasons) == 2


def test_the_limited_prior_keeps_the_lesion_that_was_erased():
    ill = PERSON.with_volumes({"T1w": image(ball())})
    erased = PERSON.with_volumes({"T1w": image()})
    data = limited_prior("T1w", ill, erased)["T1w"].data
    inside = ball() < 0
    around = ill.require_brain() & ~inside
    near = np.linalg.norm(template_coordinates(PERSON) - CENTER, axis=-1) < 12
    kept = data[inside].mean() - data[around & near].mean()
    assert kept == pytest.approx(
        ill["T1w"].data[inside].mean() - ill["T1w"].data[around & near].mean(), rel=0.1
    )


def test_without_a_limited_mode_the_verdict_is_look():
    brain = np.zeros_like(PERSON.require_brain())
    brain[tuple(np.argwhere(ball() < 0)[0])] = True  # white matter, and no more of it
    with pytest.raises(ImplausibleError) as raised:
        limited_prior("T1w", replace(PERSON, brain=brain), PERSON)
    verdict = unheld(raised.value)
    assert verdict.grade == "look"
    assert "gray matter" in verdict.reasons[0].sentence


def test_half_of_a_change_holds_and_less_does_not():
    prior, current = image(seed=1), image(ball(), seed=2)
    for left, holds in ((0.7, True), (0.3, False)):
        less = prior.with_data(prior.data + (1 - left) * ball(), Step("limit"))
        found = found_with(prior, current, prior, less)
        assert [mark.holds for mark in found.marks] == [holds]
