"""Suites tell an engine that harms from one that does not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.special import expit

from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.engines.identity import Identity
from mitame.evaluate import guarded
from mitame.evaluate.case import Direction
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

    def run(suite, engine):
        monkeypatch.setattr(guarded, "engine_class", lambda _: engine)
        rows = suite("engine", DIRECTION, Images(), seed=1)
        return {row.metric: row.value for row in rows}

    return run


def test_an_engine_that_does_nothing_harms_nothing(values):
    found = values(guarded.score_lesions, Identity)
    assert found["lesions_safe"] == found["lesions_safe_limited"] == 1
    assert found["invented_foci"] == found["invented_foci_limited"] == 0


def test_an_engine_that_harms_is_held_by_the_limit(values):
    found = values(guarded.score_lesions, Harms)
    assert found["lesions_safe"] == 0
    assert found["lesions_safe_limited"] == 1
    assert found["invented_foci"] >= 1
    assert found["invented_foci_limited"] == 0


@pytest.mark.slow
def test_faults_are_caught_and_good_results_are_not_refused(values):
    found = values(guarded.score_faults, Identity)
    assert found["good_refused"] == 0
    assert found["faults_caught"] >= 0.9
    assert found["caught_flip"] == found["caught_slice_lost"] == 1
