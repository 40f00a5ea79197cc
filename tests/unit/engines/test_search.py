"""How sizes are refitted, and their intervals, where traces are only the first step."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mitame.engines.elements.additions import Noise
from mitame.engines.elements.chance import Chance
from mitame.engines.elements.search import Search

OWN, MORE = 1e-4, 1e-3
"""Variance of the noise that the source has, and how much more the target has."""

ALONG = np.array([[1.0], [0.0], [0.0]])
SCATTER, PEOPLE = 0.1, 20


def shown(more: float) -> np.ndarray:
    """Return what is measured: the logarithm of the noise, and nothing else."""
    return np.asarray(np.log1p(more / OWN) * ALONG[:, 0])


@pytest.fixture
def search() -> Search:
    """Return a search between two groups that differ in noise."""
    rng = np.random.default_rng(0)
    people = SCATTER * rng.standard_normal((2, PEOPLE, 3))
    people -= people.mean(axis=1, keepdims=True)
    groups = SimpleNamespace(
        elements={"noise": Noise()},
        traces={"noise": ALONG / OWN},
        difference=lambda sizes, **_: shown(MORE) - shown(*sizes.get("noise", [0.0])),
        both=lambda _: people,
        energy=lambda *_: 1.0,
    )
    return Search(groups, Chance(np.eye(3), {"noise": 2.0}, 3.0))  # type: ignore[arg-type]


def test_a_refit_learns_how_an_element_saturates(search):
    sizes, gap = search.refit({"noise": np.zeros(1)})
    assert sizes["noise"][0] == pytest.approx(MORE, rel=0.03)
    assert np.abs(gap).max() < 0.03


def test_intervals_are_those_of_the_size_and_not_of_small_ones(search):
    found = search.told({"noise": np.array([MORE])})
    wanted = SCATTER * np.sqrt(2 / PEOPLE) * (OWN + MORE)
    assert found.draws["noise"].std() == pytest.approx(wanted, rel=0.25)
