"""How sizes are fitted, and their intervals, where traces are only the first step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mitame.engines.elements.additions import Noise
from mitame.engines.elements.chance import Chance
from mitame.engines.elements.element import Tone
from mitame.engines.elements.sizing import OFF, Sizing

OWN, MORE = 1e-4, 1e-3
"""Variance of the noise that the source has, and how much more the target has."""

ALONG = np.array([1.0, 0.0, 0.0])
SCATTER, PEOPLE = 0.1, 20


def noisy(sizes: dict[str, np.ndarray], **_: Any) -> np.ndarray:
    """Return what is left of a difference in the logarithm of the noise."""
    more = float(sizes["noise"][0]) if sizes else 0.0
    return (np.log1p(MORE / OWN) - np.log1p(more / OWN)) * ALONG


def sizing(
    traces: dict[str, np.ndarray], difference: Any, unsure: float = 0.0
) -> Sizing:
    """Return sizes of elements that do what is said."""
    rng = np.random.default_rng(0)
    people = SCATTER * rng.standard_normal((2, PEOPLE, 3))
    people -= people.mean(axis=1, keepdims=True)
    elements = {"noise": Noise(), "tone curve": Tone()}
    groups = SimpleNamespace(
        elements={name: elements[name] for name in traces},
        traces=traces,
        difference=difference,
        both=lambda _: people,
    )
    return Sizing(groups, Chance(np.eye(3), {}, 3.0), unsure * ALONG)  # type: ignore[arg-type]


@pytest.fixture
def of_noise() -> Sizing:
    """Return sizes of noise."""
    return sizing({"noise": ALONG[:, None] / OWN}, noisy)


def test_a_fit_learns_how_an_element_saturates(of_noise):
    sizes, gap = of_noise.fit({"noise": np.zeros(1)})
    assert sizes["noise"][0] == pytest.approx(MORE, rel=0.03)
    assert np.abs(gap).max() < 0.03


def test_intervals_are_those_of_the_size_and_not_of_small_ones(of_noise):
    sizes = {"noise": np.array([MORE])}
    draws = of_noise.drawn(sizes, noisy(sizes))["noise"]
    people = SCATTER * np.sqrt(2 / PEOPLE) * (OWN + MORE)
    wanted = np.hypot(people, OFF * MORE)
    assert people > 0.3 * OFF * MORE
    assert draws.std() == pytest.approx(wanted, rel=0.1)


def test_intervals_know_what_elements_do_not_say():
    sizes = {"noise": np.array([MORE])}
    unsure = sizing({"noise": ALONG[:, None] / OWN}, noisy, unsure=0.5)
    draws = unsure.drawn(sizes, noisy(sizes))["noise"]
    assert draws.std() == pytest.approx(0.5 * (OWN + MORE), rel=0.1)


def test_a_step_that_goes_too_far_is_halved_and_the_next_is_whole():
    def steep(sizes: dict[str, np.ndarray], **_: Any) -> np.ndarray:
        size = float(sizes["noise"][0]) if sizes else 0.0
        return np.array([2 - size if size <= 4 else np.nan, 0.1, 0.0])

    tenth = sizing({"noise": 0.1 * ALONG[:, None]}, steep)  # truly 1
    sizes, gap = tenth.fit({"noise": np.zeros(1)})
    assert sizes["noise"] == pytest.approx(2, abs=0.01)
    assert gap == pytest.approx([0, 0.1, 0], abs=0.01)


def test_a_step_that_makes_it_worse_is_halved():
    def bent(sizes: dict[str, np.ndarray], **_: Any) -> np.ndarray:
        size = float(sizes["noise"][0]) if sizes else 0.0
        return 2 * ALONG - (size + 0.3 * max(size - 1, 0) ** 2) * ALONG

    half = sizing({"noise": 0.3 * ALONG[:, None]}, bent)
    sizes, gap = half.fit({"noise": np.zeros(1)})
    assert np.abs(gap).max() < 0.05
    assert 1 < sizes["noise"][0] < 2


def test_slopes_are_told_on_the_side_where_the_difference_is():
    # Less tone is given to the other group, where it shows three times as much.
    def sided(sizes: dict[str, np.ndarray], **_: Any) -> np.ndarray:
        tone = float(sizes.get("tone curve", np.zeros(1))[0])
        noise = float(sizes.get("noise", np.zeros(1))[0])
        shown = tone if tone > 0 else 3 * tone
        return np.array([1 - noise, -0.6 - shown, 0.0])

    both = {"noise": ALONG[:, None], "tone curve": np.roll(ALONG, 1)[:, None]}
    found = sizing(both, sided).slopes(["tone curve"], {"noise": np.ones(1)}, most=4)
    assert found["tone curve"][:, 0] == pytest.approx([0, 3, 0])
