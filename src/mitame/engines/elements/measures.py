"""What is measured of a scan: few numbers, in which every element leaves its trace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mitame.engines.elements.around import Tones, gray_around, region_at
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.spectrum import Numbers, spectrum
from mitame.engines.elements.stripes import Wave, power
from mitame.engines.noise import noise_in
from mitame.prepare.regions import LOBES, SIDES

QUANTILES = np.linspace(0.05, 0.95, 13)

PARTS = (*(f"{lobe} cortex" for lobe in LOBES), "cerebellum", "deep gray")
"""Of the gray matter, each on two sides."""

GRAYS = tuple(f"{side} {part}" for side in SIDES for part in PARTS)
"""Regions with gray matter: all of the left side come first."""

FIRST_FIELD = 3 + len(QUANTILES)
"""Where the field begins."""

FIRST_GRAY = FIRST_FIELD + N_FIELDS
"""Where it begins how bright gray matter is: all of it, then its parts."""

UNSURE = 0.03
"""Share of a difference that may stay: scanners are not exactly what elements say, and
what that leaves is not another element."""

FOLLOWS = 0.5
"""Share of a difference of gray matter by which its deep parts are unsure: whether they
follow the cortex, or white matter, depends on the sequence."""


@dataclass(frozen=True, slots=True)
class Measures:
    """What is measured of every scan of two groups.

    Parameters
    ----------
    tones : tuple of float
        Between which gray matter is, white-matter medians.
    wave : tuple of float, optional
        A plane wave whose power is measured, cycles/mm along the axes of the grid.
    fields : bool
        Whether the slow variation with place is measured, or only taken out.
    """

    tones: Tones
    wave: Wave | None = None
    fields: bool = True

    def of(self, image: Image, ground: Ground) -> Numbers:
        """Return the numbers of an image in white-matter medians, shape (n,).

        Levels of the tissues and quantiles of the brain; the logarithm of its slow
        variation with place; how bright each part of the gray matter is; noise; the
        spectrum; and the power of the wave. What a scan does not show, such as a part
        of the brain outside its field of view, is not a number.
        """
        field = ground.slow_part(image)
        flat = image * np.exp(-ground.field(field))
        levels = [np.median(flat[core]) for core in ground.cores.values()]
        noise = noise_in(flat, ground.calm)
        return np.concatenate(
            [
                levels,
                np.quantile(flat[ground.brain], QUANTILES),
                field if self.fields else np.full_like(field, np.nan),
                self._grays(flat, ground),
                [np.log(noise)],
                spectrum(flat, ground),
                [] if self.wave is None else [power(flat, ground, self.wave)],
            ]
        )

    def _grays(self, flat: Image, ground: Ground) -> Numbers:
        """Return the logarithm of how bright gray matter is: all, parts, and sides.

        Of each part how it differs from all of them, and its left from its right:
        numbers in which people differ more or less independently.
        """
        around = gray_around(flat[ground.brain], ground.cells, self.tones)
        found = []
        for name in GRAYS:
            values = around[region_at(name) & np.isfinite(around)]
            found.append(np.log(values.mean()) if values.size else np.nan)
        sides = np.reshape(found, (len(SIDES), -1))
        parts = sides.mean(axis=0)
        every = np.nanmean(parts) if np.isfinite(parts).any() else np.nan
        return np.array([every, *(parts - every), *np.diff(sides, axis=0)[0]])


def unsure(difference: Numbers) -> Numbers:
    """Return what elements do not say of a difference (n,) of all measures: its SD."""
    found = UNSURE * np.abs(difference)
    deep = FIRST_GRAY + 1 + PARTS.index("deep gray")
    found[deep] = np.hypot(found[deep], FOLLOWS * difference[FIRST_GRAY])
    return found
