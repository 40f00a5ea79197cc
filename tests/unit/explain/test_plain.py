"""Sizes in the units people use."""

import numpy as np
import pytest

from mitame.engines.elements.additions import Noise, Stripes
from mitame.engines.elements.element import Field, Level, Tone
from mitame.engines.elements.filters import Blur, Ringing
from mitame.explain.plain import Levels, in_plain_units, unit_of, without_scatter

LEVELS = Levels(gray=0.6, noise=(0.02, 0.05))
CONTRAST = Level("contrast", 0.6, (0.0, 0.3, 1.0))
CASES = [
    (Tone(), np.log(1.2), 1.2),
    # Gray from .6 to .66 of white: contrast from .4 to .34.
    (CONTRAST, 0.1, -15.0),
    (Level("fluid", 0.3, (0.0, 0.6, 1.0)), 0.1, 10.0),
    (Blur(0.02), 2.25, 1.5),
    (Blur(0.02), -2.25, -1.5),
    (Ringing(0.02), 0.7, 70.0),
    # Source .02, so that .04 is twice; target .05, half of it is .025.
    (Noise(), 3 * 0.02**2, 2.0),
    (Noise(), -3 * 0.05**2, 0.5),
    (Stripes((0.05, 0.0, 0.0)), 0.03**2, 3.0),
]


@pytest.mark.parametrize(("element", "size", "expected"), CASES)
def test_a_size_in_plain_units(element, size, expected):
    found = in_plain_units(element, np.array([[size]]), LEVELS)
    assert found == pytest.approx(expected)


def test_a_field_is_told_by_its_spread():
    sizes = np.array([[0.03, 0.04], [0.0, 0.0]])
    assert in_plain_units(Field(2), sizes, LEVELS) == pytest.approx([5.0, 0.0])


@pytest.mark.parametrize("element", [e for e, _, _ in CASES])
def test_no_size_is_what_means_nothing(element):
    found = in_plain_units(element, np.zeros((1, 1)), LEVELS)
    one = element.name in ("tone curve", "noise")
    assert found == pytest.approx(1.0 if one else 0.0)
    assert unit_of(element)


def test_a_field_is_not_longer_for_the_scatter_of_people():
    rng = np.random.default_rng(0)
    truth, scatter = np.full(19, 0.1 / np.sqrt(19)), 0.02
    squares, inside = [], 0
    for _ in range(200):
        size = truth + scatter * rng.standard_normal((1, 19))
        draws = size + scatter * rng.standard_normal((500, 19))
        one, many = without_scatter(size, draws)
        squares.append(np.sum(one**2))
        low, high = np.quantile(np.linalg.norm(many, axis=1), (0.025, 0.975))
        inside += low < 0.1 < high
    assert np.sqrt(np.mean(squares)) == pytest.approx(0.1, rel=0.03)
    assert inside > 180
    assert not without_scatter(0.1 * size, draws - 0.9 * size)[0].any()
