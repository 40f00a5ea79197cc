"""The named elements: what each does to an image, forward, in a size of its own.

Each takes an image in white-matter medians and returns it with more of the element; a
size of zero changes nothing. Where the opposite of an element can be done exactly it
is what a negative size does.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from mitame.engines.elements.ground import Ground, Image

Numbers = NDArray[np.floating]

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
    """

    name: str
    at: float
    others: tuple[float, ...]
    n: int = 1
    probe: ClassVar[float] = 0.1
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        lift = np.float32(self.at * size[0])
        # A negative size is the way back from where a positive one had led.
        start = self.at if size[0] >= 0 else self.at - lift
        # Which tissue it is, is told without the bias field.
        flat = image / ground.shading
        low = np.float32(max(o for o in self.others if o < self.at))
        above = [o for o in self.others if o > self.at]
        rise = (flat - low) / np.maximum(start - low, np.float32(1e-3))
        if above:
            fall = (above[0] - flat) / np.maximum(above[0] - start, np.float32(1e-3))
            rise = np.minimum(rise, fall)
        lifted = lift * ground.shading * np.clip(rise, 0, 1)
        return np.asarray(image + lifted, np.float32)


@dataclass(frozen=True, slots=True)
class Field:
    """A gain that varies smoothly with place: coefficients of its logarithm."""

    n: int
    name: str = "bias field"
    probe: ClassVar[float] = 0.1
    most: ClassVar[float] = np.inf

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        return np.asarray(image * np.exp(ground.field(size)), np.float32)


@dataclass(frozen=True, slots=True)
class Blur:
    """A Gaussian point spread: its squared full width at half maximum, mm².

    Parameters
    ----------
    noise : float
        Standard deviation of the noise that a scan keeps, white-matter medians.
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
        Standard deviation of the noise that a scan keeps, white-matter medians.
    """

    noise: float
    name: str = "ringing"
    n: int = 1
    probe: ClassVar[float] = -0.5
    most: ClassVar[float] = 1.0

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`; less of it is what can be done."""
        fades = float(np.clip(-size[0], 0, 1))

        def transfer(k: Numbers, edge: float) -> Numbers:
            return window(2 * edge * k, fades)

        return _seen_through(image, ground, self.noise, transfer)


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
    rng = _chance(image)
    lost = np.float32(noise) * fft.rfftn(rng.standard_normal(image.shape, np.float32))
    kept = fft.rfftn(image)
    factor: Numbers = np.ones(1)
    for axis, (n, edge) in enumerate(zip(image.shape, ground.spacing, strict=True)):
        along = fft.rfftfreq(n, edge) if axis == 2 else np.abs(fft.fftfreq(n, edge))
        shape = [-1 if axis == a else 1 for a in range(3)]
        factor = factor * transfer(along, edge).reshape(shape)
    factor = factor.astype(np.float32)
    kept = kept * factor + lost * np.sqrt(1 - factor**2)
    return np.asarray(fft.irfftn(kept, s=image.shape), np.float32)


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
        rng = _chance(image)
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
        rng = _chance(image)
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


def _chance(image: Image) -> np.random.Generator:
    """Return random numbers of an image: the same image has the same ones."""
    return np.random.default_rng(zlib.crc32(np.ascontiguousarray(image).tobytes()))


KINDS: dict[str, Callable[..., Element]] = {
    kind.__name__: kind for kind in (Level, Field, Blur, Ringing, Noise, Stripes, Tone)
}
"""By the names they have in model files."""
