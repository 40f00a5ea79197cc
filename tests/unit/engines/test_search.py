"""That few elements are found, and another one in place of some that are like it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mitame.engines.elements.additions import Noise
from mitame.engines.elements.chance import Chance
from mitame.engines.elements.element import Element, Level, Tone
from mitame.engines.elements.measures import UNSURE
from mitame.engines.elements.search import Search
from mitame.engines.elements.sizing import OFF, Sizing

LIMIT = 3.0
ONE = np.ones(1)
ELEMENTS: dict[str, Element] = {
    "contrast": Level("contrast", 0.7, (0.0, 1.0)),
    "fluid": Level("fluid", 0.3, (0.0, 0.7)),
    "noise": Noise(),
    "tone curve": Tone(),
}
TRACES = {
    "contrast": np.array([[1.0], [0.0], [0.3], [0.0]]),
    "fluid": np.array([[0.0], [1.0], [0.3], [0.0]]),
    "noise": np.array([[0.0], [0.0], [0.0], [1.0]]),
    "tone curve": np.array([[0.8], [0.7], [0.0], [0.0]]),
}
"""Of four measures; a tone curve looks much like both contrast and fluid."""


def search(planted: dict[str, float], chance: float = 0.0) -> Search:
    """Return the search for elements that do what their traces say."""

    def difference(sizes: dict[str, np.ndarray], **_: Any) -> np.ndarray:
        left = np.sum([TRACES[n][:, 0] * s for n, s in planted.items()], axis=0)
        there = np.sum([TRACES[n] @ s for n, s in sizes.items()], axis=0)
        return left - there + chance * np.ones(4)

    groups = SimpleNamespace(
        elements=ELEMENTS,
        traces=TRACES,
        difference=difference,
        unsure=lambda: UNSURE * np.abs(difference({})),
        both=lambda _: np.zeros((2, 20, 4)),
        energy=lambda _, size: float(size[0] ** 2),
    )
    limits = dict.fromkeys(ELEMENTS, LIMIT)
    return Search(groups, Chance(np.eye(4), limits, 4.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "planted",
    [
        {"noise": 20.0},
        {"contrast": 30.0, "noise": -20.0},
        {"contrast": 25.0, "fluid": 25.0},
        {"fluid": -20.0, "noise": 10.0, "tone curve": 40.0},
    ],
)
def test_what_was_planted_is_found_and_no_more(planted):
    found = search(planted).find()
    assert {n: round(float(s[0]), 3) for n, s in found.items()} == planted


def test_a_further_element_costs_more_than_the_first():
    faint = 1.05 * LIMIT  # contrast of this size saves 1.2 times its price
    assert set(search({"contrast": faint}).find()) == {"contrast"}
    assert set(search({"noise": 40.0, "contrast": faint}).find()) == {"noise"}
    clear = {"noise": 40.0, "contrast": 1.5 * faint}
    assert set(search(clear).find()) == set(clear)


def test_what_chance_does_is_nothing():
    assert search({}, chance=1.0).find() == {}


def test_one_element_takes_the_place_of_two_that_look_like_it():
    both = search({"tone curve": 30.0})
    first = both._choice(*both.sizing.fit({"contrast": 20 * np.ones(1)}))
    stuck = both._choice(
        *both.sizing.fit({"contrast": np.ones(1), "fluid": np.ones(1)})
    )
    assert stuck.cost < first.cost  # so that the two would be taken
    better = both._exchanged(stuck, {frozenset(stuck.sizes)})
    assert better is not None
    assert set(better.sizes) == {"tone curve"}


def test_the_one_that_changes_most_comes_first_with_an_honest_interval():
    planted = {"contrast": 10.0, "noise": 40.0}
    both = search(planted)
    found = both.told(both.find())
    assert list(found.sizes) == ["noise", "contrast"]
    assert found.left == pytest.approx(0, abs=1e-6)
    # Nobody of these groups differs: what is left is that elements are not all.
    wanted = np.hypot(UNSURE * 40, OFF * 40)
    assert found.draws["noise"].std() == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("start", [0.5, 2.0, 5.0])
def test_a_size_does_not_depend_on_where_its_fit_begins(start):
    # It saturates, and most of the difference is nothing that a size explains.
    def difference(sizes: dict[str, np.ndarray], **_: Any) -> np.ndarray:
        size = float(sizes.get("noise", np.zeros(1))[0])
        return np.array([40.0, 10 - 5 * size, 0.4 * (4 - size**2), 0.0])

    best = min(
        np.linspace(0, 5, 5001),
        key=lambda size: float(np.linalg.norm(difference({"noise": np.array([size])}))),
    )
    slope = difference({}) - difference({"noise": ONE})
    groups: Any = SimpleNamespace(
        elements=ELEMENTS, traces={"noise": slope[:, None]}, difference=difference
    )
    sizing = Sizing(groups, Chance(np.eye(4), {"noise": LIMIT}, 4.0), np.zeros(4))
    found, _ = sizing.fit({"noise": start * ONE})
    assert found["noise"] == pytest.approx(best, rel=0.05)
