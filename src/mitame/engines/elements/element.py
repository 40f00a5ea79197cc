"""The named elements: what each does to an image, forward, in a size of its own.

Each takes an image in white-matter medians and returns it with more of the element; a
size of zero changes nothing. Where the opposite of an element can be done exactly it
is what a negative size does.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import correlate1d

from mitame.engines.elements.ground import Ground, Image
from mitame.engines.noise import noise_in

Numbers = NDArray[np.floating]

UNCLEAR, CLEAR = 1.2, 1.5
"""Fine detail over the noise of the other group: up to the one it may be ringing, from
the other on it is noise, and between them some of it is."""

SEEN = np.array([-1, 4, 10, 4, -1], np.float32) / 16
"""What is seen of tissue along an axis: all of it but what is as fine as the grid, of
which a point spread leaves nothing and an image has only noise."""

BACK = 6
"""Rounds of the way back from a tissue that is brighter, each ten times nearer."""

Size = NDArray[np.float64]
"""Of an element, shape (n,); n is one for all but a field."""


class Element(Protocol):
    """One way in which scanners differ."""

    @property
    def name(self) -> str:
        """What it is called in sentences and tables."""
        ...

    @property
    def n(self) -> int:
        """How many numbers its size has."""
        ...

    @property
    def probe(self) -> float:
        """How much shows its trace; of its sign are the sizes that can be given."""
        ...

    @property
    def most(self) -> float:
        """The largest size that means something, either way."""
        ...

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """Return the image with so much more of the element.

        Parameters
        ----------
        image : array, shape (i, j, k)
            White-matter medians.
        ground : Ground
            Of its session.
        size : array, shape (n,)
            In the element's unit.
        """
        ...


@dataclass(frozen=True, slots=True)
class Tone:
    """A power of the intensities, under which white matter stays: its logarithm."""

    name: str = "tone curve"
    n: int = 1
    probe: ClassVar[float] = 0.08
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        del ground
        power = np.float32(np.exp(size[0]))
        return np.asarray(np.sign(image) * np.abs(image) ** power, np.float32)


@dataclass(frozen=True, slots=True)
class Level:
    """How much brighter one tissue is, as a share of itself; the others stay.

    Intensities between two tissues, where both are in a voxel, move in proportion.

    Parameters
    ----------
    name : str
        Of the element.
    at : float
        The tissue's own intensity.
    others : tuple of float
        Intensities that stay, ascending; 0 is among them.
    shown : float
        Share of what the tissue gains that images show of it, for hardly a voxel has
        nothing else in it; sizes are what images show.
    """

    name: str
    at: float
    others: tuple[float, ...]
    shown: float = 1.0
    n: int = 1
    probe: ClassVar[float] = 0.1
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`; a negative size is the way back of a positive one."""
        lift = np.float32(self.at * abs(size[0]) / self.shown)
        if size[0] >= 0:
            return image + self._gain(image, ground, lift, self.at)
        found = image - self._gain(image, ground, lift, self.at + lift)
        for _ in range(BACK):
            found = image - self._gain(found, ground, lift, self.at)
        return found

    def _gain(
        self, image: Image, ground: Ground, lift: np.float32, at: np.floating | float
    ) -> Image:
        """Return what an image gains if so much is added to tissue that is `at`."""
        # Which tissue it is, is told without the bias field.
        flat = image / ground.shading
        low = np.float32(max(o for o in self.others if o < self.at))
        above = [o for o in self.others if o > self.at]
        rise = (flat - low) / np.maximum(at - low, np.float32(1e-3))
        if above:
            fall = (above[0] - flat) / np.maximum(above[0] - at, np.float32(1e-3))
            rise = np.minimum(rise, fall)
        gain = lift * ground.shading * _seen(np.clip(rise, 0, 1))
        return np.asarray(gain, np.float32)


@dataclass(frozen=True, slots=True)
class Field:
    """A gain that varies smoothly with place: coefficients of its logarithm.

    Parameters
    ----------
    n : int
        How many coefficients.
    noise : float
        The least that a scan keeps, white-matter medians: `kept_noise`.
    """

    n: int
    noise: float = 0.0
    name: str = "bias field"
    probe: ClassVar[float] = 0.1
    most: ClassVar[float] = 0.5

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`; where the gain is less, as much noise stays."""
        gain = np.exp(ground.field(size))
        level = np.float32(kept_noise(image, ground, self.noise))
        lost = level * np.sqrt(np.maximum(1 - gain**2, 0))
        noise = chance_of(image).standard_normal(image.shape, np.float32)
        return np.asarray(image * gain + lost * noise, np.float32)


def _seen(share: Image) -> Image:
    """Return how much of a tissue is in each voxel as a scanner shows it."""
    for axis in range(3):
        share = correlate1d(share, SEEN, axis=axis)
    return share


def kept_noise(image: Image, ground: Ground, least: float) -> float:
    """Return the noise that a scan keeps whatever its anatomy is seen through.

    Parameters
    ----------
    image : array, shape (i, j, k)
        White-matter medians.
    ground : Ground
        Of its session.
    least : float
        The smaller noise of two groups; 0 if none is kept.
    """
    if not least:
        return 0.0
    own = noise_in(image, ground.calm)
    share = np.interp(own / least, (UNCLEAR, CLEAR), (0, 1))
    return float(least + share * (own - least))


def chance_of(image: Image) -> np.random.Generator:
    """Return random numbers of an image: the same image has the same ones."""
    return np.random.default_rng(zlib.crc32(np.ascontiguousarray(image).tobytes()))
