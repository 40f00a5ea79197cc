import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate.distortion import gradient_displacement


def places(n=500, seed=0):
    return np.random.default_rng(seed).uniform(-100, 100, (n, 3))


def moved(position, nonlinearity_mm=2.0):
    return gradient_displacement(position, nonlinearity_mm=nonlinearity_mm)


def sphere(radius_mm):
    place = np.random.default_rng(1).normal(size=(20_000, 3))
    return radius_mm * place / np.linalg.norm(place, axis=-1, keepdims=True)


def test_nothing_moves_at_the_isocenter():
    assert not moved(np.zeros(3)).any()


def test_nothing_moves_without_nonlinearity():
    assert not moved(places(), 0.0).any()


def test_opposite_places_move_oppositely():
    np.testing.assert_allclose(moved(-places()), -moved(places()), atol=1e-6)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_place_moves_as_in_a_mirror(axis):
    mirror = np.ones(3)
    mirror[axis] = -1
    np.testing.assert_allclose(
        moved(places() * mirror), moved(places()) * mirror, atol=1e-6
    )


def test_the_largest_displacement_at_a_head_s_reach_is_what_was_asked_for():
    found = np.linalg.norm(moved(sphere(100.0), 3.0), axis=-1).max()
    assert found == pytest.approx(3.0, rel=0.01)


def test_displacement_grows_away_from_the_isocenter():
    size = [
        np.linalg.norm(moved(sphere(radius)), axis=-1).mean()
        for radius in (20, 40, 60, 80, 100, 120)
    ]
    assert (np.diff(size) > 0).all()
    # Third order near the center: twice as far, eight times as much.
    near = np.linalg.norm(moved(sphere(2.0)), axis=-1).mean()
    nearer = np.linalg.norm(moved(sphere(1.0)), axis=-1).mean()
    assert near / nearer == pytest.approx(8, rel=0.01)


def test_displacement_is_a_polynomial_of_third_and_fifth_order():
    for axis in range(3):
        place = np.zeros((12, 3))
        place[:, axis] = np.linspace(-120, 120, 12)
        line = moved(place)[:, axis]
        coefficients = np.polynomial.polynomial.polyfit(place[:, axis] / 100, line, 7)
        assert np.abs(coefficients[[0, 1, 2, 4, 6, 7]]).max() < 1e-4
        assert np.abs(coefficients[[3, 5]]).min() > 0.01


def test_every_component_could_be_a_magnetic_field():
    # Laplace's equation, by central differences of 10 mm.
    place, h = places() * 0.8, 10.0
    size = np.abs(moved(place, 100.0)).max()
    bend = -6 * moved(place, 100.0).astype(np.float64)
    for axis in range(3):
        for side in (-h, h):
            bend += moved(place + side * np.eye(3)[axis], 100.0)
    assert np.abs(bend).max() < 2e-3 * size


def test_left_right_and_front_back_are_one_coil_turned():
    turned = places()[:, [1, 0, 2]]
    np.testing.assert_allclose(moved(turned), moved(places())[:, [1, 0, 2]], atol=1e-6)


def test_the_shape_is_that_of_the_positions():
    assert moved(np.zeros((2, 3, 4, 3))).shape == (2, 3, 4, 3)
    assert moved(np.zeros((2, 3))).dtype == np.float32
    with pytest.raises(InputError, match=r"\(3, 2\)"):
        moved(np.zeros((3, 2)))
