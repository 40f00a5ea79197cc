"""One step of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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

    def some(self, first: int) -> Batch:
        """Return every other slice."""
        parts = (self.images, self.place, self.inside)
        return Batch(*(part[first::2] for part in parts))


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

    def over(self, images: Tensor, inside: Tensor) -> Tensor:
        """Return images as discriminators see them."""
        return (images + self.level * self.like(images)) * inside

    def over_made(self, made: Tensor, way: int, inside: Tensor) -> Tensor:
        """Return results there (0) or back (1) as discriminators see them."""
        level = (self.level**2 + self.lacks[way] ** 2).sqrt()
        return (made + level * self.like(made)) * inside


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
    haze = Haze(settings.haze, lacks, chance)

    moving = state.step >= settings.ahead * settings.steps
    with torch.set_grad_enabled(moving), half_precision(team.device):
        losses, made = _losses(nets, a, b, settings, haze)
    if moving:
        weighed = [settings.weights[name] * loss for name, loss in losses.items()]
        _descend(state.making, torch.stack(weighed).sum(), nets.made(), team)

    shown_b = _mixed(state.pools[0], decks[0], axis, made[0], which[0], rng)
    shown_a = _mixed(state.pools[1], decks[1], axis, made[1], which[1], rng)
    with half_precision(team.device):
        caught = _caught(nets.there_judge, b, shown_b, 0, haze)
        caught += _caught(nets.back_judge, a, shown_a, 1, haze)
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
    """Return what generators should make small, and what they made.

    All slices are judged; the other losses, which are soon small and steady, are of
    every other one: there and back of some, what should stay of the rest.
    """
    made_b, made_a = nets.there(a.images, a.place), nets.back(b.images, b.place)
    found = {
        "adversarial": _fooled(nets.there_judge, made_b, a, 0, haze)
        + _fooled(nets.back_judge, made_a, b, 1, haze)
    }
    there = _kept(nets.there, a, b, made_b, made_a, settings, haze)
    back = _kept(nets.back, b, a, made_a, made_b, settings, haze)
    found |= {name: loss + back[name] for name, loss in there.items()}
    return found, (made_b, made_a)


def _fooled(judge: nn.Module, made: Tensor, at: Batch, way: int, haze: Haze) -> Tensor:
    """Return how far a discriminator is from calling results real."""
    scores = judge(haze.over_made(made, way, at.inside), at.place)
    return adversarial(scores, True, at.inside)


def _caught(judge: nn.Module, real: Batch, made: Batch, way: int, haze: Haze) -> Tensor:
    """Return how far a discriminator is from telling results from what is real."""
    seen = [
        haze.over(real.images, real.inside),
        haze.over_made(made.images, way, made.inside),
    ]
    scores = judge(torch.cat(seen), torch.cat([real.place, made.place]))
    of_real, of_made = scores.split([len(one) for one in seen])
    right = adversarial(of_real, True, real.inside)
    return right + adversarial(of_made, False, made.inside)


def _kept(
    generator: nn.Module,
    a: Batch,
    b: Batch,
    made_b: Tensor,
    made_a: Tensor,
    settings: Settings,
    haze: Haze,
) -> dict[str, Tensor]:
    """Return what holds a generator from a to b to what it is given.

    Parameters
    ----------
    generator : Module
        From a to b.
    a, b : Batch
        Slices of both scanners.
    made_b, made_a : tensor
        What the generators made of them.
    settings : Settings
        The noise that an edit should not follow.
    haze : Haze
        Draws it.
    """
    some_a, some_b, rest_b = a.some(0), b.some(0), b.some(1)
    noise = haze.level * haze.like(some_a.images)
    images = torch.cat([made_a[::2], rest_b.images, some_a.images + noise])
    place = torch.cat([some_b.place, rest_b.place, some_a.place])
    again, same, noisy = generator(images, place).split(
        [len(one.images) for one in (some_b, rest_b, some_a)]
    )
    found = {
        "cycle": apart(again, some_b.images, some_b.inside),
        "identity": apart(same, rest_b.images, rest_b.inside),
    }
    if settings.steady:
        change = noisy - noise - made_b[::2]
        found["steady"] = unsteady(change, haze.level, some_a.inside)
    return found


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
) -> Batch:
    """Return results of now and before."""
    images, some = pool.mixed(axis, made.cpu(), which, rng)
    around = deck.cut(axis, some)
    return Batch.of(replace(around, images=images.numpy()), made.device)
