"""How much of each frequency there is in a brain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.ground import Ground, Image

LEAST_POWER = 1e-12
"""Keeps the logarithm of an image without detail finite."""

SHELLS = ((0.5, 0.75), (0.75, 1.0), (1.0, 1.25), (1.25, 1.8))
"""Distances from the middle of k-space, in its half edges; corners are 1.73 away."""

Numbers = NDArray[np.float64]


def spectrum(image: Image, ground: Ground) -> Numbers:
    """Return the log power of frequencies along each axis, and in shells.

    The logarithm is averaged over blocks of the brain, whose borders fade, so that one
    bright edge does not outweigh all else.

    Returns
    -------
    array, shape (n,)
        Of each axis its frequencies from slow to fast, where it varies little along the
        others; then `SHELLS`.
    """
    mean = log_power(image, ground.blocks, ground.block)
    waves = [np.abs(np.fft.fftfreq(n) * n).round() for n in ground.block]
    along = np.meshgrid(*waves, indexing="ij")
    found = []
    for axis, n in enumerate(ground.block):
        slow = np.all([along[o] <= 1 for o in range(3) if o != axis], axis=0)
        found += [mean[slow & (along[axis] == k)].mean() for k in range(1, n // 2 + 1)]
    halves = [w / (n / 2) for w, n in zip(along, ground.block, strict=True)]
    away = np.sqrt(sum(h**2 for h in halves))
    found += [mean[(away >= low) & (away < high)].mean() for low, high in SHELLS]
    return np.array(found)


def log_power(
    image: Image, blocks: NDArray[np.intp], shape: tuple[int, ...]
) -> Numbers:
    """Return the mean log power of blocks, shape of a block.

    Parameters
    ----------
    image : array, shape (i, j, k)
        White-matter medians.
    blocks : array of int, shape (n, 3)
        First voxels, of one block at least.
    shape : tuple of int
        Of each; their borders fade.
    """
    a, b, c = shape
    parts = np.stack([image[i : i + a, j : j + b, k : k + c] for i, j, k in blocks])
    parts = parts - parts.mean(axis=(1, 2, 3), keepdims=True)
    for axis, n in enumerate(shape):
        fade = np.hanning(n + 2)[1:-1].astype(np.float32)
        parts = parts * np.expand_dims(fade, [o for o in range(3) if o != axis])
    power = np.abs(np.fft.fftn(parts, axes=(1, 2, 3))) ** 2 / parts[0].size
    return np.asarray(np.log(power + LEAST_POWER).mean(axis=0))
