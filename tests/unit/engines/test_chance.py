"""What is beyond chance between two groups, whatever an element's numbers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from mitame.engines.elements.chance import FALSE_ALARMS, Chance

MEASURES, PEOPLE = 12, 60
TRACES = {"one": np.eye(MEASURES)[:, :1], "six": np.eye(MEASURES)[:, 6:]}


@pytest.fixture(scope="module")
def chance() -> Chance:
    """Return what chance does between people whose numbers are independent."""
    rng = np.random.default_rng(0)
    scale = np.geomspace(0.01, 100, MEASURES)
    own = rng.normal(size=(2, PEOPLE, MEASURES)) * scale
    return Chance.of((own[0], own[1]), TRACES, seed=1)


def test_differences_of_means_are_white(chance):
    rng = np.random.default_rng(2)
    scale = np.geomspace(0.01, 100, MEASURES)
    gaps = rng.normal(size=(2000, MEASURES)) * scale * np.sqrt(2 / PEOPLE)
    squares = [chance.misfit(gap) ** 2 for gap in gaps]
    assert np.mean(squares) == pytest.approx(MEASURES, rel=0.15)
    assert chance.square == pytest.approx(MEASURES, rel=0.15)


def test_limits_are_passed_equally_rarely(chance):
    # Two independent elements: each half as often as any.
    each = FALSE_ALARMS / 2
    for name, trace in TRACES.items():
        wanted = np.sqrt(chi2.isf(each, trace.shape[1]))
        assert chance.limits[name] == pytest.approx(wanted, rel=0.2)


def test_what_is_unsure_counts_less(chance):
    sure = Chance(np.eye(2), {}, 2.0)
    unsure = sure.unsure(np.array([np.sqrt(3.0), 0.0]))
    assert unsure.misfit(np.array([1.0, 0.0])) == pytest.approx(0.5)
    assert unsure.misfit(np.array([0.0, 1.0])) == pytest.approx(1.0)
    assert sure.misfit(np.array([1.0, 0.0])) == 1.0
