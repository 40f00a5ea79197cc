"""What the places of the template are called.

Borders are planes and ellipsoids in the millimeters of MNI152, read off its landmarks
(central and parieto-occipital sulcus, Sylvian fissure, tentorium) [1]_; tissue is what
most people have there. A border is right to about a centimeter: enough to say which
lobe, too little for a gyrus.

References
----------
.. [1] J. K. Mai, M. Majtanik, G. Paxinos, "Atlas of the Human Brain", 4th edition,
   Academic Press, 2016: sections in MNI coordinates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.errors import GridMismatchError
from mitame.core.volume import Step, Volume
from mitame.prepare.resample import resample
from mitame.prepare.template import template

LOBES = ("frontal", "parietal", "temporal", "occipital")
SIDES = ("left", "right")
REGIONS = (
    *(f"{side} {lobe} cortex" for side in SIDES for lobe in LOBES),
    *(f"{side} {lobe} white matter" for side in SIDES for lobe in LOBES),
    *(f"{side} cerebellum" for side in SIDES),
    *(f"{side} deep gray" for side in SIDES),
    "brain stem",
    "ventricles",
    "fluid around the brain",
)
"""Label n of a region map is the n-th of these, from 1."""

DEEP_GRAY_MM = (
    ((11.0, -18.0, 7.0), (10.0, 14.0, 9.0)),
    ((12.0, 12.0, 9.0), (7.0, 13.0, 11.0)),
    ((24.0, 2.0, 1.0), (10.0, 19.0, 11.0)),
)
"""Thalamus, head of caudate, lentiform nucleus: middle and half axes, right side."""

VENTRICLE_BOX_MM = ((-36.0, 36.0), (-62.0, 36.0), (-8.0, 30.0))
"""Where the template's fluid is in a ventricle: body and horns, third ventricle."""

Places = NDArray[np.float32]
Where = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class RegionFound:
    """How much of a region a support covers.

    Parameters
    ----------
    name : str
        One of `REGIONS`.
    share : float
        Of the region's voxels, > 0 to 1.
    effect : float
        Mean difference of the voxels found there, in the unit given.
    volume_ml : float
        Of the voxels found there.
    """

    name: str
    share: float
    effect: float
    volume_ml: float


def name_regions(
    support: NDArray[np.bool_], effect: NDArray[np.floating], grid: Volume
) -> list[RegionFound]:
    """Return the regions that a support lies in, the one with most effect first.

    Parameters
    ----------
    support : array of bool, shape (i, j, k)
        Where groups differ.
    effect : array, shape (i, j, k)
        By how much, any unit.
    grid : Volume
        Their grid, in the millimeters of MNI152.

    Raises
    ------
    GridMismatchError
        If `support` or `effect` do not have the grid's shape.
    """
    for given in (support, effect):
        if given.shape != grid.shape:
            raise GridMismatchError(
                f"The map is {given.shape}, its grid {grid.shape}.",
                fix="Give maps on the grid they were computed on.",
            )
    labels = region_map(grid)
    size = len(REGIONS) + 1
    whole = np.bincount(labels.ravel(), minlength=size)
    count = np.bincount(labels[support], minlength=size)
    total = np.bincount(labels[support], effect[support], minlength=size)
    weight = np.bincount(labels[support], np.abs(effect[support]), minlength=size)
    ml = float(np.prod(grid.spacing)) / 1000
    order = [n for n in np.argsort(-weight, kind="stable") if n and count[n]]
    return [
        RegionFound(
            REGIONS[n - 1],
            float(count[n] / whole[n]),
            float(total[n] / count[n]),
            float(count[n] * ml),
        )
        for n in order
    ]


def region_map(grid: Volume) -> NDArray[np.uint8]:
    """Return which region each voxel is in; 0 is outside the brain.

    Parameters
    ----------
    grid : Volume
        Any grid in the millimeters of MNI152, such as a `template_grid`.

    Returns
    -------
    array of uint8, shape (i, j, k)
        1 for the first of `REGIONS` and so on.
    """
    there = resample(_template_regions(), grid, interpolator="nearest")
    return there.data.astype(np.uint8)


def region_of(labels: Sequence[int]) -> Volume:
    """Return where some regions of the template are, 0 or 1.

    Parameters
    ----------
    labels : sequence of int
        As those of `region_map`.
    """
    known = _template_regions()
    inside = np.isin(known.data, labels).astype(np.float32)
    return known.with_data(inside, Step("region", {}))


@cache
def _template_regions() -> Volume:
    """Return the region of each voxel of the template."""
    brain = template("mask").data > 0.5
    x, y, z = _places()
    gray, white, fluid = (template(t).data for t in ("gm", "wm", "csf"))
    cortex = gray >= np.maximum(white, fluid)
    outer = brain & (fluid > np.maximum(gray, white))
    labels = np.zeros(brain.shape, np.float32)

    def paint(name: str, where: Where) -> None:
        labels[where & brain] = REGIONS.index(name) + 1

    for side, half in zip(SIDES, (x < 0, x >= 0), strict=True):
        for lobe, inside in _lobes(x, y, z).items():
            paint(f"{side} {lobe} cortex", half & inside & cortex)
            paint(f"{side} {lobe} white matter", half & inside & ~cortex)
        paint(f"{side} deep gray", half & _deep_gray(x, y, z))
    paint("fluid around the brain", outer)
    for side, half in zip(SIDES, (x < 0, x >= 0), strict=True):
        paint(f"{side} cerebellum", half & _cerebellum(x, y, z) & ~outer)
    paint("brain stem", _brain_stem(x, y, z) & ~outer)
    paint("ventricles", _ventricles(x, y, z, outer))
    return template("mask").with_data(labels, Step("regions", {}))


def _lobes(x: Places, y: Places, z: Places) -> dict[str, Where]:
    """Return four parts that fill all of space."""
    aside = np.abs(x)
    # Parieto-occipital sulcus, which leans back on its way up; along the midline the
    # lingual gyrus reaches further forward.
    occipital = y < -66 - 0.4 * np.maximum(z - 10, 0)
    occipital |= (y < -52) & (aside < 22) & (z < 12)
    # Sylvian fissure, which rises backward, and below it the pole beside the orbits.
    fissure = np.where(y < 5, np.minimum(-11 + 0.7 * (5 - y), 15), -14 - 0.5 * (y - 5))
    temporal = ~occipital & (z < fissure) & (aside > np.where(y > -48, 13, 22))
    # Central sulcus: further back at the vertex than at its foot.
    frontal = ~occipital & ~temporal & (y > -8 - 0.36 * np.maximum(z - 20, 0))
    parietal = ~occipital & ~temporal & ~frontal
    return dict(zip(LOBES, (frontal, parietal, temporal, occipital), strict=True))


def _deep_gray(x: Places, y: Places, z: Places) -> Where:
    """Return thalamus and basal ganglia of both sides."""
    found = np.zeros(x.shape, bool)
    for middle, axes in DEEP_GRAY_MM:
        parts = zip((np.abs(x), y, z), middle, axes, strict=True)
        found |= sum(((place - m) / a) ** 2 for place, m, a in parts) <= 1
    return found


def _cerebellum(x: Places, y: Places, z: Places) -> Where:
    """Return what is below the tentorium, a tent that slopes to the sides and back."""
    tent = -2 - 0.38 * np.abs(x) - 0.3 * np.maximum(-y - 62, 0)
    return np.asarray((y < -36) & (z < tent))


def _brain_stem(x: Places, y: Places, z: Places) -> Where:
    """Return midbrain, pons and medulla, whose axis leans back on its way down."""
    middle = -27 + 0.25 * (z + 25)
    wide = np.where(z > -18, 15, 18)
    near = (x / wide) ** 2 + ((y - middle) / 15) ** 2 <= 1
    return np.asarray((z < -6) & near)


def _ventricles(x: Places, y: Places, z: Places, fluid: Where) -> Where:
    """Return the fluid inside the brain: what hangs together around its middle."""
    box = np.ones(x.shape, bool)
    for place, (low, high) in zip((x, y, z), VENTRICLE_BOX_MM, strict=True):
        box &= (place > low) & (place < high)
    # Behind the third ventricle the midline's fluid is that of a cistern.
    box &= (np.abs(x) > 13) | (y > -30)
    pieces, _ = ndimage.label(fluid & box, np.ones((3, 3, 3)))
    inner = pieces[(np.abs(x) < 16) & (np.abs(y) < 20) & (pieces > 0)]
    return np.asarray(np.isin(pieces, np.unique(inner)))


def _places() -> list[Places]:
    """Return x, y and z of every voxel of the template, mm."""
    grid = template("mask")
    index = np.indices(grid.shape, np.float32)
    place = np.tensordot(grid.affine[:3, :3].astype(np.float32), index, 1)
    return [place[axis] + np.float32(grid.affine[axis, 3]) for axis in range(3)]
