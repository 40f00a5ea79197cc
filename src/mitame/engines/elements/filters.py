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
        variance = max(size[0], 0.0) / (8 * np.log(2))

        def transfer(k: Numbers, edge: float) -> Numbers:
            del edge
            return np.asarray(np.exp(-2 * np.pi**2 * variance * k**2))

        return _seen_through(image, ground, self.noise, transfer)


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

        def transfer(k: Numbers, edge: float) -> Numbers:
            return self.transfer(2 * edge * k, size[0])

        return _seen_through(image, ground, self.noise, transfer)

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


def _seen_through(
    image: Image,
    ground: Ground,
    noise: float,
    transfer: Callable[[Numbers, float], Numbers],
) -> Image:
    """Return an image whose anatomy is seen through a transfer function, at most 1.

    A scanner's noise comes after what blurs: as much of it is added as was lost.
    """
    rng = chance_of(image)
    level = np.float32(kept_noise(image, ground, noise))
    lost = level * fft.rfftn(rng.standard_normal(image.shape, np.float32))
    kept = fft.rfftn(image)
    factor: Numbers = np.ones(1)
    for axis, (n, edge) in enumerate(zip(image.shape, ground.spacing, strict=True)):
        along = fft.rfftfreq(n, edge) if axis == 2 else np.abs(fft.fftfreq(n, edge))
        shape = [-1 if axis == a else 1 for a in range(3)]
        factor = factor * transfer(along, edge).reshape(shape)
    factor = factor.astype(np.float32)
    kept = kept * factor + lost * np.sqrt(1 - factor**2)
    return np.asarray(fft.irfftn(kept, s=image.shape), np.float32)
