"""Generator and discriminator: local convolutions that know where they are.

After J.-Y. Zhu, T. Park, P. Isola, A. A. Efros, "Unpaired image-to-image translation
using cycle-consistent adversarial networks", ICCV 2017, without normalization layers
(they take tone and brightness away, which are what scanners differ in) and without
strides in the generator.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

from mitame.engines.cyclegan.settings import Layers, Settings
from mitame.engines.cyclegan.slices import FOLD, n_place
from mitame.engines.cyclegan.squares import Squares

SLOPE = 0.1
"""Of what is below 0."""

FAR = 15
"""Pieces an edge of a kernel that reaches far."""

GRID, JOINED = 8, 4
"""Places an edge, and channels of each, that a full layer joins."""

REACH = 1.0
"""Most that a generator changes a voxel by, white-matter medians."""

Net = TypeVar("Net", bound=nn.Module)


class Generator(nn.Module):
    """Give slices of one scanner the look of the other.

    Parameters
    ----------
    tops : sequence of float
        The brightest tone of each sequence.
    n_place : int
        Coordinate channels.
    width : int
        Channels of the layers.
    blocks : int
        Residual blocks.
    tones : int
        Of each sequence; see `Squares`.
    layers : str
        See `settings.Layers`.
    """

    def __init__(
        self,
        tops: Sequence[float],
        n_place: int,
        width: int,
        blocks: int,
        tones: int = 0,
        layers: Layers = "local",
    ) -> None:
        super().__init__()
        n_images = len(tops)
        self.n_images, self.n_place = n_images, n_place
        self.squares = Squares(tops, tones)
        self.first = First(n_images * (FOLD**2 + tones), n_place, width)
        self.more = _more(width, layers)
        self.blocks = nn.ModuleList([Block(width) for _ in range(blocks)])
        self.last = _conv(width, FOLD**2 * n_images)
        self.apply(_begin)
        nn.init.zeros_(self.last.weight)  # starts at identity

    def forward(self, images: Tensor, place: Tensor) -> Tensor:
        """Return images of the same shape, (batch, n_images, h, w); h and w even.

        The voxels of a square that has one place are its channels: four times less to
        compute than voxel by voxel, and twice as far to see.
        """
        folded = nn.functional.pixel_unshuffle(images, FOLD)
        tones = self.squares.tones(self.squares.softened(images))
        inner = self.more(self.first(torch.cat([folded, tones], dim=1), place))
        for block in self.blocks:
            inner = block(inner)  # (batch, width, h / FOLD, w / FOLD)
        edit = nn.functional.pixel_shuffle(self.last(inner), FOLD)
        return images + REACH * torch.tanh(edit)


class First(nn.Module):
    """A convolution of what is seen, and a weight for each channel of the place.

    Places change so little from square to square that their surroundings tell nothing.
    """

    def __init__(self, n_seen: int, n_place: int, width: int) -> None:
        super().__init__()
        self.seen = _conv(n_seen, width)
        self.placed = nn.Conv2d(n_place, width, 1, bias=False) if n_place else None

    def forward(self, seen: Tensor, place: Tensor) -> Tensor:
        """Return the same height and width."""
        found: Tensor = self.seen(seen)
        return _bent(found if self.placed is None else found + self.placed(place))


class Block(nn.Module):
    """Two convolutions that add to what they are given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = _conv(width, width), _conv(width, width)

    def forward(self, given: Tensor) -> Tensor:
        """Return the same shape."""
        found: Tensor = _bent(given + self.two(_bent(self.one(given))))
        return found


class Far(nn.Module):
    """One convolution that reaches far, and adds to what it is given."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.wide = nn.Conv2d(width, width, FAR, padding=FAR // 2)

    def forward(self, given: Tensor) -> Tensor:
        """Return the same shape."""
        found: Tensor = _bent(given + self.wide(given))
        return found


class Full(nn.Module):
    """A layer in which every place of a slice acts on every other, on a coarse grid."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.few = nn.Conv2d(width, JOINED, 1)
        self.joined = nn.Linear(JOINED * GRID**2, JOINED * GRID**2)
        self.many = nn.Conv2d(JOINED, width, 1)

    def forward(self, given: Tensor) -> Tensor:
        """Return the same shape."""
        few = _resized(self.few(given), (GRID, GRID))
        joined = self.joined(few.flatten(1)).unflatten(1, (JOINED, GRID, GRID))
        found: Tensor = given + self.many(_resized(_bent(joined), given.shape[2:]))
        return _bent(found)


class Discriminator(nn.Module):
    """Tell, for each piece of a slice, how much it looks like a scanner's own.

    It is shown slices without their finest detail, which is noise. A generator can take
    noise away, but it cannot draw any, and what it does instead is no help.

    Parameters
    ----------
    tops, n_place, tones
        As for `Generator`.
    width : int
        Channels of the first layer; the others have twice as many.
    layers : str
        See `settings.Layers`.
    """

    def __init__(
        self,
        tops: Sequence[float],
        n_place: int,
        width: int,
        tones: int = 0,
        layers: Layers = "local",
    ) -> None:
        super().__init__()
        self.squares = Squares(tops, tones)
        self.first = First(len(tops) * (1 + FOLD**2 + tones), n_place, width)
        self.more = _more(width, layers)
        self.layers = nn.Sequential(
            nn.Conv2d(width, 2 * width, 3, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, 2 * width, 3, stride=2, padding=1),
            nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, 1, 3, padding=1),
        )
        self.apply(_begin)

    def forward(self, images: Tensor, place: Tensor) -> Tensor:
        """Return a score of each piece, (batch, 1, h / 8, w / 8)."""
        soft = self.squares.softened(images)
        seen = [soft, self.squares.detail(images), self.squares.tones(soft)]
        inner = self.more(self.first(torch.cat(seen, dim=1), place))
        found: Tensor = self.layers(inner)
        return found


class Networks(nn.Module):
    """Generators there and back, the discriminator of each, averages of the first two.

    Parameters
    ----------
    tops : sequence of float
        The brightest tone of each sequence.
    settings : Settings
        Their sizes.
    """

    def __init__(self, tops: Sequence[float], settings: Settings) -> None:
        super().__init__()
        self.tops = tuple(tops)
        places, kind = n_place(settings.place), (settings.tones, settings.layers)
        self.there, self.back = (
            _fast(Generator(tops, places, settings.width, settings.blocks, *kind))
            for _ in range(2)
        )
        self.there_judge, self.back_judge = (
            _fast(Discriminator(tops, places, settings.judge_width, *kind))
            for _ in range(2)
        )
        self.there_average = copy.deepcopy(self.there)
        self.back_average = copy.deepcopy(self.back)

    def made(self) -> list[nn.Parameter]:
        """Return the parameters of the generators."""
        return [*self.there.parameters(), *self.back.parameters()]

    def judging(self) -> list[nn.Parameter]:
        """Return the parameters of the discriminators."""
        return [*self.there_judge.parameters(), *self.back_judge.parameters()]

    @torch.no_grad()
    def follow(self, keep: float) -> None:
        """Let the averages go on: so much of what they were, the rest of what is."""
        for average, now in (
            (self.there_average, self.there),
            (self.back_average, self.back),
        ):
            for mean, value in zip(average.parameters(), now.parameters(), strict=True):
                mean.lerp_(value, 1 - keep)


def _more(width: int, layers: Layers) -> nn.Module:
    if layers == "far":
        return Far(width)
    return Full(width) if layers == "full" else nn.Identity()


def _resized(images: Tensor, size: Sequence[int]) -> Tensor:
    return nn.functional.interpolate(images, list(size), mode="bilinear")


def _conv(n_in: int, n_out: int) -> nn.Conv2d:
    return nn.Conv2d(n_in, n_out, 3, padding=1)


def _begin(layer: nn.Module) -> None:
    """Draw weights that keep the size of what they are given."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, SLOPE)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _bent(values: Tensor) -> Tensor:
    return nn.functional.leaky_relu(values, SLOPE)


def _fast(network: Net) -> Net:
    """Return a network in the layout that convolutions on CPUs are fastest in."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
