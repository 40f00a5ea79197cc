"""Elements that are added to an image: noise and stripes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mitame.engines.elements.element import Size, chance_of
from mitame.engines.elements.ground import Ground, Image


@dataclass(frozen=True, slots=True)
class Noise:
    """White noise: its variance, in squared white-matter medians."""

    name: str = "noise"
    n: int = 1
    probe: ClassVar[float] = 1.5e-4
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`; noise that is there cannot be taken away exactly."""
        del ground
        rng = chance_of(image)
        more = rng.standard_normal(image.shape, np.float32)
        return image + np.float32(max(size[0], 0.0) ** 0.5) * more


@dataclass(frozen=True, slots=True)
class Stripes:
    """A plane wave over the image: its squared amplitude.

    Parameters
    ----------
    wave : tuple of float
        Cycles/mm along the axes of the grid.
    """

    wave: tuple[float, float, float]
    name: str = "stripes"
    n: int = 1
    probe: ClassVar[float] = 1e-3
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`; the phase is that of chance."""
        rng = chance_of(image)
        phase = plane(self.wave, image.shape, ground.spacing)
        turn = 2 * np.pi * rng.random()
        return np.asarray(
            image + max(size[0], 0.0) ** 0.5 * np.cos(phase + turn), np.float32
        )


def plane(
    wave: Sequence[float], shape: Sequence[int], spacing: Sequence[float]
) -> Image:
    """Return the phase of a plane wave at every voxel, radians."""
    along = [
        2 * np.pi * k * edge * np.arange(n)
        for k, n, edge in zip(wave, shape, spacing, strict=True)
    ]
    return np.asarray(
        along[0][:, None, None] + along[1][:, None] + along[2], np.float32
    )
