import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mitame.solve.lattice import corners, design, sample
from mitame.solve.tone import piecewise_linear

shapes = st.lists(st.integers(2, 5), min_size=1, max_size=4).map(tuple)
seeds = st.integers(0, 2**31)


@given(shape=shapes, seed=seeds)
@settings(deadline=None, max_examples=50)
def test_the_design_is_sampling_written_as_a_matrix(shape, seed):
    rng = np.random.default_rng(seed)
    lattice = rng.normal(size=shape).astype(np.float32)
    coordinates = rng.uniform(-2, np.array(shape) + 1, (30, len(shape)))
    factor = rng.normal(size=30)
    expected = factor * sample(lattice, coordinates)
    found = design(coordinates, factor, shape) @ lattice.ravel()
    np.testing.assert_allclose(found, expected, atol=1e-4)


@given(shape=shapes, seed=seeds)
@settings(deadline=None, max_examples=50)
def test_weights_are_shares_of_one(shape, seed):
    coordinates = np.random.default_rng(seed).uniform(-9, 9, (30, len(shape)))
    index, weight = corners(coordinates, shape)
    assert index.min() >= 0
    assert index.max() < np.prod(shape)
    assert weight.min() >= 0
    np.testing.assert_allclose(weight.sum(axis=1), 1, rtol=1e-5)


knots = arrays(np.float64, st.integers(2, 12), elements=st.integers(0, 40))


@given(where=knots, height=knots)
def test_a_tone_curve_keeps_order_wherever_its_knots_are(where, height):
    n = min(len(where), len(height))
    where, height = np.sort(where[:n]), np.sort(height[:n])
    if where[0] == where[-1] or height[0] == height[-1]:
        return
    x = np.linspace(-50, 90, 500)
    moved = piecewise_linear(x, where, height)
    assert np.isfinite(moved).all()
    assert (np.diff(moved) >= 0).all()
    assert moved[-1] > moved[-2]
