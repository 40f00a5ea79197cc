from itertools import product

import numpy as np
import pytest
from scipy import sparse

from mitame.solve.lattice import (
    corners,
    design,
    roughness,
    sample,
    sample_grid,
    weighted_ridge,
)

SHAPE = (4, 5, 3)


def points(n=200, *, beyond=0.0, seed=0):
    top = np.array(SHAPE) - 1
    return np.random.default_rng(seed).uniform(-beyond, top + beyond, (n, len(SHAPE)))


def multilinear(x):
    """A function that is linear along every axis, but not as a whole."""
    return 1 + x[..., 0] - 2 * x[..., 1] * x[..., 2] + np.prod(x, axis=-1)


def nodes():
    return np.moveaxis(np.indices(SHAPE), 0, -1)


def test_the_weights_of_a_point_add_up_to_one():
    _, weight = corners(points(beyond=9.0), SHAPE)
    np.testing.assert_allclose(weight.sum(axis=1), 1, rtol=1e-5)
    assert weight.min() >= 0


def test_the_corners_of_a_point_are_the_nodes_around_it():
    coordinates = points()
    index, weight = corners(coordinates, SHAPE)
    where = np.stack(np.unravel_index(index, SHAPE), axis=-1)
    assert np.abs(where - coordinates[:, None]).max() <= 1
    middle = (weight[..., None] * where).sum(axis=1)
    np.testing.assert_allclose(middle, coordinates, atol=1e-5)


def test_a_multilinear_function_is_met_between_the_nodes():
    lattice = multilinear(nodes()).astype(np.float32)
    x = points()
    np.testing.assert_allclose(sample(lattice, x), multilinear(x), atol=1e-4)


def test_outside_the_lattice_goes_on_as_a_constant():
    lattice = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
    outside = points(beyond=50.0)
    nearest = np.clip(outside, 0, np.array(SHAPE) - 1)
    # scipy reads the same place by another way of rounding.
    np.testing.assert_allclose(sample(lattice, outside), sample(lattice, nearest))
    matrix = design(outside, np.ones(len(outside)), SHAPE)
    np.testing.assert_allclose(
        matrix @ lattice.ravel(), sample(lattice, nearest), atol=1e-5
    )


def test_every_voxel_of_a_grid_is_where_its_affine_says():
    rng = np.random.default_rng(0)
    lattice = rng.normal(size=(4, 5, 3, 6)).astype(np.float32)
    to_node = rng.uniform(-0.4, 0.6, (3, 4))
    last = rng.uniform(-1, 7, (8, 7, 9)).astype(np.float32)
    voxels = np.stack([*np.indices(last.shape), np.ones(last.shape)], axis=-1)
    where = np.concatenate([voxels @ to_node.T, last[..., None]], axis=-1)
    inside = ((where >= 0) & (where <= np.array(lattice.shape) - 1)).all(axis=-1)
    assert 0.02 < inside.mean() < 0.5  # both within and beyond it
    expected = sample(lattice, where.reshape(-1, 4)).reshape(last.shape)
    found = sample_grid(lattice, to_node, last)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_straight_lines_are_not_rough(axis):
    rough = roughness(SHAPE, (1.0, 2.0, 3.0))
    line = 3 - 2.0 * nodes()[..., axis].ravel()
    assert line @ (rough @ line) == pytest.approx(0, abs=1e-3)
    bend = line**2
    assert bend @ (rough @ bend) > 1


def test_roughness_is_symmetric_and_never_negative():
    rough = roughness(SHAPE, (1.0, 2.0, 3.0)).toarray()
    assert np.array_equal(rough, rough.T)
    assert np.linalg.eigvalsh(rough.astype(np.float64)).min() > -1e-4


def test_roughness_is_the_summed_squared_bending():
    x = np.random.default_rng(2).normal(size=SHAPE)
    stiffness = (1.0, 2.0, 3.0)
    bending = [
        weight * (np.diff(x, n=2, axis=axis) ** 2).sum()
        for axis, weight in enumerate(stiffness)
    ]
    rough = roughness(SHAPE, stiffness)
    assert x.ravel() @ (rough @ x.ravel()) == pytest.approx(sum(bending), rel=1e-5)


def problem(seed=0):
    rng = np.random.default_rng(seed)
    matrix = design(points(600, seed=seed), rng.normal(1, 0.2, 600), SHAPE)
    penalty = roughness(SHAPE, (0.5, 0.5, 0.5))
    return matrix, rng.normal(size=600), rng.uniform(0, 2, 600), penalty


@pytest.mark.parametrize("seed", range(3))
def test_the_solution_is_where_the_gradient_vanishes(seed):
    matrix, target, weight, penalty = problem(seed)
    size = int(np.prod(SHAPE))
    x = weighted_ridge(matrix, target, weight, penalty, np.zeros(size, np.float32))
    slope = matrix.T @ (weight * (matrix @ x - target)) + penalty @ x
    assert np.linalg.norm(slope) < 1e-3 * np.linalg.norm(matrix.T @ (weight * target))


def test_no_step_away_from_the_solution_is_better():
    matrix, target, weight, penalty = problem()
    size = int(np.prod(SHAPE))
    x = weighted_ridge(matrix, target, weight, penalty, np.zeros(size, np.float32))

    def cost(x):
        return (weight * (target - matrix @ x) ** 2).sum() + x @ (penalty @ x)

    for axis, sign in product(range(size), (1, -1)):
        step = np.zeros(size)
        step[axis] = sign * 0.05
        assert cost(x + step) > cost(x)


def test_the_start_does_not_change_the_solution():
    matrix, target, weight, penalty = problem()
    size = int(np.prod(SHAPE))
    starts = np.zeros(size, np.float32), np.full(size, 3, np.float32)
    one, other = (weighted_ridge(matrix, target, weight, penalty, s) for s in starts)
    np.testing.assert_allclose(one, other, atol=2e-3)


def test_a_point_without_weight_does_not_count():
    matrix, target, weight, penalty = problem()
    weight[:300] = 0
    size = int(np.prod(SHAPE))
    start = np.zeros(size, np.float32)
    one = weighted_ridge(matrix, target, weight, penalty, start)
    target[:300] = 1e6
    other = weighted_ridge(matrix, target, weight, penalty, start)
    assert np.array_equal(one, other)


def test_where_nothing_is_known_a_weak_ridge_holds_the_start_of_the_scale():
    matrix = design(np.zeros((5, 3)), np.ones(5), SHAPE)
    ridge = sparse.csr_array(1e-3 * sparse.eye_array(int(np.prod(SHAPE))))
    x = weighted_ridge(
        matrix, np.ones(5), np.ones(5), ridge, np.zeros(int(np.prod(SHAPE)))
    )
    assert x[0] == pytest.approx(1, rel=1e-2)
    assert not x[1:].any()
