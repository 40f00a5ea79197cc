"""What is measured of a scan: few numbers, in which every element leaves its trace."""

from __future__ import annotations

import numpy as np

from mitame.engines.elements.ground import FAINT, Ground, Image
from mitame.engines.elements.spectrum import Numbers, spectrum
from mitame.engines.elements.stripes import Wave, power
from mitame.engines.noise import noise_level

QUANTILES = np.linspace(0.05, 0.95, 13)

GRAY_RANKS = (0.35, 0.65)

LEAST_VOXELS = 30

FIRST_FIELD = 3 + len(QUANTILES)
"""Where the field begins."""


def summary(image: Image, ground: Ground, wave: Wave | None = None) -> Numbers:
    """Return the numbers of an image in white-matter medians, shape (n,).

    Levels of the tissues and quantiles of the brain; the logarithm of its slow
    variation with place; gray levels by region; noise; the spectrum; and the power of
    one plane wave, if one is given.
    """
    field = ground.slow_part(image)
    flat = image * np.exp(-ground.field(field))
    levels = np.array([np.median(flat[core]) for core in ground.cores.values()])
    ranks = np.quantile(flat[ground.brain], QUANTILES)
    noise = noise_level(flat, ground.brain)
    return np.concatenate(
        [
            levels,
            ranks,
            field,
            _grays(flat, ground),
            [np.log(noise)],
            spectrum(flat, ground),
            [] if wave is None else [power(flat, ground, wave)],
        ]
    )


def _grays(flat: Image, ground: Ground) -> Numbers:
    """Return logarithms of gray levels of each region.

    Two ranks of each: where some voxels are not gray, none of both is its level, but
    both move with it.
    """
    values = flat.ravel()
    found = []
    for where in ground.grays:
        inside = values[where] if len(where) >= LEAST_VOXELS else np.ones(1)
        found += [np.log(max(q, FAINT)) for q in np.quantile(inside, GRAY_RANKS)]
    return np.array(found, np.float64)
