"""Smooth random fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.volume import Volume


def random_field(
    grid: Volume, width_mm: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return Gaussian noise blurred to a width, with mean 0 and standard deviation 1.

    It is drawn on voxels as wide as the blur lets it, so a wide field is cheap, and
    is the same field, up to interpolation, on a grid of any spacing.

    Parameters
    ----------
    grid : Volume
        Its shape and spacing are used.
    width_mm : float
        Standard deviation of the blur, mm.
    rng : numpy.random.Generator
        Where the noise comes from.
    """
    step = np.maximum(width_mm / 1.5, np.array(grid.spacing))
    extent = np.array(grid.shape) * grid.spacing
    shape = np.ceil(extent / step).astype(int) + 6
    noise = rng.standard_normal(tuple(shape), dtype=np.float32)
    # A small grid sees few bumps: its own mean and spread would take them away.
    soft = ndimage.gaussian_filter(noise, width_mm / step, mode="wrap")
    soft /= np.float32(_spread_left(width_mm / step))
    for axis, (size, edge, coarse) in enumerate(
        zip(grid.shape, grid.spacing, step, strict=True)
    ):
        soft = _stretched(soft, axis, 3 + np.arange(size) * edge / coarse)
    return np.asarray(soft, np.float32)


def _spread_left(width: NDArray[np.float64]) -> float:
    """Return the standard deviation that white noise keeps under a Gaussian blur."""
    left = 1.0
    for one in width:
        reach = np.arange(-round(4 * one), round(4 * one) + 1)
        kernel = np.exp(-0.5 * (reach / one) ** 2)
        left *= float(np.sqrt((kernel**2).sum()) / kernel.sum())
    return left


def _stretched(
    field: NDArray[np.float32], axis: int, places: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return `field` at fractional `places` along one axis, linearly between."""
    low = np.minimum(np.floor(places).astype(int), field.shape[axis] - 2)
    share = (places - low).astype(np.float32)
    shape = [1, 1, 1]
    shape[axis] = -1
    share = share.reshape(shape)
    before = np.take(field, low, axis=axis)
    after = np.take(field, low + 1, axis=axis)
    return np.asarray(before + share * (after - before), np.float32)
