"""One step of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mitame.engines.cyclegan.losses import adversarial, apart, unsteady
from mitame.engines.cyclegan.networks import Networks
from mitame.engines.cyclegan.pool import Pool
from mitame.engines.cyclegan.settings import Settings
from mitame.engines.cyclegan.slices import Deck, Slices, Which
from mitame.engines.cyclegan.state import State
from mitame.engines.cyclegan.team import Team

MEMORY = 0.99
"""Of the average of the discriminators' loss, a step."""

SOON = 20
"""Steps after which the average of the weights has begun to be one."""

Decks = tuple[Deck, Deck]
"""Slices of the source and of the target."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """`Slices` as tensors."""

    images: Tensor
    place: Tensor
    inside: Tensor

    @classmethod
    def of(cls, slices: Slices, device: torch.device) -> Batch:
        """Return the same there, in the layout that convolutions are fastest in."""
        parts = (slices.images, slices.place, slices.inside)
        return cls(
            *(
                torch.from_numpy(np.ascontiguousarray(part))
                .to(device)
                .contiguous(memory_format=torch.channels_last)
                for part in parts
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Haze:
    """Noise of one step.

    Parameters
    ----------
    level : float
        Of what discriminators see added to all that they see.
    lacks : (tensor, tensor)
        Noise that results there and back lack, shape (1, n_images, 1, 1).
    chance : torch.Generator
        Draws.
    """

    level: float
    lacks: tuple[Tensor, Tensor]
    chance: torch.Generator

    def like(self, images: Tensor) -> Tensor:
        """Return white noise of standard deviation 1."""
        noise = torch.randn(images.shape, generator=self.chance)
        return noise.to(images.device)

    def judged(self, judge: nn.Module, images: Tensor, at: Batch, real: bool) -> Tensor:
        """Return how far a discriminator is from calling images real, or not."""
        seen = (images + self.level * self.like(images)) * at.inside
        return adversarial(judge(seen, at.place), real, at.inside)


def take_step(
    state: State,
    decks: Decks,
    settings: Settings,
    lacks: tuple[Tensor, Tensor],
    rng: np.random.Generator,
    team: Team,
) -> dict[str, float]:
    """Take one step of all networks; return the losses.

    Parameters
    ----------
    state : State
        Goes on by a step.
    decks : (Deck, Deck)
        Source and target.
    settings : Settings
        Weights and rates.
    lacks : (tensor, tensor)
        As of `Haze`.
    rng : Generator
        All that the step draws comes from it.
    team : Team
        Who takes the step.
    """
    nets = state.networks
    state.set_rates(settings)
    axis = int(rng.integers(3))
    places = _places(decks, axis, settings.batch, rng)
    which = [team.share(deck.draw(axis, places, rng)) for deck in decks]
    a, b = (
        Batch.of(deck.cut(axis, some), team.device)
        for deck, some in zip(decks, which, strict=True)
    )
    chance = torch.Generator().manual_seed(int(rng.integers(2**62)) + team.rank)
    haze = Haze(settings.noise, lacks, chance)

    moving = state.step >= settings.ahead * settings.steps
    with torch.set_grad_enabled(moving), half_precision(team.device):
        losses, made = _losses(nets, a, b, settings, haze)
    if moving:
        weighed = [settings.weights[name] * loss for name, loss in losses.items()]
        _descend(state.making, torch.stack(weighed).sum(), nets.made(), team)

    old_b, of_a = _mixed(state.pools[0], decks[0], axis, made[0], which[0], rng)
    old_a, of_b = _mixed(state.pools[1], decks[1], axis, made[1], which[1], rng)
    with half_precision(team.device):
        caught = (
            haze.judged(nets.there_judge, b.images, b, True)
            + haze.judged(nets.there_judge, old_b, of_a, False)
            + haze.judged(nets.back_judge, a.images, a, True)
            + haze.judged(nets.back_judge, old_a, of_b, False)
        )
    _descend(state.judging, caught, nets.judging(), team)
    nets.follow(min(settings.average, state.step / (state.step + SOON)))
    losses["discriminator"] = caught
    told = team.averages({name: loss.item() for name, loss in losses.items()})
    state.caught = MEMORY * state.caught + (1 - MEMORY) * told["discriminator"]
    state.step += 1
    return told


def _losses(
    nets: Networks, a: Batch, b: Batch, settings: Settings, haze: Haze
) -> tuple[dict[str, Tensor], tuple[Tensor, Tensor]]:
    """Return what generators should make small, and results as they are judged."""
    made_b, made_a = nets.there(a.images, a.place), nets.back(b.images, b.place)
    shown_b = made_b + haze.lacks[0] * haze.like(made_b)
    shown_a = made_a + haze.lacks[1] * haze.like(made_a)
    found = {
        "adversarial": haze.judged(nets.there_judge, shown_b, a, True)
        + haze.judged(nets.back_judge, shown_a, b, True),
        "cycle": apart(nets.back(made_b, a.place), a.images, a.inside)
        + apart(nets.there(made_a, b.place), b.images, b.inside),
        "identity": apart(nets.there(b.images, b.place), b.images, b.inside)
        + apart(nets.back(a.images, a.place), a.images, a.inside),
    }
    if settings.steady:
        found["steady"] = _unsteady(nets.there, a, made_b, settings.noise, haze)
        found["steady"] += _unsteady(nets.back, b, made_a, settings.noise, haze)
    return found, (shown_b, shown_a)


def _unsteady(
    generator: nn.Module, given: Batch, made: Tensor, level: float, haze: Haze
) -> Tensor:
    """Return how much of some noise the edit of every other slice follows."""
    images, inside = given.images[::2], given.inside[::2]
    noise = level * haze.like(images)
    noisy = generator(images + noise, given.place[::2])
    return unsteady(noisy - noise - made[::2], level, inside)


def half_precision(device: torch.device) -> torch.autocast:
    """Return what a GPU computes convolutions in; a CPU stays with whole precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda")


def _descend(
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    parameters: list[nn.Parameter],
    team: Team,
) -> None:
    optimizer.zero_grad()
    loss.backward(inputs=parameters)
    team.average_gradients(parameters)
    optimizer.step()


def _places(
    decks: Decks, axis: int, n: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return places all over the brain, evenly spread from a start that is drawn."""
    low, high = np.mean([deck.span(axis) for deck in decks], axis=0)
    return np.asarray(low + (high - low) * (rng.random() + np.arange(n)) / n)


def _mixed(
    pool: Pool,
    deck: Deck,
    axis: int,
    made: Tensor,
    which: Sequence[Which],
    rng: np.random.Generator,
) -> tuple[Tensor, Batch]:
    """Return results of now and before, and the slices they were made of."""
    images, some = pool.mixed(axis, made.cpu(), which, rng)
    return images.to(made.device), Batch.of(deck.cut(axis, some), made.device)
