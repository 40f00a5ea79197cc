"""How a CycleGAN is built and trained: one dial, and what it turns."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

Size = Literal["tiny", "small", "base"]
"""The dial: two cores and minutes, two cores and an hour, a GPU."""

ENOUGH = 24
"""People in each group that the steps of a size are for. With fewer, discriminators
soon know everybody by heart, and what they ask for then is harm."""

Layers = Literal["local", "far", "full"]
"""What stands after the first convolution of all networks: nothing more, a kernel that
reaches across a third of the brain, or a layer that joins every place with every other.
The last two are the original study's, and there to be studied."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes of the networks, weights of the losses, and the schedule.

    Parameters
    ----------
    width : int
        Channels of the generator's layers.
    blocks : int
        Residual blocks of the generator.
    judge_width : int
        Channels of the discriminator's first layer.
    steps : int
        Of the discriminators.
    ahead : float
        Share of these before generators take their first: until discriminators can
        tell anything, there is nothing to learn from them.
    batch : int
        Slices of each scanner a step.
    rate, judge_rate : float
        Learning rates of generators and discriminators; fall to 0 over the second half.
    cycle, identity, steady : float
        Weights of these losses; the adversarial one has 1.
    place : float
        Amplitude of the coordinate channels; 0 leaves them out.
    haze : float
        Standard deviation of what discriminators see added, white-matter medians.
    average : float
        Of the weights of one step in the average of all.
    tones : int
        That networks tell apart in each sequence, so that they need not learn to; 0
        leaves these channels out.
    layers : str
        See `Layers`.
    patch : int
        Voxels an edge of what is trained on, a multiple of 4; 0 for whole slices.
    """

    width: int = 16
    blocks: int = 1
    judge_width: int = 16
    steps: int = 4000
    ahead: float = 0.05
    batch: int = 8
    rate: float = 8e-4
    judge_rate: float = 2e-3
    cycle: float = 5.0
    identity: float = 0.5
    steady: float = 2.0
    place: float = 0.3
    haze: float = 0.05
    average: float = 0.998
    tones: int = 8
    layers: Layers = "local"
    patch: int = 0

    @property
    def weights(self) -> dict[str, float]:
        """Return the weight of each loss of the generators."""
        return {
            "adversarial": 1.0,
            "cycle": self.cycle,
            "identity": self.identity,
            "steady": self.steady,
        }

    def for_people(self, n: int) -> Settings:
        """Return the same with no more steps for each person than `ENOUGH` have."""
        return replace(self, steps=math.ceil(self.steps * min(1.0, n / ENOUGH)))

    def share_of_rate(self, step: int) -> float:
        """Return the share of the learning rates at a step: all, then falling to 0."""
        return min(1.0, 2 * (1 - step / self.steps))


LARGER = Settings(judge_width=32, rate=4e-4, judge_rate=1e-3, average=0.999)
"""Wider networks go farther with a step of the same rate."""

SIZES: dict[Size, Settings] = {
    "tiny": Settings(),
    "small": replace(LARGER, width=48, blocks=6, steps=6000),
    "base": replace(LARGER, width=64, blocks=9, steps=40_000, batch=32),
}
