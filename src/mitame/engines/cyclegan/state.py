"""What a training is at one step, whole enough to go on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from mitame.engines.cyclegan.networks import Networks
from mitame.engines.cyclegan.pool import Pool
from mitame.engines.cyclegan.settings import Settings
from mitame.engines.cyclegan.team import CPU

BETAS = (0.5, 0.99)
"""Of Adam."""

WAYS = ("there", "back")


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
    def new(
        cls,
        tops: Sequence[float],
        settings: Settings,
        seed: int,
        device: torch.device = CPU,
    ) -> State:
        """Return the state before the first step."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            networks = Networks(tops, settings).to(device)
        return cls(
            networks,
            _adam(networks.made(), settings.rate),
            _adam(networks.judging(), settings.judge_rate),
        )

    def set_rates(self, settings: Settings) -> None:
        """Give both optimizers the rates of this step."""
        share = settings.share_of_rate(self.step)
        self.making.param_groups[0]["lr"] = share * settings.rate
        self.judging.param_groups[0]["lr"] = share * settings.judge_rate

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
        self.networks.load_state_dict(below("networks", tensors))
        for name in ("making", "judging"):
            optimizer = getattr(self, name)
            parts: dict[int, dict[str, Tensor]] = {}
            weights = optimizer.param_groups[0]["params"]
            for key, value in below(name, tensors).items():
                n, what = key.split(".")
                parts.setdefault(int(n), {})[what] = _laid_as(weights[int(n)], value)
            optimizer.load_state_dict({**optimizer.state_dict(), "state": parts})
        for name, pool in zip(WAYS, self.pools, strict=True):
            pool.restore(below(name, tensors))
        self.step, self.caught = step, float(tensors["caught"])
        self.edit = tensors.get("edit")


def _adam(weights: list[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    """Return an optimizer that takes a step of all weights at once."""
    return torch.optim.Adam(weights, rate, BETAS, fused=True)


def _laid_as(weight: Tensor, value: Tensor) -> Tensor:
    """Return a value in the layout of its weight: a fused step takes it to be so."""
    return value if value.ndim == 0 else torch.empty_like(weight).copy_(value)


def below(name: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return what is named `name` and a dot, without that."""
    first = f"{name}."
    return {k.removeprefix(first): v for k, v in tensors.items() if k.startswith(first)}
