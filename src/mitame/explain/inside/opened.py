"""The networks of a fitted CycleGAN, ready to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from mitame.core.session import Session, Suffix
from mitame.engines.cyclegan.engine import MULTIPLE, CycleGAN
from mitame.engines.cyclegan.kept import Weights, restored
from mitame.engines.cyclegan.losses import brain_in
from mitame.engines.cyclegan.networks import Discriminator, Generator
from mitame.engines.cyclegan.slices import Head, cut
from mitame.engines.cyclegan.step import Batch, Haze
from mitame.engines.cyclegan.team import CPU
from mitame.engines.cyclegan.train import more_noise

EVERY = 4
"""Of so many slices one is looked at, across each axis."""


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Generator to the target, and the discriminator that it had to mislead.

    Parameters
    ----------
    suffixes : tuple of str
        The sequences, all in one slice.
    place : float
        Amplitude of the coordinate channels.
    generator : Generator
        The average one, which is used.
    judge : Discriminator
        Scores how much a piece of a slice looks like the target's own.
    haze : float
        Noise that discriminators see added, white-matter medians.
    lacks : (tensor, tensor)
        Noise that results there and back lack, as of `step.Haze`.
    """

    suffixes: tuple[Suffix, ...]
    place: float
    generator: Generator
    judge: Discriminator
    haze: float
    lacks: tuple[Tensor, Tensor]

    @classmethod
    def of(cls, engine: CycleGAN, weights: Weights) -> Opened:
        """Return the networks of an engine from the weights that it kept."""
        settings = engine.settings
        generator, judge = restored(weights, settings)
        lacks = more_noise(engine.noise_back_, engine.noise_, CPU)
        place, haze = settings.place, settings.haze
        return cls(engine.suffixes_, place, generator, judge, haze, lacks)

    def slices(self, session: Session) -> list[Batch]:
        """Return every `EVERY`-th slice of a session across each axis.

        Parameters
        ----------
        session : Session
            As `CycleGAN.shown` returns it.
        """
        head = Head.of(session, self.suffixes)
        head = head.padded([n + -n % MULTIPLE for n in head.inside.shape])
        some = slice(EVERY // 2, None, EVERY)
        return [Batch.of(cut(head, a, some, self.place), CPU) for a in range(3)]

    @torch.inference_mode()
    def made(self, slices: Sequence[Batch]) -> list[Batch]:
        """Return slices as the generator gives them."""
        return [replace(s, images=self.generator(s.images, s.place)) for s in slices]

    @torch.inference_mode()
    def score(self, slices: Sequence[Batch]) -> float:
        """Return how much slices look like the target's own: 1 if they do, 0 if made.

        The mean over the brain. The noise that discriminators saw in training is added,
        the same whenever it is asked.
        """
        chance = torch.Generator().manual_seed(0)
        haze = Haze(self.haze, self.lacks, chance)
        total, count = 0.0, 0.0
        for one in slices:
            seen = haze.over_made(one.images, 0, one.inside)
            scores = self.judge(seen, one.place)
            share = brain_in(scores, one.inside)
            total += float((scores * share).sum())
            count += float(share.sum())
        return total / max(count, 1.0)
