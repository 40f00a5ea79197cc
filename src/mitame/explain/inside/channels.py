"""Which channels of a generator carry its edit: set to their means, one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from mitame.engines.cyclegan.losses import brain_in
from mitame.engines.cyclegan.networks import Generator
from mitame.engines.cyclegan.step import Batch

ENOUGH = 0.8
"""Share of the effect that the few channels carry together."""

LEAST_EDIT = 1e-5
"""White-matter medians, root mean square; a generator that does less does nothing."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """A channel that carries some of a generator's effect.

    Parameters
    ----------
    channel : int
        Which of its layer, from 0.
    share : float
        Of the effect that is lost without it alone.
    together : float
        Of the effect that is left with this and those before it alone.
    """

    channel: int
    share: float
    together: float


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of a generator, and the few channels that carry its effect.

    Parameters
    ----------
    name : str
        "first", "second", or "block" with a number.
    width : int
        Channels it has.
    effect : float
        Root mean square in the brain of what the layer's channels add by varying with
        place and tissue, white-matter medians.
    even : float
        Mean square of the edit that is there with all channels at their means, over
        that of the whole: what is added everywhere alike. The effect is the rest.
    carriers : tuple of Carrier
        As few as carry `ENOUGH` together, in the order of their shares; none if the
        generator does nothing, or the same everywhere.
    """

    name: str
    width: int
    effect: float
    even: float
    carriers: tuple[Carrier, ...]


def layers_of(generator: Generator) -> dict[str, nn.Module]:
    """Return the layers through which all must pass, by name."""
    found: dict[str, nn.Module] = {"first": generator.first}
    if not isinstance(generator.more, nn.Identity):
        found["second"] = generator.more
    blocks = enumerate(generator.blocks, 1)
    return found | {f"block {number}": block for number, block in blocks}


def carried(generator: Generator, name: str, slices: Sequence[Batch]) -> Layer:
    """Return which channels of a layer carry the effect on some slices.

    A channel is taken out by setting it to its mean over the brain. The effect is what
    the edit of all channels has beyond the edit of none; a share of it is told by the
    mean square of what is lost.

    Parameters
    ----------
    generator : Generator
        Any.
    name : str
        One of `layers_of`.
    slices : sequence of Batch
        What the generator is shown.
    """
    ablation = Ablation(generator, layers_of(generator)[name], slices)
    width = len(ablation.mean)
    if not ablation.energy:
        return Layer(name, width, 0.0, ablation.even, ())
    every = torch.eye(width, dtype=torch.bool)
    shares = [ablation.lost(~one) for one in every]
    order = sorted(range(width), key=lambda channel: -shares[channel])
    kept = torch.zeros(width, dtype=torch.bool)
    found: list[Carrier] = []
    for channel in order:
        kept[channel] = True
        together = 1 - ablation.lost(kept)
        found.append(Carrier(channel, shares[channel], together))
        if together >= ENOUGH:
            break
    return Layer(name, width, ablation.energy**0.5, ablation.even, tuple(found))


class Ablation:
    """A generator of which a layer's channels can be set to their means.

    Parameters
    ----------
    generator : Generator
        Whose edits.
    layer : Module
        A layer of it.
    slices : sequence of Batch
        What it is shown.

    Attributes
    ----------
    mean : tensor, shape (width,)
        Of each channel over the brain.
    energy : float
        Mean square of the effect in the brain; 0 if there is none.
    even : float
        See `Layer`.
    """

    def __init__(
        self, generator: Generator, layer: nn.Module, slices: Sequence[Batch]
    ) -> None:
        self.generator, self.layer, self.slices = generator, layer, slices
        self.mean, _ = moments(generator, layer, slices)
        every = torch.ones(len(self.mean), dtype=torch.bool)
        self.whole, none = self.edits(every), self.edits(~every)
        nothing = [torch.zeros_like(edit) for edit in none]
        whole, energy = (self._apart(self.whole, edit) for edit in (nothing, none))
        self.energy = energy if energy > LEAST_EDIT**2 else 0.0
        self.even = self._apart(none, nothing) / whole if whole else 0.0

    def lost(self, kept: Tensor) -> float:
        """Return the share of the effect that is lost if some channels are kept."""
        return self._apart(self.whole, self.edits(kept)) / self.energy

    @torch.inference_mode()
    def edits(self, kept: Tensor) -> list[Tensor]:
        """Return what is added in the brain if only some channels are kept.

        Parameters
        ----------
        kept : tensor of bool, shape (width,)
            Which.
        """
        means = self.mean[None, :, None, None]

        def ablate(_: nn.Module, __: object, given: Tensor) -> Tensor:
            return torch.where(kept[None, :, None, None], given, means)

        with hooked(self.layer, ablate):
            return [
                (self.generator(s.images, s.place) - s.images) * s.inside
                for s in self.slices
            ]

    def _apart(self, one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
        """Return the mean squared difference of two edits in the brain."""
        pairs = zip(one, other, strict=True)
        total = sum(float(((a - b) ** 2).double().sum()) for a, b in pairs)
        return total / max(sum(float(s.inside.sum()) for s in self.slices), 1.0)


@torch.inference_mode()
def moments(
    generator: Generator, layer: nn.Module, slices: Sequence[Batch]
) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each channel over the brain, (width,)."""
    count, total, squares = 0.0, torch.zeros(1), torch.zeros(1)
    for one in slices:
        found = response(generator, layer, one)
        share = brain_in(found, one.inside)
        count += float(share.sum())
        total = total + (found * share).sum((0, 2, 3))
        squares = squares + (found**2 * share).sum((0, 2, 3))
    mean = total / max(count, 1.0)
    return mean, (squares / max(count, 1.0) - mean**2).clamp(min=0).sqrt()


@torch.inference_mode()
def response(generator: Generator, layer: nn.Module, slices: Batch) -> Tensor:
    """Return what a layer gives, shape (batch, width, h / FOLD, w / FOLD)."""
    found: list[Tensor] = []
    with hooked(layer, lambda _, __, given: found.append(given)):
        generator(slices.images, slices.place)
    return found[0]


@contextmanager
def hooked(layer: nn.Module, hook: object) -> Iterator[None]:
    """Let a hook see, or replace, what a layer gives."""
    handle = layer.register_forward_hook(hook)  # type: ignore[arg-type]
    try:
        yield
    finally:
        handle.remove()
