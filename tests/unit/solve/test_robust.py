import numpy as np
import pytest

from mitame.solve.robust import redescending_weights, spread


@pytest.mark.parametrize("sd", [1e-3, 1.0, 400.0])
def test_the_spread_of_normal_values_is_their_standard_deviation(sd):
    values = np.random.default_rng(0).normal(0, sd, 100_000)
    assert spread(values) == pytest.approx(sd, rel=0.01)


def test_a_tenth_of_outliers_hardly_widens_the_spread():
    values = np.random.default_rng(0).normal(0, 1, 10_000)
    values[:1000] = 1e6
    assert 1 < spread(values) < 1.2


def test_a_weight_is_one_at_zero_and_a_quarter_at_the_tuning():
    weights = redescending_weights(np.array([0.0, -6.0, 6.0]), 3.0, tuning=2.0)
    assert weights.tolist() == [1.0, 0.25, 0.25]


def test_the_weight_falls_with_the_residual_and_never_reaches_zero():
    weights = redescending_weights(np.linspace(0, 50, 200), 1.0, tuning=2.0)
    assert (np.diff(weights) < 0).all()
    assert weights[-1] > 0


def test_a_large_residual_pulls_less_than_a_small_one():
    residual = np.array([2.0, 20.0])
    pull = residual * redescending_weights(residual, 1.0, tuning=2.0)
    assert pull[1] < pull[0] / 10


def test_without_any_spread_only_exact_zeros_count():
    weights = redescending_weights(np.array([0.0, 1e-3]), 0.0, tuning=2.0)
    assert weights.tolist() == [1.0, 0.0]
