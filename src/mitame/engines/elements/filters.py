"""Elements that anatomy is seen through: blur, and how k-space ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy import fft

from mitame.engines.elements.element import Numbers, Size, chance_of, kept_noise
from mitame.engines.elements.ground import Ground, Image


@dataclass(frozen=True, slots=True)
class Blur:
    """A Gaussian point spread: its squared full width at half maximum, mm².

    Parameters
    ----------
    noise : float
        The least that a scan keeps, white-matter medians: `kept_noise`.
    """

    noise: float
    name: str = "sharpness"
    n: int = 1
    probe: ClassVar[float] = 0.8
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        return _seen_through(image, ground, self.noise, self.response(ground, size))

    def response(self, ground: Ground, size: Size) -> Image:
        """Return what passes of each of the `frequencies`, at most 1."""
        variance = max(size[0], 0.0) / (8 * np.log(2))
        return _product(ground, lambda k, _: np.exp(-2 * np.pi**2 * variance * k**2))


@dataclass(frozen=True, slots=True)
class Ringing:
    """How hard k-space ends: by how much less of it fades, as a share.

    Parameters
    ----------
    noise : float
        The least that a scan keeps, white-matter medians: `kept_noise`.
    fades : float
        Share that fades in the group with more ringing, 0 to below 1: see
        `fading.fades_of`.
    """

    noise: float
    fades: float = 0.0
    name: str = "ringing"
    n: int = 1

    @property
    def probe(self) -> float:
        """See `Element`: less of it is what can be given."""
        return -min(0.5, self.most)

    @property
    def most(self) -> float:
        """See `Element`: no more than all of k-space fades."""
        return 1 - self.fades

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        return _seen_through(image, ground, self.noise, self.response(ground, size))

    def response(self, ground: Ground, size: Size) -> Image:
        """Return what passes of each of the `frequencies`, at most 1."""
        return _product(ground, lambda k, edge: self.transfer(2 * edge * k, size[0]))

    def transfer(self, share: Numbers, size: float) -> Numbers:
        """Return what is left of frequencies once so much less does not fade.

        Parameters
        ----------
        share : array
            Frequencies over the largest one, 0 to 1.
        size : float
            Below 0; `most` is all that can be.
        """
        if size >= 0:
            return np.ones_like(share)
        more = window(share, min(self.fades - size, 1.0))
        own = window(share, self.fades)
        return np.divide(more, own, out=np.zeros_like(share), where=own > 0)


def window(share: Numbers, fades: float) -> Numbers:
    """Return Tukey's window of k-space, of whose half width a share fades out.

    Parameters
    ----------
    share : array
        Frequencies over the largest one, 0 to 1.
    fades : float
        0 (a hard end, which rings) to 1 (Hann's window, which does not).
    """
    if fades == 0:
        return np.ones_like(share)
    taper = np.clip((share - (1 - fades)) / fades, 0, 1)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * taper))


def frequencies(ground: Ground) -> list[Numbers]:
    """Return the frequencies of a real image's transform, cycles/mm, axis by axis.

    Returns
    -------
    list of array, shapes (i, 1, 1), (1, j, 1) and (1, 1, k // 2 + 1)
        0 and above.
    """
    grid = list(zip(ground.brain.shape, ground.spacing, strict=True))
    along = [np.abs(fft.fftfreq(n, edge)) for n, edge in grid[:2]]
    along.append(fft.rfftfreq(*grid[2]))
    return [
        np.expand_dims(k, [o for o in range(3) if o != a]) for a, k in enumerate(along)
    ]


def _product(ground: Ground, transfer: Callable[[Numbers, float], Numbers]) -> Image:
    """Return what passes of each frequency, if so much of it does along each axis."""
    i, j, k = (
        transfer(along, edge)
        for along, edge in zip(frequencies(ground), ground.spacing, strict=True)
    )
    return np.asarray(i * j * k, np.float32)


def _seen_through(image: Image, ground: Ground, noise: float, response: Image) -> Image:
    """Return an image whose anatomy is seen through a filter that lets at most 1 pass.

    A scanner's noise comes after what blurs: as much of it is added as was lost.
    """
    rng = chance_of(image)
    level = np.float32(kept_noise(image, ground, noise))
    lost = level * fft.rfftn(rng.standard_normal(image.shape, np.float32))
    kept = fft.rfftn(image) * response + lost * np.sqrt(1 - response**2)
    return np.asarray(fft.irfftn(kept, s=image.shape), np.float32)
