import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate.noise import rician, stored_as_12_bit, stripes

SHAPE = (40, 40, 40)


def noisy(level, sigma=2.0, seed=0):
    return rician(np.full(SHAPE, level), sigma, np.random.default_rng(seed))


def test_noise_in_air_is_rayleigh():
    air = noisy(0.0)
    assert air.mean() == pytest.approx(2.0 * np.sqrt(np.pi / 2), rel=0.01)
    assert (air.astype(np.float64) ** 2).mean() == pytest.approx(2 * 2.0**2, rel=0.01)


def test_noise_on_strong_signal_is_gaussian():
    bright = noisy(200.0).astype(np.float64)
    assert bright.var() == pytest.approx(2.0**2, rel=0.02)
    assert bright.mean() == pytest.approx(200 + 2.0**2 / (2 * 200), abs=0.05)


def test_no_noise_leaves_the_magnitude():
    data = np.linspace(-3, 3, 27).reshape(3, 3, 3)
    found = rician(data, 0.0, np.random.default_rng(0))
    np.testing.assert_allclose(found, np.abs(data), rtol=1e-6)
    assert found.dtype == np.float32


def test_the_same_seed_gives_the_same_noise_and_another_does_not():
    assert noisy(5.0).tobytes() == noisy(5.0).tobytes()
    assert not np.array_equal(noisy(5.0), noisy(5.0, seed=1))


@pytest.mark.parametrize("sigma", [-1.0, np.nan])
def test_impossible_noise_is_refused(sigma):
    with pytest.raises(InputError, match="Noise of"):
        noisy(1.0, sigma)


@pytest.mark.parametrize("cycles", [(5, 0, 0), (0, -7, 3), (2, 3, 4)])
def test_stripes_are_one_pair_of_peaks_in_k_space(cycles):
    shape = (16, 20, 12)
    data = np.random.default_rng(0).uniform(0, 1, shape)
    found = stripes(data, amplitude=0.25, cycles=cycles, phase=0.7)
    peaks = np.fft.fftn(found - data) / data.size
    strong = {tuple(int(n) for n in at) for at in np.argwhere(np.abs(peaks) > 1e-3)}
    pair = [tuple(sign * c % n for c, n in zip(cycles, shape, strict=True)) for sign in (1, -1)]  # fmt: skip # noqa: E501
    assert strong == set(pair)
    # Half the amplitude in each, at the phase that was asked for.
    assert peaks[pair[0]] == pytest.approx(0.125 * np.exp(0.7j), abs=1e-6)
    assert peaks[pair[1]] == pytest.approx(0.125 * np.exp(-0.7j), abs=1e-6)


def test_stripes_of_no_amplitude_are_not_there():
    data = np.random.default_rng(0).uniform(0, 1, SHAPE).astype(np.float32)
    found = stripes(data, amplitude=0.0, cycles=(3, 0, 0))
    assert found.tobytes() == data.tobytes()


@pytest.mark.parametrize("cycles", [(0, 0, 0), (20, 0, 0), (0, 0, -20)])
def test_a_wave_the_grid_cannot_carry_is_refused(cycles):
    with pytest.raises(InputError, match="cycles over"):
        stripes(np.zeros(SHAPE), amplitude=1.0, cycles=cycles)


def test_storing_rounds_to_the_nearest_whole_number():
    data = np.array([0.0, 0.4, 0.6, 4095.4])
    stored, n_saturated = stored_as_12_bit(data, scale=1.0)
    assert stored.tolist() == [0, 0, 1, 4095]
    assert stored.dtype == np.uint16
    assert n_saturated == 0


def test_storing_saturates_and_says_how_often():
    data = np.array([-1.0, 2.0, 2.0477, 3.0, 99.0], np.float32)
    stored, n_saturated = stored_as_12_bit(data, scale=2000.0)
    assert stored.tolist() == [0, 4000, 4095, 4095, 4095]
    assert n_saturated == 3


def test_the_scale_is_what_one_becomes():
    assert stored_as_12_bit(np.ones(1), scale=321.0)[0].tolist() == [321]


@pytest.mark.parametrize("scale", [0.0, -1.0, np.inf])
def test_an_impossible_scale_is_refused(scale):
    with pytest.raises(InputError, match="scale of"):
        stored_as_12_bit(np.ones(1), scale=scale)
