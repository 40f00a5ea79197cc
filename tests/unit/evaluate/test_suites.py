"""Suites tell an engine that harms from one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from mitame.core.errors import InputError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.engines.identity import Identity
from mitame.evaluate import guarded
from mitame.evaluate.case import Direction
from mitame.evaluate.suite_faults import score_faults
from mitame.evaluate.suite_lesions import score_bias, score_lesions
from mitame.evaluate.table import CEILING
from mitame.prepare.template import template_coordinates, tissue_prior
from mitame.testing.people import people

SPACING = 4.0
CENTER = (-28.0, 10.0, 24.0)
DIRECTION = Direction("A", "B", tuple("abcdefgh"), tuple("abcdefgh"), ("y", "z"))


def ball(session: Session, center: tuple[float, ...] = CENTER) -> np.ndarray:
    away = np.linalg.norm(template_coordinates(session) - center, axis=-1)
    return expit(2 * (6 - away))


class Cohort:
    """People with one lesion, on two scanners that show the same."""

    has_rescans = True
    subjects = ("a",)

    def lesions(self, _):
        return (ball(SOMEBODY) > 0.5).astype(np.int16)

    def labels(self, _):
        white, gray = (tissue_prior(SOMEBODY, t) > 0.7 for t in ("wm", "gm"))
        return np.select([white, gray], [2, 3], 0).astype(np.int16)

    def planted(self, *_):
        return None


class Images:
    """Their prepared scans; noise differs from scan to scan."""

    cohort = Cohort()

    def session(self, subject, scanner, kind="scan"):
        number = ord(subject) - ord("a")
        quiet = people(1, seed=number, spacing=SPACING)[0]
        data = gaussian_filter(quiet["T1w"].data, 0.4) - 0.3 * ball(quiet)
        if kind != "noisefree":
            rng = np.random.default_rng([number, ord(scanner), len(kind)])
            data = data + rng.normal(0, 0.01, data.shape)
        volume = Volume(data.astype(np.float32), quiet["T1w"].affine)
        return replace(quiet, volumes={"T1w": volume})

    def sessions(self, subjects, scanner, kind="scan"):
        return [self.session(subject, scanner, kind) for subject in subjects]


SOMEBODY = people(1, seed=0, spacing=SPACING)[0]


class Harms(Identity):
    """Takes the lesion away and paints another one."""

    def transform(self, session):
        other = ball(session, (30.0, 10.0, 24.0))
        data = session["T1w"].data + 0.3 * ball(session) - 0.3 * other
        return session.with_data({"T1w": data.astype(np.float32)}, Step("harm"))


@pytest.fixture
def values(monkeypatch):
    """Return the scores of a suite, by metric."""

    def run(
        suite, engine, images=None, direction=DIRECTION, *, engine_name="engine", **more
    ):
        monkeypatch.setattr(guarded, "engine_class", lambda _: engine)
        images = Images() if images is None else images
        rows = suite(engine_name, direction, images, seed=1, **more)
        return {row.metric: row.value for row in rows}

    return run


def test_an_engine_that_does_nothing_harms_nothing(values):
    found = values(score_lesions, Identity)
    assert found["lesions_safe"] == found["lesions_safe_limited"] == 1
    assert found["invented_foci"] == found["invented_foci_limited"] == 0


def test_an_engine_that_harms_is_held_by_the_limit(values):
    found = values(score_lesions, Harms)
    assert found["lesions_safe"] == 0
    assert found["lesions_safe_limited"] == 1
    assert found["invented_foci"] >= 1
    assert found["invented_foci_limited"] == 0


PLACE = (-26.0, -90.0, 2.0)
"""In the left occipital lobe, mm of the template."""


def mark_of(session):
    away = np.linalg.norm(template_coordinates(session) - PLACE, axis=-1)
    return (0.25 * expit(2 * (12 - away))).astype(np.float32)


class Marked(Cohort):
    """The same people; scanner A shows everybody a bright place."""

    def planted(self, _, scanner, __):
        return mark_of(SOMEBODY) if scanner == "A" else None


class MarkedImages(Images):
    """Their scans, the mark in those of scanner A."""

    cohort = Marked()

    def session(self, subject, scanner, kind="scan"):
        found = super().session(subject, scanner, kind)
        scale = Step("scale", {"gain": 1.0})
        mark = mark_of(found) if scanner == "A" else 0
        return found.with_data({"T1w": found["T1w"].data + mark}, scale)


class TakesMark(Identity):
    """Subtracts the mark, whoever has whatever there."""

    def transform(self, session):
        data = session["T1w"].data - mark_of(session)
        return session.with_data({"T1w": data}, Step("unmarked"))


class TakesAll(Identity):
    """Wipes out what is bright where the mark is, also a lesion."""

    def transform(self, session):
        image = session["T1w"].data
        usual = people(1, seed=0, spacing=SPACING)[0]["T1w"].data
        here = mark_of(session) > 0.01
        data = np.where(here, np.minimum(image, usual), image)
        return session.with_data({"T1w": data}, Step("wiped"))


def test_a_mark_is_taken_away_and_a_lesion_like_it_is_kept(values):
    found = values(score_lesions, TakesMark, MarkedImages())
    assert abs(found["planted_residual"]) < 0.05
    # Voxels of 4 mm: half of the places have too few to be known.
    assert found["planted_residual_limited"] < 0.6
    for mode in ("", "_limited"):
        assert found[f"lesion_like_mark_kept{mode}"] == pytest.approx(1, abs=0.1)


def test_an_engine_that_takes_the_lesion_with_the_mark_is_told(values):
    found = values(score_lesions, TakesAll, MarkedImages())
    assert found["lesion_like_mark_kept"] < 0.2
    assert found["lesion_like_mark_kept_limited"] == pytest.approx(1, abs=0.1)


class Faint(Identity):
    """Paints a focus of 7 mm, a fifth of a white-matter median darker."""

    def transform(self, session):
        away = np.linalg.norm(template_coordinates(session) - (30, 10, 24), axis=-1)
        data = session["T1w"].data - 0.2 * expit(2 * (3.5 - away))
        return session.with_data({"T1w": data.astype(np.float32)}, Step("faint"))


class AnotherTone(Identity):
    """Shows everything in other tones, as scanners do."""

    def transform(self, session):
        data = 1.4 * np.sign(session["T1w"].data) * np.abs(session["T1w"].data) ** 0.8
        return session.with_data({"T1w": data.astype(np.float32)}, Step("tone"))


@pytest.mark.parametrize(("engine", "foci"), [(Faint, 1), (AnotherTone, 0)])
def test_a_faint_focus_is_invented_and_another_tone_is_not(values, engine, foci):
    assert values(score_lesions, engine)["invented_foci"] == foci


def test_a_rescan_invents_nothing(values):
    found = values(score_lesions, Identity, engine_name=CEILING)
    assert found["invented_foci"] == 0


class Healthy(Cohort):
    """The same people without a lesion."""

    def lesions(self, _):
        return None


class HealthyImages(Images):
    """Their scans."""

    cohort = Healthy()

    def session(self, subject, scanner, kind="scan"):
        found = super().session(subject, scanner, kind)
        data = found["T1w"].data + 0.3 * ball(found)
        return found.with_data({"T1w": data.astype(np.float32)}, Step("healthy"))


def is_ill(session):
    return any(step.name == "lesions" for step in session["T1w"].history)


class LearnsDisease(Identity):
    """Takes what is dark in white matter away if its source group was ill."""

    def fit(self, source, target):
        LearnsDisease.groups = sum(map(is_ill, source)), sum(map(is_ill, target))
        return self

    def transform(self, session):
        white = tissue_prior(session, "wm") > 0.5
        erased = white & (self.groups[0] > 0)
        data = np.where(
            erased, np.maximum(session["T1w"].data, 0.95), session["T1w"].data
        )
        return session.with_data({"T1w": data.astype(np.float32)}, Step("learned"))


def test_the_bias_curve_falls_with_an_engine_that_learns_disease(values):
    healthy, ill = (
        values(score_bias, LearnsDisease, HealthyImages(), percent=percent)
        for percent in (0, 100)
    )
    assert healthy["lesions_safe_ill_000"] == 1
    assert ill["lesions_safe_ill_100"] < 0.2
    assert ill["lesions_safe_ill_100_limited"] >= 0.9


@pytest.mark.parametrize(("way", "ill"), [(("A", "B"), (4, 0)), (("B", "A"), (0, 4))])
def test_the_group_of_one_scanner_is_ill_in_both_directions(values, way, ill):
    subjects = tuple("abcdefgh")
    direction = Direction(*way, subjects, subjects, ("y",))
    values(score_bias, LearnsDisease, HealthyImages(), direction, percent=50)
    assert LearnsDisease.groups == ill


def test_a_bias_curve_of_people_who_are_all_ill_is_none(values):
    with pytest.raises(InputError, match="lesions of its own"):
        values(score_bias, Identity, percent=50)


def test_people_without_lesions_get_some(values):
    found = values(score_lesions, Harms, HealthyImages())
    assert found["lesions_safe_limited"] >= 0.9
    assert found["invented_foci"] >= 1


@pytest.mark.slow
def test_faults_are_caught_and_good_results_are_not_refused(values):
    found = values(score_faults, Identity)
    assert found["good_refused"] == 0
    assert found["faults_caught"] >= 0.9
    assert found["caught_flip"] == found["caught_slice_lost"] == 1
