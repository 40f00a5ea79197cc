"""deepbet's two networks: a head in, how sure each voxel is brain out."""

from __future__ import annotations

import warnings
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ModelError
from mitame.prepare.cleanup import largest

if TYPE_CHECKING:
    import torch

# What the networks were trained on: Fisch et al., deepbet (2024), arXiv:2308.07003,
# and `deepbet.bet.BrainExtraction.run_model`, which these numbers follow.
COARSE = 128
FINE = 256
MARGIN = 0.1
_MEAN, _STD = 0.449, 0.226


def brain_probability(
    data: NDArray[np.float32], *, margin: float = MARGIN
) -> NDArray[np.float32]:
    """Return how sure the networks are that a voxel is brain, 0 to 1.

    A first network finds the box the brain lies in, a second one looks closely.

    Parameters
    ----------
    data : array, shape (i, j, k)
        A head in right-anterior-superior order, voxels about 1 mm.
    margin : float
        What is added to the box on every side, as a share of its size.
    """
    coarse = _run("bbox_model", data, COARSE)
    box = _box(largest(coarse > 0.5), data.shape, margin)
    probability = np.zeros(data.shape, np.float32)
    if box is not None:
        probability[box] = _run("model", data[box], FINE)
    return probability


def _run(name: str, data: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Return the answer of one network about `data`, stretched to a cube and back."""
    import torch

    tensor = torch.tensor(data)[None, None]  # a copy: volumes are read-only
    cube = torch.nn.functional.interpolate(
        tensor, (size, size, size), mode="trilinear", align_corners=False
    )  # (1, 1, size, size, size)
    with torch.inference_mode():
        answer = _network(name)(_normalized(cube))[:, 1:2]
        back = torch.nn.functional.interpolate(
            answer.float(), data.shape, mode="trilinear", align_corners=False
        )
    return np.asarray(back[0, 0].numpy())


def _normalized(cube: torch.Tensor) -> torch.Tensor:
    """Return `cube` with the tone the networks were trained on.

    This clips, but only what the networks see; no image leaves from here.
    """
    import torch

    values = cube.numpy()
    low, high = np.quantile(values[..., ::2, ::2, ::2], (0.005, 0.995)).tolist()
    flat = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    gain = _STD / max(float(flat.std()), 1e-6)
    return torch.from_numpy(gain * (flat - flat.mean()) + _MEAN)


@cache
def _network(name: str) -> torch.jit.ScriptModule:
    """Return one of deepbet's networks; read from its wheel once per process."""
    import torch

    path = _weights() / f"{name}.pt"
    if not path.is_file():
        raise ModelError(
            f"deepbet's weights are not at {path}.",
            fix="Install deepbet again: `pip install --force-reinstall deepbet`.",
        )
    with warnings.catch_warnings():
        # deepbet ships TorchScript, which torch 2.13 still reads but deprecates.
        warnings.filterwarnings("ignore", r"`torch\.jit\.load`", DeprecationWarning)
        network: torch.jit.ScriptModule = torch.jit.load(str(path), map_location="cpu")
    network.eval()
    return network


def _weights() -> Path:
    """Return the folder of the weights, which lies beside deepbet's own package."""
    spec = find_spec("deepbet")
    if spec is None or spec.origin is None:
        raise ModelError("deepbet is not installed.", fix="`pip install deepbet`.")
    return Path(spec.origin).parents[1] / "data" / "models"


def _box(
    mask: NDArray[np.bool_], shape: tuple[int, ...], margin: float
) -> tuple[slice, slice, slice] | None:
    """Return the box around `mask` with a margin; nothing where it is empty."""
    if not mask.any():
        return None
    box = []
    for axis, size in enumerate(shape):
        others = tuple(other for other in range(3) if other != axis)
        where = np.flatnonzero(mask.mean(axis=others) > 0.02)
        if not where.size:
            return None
        extra = margin * (where[-1] + 1 - where[0])
        low, high = where[0] - extra, where[-1] + 1 + extra
        box.append(slice(max(0, round(low)), min(size, round(high))))
    i, j, k = box
    return i, j, k
