"""What stands beside a training: a log, and checkpoints to go on from."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mitame.core.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

    from mitame.engines.cyclegan.state import State

WORDS = "checkpoint.json"

SAMPLE = "sample.png"
"""A slice before, after, and what was added (gray is nothing)."""

WHITE = 1.3
"""Shown white there, white-matter medians."""

LOGGED = 10
"""Steps between two points of the curves."""


class Watch:
    """Keep nothing and tell nothing."""

    def resumed(self, state: State, about: str) -> State:  # noqa: ARG002
        """Return the state to begin with.

        Parameters
        ----------
        state : State
            Before the first step.
        about : str
            Digest of all that the training depends on.
        """
        return state

    def save(self, state: State) -> None:
        """Keep a checkpoint."""

    def show(self, step: int, images: Tensor, edit: Tensor) -> None:
        """Show what the generator adds to some slices.

        Parameters
        ----------
        step : int
            Of the training.
        images, edit : tensor, shape (n, n_images, h, w)
            Slices, and what is added to them.
        """

    def log(self, step: int, steps: int, losses: dict[str, float]) -> None:
        """Tell what a step has brought."""


class Folder(Watch):
    """Keep the last checkpoint and the curves of the losses in a folder.

    A checkpoint is weights (safetensors) and words (JSON); no code is in it. Curves are
    for TensorBoard, if that is installed.

    Parameters
    ----------
    folder : Path
        Made if it is missing.
    tell : callable
        Is told how far the training is, in words a user reads.
    """

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.tell = tell
        self._about = ""
        self._began: tuple[int, float] | None = None
        self._curves: Any = None

    def resumed(self, state: State, about: str) -> State:
        """Return the state of the checkpoint, if there is one.

        Raises
        ------
        ModelError
            If it is damaged, or of another training.
        """
        self._about = about
        self.folder.mkdir(parents=True, exist_ok=True)
        self._curves = _curves(self.folder)
        if (self.folder / WORDS).exists():
            state.restore(*self._read())
            self.tell(f"going on from step {state.step}")
        return state

    def save(self, state: State) -> None:
        """Keep a checkpoint in place of the last one."""
        from safetensors.torch import save

        packed = save(state.tensors())
        numbers = f"step-{state.step}.safetensors"
        words = {
            "step": state.step,
            "about": self._about,
            "weights": numbers,
            "sha256": hashlib.sha256(packed).hexdigest(),
        }
        # Words come last and in one move: whenever this is killed, they name weights
        # that are whole.
        (self.folder / numbers).write_bytes(packed)
        text = json.dumps(words, indent=1) + "\n"
        (self.folder / f"{WORDS}.new").write_text(text, encoding="utf-8")
        (self.folder / f"{WORDS}.new").replace(self.folder / WORDS)
        for old in self.folder.glob("step-*.safetensors"):
            if old.name != numbers:
                old.unlink()

    def show(self, step: int, images: Tensor, edit: Tensor) -> None:
        """Draw a slice of each sequence before and after, and what was added."""
        from matplotlib.image import imsave

        middle = len(images) // 2
        rows = [
            np.hstack([one, one + more, 0.5 + more])
            for one, more in zip(
                images[middle].numpy(), edit[middle].numpy(), strict=True
            )
        ]
        picture = np.vstack(rows)
        imsave(self.folder / SAMPLE, picture, cmap="gray", vmin=0, vmax=WHITE)
        if self._curves is not None:
            seen = np.clip(picture / WHITE, 0, 1)
            self._curves.add_image("source, harmonized, edit", seen[None], step)

    def log(self, step: int, steps: int, losses: dict[str, float]) -> None:
        """Tell losses and time left, and draw the curves."""
        if self._began is None:
            self._began = step, time.perf_counter()
        if step % LOGGED and step != steps:
            return
        first, start = self._began
        pace = (time.perf_counter() - start) / max(step - first, 1)
        told = ", ".join(f"{name} {value:.3f}" for name, value in losses.items())
        left = round(pace * (steps - step) / 60)
        self.tell(f"step {step} of {steps}: {told}; {left} min left")
        if self._curves is not None:
            for name, value in losses.items():
                self._curves.add_scalar(f"loss/{name}", value, step)

    def _read(self) -> tuple[int, dict[str, Tensor]]:
        from safetensors.torch import load

        try:
            words = json.loads((self.folder / WORDS).read_bytes())
            packed = (self.folder / words["weights"]).read_bytes()
            digest = hashlib.sha256(packed).hexdigest()
            if digest != words["sha256"]:
                raise self._unusable("is damaged")
            if words["about"] != self._about:
                raise self._unusable("is of another training")
            return int(words["step"]), load(packed)
        except (OSError, ValueError, KeyError) as error:
            raise self._unusable(f"cannot be read ({error})") from error

    def _unusable(self, why: str) -> ModelError:
        return ModelError(
            f"The checkpoint in '{self.folder}' {why}.",
            fix="Remove that folder to begin anew, or give another --out.",
        )


def _curves(folder: Path) -> Any:  # noqa: ANN401
    """Return what TensorBoard's curves are written with; None without it."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))
