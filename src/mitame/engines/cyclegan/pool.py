"""Results of earlier steps, shown to a discriminator again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from mitame.engines.cyclegan.slices import Which

SIZE = 48
"""Results of each axis."""


class Pool:
    """Some results of earlier steps, so that a discriminator does not forget them.

    Without them a generator wins by being what it was before. After A. Shrivastava et
    al., "Learning from Simulated and Unsupervised Images through Adversarial Training",
    CVPR 2017.
    """

    def __init__(self) -> None:
        self.kept: dict[int, list[tuple[Tensor, Which]]] = {0: [], 1: [], 2: []}

    def mixed(
        self,
        axis: int,
        made: Tensor,
        which: Sequence[Which],
        rng: np.random.Generator,
    ) -> tuple[Tensor, list[Which]]:
        """Return half of what was made now, half of what was before; keep some of it.

        Parameters
        ----------
        axis : int
            What the slices are across.
        made : tensor, shape (batch, n_images, h, w)
            The results of this step.
        which : sequence of tuple of int
            Which slices they were made of.
        rng : Generator
            Draws.

        Returns
        -------
        tensor, list of tuple of int
            As `made` and `which`; all of this step while there are too few before.
        """
        kept, half = self.kept[axis], len(which) // 2
        now = list(zip(made.detach(), which, strict=True))
        before = []
        if len(kept) >= max(half, 1):
            chosen = rng.choice(len(kept), half, replace=False)
            before = [kept[n] for n in chosen]
        for one in now[:half]:
            if len(kept) < SIZE:
                kept.append(one)
            else:
                kept[int(rng.integers(SIZE))] = one
        shown = [*now[len(before) :], *before]
        return torch.stack([image for image, _ in shown]), [one for _, one in shown]

    def tensors(self) -> dict[str, Tensor]:
        """Return all of it, by name."""
        found = {}
        for axis, kept in self.kept.items():
            if kept:
                found[f"{axis}.images"] = torch.stack([image for image, _ in kept])
                found[f"{axis}.which"] = torch.tensor([which for _, which in kept])
        return found

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Set what `tensors` told."""
        for axis in self.kept:
            if f"{axis}.images" in tensors:
                which = tensors[f"{axis}.which"].tolist()
                images = tensors[f"{axis}.images"]
                self.kept[axis] = [
                    (image, tuple(one))
                    for image, one in zip(images, which, strict=True)
                ]
