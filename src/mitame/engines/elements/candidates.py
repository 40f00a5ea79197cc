"""Which elements two groups of scans may differ in."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mitame.engines.elements.element import (
    Blur,
    Element,
    Field,
    Level,
    Noise,
    Ringing,
    Stripes,
    Tone,
)
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.fit import Scan
from mitame.engines.elements.stripes import find_wave, powers
from mitame.engines.noise import noise_level


def candidates(
    source: Sequence[Scan], target: Sequence[Scan], *, seed: int = 0
) -> list[Element]:
    """Return all elements, in the order in which scanners add them.

    Stripes are among them only where one group has some.
    """
    white, gray, fluid = levels(source)
    # Ringing looks like noise: the scanner with less of both tells.
    noise = min(mean_noise(source), mean_noise(target))
    found: list[Element] = [
        Level("contrast", gray, _sorted(fluid, white)),
        Level("fluid", fluid, _sorted(gray, white)),
        Field(N_FIELDS),
        Blur(noise),
        Ringing(noise),
        Noise(),
    ]
    ours, theirs = (
        [powers(s.image, s.ground) for s in group] for group in (source, target)
    )
    wave = find_wave(ours, theirs, seed)
    if wave is not None:
        found.append(Stripes(wave))
    return [*found, Tone()]


def mean_noise(group: Sequence[Scan]) -> float:
    """Return the mean standard deviation of the noise, white-matter medians."""
    return float(np.mean([noise_level(s.image, s.ground.brain) for s in group]))


def levels(source: Sequence[Scan]) -> tuple[float, float, float]:
    """Return how bright white matter, gray matter and fluid are without bias field."""
    found = []
    for scan in source:
        flat = scan.image / scan.ground.shading
        found.append([np.median(flat[c]) for c in scan.ground.cores.values()])
    white, gray, fluid = np.mean(found, axis=0)
    return float(white), float(gray), float(fluid)


def _sorted(*others: float) -> tuple[float, ...]:
    return tuple(sorted((0.0, *others)))
