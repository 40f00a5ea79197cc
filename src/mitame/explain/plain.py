"""Sizes of elements in the units people use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.element import Element, Level

Rows = NDArray[np.float64]
"""Sizes, one a row: (n_draws, n)."""


@dataclass(frozen=True, slots=True)
class Levels:
    """What two groups' scans are like, before anything is given to them.

    Parameters
    ----------
    gray : float
        Gray matter of the source, in white-matter medians.
    noise : tuple of float
        Standard deviations of the noise of source and target.
    """

    gray: float
    noise: tuple[float, float]


def in_plain_units(element: Element, sizes: Rows, levels: Levels) -> Rows:
    """Return sizes in the unit of `unit_of`, shape (n_draws,).

    Parameters
    ----------
    element : Element
        Whose they are.
    sizes : array, shape (n_draws, n)
        As `Element.apply` takes them.
    levels : Levels
        Of the groups.
    """
    if isinstance(element, Level) and element.name == "contrast":
        # Gray that comes nearer to white is less contrast.
        return np.asarray(-100 * levels.gray * sizes[:, 0] / (1 - levels.gray))
    if isinstance(element, Level):
        return np.asarray(100 * sizes[:, 0])
    return np.asarray(_PLAIN[element.name](sizes, levels))


def without_scatter(size: Rows, draws: Rows) -> tuple[Rows, Rows]:
    """Return sizes of many numbers without the length that people's scatter adds.

    The mean squared length of a size is that of its truth and its variance; a draw has
    the variance twice.

    Parameters
    ----------
    size : array, shape (1, n)
        As it was found.
    draws : array, shape (n_draws, n)
        With people drawn anew.
    """
    scatter = draws.var(axis=0).sum()
    return _shorter(size, scatter), _shorter(draws, 2 * scatter)


def _shorter(rows: Rows, by: float) -> Rows:
    """Return rows whose squared length is less by a number, at least 0."""
    squares = np.sum(rows**2, axis=1, keepdims=True)
    return np.asarray(rows * np.sqrt(np.maximum(1 - by / squares, 0)))


def _noise(sizes: Rows, levels: Levels) -> Rows:
    """Return the target's noise as a share of the source's."""
    source, target = levels.noise
    more = np.sqrt(1 + np.maximum(sizes[:, 0], 0) / source**2)
    less = np.sqrt(1 + np.maximum(-sizes[:, 0], 0) / target**2)
    return np.asarray(more / less)


def _root(sizes: Rows) -> Rows:
    """Return the root of a number, with its sign."""
    return np.asarray(np.sign(sizes[:, 0]) * np.sqrt(np.abs(sizes[:, 0])))


_PLAIN: dict[str, Callable[[Rows, Levels], Rows]] = {
    "tone curve": lambda sizes, _: np.exp(sizes[:, 0]),
    "bias field": lambda sizes, _: 100 * np.linalg.norm(sizes, axis=1),
    "sharpness": lambda sizes, _: _root(sizes),
    "ringing": lambda sizes, _: 100 * sizes[:, 0],
    "noise": _noise,
    "stripes": lambda sizes, _: 100 * _root(sizes),
}

BRIGHTER = "% brighter"
"""The unit of tissues and places."""

_UNITS = {
    "tone curve": "exponent",
    "contrast": "% of white-gray contrast",
    "bias field": "% (standard deviation over the brain)",
    "sharpness": "mm of blur (FWHM)",
    "ringing": "% of k-space that does not fade",
    "noise": "times the source's",
    "stripes": "% of white matter",
}


def unit_of(element: Element) -> str:
    """Return the unit of `in_plain_units`; of a tissue, its brightness."""
    return _UNITS.get(element.name, BRIGHTER)
