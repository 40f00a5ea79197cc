"""The training of a CycleGAN; the loop, whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from mitame.core.errors import ImplausibleError
from mitame.engines.cyclegan.networks import Networks
from mitame.engines.cyclegan.settings import Settings
from mitame.engines.cyclegan.slices import Deck, Head, Image, tops_of
from mitame.engines.cyclegan.state import State
from mitame.engines.cyclegan.step import Batch, take_step
from mitame.engines.cyclegan.team import gathered
from mitame.engines.cyclegan.watch import Watch

CHECK = 100
"""Steps between two checkpoints, and two looks at whether the training has settled."""

SETTLED = 0.01
"""A training stops when the edit of some slices changes by less from look to look."""

PROBE = 24
"""Slices that are looked at."""

COLLAPSED = 0.02
"""Loss of the discriminators, on average, below which they tell every result."""


def train(
    source: Sequence[Head],
    target: Sequence[Head],
    noise: tuple[Image, Image],
    settings: Settings,
    seed: int,
    watch: Watch,
) -> Networks:
    """Return networks that were trained on two groups of heads of one shape.

    What is drawn in a step depends on the seed and the step alone, so a training that
    goes on from a checkpoint gives what an unbroken one gives.

    Parameters
    ----------
    source, target : sequence of Head
        Both groups.
    noise : two arrays of float32, shape (n_images,)
        Standard deviations of the noise of source and target: `slices.noise_of`.
    settings : Settings
        Sizes, weights, schedule.
    seed : int
        Of weights and of all that is drawn.
    watch : Watch
        Keeps and tells.

    Raises
    ------
    ImplausibleError
        If the training diverges; the last checkpoint stays.
    InputError
        If processes that were started together cannot share a step.
    """
    team = gathered()
    team.require_even(settings.batch // 2)  # losses are of every other slice
    cut_as = settings.place, settings.patch
    decks = Deck(source, *cut_as), Deck(target, *cut_as)
    lacks = more_noise(*noise, team.device)
    probe = _probe(decks[0], seed, team.device)
    tops = tops_of((*source, *target))
    state = State.new(tops, settings, seed, team.device)
    about = _digest(source, target, f"{asdict(settings)} {seed}")
    state = watch.resumed(state, about)
    first = state.step
    while state.step < settings.steps:
        if state.step % CHECK == 0 and state.step > first:
            edit = _edit(state.networks, probe)
            settled = _has_settled(state, edit)
            if team.leads:
                watch.show(state.step, probe.images.cpu(), edit)
                watch.save(state)
            if settled:
                break
        rng = np.random.default_rng((seed, state.step))
        losses = take_step(state, decks, settings, lacks, rng, team)
        _require_sound(losses, state)
        if team.leads:
            watch.log(state.step, settings.steps, losses)
    return state.networks.cpu()


def more_noise(
    ours: Image, theirs: Image, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return the noise that results there and back lack, shape (1, n_images, 1, 1).

    A generator can take noise away, but it cannot draw any: what looks like more of it
    is texture copied from the scan, and farther from the truth. So noise that a scanner
    has more of is added to results when they are judged, and is not asked for.
    """
    more = theirs**2 - ours**2
    lacks = np.stack([more, -more]).clip(min=0) ** 0.5
    there, back = torch.from_numpy(lacks.astype(np.float32)).to(device)
    return there[None, :, None, None], back[None, :, None, None]


def _probe(deck: Deck, seed: int, device: torch.device) -> Batch:
    """Return slices all over the brain that are looked at now and then."""
    rng = np.random.default_rng(seed)
    places = np.linspace(*deck.span(2), PROBE)
    return Batch.of(deck.cut(2, deck.draw(2, places, rng)), device)


@torch.no_grad()
def _edit(networks: Networks, probe: Batch) -> Tensor:
    """Return what the average generator adds to some slices."""
    made: Tensor = networks.there_average(probe.images, probe.place)
    return ((made - probe.images) * probe.inside).cpu()


def _has_settled(state: State, edit: Tensor) -> bool:
    """Return whether the edit of the probe is what it was at the last look."""
    before, state.edit = state.edit, edit
    if before is None:
        return False
    # While generators have not begun, both sides are 0, and that is not settled.
    return bool((edit - before).norm() < SETTLED * edit.norm())


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
