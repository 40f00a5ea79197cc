import numpy as np
import pytest

from mitame.solve.tone import piecewise_linear, through_zero

KNOTS = np.array([0.0, 1.0, 2.0])
VALUES = np.array([0.0, 10.0, 30.0])


def test_every_knot_is_met():
    assert piecewise_linear(KNOTS, KNOTS, VALUES).tolist() == VALUES.tolist()


def test_the_end_lines_go_on():
    far = np.array([-2.0, 4.0])
    assert piecewise_linear(far, KNOTS, VALUES).tolist() == [-20.0, 70.0]


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_knot_that_is_there_twice_gives_no_jump_and_no_infinity(at):
    knots = np.insert(np.arange(4.0), at, np.arange(4.0)[at])
    x = np.linspace(-2, 6, 400)
    moved = piecewise_linear(x, knots, np.linspace(0, 8, 5))
    assert np.isfinite(moved).all()
    assert np.diff(moved).min() > 0
    assert np.diff(moved).max() < 6 * np.diff(x)[0]


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_value_that_is_there_twice_flattens_nothing(at):
    values = np.insert(np.arange(4.0), at, np.arange(4.0)[at])
    moved = piecewise_linear(np.linspace(-2, 6, 400), np.linspace(0, 3, 5), values)
    assert np.diff(moved).min() > 0


def test_zero_is_pinned_below_positive_landmarks_only():
    assert through_zero([2, 3]).tolist() == [0, 2, 3]
    assert through_zero([0, 3]).tolist() == [0, 3]
    assert through_zero([-1, 3]).tolist() == [-1, 3]
