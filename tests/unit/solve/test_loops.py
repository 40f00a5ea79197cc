import numpy as np
import pytest

from mitame.solve.loops import bits_of_places, largest, nearly_largest

LENGTHS = (1, 2, 37, 512, 1000)


@pytest.mark.parametrize("n", LENGTHS)
def test_the_largest_magnitude_is_found_first_of_equal_ones(n):
    rng = np.random.default_rng(5)
    for _ in range(20):
        values = np.round(rng.normal(size=n), 1).astype(np.float32)
        assert largest(values.view(np.int32)) == np.abs(values).argmax()


@pytest.mark.parametrize("n", LENGTHS)
def test_the_nearly_largest_is_nearly_the_largest(n):
    values = np.random.default_rng(5).normal(size=n).astype(np.float32)
    place = nearly_largest(values.view(np.int32), bits_of_places(n))
    assert abs(values[place]) >= (1 - n / 2**21) * np.abs(values).max()


def test_of_nothing_but_zeros_the_largest_is_the_first():
    assert largest(np.zeros(9, np.float32).view(np.int32)) == 0


@pytest.mark.parametrize(
    ("n", "bits"), [(1, 0), (2, 1), (3, 3), (512, 511), (513, 1023)]
)
def test_places_take_as_many_bits_as_the_last_one_needs(n, bits):
    assert bits_of_places(n) == bits
