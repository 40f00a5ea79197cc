"""A small 3-D network that learns to tell two groups of scans apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.session import Session
from mitame.prepare.place import in_place

if TYPE_CHECKING:
    import torch

HIGH_PASS_MM = 3.0
"""SD of the blur that the second channel of a sequence is the rest of."""

WIDTHS = (16, 32, 64, 64)
"""Channels of the four convolutions; each halves the grid."""

_LEAST_STD = 1e-6


@dataclass(frozen=True, slots=True)
class Training:
    """How the network is trained.

    Parameters
    ----------
    spacing : float
        Of its grid in template space, mm; 2.5 gives (64, 76, 64) voxels.
    epochs : int
        How often it sees every training scan.
    batch : int
        Most scans in one step, >= 4: its features are put on one scale over them.
    learning_rate, weight_decay : float
        Of AdamW; the rate falls to 0 along a cosine.
    dropout : float
        Share of the pooled features that a step does without.
    shift : int
        Every scan is moved by up to this many voxels along each axis. It is not
        flipped: left and right of a coil differ.
    """

    spacing: float = 2.5
    epochs: int = 40
    batch: int = 8
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    dropout: float = 0.2
    shift: int = 2


def network_input(session: Session, spacing: float) -> NDArray[np.float32]:
    """Return the brain and its fine detail for each sequence, and the brain mask.

    Parameters
    ----------
    session : Session
        Prepared: brain mask, `to_template`, white-matter medians.
    spacing : float
        Of the grid in template space, mm.

    Returns
    -------
    array, shape (2 * n_sequences + 1, i, j, k)
        The mask comes last.
    """
    placed = in_place(session, spacing)
    channels = []
    for image in placed.images.values():
        detail = image - ndimage.gaussian_filter(image, HIGH_PASS_MM / spacing)
        channels += [image, detail]
    return np.stack([*channels, placed.brain.astype(np.float32)])


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """Trained weights, and the scale they were trained on."""

    parts: torch.nn.ModuleDict
    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    def predict(self, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.intp]:
        """Return the group, 0 or 1, of each scan; from `network_input`."""
        import torch

        answers = []
        with torch.inference_mode():
            for scan in inputs:
                ready = torch.from_numpy(_scaled(scan, self.mean, self.std))
                answers.append(float(_answer(self.parts, ready[None])))
        return (np.array(answers) > 0).astype(np.intp)


def train(
    inputs: Sequence[NDArray[np.float32]],
    group: NDArray[np.intp],
    *,
    training: Training,
    seed: int,
) -> Network:
    """Return a network, trained from scratch, that tells group 0 from group 1.

    Parameters
    ----------
    inputs : sequence of array, shape (n_channels, i, j, k)
        From `network_input`.
    group : array of int, shape (n_scans,)
        0 or 1; both occur, and count the same however many scans they have.
    training : Training
        How.
    seed : int
        Of weights, order, shifts and dropout. Torch's own state is left as it was.
    """
    import torch

    mean, std = _scale(inputs)
    scans = torch.from_numpy(np.stack([_scaled(scan, mean, std) for scan in inputs]))
    truth = torch.from_numpy(group.astype(np.float32))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        parts = _new(scans.shape[1] - 1, training.dropout)
        _descend(parts, scans, truth, training)
        _settle(parts, scans)
    return Network(parts.eval(), mean, std)


def _scale(
    inputs: Sequence[NDArray[np.float32]],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean and standard deviation of every channel in all brains.

    One scale for all scans: one on its own scale would hide its tone.
    """
    brains = np.concatenate([scan[:-1, scan[-1] > 0] for scan in inputs], axis=1)
    mean = brains.mean(axis=1, dtype=np.float64).astype(np.float32)
    std = brains.std(axis=1, dtype=np.float64).astype(np.float32)
    return mean, np.maximum(std, np.float32(_LEAST_STD))


def _scaled(
    scan: NDArray[np.float32], mean: NDArray[np.float32], std: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the channels on the common scale, the mean outside, and the mask."""
    wide = (slice(None), None, None, None)
    channels = (scan[:-1] - mean[wide]) / std[wide] * scan[-1]
    return np.concatenate([channels, scan[-1:]])


def _descend(
    parts: torch.nn.ModuleDict,
    scans: torch.Tensor,
    truth: torch.Tensor,
    training: Training,
) -> None:
    """Fit the weights; a fixed schedule, so that no scan is needed to stop it."""
    import torch

    optimizer = torch.optim.AdamW(
        parts.parameters(),
        lr=training.learning_rate,
        weight_decay=training.weight_decay,
    )
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, training.epochs)
    loss = torch.nn.BCEWithLogitsLoss(pos_weight=(1 - truth).sum() / truth.sum())
    for _ in range(training.epochs):
        order = torch.randperm(len(scans))
        for some in order.tensor_split(-(-len(scans) // training.batch)):
            optimizer.zero_grad()
            seen = _shifted(scans[some], training.shift)
            loss(_answer(parts, seen), truth[some]).backward()
            optimizer.step()
        falling.step()


def _settle(parts: torch.nn.ModuleDict, scans: torch.Tensor) -> None:
    """Put the pooled features on the scale they have over all scans, in the end.

    The running averages of a few dozen steps lag behind the weights; with them, a
    network that had learned its scans by heart could give all of them one name.
    """
    import torch

    for part in parts["head"].children():
        if isinstance(part, torch.nn.BatchNorm1d):
            part.reset_running_stats()
            part.momentum = None  # the plain average, of one batch here
    with torch.inference_mode():
        _answer(parts, scans)


def _new(n_channels: int, dropout: float) -> torch.nn.ModuleDict:
    """Return fresh weights.

    The first layer is not normalized, and the head sees mean and standard deviation
    of it: there, tone and noise still have their size.
    """
    from torch import nn

    first, *rest = WIDTHS
    layers: list[nn.Module] = []
    before = first
    for width in rest:
        layers += [
            nn.Conv3d(before, width, 3, stride=2, padding=1),
            nn.InstanceNorm3d(width, affine=True),
            nn.ReLU(),
        ]
        before = width
    n_pooled = 2 * first + before
    return nn.ModuleDict(
        {
            "first": nn.Sequential(
                nn.Conv3d(n_channels, first, 3, stride=2, padding=1), nn.ReLU()
            ),
            "rest": nn.Sequential(*layers),
            "head": nn.Sequential(
                nn.BatchNorm1d(n_pooled), nn.Dropout(dropout), nn.Linear(n_pooled, 1)
            ),
        }
    )


def _answer(parts: torch.nn.ModuleDict, scans: torch.Tensor) -> torch.Tensor:
    """Return how much each scan looks like group 1, > 0 if more than like group 0."""
    import torch

    brain = scans[:, -1:]  # (batch, 1, i, j, k)
    first = parts["first"](scans[:, :-1])  # (batch, 16, i / 2, j / 2, k / 2)
    rest = parts["rest"](first)  # (batch, 64, i / 16, j / 16, k / 16)
    pooled = torch.cat([*_pooled(first, brain), _pooled(rest, brain)[0]], dim=1)
    answer: torch.Tensor = parts["head"](pooled)[:, 0]  # (batch,)
    return answer


def _pooled(
    maps: torch.Tensor, brain: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return mean and standard deviation of every map in the brain, (batch, n_maps).

    Over the whole grid, the size of the brain would drown its tone.
    """
    from torch.nn import functional

    share = functional.interpolate(brain, maps.shape[2:], mode="area")
    share = share / share.sum((2, 3, 4), keepdim=True)
    mean = (maps * share).sum((2, 3, 4), keepdim=True)
    square = (share * (maps - mean) ** 2).sum((2, 3, 4))
    return mean[:, :, 0, 0, 0], (square + _LEAST_STD).sqrt()


def _shifted(scans: torch.Tensor, most: int) -> torch.Tensor:
    """Return every scan moved by a random number of voxels."""
    import torch

    moves = torch.randint(-most, most + 1, (len(scans), 3)).tolist()
    return torch.stack(
        [
            scan.roll(move, dims=(1, 2, 3))
            for scan, move in zip(scans, moves, strict=True)
        ]
    )
