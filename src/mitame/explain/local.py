"""A place that one group shows brighter or darker: found, named and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mitame.core.volume import Step, Volume
from mitame.engines.elements.giving import Scan
from mitame.engines.elements.measures import PARTS
from mitame.engines.elements.placed import Placed
from mitame.engines.elements.search import Found
from mitame.engines.elements.sizing import OFF
from mitame.explain.place import PlaceMap, find_place
from mitame.prepare.place import in_place
from mitame.prepare.regions import REGIONS, RegionFound, name_regions, region_map
from mitame.prepare.resample import resample
from mitame.prepare.template import template, template_grid
from mitame.solve.smooth import gaussian

SPACING_MM = 2.0

SMOOTH_MM = 2.0
"""Width (SD) by which images are smoothed: affinely, folds lie on each other to a few
millimeters."""

SOME_GRAY = 0.1
"""Share of people who have gray matter where a place of it is shown."""

EVERYONE = 0.9
"""Share of people whose brain a voxel must be in."""

MOST_CHANCE = 0.02
"""How often a place is told where there is none."""

DRAWS = 1000

SMALLEST_SHARE = 0.1
"""Of the whole effect: a region that has less of it is not named."""


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """A place that differs.

    Parameters
    ----------
    map : Volume
        How much brighter the target is there, white-matter medians; template space. Of
        gray matter alone, where only that differs.
    regions : tuple of RegionFound
        Where that is, most of the effect first; at least one.
    size, low, high : float
        Mean brightening of the place, or of its gray matter, percent, and its 95 %
        interval over people.
    energy : float
        Mean square of the change over the brain.
    """

    map: Volume
    regions: tuple[RegionFound, ...]
    size: float
    low: float
    high: float
    energy: float

    @property
    def name(self) -> str:
        """The regions by name."""
        return ", ".join(region.name for region in self.regions)


def find_local(
    source: Sequence[Scan], target: Sequence[Scan], *, seed: int
) -> Local | None:
    """Return the place in which two groups differ beyond what differs everywhere.

    None if chance shows as much more often than `MOST_CHANCE`.

    Parameters
    ----------
    source, target : sequence of Scan
        Of one sequence.
    seed : int
        Of the splits that tell what chance does.

    Raises
    ------
    InputError
        If a group has fewer than `explain.place.FEWEST` scans.
    """
    ours, theirs = (_flat(group) for group in (source, target))
    everyone = np.mean([brain for _, brain in (*ours, *theirs)], axis=0)
    mask = everyone > EVERYONE
    rows = [np.stack([image[mask] for image, _ in group]) for group in (ours, theirs)]
    found = find_place(rows[0], rows[1], mask, seed=seed, most_chance=MOST_CHANCE)
    if not found.support.any():
        return None
    grid = template_grid(SPACING_MM)
    whole, there = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, bool)
    whole[mask], there[mask] = found.sparse, found.support
    sizes = _brightening(rows, found, seed)
    return Local(
        grid.with_data(whole, Step("place", {"chance": found.chance})),
        _named(there, whole, grid),
        *sizes,
        float(np.mean(found.sparse**2)),
    )


def local_of(element: Placed, found: Found) -> Local:
    """Return the place of an element as people read it.

    It is where there may be gray matter, of which alone the element is.
    """
    (place,), size = element.places, float(found.sizes[element.name][0])
    gray = resample(template("gm"), place, interpolator="linear").data
    shown = np.where(gray > SOME_GRAY, place.data, np.float32(0))
    shown = shown if shown.any() else place.data
    there = shown > 0
    labels = region_map(place)
    parts = [n for n, name in enumerate(REGIONS, 1) if name.endswith(PARTS)]
    cortex = there & np.isin(labels, parts)
    draws = 100 * found.draws[element.name][:, 0]
    low, high = np.quantile(draws, (0.025, 0.975))
    return Local(
        place.with_data(shown * np.float32(size * element.level.at), Step("gray", {})),
        _named(cortex if cortex.any() else there, shown, place),
        100 * size,
        float(low),
        float(high),
        found.energy[element.name],
    )


def _flat(
    group: Sequence[Scan],
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Return images without their bias fields, and brains, in the template."""
    found = []
    for scan in group:
        session, suffix = scan.ground.session, scan.ground.suffix
        flat = session[suffix].with_data(scan.flat, Step("flat", {}))
        placed = in_place(replace(session, volumes={suffix: flat}), SPACING_MM)
        smooth = gaussian(placed.images[suffix], SMOOTH_MM / SPACING_MM)
        found.append((smooth, placed.brain))
    return found


def _named(
    there: NDArray[np.bool_], effect: NDArray[np.float32], grid: Volume
) -> tuple[RegionFound, ...]:
    """Return the regions that have most of the effect."""
    every = name_regions(there, effect, grid)
    total = sum(abs(r.effect) * r.volume_ml for r in every)
    large = [r for r in every if abs(r.effect) * r.volume_ml >= SMALLEST_SHARE * total]
    return tuple(large or every[:1])


def _brightening(
    rows: Sequence[NDArray[np.float32]],
    found: PlaceMap,
    seed: int,
) -> tuple[float, float, float]:
    """Return how much brighter the place is, percent, and its interval over people.

    The interval is that of the place's level against all else, which a scale that
    differs everywhere does not move, and of how far sizes are `OFF`.
    """
    there = found.support
    effect, before = found.sparse[there], rows[0][:, there].mean(axis=0)
    # The border of a place is wider than the place: where there is more, more counts.
    size = 100 * float(effect @ effect / (effect @ before))
    levels = [
        100 * group[:, there].mean(axis=1) / np.median(group[:, ~there], axis=1)
        for group in rows
    ]
    levels = [one / levels[0].mean() * 100 for one in levels]
    rng = np.random.default_rng(seed)
    draws = [
        [rng.choice(one, len(one)).mean() - one.mean() for one in levels]
        for _ in range(DRAWS)
    ]
    apart = np.diff(draws, axis=1)[:, 0]
    off = 1 + OFF * rng.standard_normal(DRAWS)
    low, high = np.quantile((size + apart) * off, (0.025, 0.975))
    return size, float(low), float(high)
