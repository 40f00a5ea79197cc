"""Coupled dictionaries: paired scanners, one shared sparse code."""

from mitame.engines.dictionary.engine import Dictionary

__all__ = ["Dictionary"]
