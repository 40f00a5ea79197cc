"""The CycleGANs of the original study, to reproduce what it found.

None is given places or tones, and nothing that knows them comes first.
"""

from __future__ import annotations

from typing import Any, ClassVar

from mitame.engines.cyclegan.engine import CycleGAN
from mitame.engines.cyclegan.settings import Size

PATCH = 32
"""Voxels an edge."""


class Blind(CycleGAN):
    """Whole slices and local convolutions, which cannot know where they are."""

    given: ClassVar[dict[str, Any]] = {}

    def __init__(
        self, *, size: Size = "tiny", steps: int | None = None, seed: int = 0
    ) -> None:
        super().__init__(
            size=size,
            base="identity",
            coordinates=False,
            tones=False,
            steps=steps,
            seed=seed,
            **self.given,
        )


class Patches(Blind):
    """Patches in place of whole slices."""

    given: ClassVar[dict[str, Any]] = {"patch": PATCH}


class Far(Blind):
    """Kernels that reach across a third of the brain."""

    given: ClassVar[dict[str, Any]] = {"layers": "far"}


class Full(Blind):
    """A fully connected layer."""

    given: ClassVar[dict[str, Any]] = {"layers": "full"}
