"""The training of a CycleGAN; the loop, whole."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mitame.core.errors import ImplausibleError
from mitame.engines.cyclegan.losses import adversarial, apart
from mitame.engines.cyclegan.networks import Discriminator, Generator
from mitame.engines.cyclegan.pool import Pool
from mitame.engines.cyclegan.settings import Settings
from mitame.engines.cyclegan.slices import (
    Deck,
    Head,
    Slices,
    Which,
    n_place,
    noise_of,
)
from mitame.engines.cyclegan.watch import Watch

BETAS = (0.5, 0.99)
"""Of Adam."""

CHECK = 100
"""Steps between two checkpoints, and two looks at whether the training has settled."""

SETTLED = 0.01
"""A training stops when the edit of some slices changes by less from look to look."""

PROBE = 24
"""Slices that are looked at."""

COLLAPSED = 0.02
"""Loss of the discriminators, on average, below which they tell every result."""

MEMORY = 0.99
"""Of that average, a step."""

WAYS = ("there", "back")

SOON = 20
"""Steps after which the average of the weights has begun to be one."""


Net = TypeVar("Net", bound=nn.Module)


class Networks(nn.Module):
    """Generators there and back, the discriminator of each, averages of the first two.

    Parameters
    ----------
    n_images : int
        Sequences.
    settings : Settings
        Their sizes.
    """

    def __init__(self, n_images: int, settings: Settings) -> None:
        super().__init__()
        channels = n_images, n_place(settings.place)
        self.there, self.back = (
            _fast(Generator(*channels, settings.width, settings.blocks))
            for _ in range(2)
        )
        self.there_judge, self.back_judge = (
            _fast(Discriminator(*channels, settings.judge_width)) for _ in range(2)
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


def _fast(network: Net) -> Net:
    """Return a network in the layout that convolutions on CPUs are fastest in."""
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


@dataclass(eq=False)
class State:
    """All that a training goes on from.

    Parameters
    ----------
    networks : Networks
        And what of their gradients both optimizers remember.
    pools : (Pool, Pool)
        Of results there and back.
    step : int
        Steps taken.
    caught : float
        Loss of the discriminators, averaged over the last hundred steps or so.
    edit : tensor, optional
        What the average generator did to the probe at the last look.
    """

    networks: Networks
    making: torch.optim.Optimizer
    judging: torch.optim.Optimizer
    pools: tuple[Pool, Pool] = field(default_factory=lambda: (Pool(), Pool()))
    step: int = 0
    caught: float = 1.0
    edit: Tensor | None = None

    @classmethod
    def new(cls, n_images: int, settings: Settings, seed: int) -> State:
        """Return the state before the first step."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            networks = Networks(n_images, settings)
        return cls(
            networks,
            torch.optim.Adam(networks.made(), settings.rate, betas=BETAS),
            torch.optim.Adam(networks.judging(), settings.judge_rate, betas=BETAS),
        )

    def tensors(self) -> dict[str, Tensor]:
        """Return all of it but the number of steps, by name."""
        found = {f"networks.{k}": v for k, v in self.networks.state_dict().items()}
        for name in ("making", "judging"):
            for n, part in getattr(self, name).state_dict()["state"].items():
                found |= {f"{name}.{n}.{key}": value for key, value in part.items()}
        for name, pool in zip(WAYS, self.pools, strict=True):
            found |= {f"{name}.{key}": value for key, value in pool.tensors().items()}
        found["caught"] = torch.tensor(self.caught, dtype=torch.float64)
        if self.edit is not None:
            found["edit"] = self.edit
        return {name: value.contiguous() for name, value in found.items()}

    def restore(self, step: int, tensors: dict[str, Tensor]) -> None:
        """Set what `tensors` told."""
        self.networks.load_state_dict(_below("networks", tensors))
        for name in ("making", "judging"):
            optimizer = getattr(self, name)
            parts: dict[int, dict[str, Tensor]] = {}
            for key, value in _below(name, tensors).items():
                n, what = key.split(".")
                parts.setdefault(int(n), {})[what] = value
            optimizer.load_state_dict({**optimizer.state_dict(), "state": parts})
        for name, pool in zip(WAYS, self.pools, strict=True):
            pool.restore(_below(name, tensors))
        self.step, self.caught = step, float(tensors["caught"])
        self.edit = tensors.get("edit")


def _below(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what is named `name` and a dot, without that."""
    first = f"{name}."
    return {k.removeprefix(first): v for k, v in tensors.items() if k.startswith(first)}


def train(
    source: Sequence[Head],
    target: Sequence[Head],
    settings: Settings,
    seed: int,
    watch: Watch,
) -> Networks:
    """Return networks that were trained on two groups of heads of one shape.

    What is drawn in a step depends on the seed and the step alone, so a training that
    goes on from a checkpoint gives what an unbroken one gives.

    Raises
    ------
    ImplausibleError
        If the training diverges; the last checkpoint stays.
    """
    decks = Deck(source, settings.place), Deck(target, settings.place)
    noise = _more_noise(source, target)
    probe = _probe(decks[0], seed)
    state = State.new(len(source[0].images), settings, seed)
    about = _digest(source, target, f"{asdict(settings)} {seed}")
    state = watch.resumed(state, about)
    first = state.step
    while state.step < settings.steps:
        if state.step % CHECK == 0 and state.step > first:
            settled = _has_settled(state, probe)
            watch.save(state)
            if settled:
                break
        rng = np.random.default_rng((seed, state.step))
        losses = _step(state, decks, settings, noise, rng)
        _require_sound(losses, state)
        watch.log(state.step, settings.steps, losses)
    return state.networks


def _more_noise(
    source: Sequence[Head], target: Sequence[Head]
) -> tuple[Tensor, Tensor]:
    """Return the noise that results there and back lack, shape (1, n_images, 1, 1).

    A generator can take noise away, but it cannot draw any: what looks like more of it
    is texture copied from the scan, and farther from the truth. So noise that a scanner
    has more of is added to results when they are judged, and is not asked for.
    """
    ours, theirs = (noise_of(heads) ** 2 for heads in (source, target))
    lacks = np.stack([theirs - ours, ours - theirs]).clip(min=0) ** 0.5
    there, back = torch.from_numpy(lacks.astype(np.float32))[:, None, :, None, None]
    return there, back


def _step(
    state: State,
    decks: tuple[Deck, Deck],
    settings: Settings,
    lacks: tuple[Tensor, Tensor],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Take one step of all networks; return the losses."""
    nets = state.networks
    for optimizer, rate in (
        (state.making, settings.rate),
        (state.judging, settings.judge_rate),
    ):
        optimizer.param_groups[0]["lr"] = rate * settings.share_of_rate(state.step)
    axis = int(rng.integers(3))
    places = _places(decks, axis, settings.batch, rng)
    which = [deck.draw(axis, places, rng) for deck in decks]
    a, b = (_tensors(d.cut(axis, some)) for d, some in zip(decks, which, strict=True))
    chance = torch.Generator().manual_seed(int(rng.integers(2**62)))

    def judged(judge: nn.Module, images: Tensor, given: _Batch, real: bool) -> Tensor:
        haze = torch.randn(images.shape, generator=chance)
        seen = (images + settings.noise * haze) * given.inside
        return adversarial(judge(seen, given.place), real, given.inside)

    def noisy(images: Tensor, lack: Tensor) -> Tensor:
        return images + lack * torch.randn(images.shape, generator=chance)

    made_b, made_a = nets.there(a.images, a.place), nets.back(b.images, b.place)
    shown_b, shown_a = noisy(made_b, lacks[0]), noisy(made_a, lacks[1])
    fooled = judged(nets.there_judge, shown_b, a, True) + judged(
        nets.back_judge, shown_a, b, True
    )
    cycle = apart(nets.back(made_b, a.place), a.images, a.inside) + apart(
        nets.there(made_a, b.place), b.images, b.inside
    )
    identity = apart(nets.there(b.images, b.place), b.images, b.inside) + apart(
        nets.back(a.images, a.place), a.images, a.inside
    )
    if state.step >= settings.ahead * settings.steps:
        loss = fooled + settings.cycle * cycle + settings.identity * identity
        state.making.zero_grad()
        loss.backward(inputs=nets.made())
        state.making.step()

    old_b, of_a = _mixed(state.pools[0], decks[0], axis, shown_b, which[0], rng)
    old_a, of_b = _mixed(state.pools[1], decks[1], axis, shown_a, which[1], rng)
    caught = (
        judged(nets.there_judge, b.images, b, True)
        + judged(nets.there_judge, old_b, of_a, False)
        + judged(nets.back_judge, a.images, a, True)
        + judged(nets.back_judge, old_a, of_b, False)
    )
    state.judging.zero_grad()
    caught.backward()
    state.judging.step()
    nets.follow(min(settings.average, state.step / (state.step + SOON)))
    state.caught = MEMORY * state.caught + (1 - MEMORY) * caught.item()
    state.step += 1
    losses = {"adversarial": fooled, "cycle": cycle, "identity": identity}
    return {name: v.item() for name, v in {**losses, "discriminator": caught}.items()}


def _places(
    decks: tuple[Deck, Deck], axis: int, n: int, rng: np.random.Generator
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
) -> tuple[Tensor, _Batch]:
    """Return results of now and before, and the slices they were made of."""
    images, some = pool.mixed(axis, made, which, rng)
    return images, _tensors(deck.cut(axis, some))


def _probe(deck: Deck, seed: int) -> _Batch:
    """Return slices all over the brain that are looked at now and then."""
    rng = np.random.default_rng(seed)
    places = np.linspace(*deck.span(2), PROBE)
    return _tensors(deck.cut(2, deck.draw(2, places, rng)))


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """`Slices` as tensors."""

    images: Tensor
    place: Tensor
    inside: Tensor


def _tensors(slices: Slices) -> _Batch:
    return _Batch(
        *(
            torch.from_numpy(np.ascontiguousarray(part)).contiguous(
                memory_format=torch.channels_last
            )
            for part in (slices.images, slices.place, slices.inside)
        )
    )


@torch.no_grad()
def _has_settled(state: State, probe: _Batch) -> bool:
    """Return whether the edit of the probe is what it was at the last look."""
    made = state.networks.there_average(probe.images, probe.place)
    before, state.edit = state.edit, (made - probe.images) * probe.inside
    if before is None:
        return False
    return bool((state.edit - before).norm() < SETTLED * state.edit.norm())


def _digest(source: Sequence[Head], target: Sequence[Head], words: str) -> str:
    """Return what tells a training from any other."""
    found = hashlib.sha256(f"{words} {len(source)}".encode())
    for head in (*source, *target):
        for part in (head.images, head.inside, head.to_place):
            found.update(np.ascontiguousarray(part).tobytes())
    return found.hexdigest()


def _require_sound(losses: dict[str, float], state: State) -> None:
    wrong = [name for name, value in losses.items() if not np.isfinite(value)]
    if wrong:
        raise ImplausibleError(
            f"Training diverged at step {state.step}: {', '.join(wrong)} is not "
            "finite.",
            fix="Give another --seed; the last checkpoint is kept.",
        )
    if state.caught < COLLAPSED:
        raise ImplausibleError(
            f"The discriminators tell every result at step {state.step} (loss "
            f"{state.caught:.3f}): nothing more is learned.",
            fix="Give another --seed, or more scans; the last checkpoint is kept.",
        )
