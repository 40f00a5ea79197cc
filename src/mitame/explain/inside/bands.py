"""Bands of spatial frequency, given and taken like the elements of scanners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from mitame.engines.elements.element import Numbers, Size, chance_of
from mitame.engines.elements.ground import Ground, Image

BANDS = 5
"""Up to the limit of the grid, equally wide."""


@dataclass(frozen=True, slots=True)
class Band:
    """Frequencies between two, in all directions.

    Parameters
    ----------
    low, high : float
        Cycles/mm; the mean of the image, of frequency 0, is in none.
    """

    low: float
    high: float

    def of(self, image: Image, spacing: Sequence[float]) -> Image:
        """Return what of an image is in the band, on a grid of so many mm a voxel."""
        away = distances(image.shape, spacing)
        inside = (away > 0) & (away >= self.low) & (away < self.high)
        kept = fft.rfftn(image) * inside
        return np.asarray(fft.irfftn(kept, s=image.shape), np.float32)


@dataclass(frozen=True, slots=True)
class Added:
    """Noise of one band: its standard deviation in the brain, white-matter medians."""

    band: Band
    name: str
    n: int = 1
    probe: ClassVar[float] = 0.03
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        noise = chance_of(image).standard_normal(image.shape, np.float32)
        noise = self.band.of(noise, ground.spacing)
        level = np.float32(size[0]) / noise[ground.brain].std()
        return np.asarray(image + level * noise, np.float32)


@dataclass(frozen=True, slots=True)
class Taken:
    """What an image loses of its own in one band: standard deviation in the brain.

    In white-matter medians; never more than it has.
    """

    band: Band
    name: str
    n: int = 1
    probe: ClassVar[float] = 0.01
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        own = self.band.of(image, ground.spacing)
        share = min(size[0] / own[ground.brain].std(), 1.0)
        return np.asarray(image - np.float32(share) * own, np.float32)


def bands_of(spacing: Sequence[float]) -> list[Band]:
    """Return bands up to what a grid of so many mm a voxel can hold along each axis."""
    edges = np.linspace(0, 0.5 / max(spacing), BANDS + 1)
    return [Band(float(a), float(b)) for a, b in pairwise(edges)]


def distances(shape: Sequence[int], spacing: Sequence[float]) -> NDArray[np.float64]:
    """Return the frequency of every number of `rfftn`, cycles/mm."""
    along: list[Numbers] = [
        fft.fftfreq(n, edge) for n, edge in zip(shape[:2], spacing[:2], strict=True)
    ]
    i, j, k = np.ix_(*along, fft.rfftfreq(shape[2], spacing[2]))
    return np.asarray(np.sqrt(i**2 + j**2 + k**2))
