"""Over how much of k-space scans fade out, told from spectra that are known."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from mitame.engines.elements.fading import fades_of
from mitame.engines.elements.filters import Ringing, window
from mitame.engines.elements.giving import Scan
from mitame.engines.elements.ground import Ground

N, SCANS = 48, 4
FALLS, NOISE = 8.0, 0.01
"""How fast a spectrum falls up to the end of k-space, and the noise beside it."""


def scan(fades: float, seed: int, n: int = N) -> Scan:
    """Return chance of a falling spectrum, seen through a window, with noise."""
    rng = np.random.default_rng(seed)
    image, spectrum = rng.standard_normal((n, n, n)), np.ones((n, n, n))
    for axis in range(3):
        share = 2 * np.abs(np.fft.fftfreq(n))
        one = np.exp(-FALLS / 2 * share) * window(share, fades)
        spectrum = spectrum * one.reshape([-1 if a == axis else 1 for a in range(3)])
    seen = np.fft.ifftn(np.fft.fftn(image) * spectrum).real
    seen += NOISE * rng.standard_normal(seen.shape)
    ground = SimpleNamespace(brain=np.ones(seen.shape, bool))
    ground.blocks_of = partial(Ground.blocks_of, ground)
    return Scan(seen.astype(np.float32), ground)  # type: ignore[arg-type]


@pytest.mark.parametrize("fades", [0.0, 0.15, 0.4])
def test_it_is_told_where_k_space_begins_to_fade(fades):
    found = fades_of([scan(fades, seed) for seed in range(SCANS)])
    assert found == pytest.approx(fades, abs=0.08)


def test_of_a_slow_end_the_beginning_is_not_told_but_that_it_is_slow():
    assert fades_of([scan(0.7, seed) for seed in range(SCANS)]) > 0.6


def test_of_brains_too_thin_nothing_is_known():
    assert fades_of([scan(0.4, 0, n=24)]) == 0.0


def test_ringing_goes_on_from_the_window_that_there_is():
    share = np.linspace(0, 0.999, 50)
    given = Ringing(NOISE, 0.3).transfer(share, -0.4) * window(share, 0.3)
    np.testing.assert_allclose(given, window(share, 0.7), atol=1e-6)


def test_no_more_than_all_of_k_space_fades():
    element = Ringing(NOISE, 0.8)
    assert element.most == pytest.approx(0.2)
    share = np.linspace(0, 0.999, 50)
    given = element.transfer(share, -0.9) * window(share, 0.8)
    np.testing.assert_allclose(given, window(share, 1.0), atol=1e-6)
