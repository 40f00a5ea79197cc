"""Where the scans differ by more than their noise: marks a reader can visit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.compare.comparison import Mark
from mitame.core.volume import Volume
from mitame.solve.robust import spread

SMOOTH_MM = 1.0
"""Width (SD) over which neighbors are taken together before they are judged."""

LEAST_SPREAD = 0.01
"""A scan compared with itself leaves rounding, which must not be measured by itself."""

THRESHOLD = 6.0
"""Smoothed change, in spreads of the whole brain's, that starts a mark."""

GROW = 3.0
"""Down to where a mark extends around its start."""

RIM_MM = 4.0
"""So near the border of the brain mask, fluid and cortex share the voxels; what
differs there is mostly the pulse and half a voxel of place."""

SMALLEST_MM = 3.0
"""A mark smaller than a ball of this diameter is not shown."""


def standardized(
    change: NDArray[np.float32],
    noise: NDArray[np.float32],
    brain: NDArray[np.bool_],
    spacing: tuple[float, float, float],
) -> NDArray[np.float32]:
    """Return the smoothed change in units of its own noise; zero off the brain.

    Parameters
    ----------
    change, noise : array, shape (i, j, k)
        current − harmonized, and the standard deviation it has without change.
    brain : array of bool, shape (i, j, k)
        Where to look.
    spacing : tuple of float
        Voxel edges, mm.
    """
    width = SMOOTH_MM / np.array(spacing)
    inside = brain.astype(np.float32)
    together = ndimage.gaussian_filter(change / noise * inside, width)
    support = ndimage.gaussian_filter(inside, width)
    mean = np.where(brain, together / np.maximum(support, 1e-3), 0)
    scale = max(spread(mean[brain]), LEAST_SPREAD)
    return np.asarray(mean / scale, dtype=np.float32)


def find_marks(
    z: NDArray[np.float32],
    change: NDArray[np.float32],
    brain: NDArray[np.bool_],
    grid: Volume,
) -> tuple[tuple[Mark, ...], NDArray[np.int32]]:
    """Return the places where `z` stands out, largest first, and their voxels.

    A mark starts where |z| exceeds `THRESHOLD` and takes in all connected voxels
    of its sign beyond `GROW`; none lies in the rim of the brain mask.

    Parameters
    ----------
    z : array, shape (i, j, k)
        From `standardized`.
    change : array, shape (i, j, k)
        current − harmonized.
    brain : array of bool, shape (i, j, k)
        Where to look.
    grid : Volume
        Where the voxels are.

    Returns
    -------
    marks : tuple of Mark
        Largest first.
    labels : array of int, shape (i, j, k)
        n where ``marks[n - 1]`` is, 0 elsewhere.
    """
    depth = ndimage.distance_transform_edt(brain, sampling=grid.spacing)
    deep = np.where(depth > RIM_MM, z, 0)
    found = [place for sign in (1, -1) for place in _places(sign * deep)]
    marks = [_mark(place, z, change, grid) for place in found]
    kept = [n for n, mark in enumerate(marks) if mark.diameter_mm >= SMALLEST_MM]
    kept.sort(key=lambda n: -marks[n].volume_ml)
    labels = np.zeros(z.shape, np.int32)
    for number, n in enumerate(kept, start=1):
        labels[tuple(found[n].T)] = number
    return tuple(marks[n] for n in kept), labels


def _places(z: NDArray[np.float32]) -> list[NDArray[np.int_]]:
    """Return the voxel indices (n, 3) of each connected place that stands out."""
    labels, _ = ndimage.label(z > GROW, np.ones((3, 3, 3)))
    boxes = ndimage.find_objects(labels)
    places = []
    for number in np.unique(labels[z > THRESHOLD]):
        box = boxes[number - 1]
        first = [side.start for side in box]
        places.append(np.argwhere(labels[box] == number) + first)
    return places


def _mark(
    place: NDArray[np.int_],
    z: NDArray[np.float32],
    change: NDArray[np.float32],
    grid: Volume,
) -> Mark:
    center = grid.affine @ [*place.mean(axis=0), 1.0]
    voxel_mm3 = abs(float(np.linalg.det(grid.affine[:3, :3])))
    volume_mm3 = len(place) * voxel_mm3
    inside = z[tuple(place.T)]
    return Mark(
        center=(float(center[0]), float(center[1]), float(center[2])),
        volume_ml=volume_mm3 / 1000,
        diameter_mm=float(np.cbrt(6 * volume_mm3 / np.pi)),
        mean_change=float(change[tuple(place.T)].mean()),
        peak_z=float(inside[np.abs(inside).argmax()]),
    )
