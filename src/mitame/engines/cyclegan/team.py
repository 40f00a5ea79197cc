"""Processes that train one model together, and what each computes on."""

from __future__ import annotations

import atexit
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor, distributed, nn

from mitame.core.errors import InputError

CPU = torch.device("cpu")

PATIENCE = timedelta(hours=6)
"""How long a process waits for the others: they may still be preparing scans."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Team:
    """One process of several that take each step together, or of one.

    All draw the same slices and take a share of them; gradients are averaged, so the
    networks stay the same everywhere.

    Parameters
    ----------
    rank, size : int
        Which process, of how many.
    device : torch.device
        What it computes on.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = CPU

    @property
    def leads(self) -> bool:
        """Whether this is the process that tells and keeps."""
        return self.rank == 0

    def share(self, items: Sequence[Item]) -> Sequence[Item]:
        """Return what of a step's slices this process takes."""
        return items[self.rank :: self.size]

    def average_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Set all gradients to their means over processes."""
        if self.size == 1:
            return
        gradients = [p.grad for p in parameters if p.grad is not None]
        flat = self._averaged(torch.cat([g.flatten() for g in gradients]))
        parts = flat.split([g.numel() for g in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def averages(self, values: dict[str, float]) -> dict[str, float]:
        """Return the means of some numbers over processes."""
        if self.size == 1:
            return values
        numbers = torch.tensor(list(values.values()), device=self.device)
        return dict(zip(values, self._averaged(numbers).tolist(), strict=True))

    def _averaged(self, numbers: Tensor) -> Tensor:
        distributed.all_reduce(numbers)
        return numbers / self.size

    def require_even(self, pairs: int) -> None:
        """Raise unless the pairs of slices of a step can be shared evenly."""
        if pairs % self.size:
            raise InputError(
                f"{self.size} processes cannot share {pairs} pairs of slices a step.",
                fix=f"Start a number of processes that divides {pairs}.",
            )


def gathered() -> Team:
    """Return the team that `torchrun` started this process for, or a team of one."""
    device = CPU
    if torch.cuda.is_available():
        device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Team(device=device)
    # Once a process: a second time they would not find each other.
    if not distributed.is_initialized():
        backend = "gloo" if device == CPU else "nccl"
        distributed.init_process_group(backend, timeout=PATIENCE)
        atexit.register(distributed.destroy_process_group)
    return Team(distributed.get_rank(), distributed.get_world_size(), device)
