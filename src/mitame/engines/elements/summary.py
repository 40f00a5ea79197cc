"""What is measured of a scan: few numbers, in which every element leaves its trace."""

from __future__ import annotations

import numpy as np

from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.spectrum import Numbers, spectrum
from mitame.engines.elements.stripes import Wave, power
from mitame.engines.noise import noise_level

QUANTILES = np.linspace(0.05, 0.95, 13)

FAR = 3.0
"""In median absolute deviations: farther off is something else than the tissue."""

LEAST_VOXELS = 30

FAINT = 0.05
"""White-matter medians; no tissue is as dark."""

FIRST_FIELD = 3 + len(QUANTILES)
"""Where the field begins."""


def summary(image: Image, ground: Ground, wave: Wave | None = None) -> Numbers:
    """Return the numbers of an image in white-matter medians, shape (n,).

    Levels of the tissues and quantiles of the brain; the logarithm of its slow
    variation with place; that of each region; noise; the spectrum; and the power of
    one plane wave, if one is given.
    """
    field = _slow_part(image, ground)
    flat = image * np.exp(-ground.field(field))
    levels = [float(np.median(flat[core])) for core in ground.cores.values()]
    ranks = np.quantile(flat[ground.brain], QUANTILES)
    noise = noise_level(flat, ground.brain)
    return np.concatenate(
        [
            levels,
            ranks,
            field,
            _regions(flat, ground),
            [np.log(noise)],
            spectrum(flat, ground),
            [] if wave is None else [power(flat, ground, wave)],
        ]
    )


def _slow_part(image: Image, ground: Ground) -> Numbers:
    """Return the coefficients of the field under which two tissues are most even."""
    values = image.ravel()[ground.sampled]
    white = ground.cores["wm"].ravel()[ground.sampled]
    some = values > FAINT
    values, white = values[some], white[some]
    design = np.column_stack([white, ~white, ground.fields[some]])
    wanted = np.log(values).astype(np.float64)
    keep = np.ones(len(values), bool)
    found = np.zeros(design.shape[1])
    for _ in range(3):
        used = design[keep]
        ridge = 1e-6 * len(used) * np.eye(design.shape[1])
        found = np.linalg.solve(used.T @ used + ridge, used.T @ wanted[keep])
        left = np.abs(wanted - design @ found)
        # Each tissue has a spread of its own.
        most = [np.median(left[~white]), np.median(left[white])]
        keep = left <= FAR * np.array(most)[white.astype(int)]
    return found[2:]


def _regions(flat: Image, ground: Ground) -> Numbers:
    """Return the logarithm of each region's gray level."""
    values = flat.ravel()
    whole = float(np.median(values[ground.cores["gm"].ravel()]))
    found = []
    for where in ground.region_cores.values():
        level = np.median(values[where]) if len(where) >= LEAST_VOXELS else whole
        found.append(float(np.log(max(level, FAINT))))
    return np.array(found)
