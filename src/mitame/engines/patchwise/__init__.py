"""Engines that learn from pairs of patches: what they share."""

from mitame.engines.patchwise.engine import Patchwise

__all__ = ["Patchwise"]
