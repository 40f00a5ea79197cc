"""Which elements two groups of scans may differ in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from mitame.core.volume import Volume
from mitame.engines.elements.additions import Noise, Stripes
from mitame.engines.elements.element import Element, Field, Level, Tone
from mitame.engines.elements.fading import fades_of
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.filters import Blur, Ringing
from mitame.engines.elements.giving import PROBED, Scan
from mitame.engines.elements.measures import PARTS, Measures
from mitame.engines.elements.placed import Placed
from mitame.engines.elements.stripes import find_wave
from mitame.engines.noise import noise_in
from mitame.prepare.regions import REGIONS, SIDES, region_of

TOWARD_FLUID = 1 / 3
"""How far gray matter reaches toward the tone of fluid: less than half, where most
voxels are half fluid."""

MOST = 0.999
"""Share of the brain beyond which an edit is the largest there is."""

ALL = 0.95
"""Share of k-space that counts as all of it."""


def candidates(
    source: Sequence[Scan],
    target: Sequence[Scan],
    *,
    seed: int = 0,
    fields: bool = True,
) -> tuple[list[Element], Measures]:
    """Return all elements in the order in which scanners add them, and what to measure.

    Stripes are among them only where one group has some, the bias field only where
    `fields` are in the scans.
    """
    known = levels(source)
    # Ringing looks like noise: the scanner with less of both tells.
    noise = min(mean_noise(source), mean_noise(target))
    fades = min(fades_of(source), fades_of(target))
    found = everywhere(source, known, noise, fades)
    ours, theirs = ([(s.flat, s.ground) for s in group] for group in (source, target))
    wave = find_wave(ours, theirs, seed)
    if wave is not None:
        found.append(Stripes(wave))
    if not fields:
        found = [one for one in found if not isinstance(one, Field)]
    return [*found, Tone()], Measures(gray_tones(*known), wave, fields)


def everywhere(
    scans: Sequence[Scan],
    known: tuple[float, float, float],
    noise: float,
    fades: float,
) -> list[Element]:
    """Return the elements that any scan may have more of, but for the tone curve.

    Parameters
    ----------
    scans : sequence of Scan
        Some, which show how much of a tissue is seen.
    known : tuple of float
        White matter, gray matter and fluid: `levels`.
    noise : float
        Standard deviation of the noise, white-matter medians.
    fades : float
        Share of k-space that fades already; where all does, none can ring less.
    """
    white, gray, fluid = known
    brightness = as_shown(Level("contrast", gray, _sorted(fluid, white)), scans)
    return [
        brightness,
        as_shown(Level("fluid", fluid, _sorted(gray, white)), scans),
        *(Placed(name, brightness, _region(name)) for name in PARTS),
        Field(N_FIELDS, noise),
        Blur(noise),
        *([Ringing(noise, fades)] if fades < ALL else []),
        Noise(),
    ]


def as_shown(level: Level, scans: Sequence[Scan]) -> Level:
    """Return a level whose sizes are by how much images become brighter.

    That is told where they become so by more than half of what is the most.
    """
    shares = []
    for scan in scans[:PROBED]:
        brain = scan.ground.brain
        more = level.apply(scan.image, scan.ground, np.array([level.probe]))
        edit, image = (more - scan.image)[brain], scan.image[brain]
        there = edit > np.quantile(edit, MOST) / 2
        if there.any():
            shares.append(edit[there].mean() / image[there].mean() / level.probe)
    return replace(level, shown=float(np.mean(shares))) if shares else level


def gray_tones(white: float, gray: float, fluid: float) -> tuple[float, float]:
    """Return between which tones gray matter is taken to be, white-matter medians.

    From white matter, which is 1, to a part of the way to fluid, where that lies on the
    other side. All of the way to white matter counts: gray matter that is too bright is
    nearer to it.
    """
    far = gray + TOWARD_FLUID * (fluid - gray)
    if gray < white:
        return (far if fluid < gray else 0.0), 1.0
    return 1.0, (far if fluid > gray else np.inf)


def _region(part: str) -> tuple[Volume, ...]:
    """Return where a part of gray matter is on the left and on the right.

    Folds of cortex reach into what is white matter in most people.
    """
    inner = part.replace("cortex", "white matter")
    return tuple(
        region_of([REGIONS.index(f"{side} {name}") + 1 for name in {part, inner}])
        for side in SIDES
    )


def mean_noise(group: Sequence[Scan]) -> float:
    """Return the mean standard deviation of the noise, white-matter medians."""
    return float(np.mean([noise_in(s.image, s.ground.calm) for s in group]))


def levels(source: Sequence[Scan]) -> tuple[float, float, float]:
    """Return how bright white matter, gray matter and fluid are without bias field."""
    found = []
    for scan in source:
        flat = scan.flat
        found.append([np.median(flat[c]) for c in scan.ground.cores.values()])
    white, gray, fluid = np.mean(found, axis=0)
    return float(white), float(gray), float(fluid)


def _sorted(*others: float) -> tuple[float, ...]:
    return tuple(sorted((0.0, *others)))
