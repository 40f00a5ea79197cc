import numpy as np
import pytest

from mitame.solve.patches import add, box, planes, take, together

SHAPE = (7, 6, 5)
CUBE = box(1, 1, 1)
SHAPES = [box(0, 0, 0), CUBE, box(2, 1, 0), planes(2)]


def volumes(n=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, *SHAPE)).astype(np.float32)


def everywhere():
    return np.argwhere(np.ones(SHAPE, bool))


def test_a_cube_is_what_lies_around_its_center():
    data = volumes()
    (row,) = take(data, np.array([[3, 2, 2]]), CUBE)
    expected = data[:, 2:5, 1:4, 1:4]
    assert np.array_equal(row.reshape(2, 3, 3, 3), expected)


def test_outside_the_grid_is_zero():
    data = volumes(1) + 10
    (row,) = take(data, np.array([[0, 0, 0]]), CUBE)
    cube = row.reshape(3, 3, 3)
    assert not cube[0].any()
    assert not cube[:, 0].any()
    assert np.array_equal(cube[1:, 1:, 1:], data[0, :2, :2, :2])


@pytest.mark.parametrize("offsets", SHAPES, ids=len)
def test_adding_is_the_adjoint_of_taking(offsets):
    data = volumes()
    centers = everywhere()[::3]
    rows = np.random.default_rng(1).normal(size=(len(centers), 2 * len(offsets)))
    back = np.zeros((2, *SHAPE), np.float32)
    add(rows.astype(np.float32), centers, offsets, back)
    there = (take(data, centers, offsets).astype(float) * rows).sum()
    assert (data.astype(float) * back).sum() == pytest.approx(there, rel=1e-4)


@pytest.mark.parametrize("offsets", SHAPES, ids=len)
def test_cubes_that_agree_give_their_volume_back(offsets):
    data = volumes()
    rows = take(data, everywhere(), offsets)
    assert together(rows, everywhere(), offsets, SHAPE) == pytest.approx(data, abs=1e-5)


def test_where_cubes_disagree_is_their_mean():
    centers = np.array([[2, 2, 2], [3, 2, 2]])
    rows = np.stack([np.full(27, 1.0), np.full(27, 3.0)]).astype(np.float32)
    found = together(rows, centers, CUBE, SHAPE)[0]
    assert found[1, 2, 2] == 1
    assert found[2, 2, 2] == found[3, 2, 2] == 2
    assert found[4, 2, 2] == 3
    assert not found[6].any()


def test_a_square_of_a_slice_is_a_box():
    data = volumes(1)
    (row,) = take(data, np.array([[3, 2, 2]]), box(2, 1, 0))
    assert np.array_equal(row.reshape(5, 3), data[0, 1:6, 1:4, 2])


def test_planes_are_three_squares_through_the_middle():
    data = volumes(1)
    (row,) = take(data, np.array([[3, 2, 2]]), planes(1))
    cube = data[0, 2:5, 1:4, 1:4]
    corners = np.zeros((3, 3, 3), bool)
    corners[::2, ::2, ::2] = True
    assert np.array_equal(row, cube[~corners])
