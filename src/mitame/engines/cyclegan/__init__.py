"""CycleGAN: unpaired scanners, and a generator that knows where it is."""

from mitame.engines.cyclegan.engine import CycleGAN

__all__ = ["CycleGAN"]
