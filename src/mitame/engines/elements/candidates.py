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
from mitame.engines.elements.fit import Scan
from mitame.engines.elements.ground import N_FIELDS
from mitame.engines.elements.stripes import find_wave, powers
from mitame.prepare.regions import GRAY_PARTS


def candidates(
    source: Sequence[Scan], target: Sequence[Scan], *, seed: int = 0
) -> list[Element]:
    """Return all elements, in the order in which scanners add them.

    Stripes are among them only where one group has some.
    """
    gray, fluid = levels(source)
    found: list[Element] = [
        Level(name, gray, _sorted(fluid), name) for name in GRAY_PARTS
    ]
    found += [
        Level("contrast", gray, _sorted(fluid)),
        Level("fluid", fluid, _sorted(gray)),
        Field(N_FIELDS),
        Blur(),
        Ringing(),
        Noise(),
    ]
    ours, theirs = (
        [powers(s.image, s.ground) for s in group] for group in (source, target)
    )
    wave = find_wave(ours, theirs, seed)
    if wave is not None:
        found.append(Stripes(wave))
    return [*found, Tone()]


def levels(source: Sequence[Scan]) -> tuple[float, float]:
    """Return how bright gray matter and fluid are, in white-matter medians."""
    found = [
        [np.median(s.image[s.ground.cores[t]]) for t in ("gm", "csf")] for s in source
    ]
    gray, fluid = np.mean(found, axis=0)
    return float(gray), float(fluid)


def _sorted(other: float) -> tuple[float, ...]:
    return tuple(sorted((0.0, 1.0, other)))
