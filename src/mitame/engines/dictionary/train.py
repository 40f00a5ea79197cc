"""Training of a code for the target patches it shall give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mitame.engines.dictionary.code import STEPS, TrainedCode
from mitame.solve.learn import first_atoms

Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Training:
    """How a code is trained.

    Parameters
    ----------
    n_atoms : int
        Of the dictionary.
    penalty : float
        Where the thresholds start, in standard deviations of a patch's values.
    epochs : int
        Times every patch is seen.
    rate : float
        Largest learning rate.
    batch : int
        Patches a step.
    seed : int
        Of the first atoms and the order of patches.
    """

    n_atoms: int = 512
    penalty: float = 1.0
    epochs: int = 15
    rate: float = 1e-2
    batch: int = 1024
    seed: int = 0


def train_code(source: Rows, target: Rows, training: Training) -> TrainedCode:
    """Return a code that gives target patches from source patches.

    Parameters
    ----------
    source : array of float32, shape (n, d)
        Patches, of mean 0 and about unit variance.
    target : array of float32, shape (n, d_target)
        What each shall give; columns of about unit variance.
    training : Training
        How.
    """
    rng = np.random.default_rng(training.seed)
    net = _Net(first_atoms(source, training.n_atoms, rng), target.shape[1], training)
    given, wanted = torch.from_numpy(source), torch.from_numpy(target)
    steps = training.epochs * -(-len(source) // training.batch)
    optimizer = torch.optim.Adam(net.parameters(), lr=training.rate)
    rates = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.rate, total_steps=steps
    )
    for _ in range(training.epochs):
        order = torch.from_numpy(rng.permutation(len(source)))
        for some in order.split(training.batch):
            loss = nn.functional.mse_loss(net(given[some]), wanted[some])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.step()
    return net.trained()


class _Net(nn.Module):
    """What `TrainedCode` computes, with gradients; starts at steps of the lasso."""

    def __init__(self, atoms: Rows, d_target: int, training: Training) -> None:
        super().__init__()
        words = torch.from_numpy(atoms)
        self.step = float(torch.linalg.matrix_norm(words, 2)) ** -2
        # Of the size of atoms, not of steps: one rate suits both, and a step that one
        # update makes too long would grow with each step after it.
        self.along = nn.Parameter(words.clone())
        self.atoms = nn.Parameter(words.clone())
        threshold = torch.full((len(atoms),), training.penalty * self.step)
        self.threshold = nn.Parameter(threshold)
        self.decode = nn.Parameter(torch.zeros(len(atoms), d_target))

    def forward(self, patches: Tensor) -> Tensor:
        encode = self.step * self.along.T
        code = self._shrunk(patches @ encode)
        for _ in range(STEPS):
            left = patches - code @ self.atoms
            code = self._shrunk(code + left @ encode)
        return code @ self.decode

    def trained(self) -> TrainedCode:
        return TrainedCode(
            *(
                np.ascontiguousarray(part.detach().numpy())
                for part in (
                    self.step * self.along,
                    self.atoms,
                    self.threshold.clamp(min=0),
                    self.decode,
                )
            )
        )

    def _shrunk(self, values: Tensor) -> Tensor:
        size = torch.relu(values.abs() - self.threshold.clamp(min=0))
        return size * values.sign()
