"""Over how much of k-space a group of scans fades out, told from their spectra.

Anatomy has less and less of the faster frequencies, evenly; where a window begins, the
spectrum bends, and ends in the noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from mitame.engines.elements.filters import window
from mitame.engines.elements.giving import Scan
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.spectrum import Numbers, log_power

LONG, BROAD = 32, 8
"""Voxels along an axis of the blocks, and across it."""

FIRST = 3
"""Slower waves than this are shapes of the brain, not its detail."""

FINE = 4
"""Steps from one wave to the next, in which what blocks mix is computed."""

STARTS = (0.05, 0.3, 0.6, 0.9)

LEAST, MOST = 1e-3, 1.0


def fades_of(group: Sequence[Scan]) -> float:
    """Return the share of k-space that fades, 0 to 1; 0 where brains are too thin.

    Along each axis a spectrum is an exponential of the frequency, times the window,
    plus noise; the window is the same along all.
    """
    spectra = [
        np.mean([one for one in along if one is not None], axis=0)
        for along in zip(*(_along_axes(s.image, s.ground) for s in group), strict=True)
        if any(one is not None for one in along)
    ]
    if not spectra:
        return 0.0
    seen = np.stack(spectra)[:, FIRST:]
    shares = _mixed_shares()[FIRST:]

    def error(numbers: Numbers) -> Numbers:
        return np.asarray((_modeled(numbers, shares, len(seen)) - seen).ravel())

    fits = [
        least_squares(error, _start(seen, fades), bounds=_bounds(len(seen)))
        for fades in STARTS
    ]
    best = min(fits, key=lambda fit: float(fit.cost))
    return float(best.x[-2])


def _along_axes(image: Image, ground: Ground) -> list[Numbers | None]:
    """Return the log power of waves along each axis; None where no block fits."""
    found: list[Numbers | None] = []
    for axis in range(3):
        shape = tuple(LONG if a == axis else BROAD for a in range(3))
        blocks = ground.blocks_of(shape)
        if not len(blocks):
            found.append(None)
            continue
        power = np.moveaxis(log_power(image, blocks, shape), axis, -1)
        slow = power[[0, 1, -1]][:, [0, 1, -1]].mean(axis=(0, 1))
        found.append(slow[1 : LONG // 2 + 1])
    return found


def _mixed_shares() -> NDArray[np.float64]:
    """Return which frequencies each wave of a block has of, over the largest one.

    Returns
    -------
    array, shape (LONG / 2, n)
        What is beyond the largest comes back below it.
    """
    waves = np.arange(1, LONG // 2 + 1)[:, None] + _offsets()
    shares = np.abs(waves) / (LONG / 2)
    return np.asarray(np.where(shares > 1, 2 - shares, shares))


def _offsets() -> NDArray[np.float64]:
    return np.arange(-3 * FINE, 3 * FINE + 1) / FINE


def _mixture() -> NDArray[np.float64]:
    """Return how much each of the `_offsets` adds to a wave of a block that fades."""
    fade = np.hanning(LONG + 2)[1:-1]
    turn = np.exp(2j * np.pi * np.outer(_offsets(), np.arange(LONG)) / LONG)
    power = np.abs(turn @ fade) ** 2
    return np.asarray(power / power.sum())


def _modeled(numbers: Numbers, shares: Numbers, n: int) -> Numbers:
    """Return log powers, (n, waves): of levels and falls of n axes, fade and noise."""
    levels, falls = numbers[:n, None, None], numbers[n : 2 * n, None, None]
    fades, noise = numbers[2 * n :]
    power = np.exp(levels - falls * shares) * window(shares, fades) ** 2
    return np.asarray(np.log(power @ _mixture() + np.exp(noise)))


def _start(seen: Numbers, fades: float) -> Numbers:
    """Return numbers to start from: lines through the slow half of each spectrum."""
    lowest = seen.min()
    share = np.arange(FIRST + 1, LONG // 2 + 1) / (LONG / 2)
    slow = share <= 0.5
    falls, levels = np.polyfit(share[slow], seen[:, slow].T, 1)
    return np.array([*levels, *np.maximum(-falls, 0), fades, lowest])


def _bounds(n: int) -> tuple[Numbers, Numbers]:
    low = [*[-np.inf] * n, *[0.0] * n, LEAST, -np.inf]
    return np.array(low), np.array([*[np.inf] * (2 * n), MOST, np.inf])
