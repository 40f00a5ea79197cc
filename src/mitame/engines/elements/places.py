"""How far a place reaches in which one group's gray matter is brighter or darker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.volume import Step, Volume
from mitame.engines.elements.around import Tones, gray_around, lattice
from mitame.engines.elements.giving import Groups, Sizes
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.placed import Placed
from mitame.prepare.resample import resample
from mitame.prepare.template import template_grid
from mitame.solve.total_variation import Mask, fewest_pieces

SPACING_MM = 2.0

KNOWN = 0.5
"""Share of each group in whom it must be known how bright gray matter is."""

WIDTH_MM = 6.0
"""Width (SD) of the neighborhoods that gray matter is compared in."""

ROUGH = 3.0
"""What the variation of t from voxel to voxel costs: what is left are few pieces."""

WITHIN = 0.9
"""Share of known neighbors in a voxel of the finer grid."""

BORDER = 0.55
"""Share of a place's height at which it ends. A smoothed edge is half as high, and a
little more where the place lies a little otherwise in everyone."""

MOSTLY = 0.5
"""Share of a place that is in the regions it was found by, or it is another one."""

LEAST_SCATTER = 1e-3
"""White-matter medians; keeps t finite where nobody differs."""

SIDED = 0.5
"""Share of the larger of two sides that counts as having the effect, too."""

SIGNS = {"brighter place": 1, "darker place": -1}


def with_places(groups: Groups, sizes: Sizes) -> Sizes:
    """Return sizes in which regions have become the places that differ.

    Regions are where the search looks; what differs has borders of its own. The
    elements of `groups` change accordingly.

    Parameters
    ----------
    groups : Groups
        Two groups; changed where a region is among `sizes`.
    sizes : dict of str to array
        What was found.
    """
    regional = {n: e for n, e in groups.elements.items() if isinstance(e, Placed)}
    found = [name for name in sizes if name in regional]
    others = {n: s for n, s in sizes.items() if n not in found}
    if not found:
        return sizes
    t, mask = gray_difference(groups, others)
    for name, sign in SIGNS.items():
        seeds = {
            (region, side): sizes[region][side]
            for region in found
            for side in np.flatnonzero(_stand_out(sign * sizes[region]))
        }
        if seeds:
            where = [regional[region].places[side] for region, side in seeds]
            place = reach(sign * t, mask, where)
            level = regional[found[0]].level
            groups.add(Placed(name, level, (place,)), before=found[0])
            others[name] = np.array([np.mean(list(seeds.values()))])
    for name in regional:
        groups.drop(name)
    return others


def gray_difference(groups: Groups, sizes: Sizes) -> tuple[Image, NDArray[np.bool_]]:
    """Return how surely gray matter differs in brightness, on a `template_grid`.

    Target minus source, once those who lack elements were given them: Student's t,
    without what differs in all of the brain, in few pieces of one height.

    Returns
    -------
    t : array of float32, shape (i, j, k)
    mask : array of bool, shape (i, j, k)
        Where that is known in many; t is 0 elsewhere.
    """
    tones = groups.measures.tones
    both = [
        np.stack(
            [_gray(i, s.ground, tones) for i, s in zip(images, group, strict=True)]
        )
        for images, group in zip(
            groups.alike(sizes), (groups.source, groups.target), strict=True
        )
    ]
    known = [np.isfinite(group) for group in both]
    mask = np.all([k.mean(axis=0) > KNOWN for k in known], axis=0)
    t = np.zeros(mask.shape, np.float32)
    t[mask] = _welch(*(group[:, mask] for group in both))
    t[mask] -= np.median(t[mask])
    t[mask] = fewest_pieces(t[mask], Mask.of(mask), l1=0, l2=ROUGH).values
    return _finer(t), _finer(mask) > WITHIN


def _welch(source: Image, target: Image) -> Image:
    """Return Student's t of target minus source, (n,); what is unknown is left out."""
    scatter = [
        np.nanvar(group, axis=0, ddof=1) / np.isfinite(group).sum(axis=0)
        for group in (source, target)
    ]
    error = np.sqrt(sum(scatter) + LEAST_SCATTER**2)
    return np.asarray((np.nanmean(target, 0) - np.nanmean(source, 0)) / error)


def _gray(image: Image, ground: Ground, tones: Tones) -> Image:
    flat = image * np.exp(-ground.field(ground.slow_part(image)))
    return gray_around(flat[ground.brain], ground.cells, tones, WIDTH_MM)


def _finer(values: NDArray[np.generic]) -> Image:
    """Return an image of the lattice on the grid of places."""
    image = lattice().with_data(values.astype(np.float32), Step("gray", {}))
    return resample(image, template_grid(SPACING_MM), interpolator="linear").data


def reach(t: Image, mask: NDArray[np.bool_], seeds: Sequence[Volume]) -> Volume:
    """Return the place that has its middle in some regions, 0 or 1.

    Parameters
    ----------
    t : array, shape (i, j, k)
        How surely a voxel is brighter, on a `template_grid`.
    mask : array of bool, shape (i, j, k)
        Where t is known.
    seeds : sequence of Volume
        Regions of the template; what is brighter, hangs together and lies in them for
        the most part is the place. If nothing does, the place is the regions.
    """
    grid = template_grid(SPACING_MM)
    inside = np.zeros(grid.shape, bool)
    for seed in seeds:
        inside |= resample(seed, grid, interpolator="nearest").data > 0.5
    inside &= mask
    brighter = t[inside & (t > 0)]
    height = np.quantile(brighter, 0.9) if brighter.size else np.inf
    pieces, _ = ndimage.label((t > BORDER * height) & mask)
    touched = np.unique(pieces[inside & (pieces > 0)])
    theirs = [n for n in touched if inside[pieces == n].mean() >= MOSTLY]
    place = np.isin(pieces, theirs) if theirs else inside
    return grid.with_data(place.astype(np.float32), Step("place", {}))


def _stand_out(sizes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which sides have an effect above 0, not small beside the other's."""
    return np.asarray((sizes > 0) & (sizes >= SIDED * np.abs(sizes).max()))
