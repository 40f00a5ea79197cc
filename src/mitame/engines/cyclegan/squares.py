"""Slices as the networks are shown them: by squares of voxels, which have one place."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mitame.engines.cyclegan.slices import FOLD

SOFT = (1.0, 2.0, 1.0)
"""What a slice is softened by, along both directions."""

AROUND = 2
"""Voxels around a square that are looked at."""

DETAIL = 3.0
"""Detail is shown so many times: it is smaller than the anatomy."""


class Squares(nn.Module):
    """Tell of each square of voxels how bright it is, and of each voxel its detail.

    That gray matter of one place is a few hundredths brighter a network of few layers
    finds slowly: among people it varies more. Given *tones*, how much a square is of
    each of some, it can weigh what lies between two of them anew, at each place.

    Parameters
    ----------
    tops : sequence of float
        The brightest tone of each sequence.
    tones : int
        Of each sequence, evenly spread from the darkest, which is not 0, to that.
    """

    per_step: Tensor
    steps: Tensor
    soft: Tensor
    fine: Tensor

    def __init__(self, tops: Sequence[float], tones: int) -> None:
        super().__init__()
        self.n_images = len(tops)
        per_step = max(tones, 1) / torch.tensor(tops)
        derived = {
            "per_step": per_step.reshape(-1, 1),
            "steps": torch.arange(1.0, tones + 1),
            "soft": _soft().repeat(len(tops), 1, 1, 1),
            "fine": DETAIL * _fine().repeat(len(tops), 1, 1, 1),
        }
        for name, values in derived.items():
            self.register_buffer(name, values, persistent=False)

    def softened(self, images: Tensor) -> Tensor:
        """Return the mean of each square of softened images, (b, n, h / 2, w / 2)."""
        return self._weighed(images, self.soft)

    def detail(self, images: Tensor) -> Tensor:
        """Return what softening again takes away, `DETAIL` times, (b, 4 n, …, …)."""
        return self._weighed(images, self.fine)

    def tones(self, soft: Tensor) -> Tensor:
        """Return the tones of squares, (b, n tones, h / 2, w / 2).

        Those of a square between two tones are 1 together.
        """
        # Channels last, as convolutions are fastest: no copy is made.
        bright = soft.permute(0, 2, 3, 1).unsqueeze(-1) * self.per_step
        found = nn.functional.relu(1 - (bright - self.steps).abs())
        return found.flatten(3).permute(0, 3, 1, 2)

    def _weighed(self, images: Tensor, weights: Tensor) -> Tensor:
        # Half precision has steps of .004: tones are told apart by less.
        with torch.autocast(images.device.type, enabled=False):
            # Pooling so few channels takes longer than all convolutions of a network.
            return nn.functional.conv2d(
                images, weights, stride=FOLD, padding=AROUND, groups=self.n_images
            )


def _soft() -> Tensor:
    """Return the weights of a square's softened mean."""
    mean = _centered(SOFT).mean(dim=0)
    return torch.outer(mean, mean)[None, None]


def _fine() -> Tensor:
    """Return the weights of the detail of each voxel of a square."""
    once = _centered(SOFT)
    twice = torch.stack([_applied(row) for row in once])
    found = [
        torch.outer(once[i], once[j]) - torch.outer(twice[i], twice[j])
        for i in range(FOLD)
        for j in range(FOLD)
    ]
    return torch.stack(found)[:, None]


def _centered(kernel: Sequence[float]) -> Tensor:
    """Return a kernel around each voxel of a square's edge, shape (2, 6)."""
    rows = torch.zeros(FOLD, FOLD + 2 * AROUND)
    for voxel, row in enumerate(rows):
        first = AROUND + voxel - len(kernel) // 2
        row[first : first + len(kernel)] = torch.tensor(kernel) / sum(kernel)
    return rows


def _applied(row: Tensor) -> Tensor:
    """Return weights after softening once more."""
    kernel = torch.tensor(SOFT) / sum(SOFT)
    found = nn.functional.conv1d(row[None, None], kernel[None, None], padding="same")
    return found[0, 0]
