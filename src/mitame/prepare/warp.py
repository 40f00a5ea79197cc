"""Intensities of one grid at displaced voxels of another, interpolated once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import map_coordinates, spline_filter

from mitame.core.volume import Step, Volume


def warp(
    volume: Volume,
    onto: Volume,
    *,
    transform: ArrayLike,
    displacement: NDArray[np.floating],
    params: dict[str, Any],
) -> tuple[Volume, NDArray[np.bool_]]:
    """Return the intensities of `volume` at the displaced voxels of `onto`.

    Cubic B-spline, once, however the way is put together. Rings beside sharp edges;
    nothing is clipped.

    Parameters
    ----------
    volume : Volume
        The intensities; scanner and history are kept.
    onto : Volume
        Its grid is used, its intensities are not.
    transform : array_like, shape (4, 4)
        World millimeters of `onto` to world millimeters of `volume`, RAS+.
    displacement : array, shape (i, j, k, 3)
        Added to the world position of every voxel of `onto` before `transform`, mm.
    params : dict
        What the history shall say of the way.

    Returns
    -------
    moved : Volume
        On the grid of `onto`; 0 where `volume` has nothing to say.
    seen : array of bool, shape (i, j, k)
        Where it has: between its first and last voxel centers along every axis.
    """
    to_voxel = np.linalg.inv(volume.affine) @ np.asarray(transform)
    coefficients = spline_filter(volume.data, order=3, output=np.float32)
    data = np.empty(onto.shape, np.float32)
    seen = np.empty(onto.shape, np.bool_)
    last = (np.array(volume.shape) - 1)[:, None, None]
    for i in range(onto.shape[0]):  # slab by slab: a head fits in memory
        world = slab_positions(onto, i) + displacement[i]
        voxel = np.moveaxis(world @ to_voxel[:3, :3].T + to_voxel[:3, 3], -1, 0)
        data[i] = map_coordinates(
            coefficients, voxel, order=3, prefilter=False, mode="constant"
        )
        seen[i] = ((voxel >= 0) & (voxel <= last)).all(axis=0)
    return volume.with_grid(data, onto.affine, Step("warp", params)), seen


def slab_positions(grid: Volume, i: int) -> NDArray[np.float64]:
    """Return the world positions of the voxels with first index `i`, (j, k, 3)."""
    j, k = np.indices(grid.shape[1:], dtype=np.float64)
    index = np.stack([np.full_like(j, i), j, k], axis=-1)
    return np.asarray(index @ grid.affine[:3, :3].T + grid.affine[:3, 3])
