"""What a fitted CycleGAN keeps of its networks, to look inside them later."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from mitame.engines.cyclegan.networks import Discriminator, Generator, Networks
from mitame.engines.cyclegan.settings import Settings
from mitame.engines.cyclegan.state import below

KEPT = ("there_average", "there_judge")
"""Parts of `Networks`: the generator to the target, and its discriminator."""

TOPS = "tops"
"""The brightest tone of each sequence, which networks are built with."""

Weights = dict[str, NDArray[np.float32]]
"""By name; without torch, so that use needs none."""


def weights_of(networks: Networks) -> Weights:
    """Return the weights of the generator to the target and its discriminator."""
    found: Weights = {TOPS: np.asarray(networks.tops, np.float32)}
    for part in KEPT:
        for name, values in getattr(networks, part).state_dict().items():
            found[f"{part}.{name}"] = values.numpy().copy()
    return found


def restored(weights: Weights, settings: Settings) -> tuple[Generator, Discriminator]:
    """Return the generator to the target, and the discriminator that it had to mislead.

    Parameters
    ----------
    weights : dict of str to array
        As `weights_of` returns them.
    settings : Settings
        Those of the training.
    """
    with torch.random.fork_rng(devices=[]):  # new networks draw weights
        networks = Networks([float(top) for top in weights[TOPS]], settings)
    tensors = {name: torch.from_numpy(values) for name, values in weights.items()}
    for part in KEPT:
        getattr(networks, part).load_state_dict(below(part, tensors))
    networks.eval()
    return networks.there_average, networks.there_judge
