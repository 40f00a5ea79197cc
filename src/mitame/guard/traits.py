"""An edit in a few numbers: what it does to the whole head."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfftn

from mitame.guard.foci import WIDTHS_MM
from mitame.guard.left import Left, bands_of
from mitame.solve.robust import spread

Image = NDArray[np.float32]
Traits = dict[str, float]

TINY = 1e-6
"""Keeps a logarithm finite."""

NEAR_WHITE = 0.2
"""White-matter medians around 1 in which shading is told."""

ENOUGH = 0.2
"""Of the fullest slice's brain, what a slice must have to be looked at."""

SHELLS = 24
"""Wave lengths that are told apart."""

FINE = 1
"""Shell from which on a wave is a pattern: all but the longest."""

SOME = 17
"""Of so many waves, one is asked for its length."""


def edit_traits(left: Left, evidence: list[Image]) -> Traits:
    """Return the numbers of one edit.

    Parameters
    ----------
    left : Left
        Of one sequence.
    evidence : list of array
        What is left, in usual amounts, at each of `WIDTHS_MM`.
    """
    found = {
        f"left {width:g} mm": float(np.log(spread(one[left.brain]) + TINY))
        for width, one in zip(WIDTHS_MM, evidence, strict=True)
    }
    found |= _sharpness(left)
    found["shading"] = _shading(left)
    found["moved"] = _moved(left)
    found["slices"] = _slices(left)
    found["pattern"] = _pattern(left)
    return found


def _sharpness(left: Left) -> Traits:
    """Return the logarithm of how much stronger each band of detail became."""
    after = [np.std(band[left.brain]) for band in bands_of(left.result, left.spacing)]
    ratio = np.log((np.array(after) + TINY) / (left.detail + TINY))
    names = "detail, fine", "detail, middle", "detail, coarse"
    return {name: float(one) for name, one in zip(names, ratio, strict=True)}


def _shading(left: Left) -> float:
    """Return how unevenly near-white matter became brighter, SD of the logarithm."""
    source = left.source[left.suffix].data
    white = left.brain & (np.abs(source - 1) < NEAR_WHITE) & (left.limited > TINY)
    ratio = np.log(left.limited[white] / source[white])
    return float(np.std(ratio)) if ratio.size else 0.0


def _moved(left: Left) -> float:
    """Return how far edges moved, mm: the most among eight parts of the brain.

    What is left of an edit that moves edges by u is -u times the slope.
    """
    where = np.argwhere(left.brain)
    part = (where > np.median(where, axis=0)) @ [4, 2, 1]
    slope: list[Image] = list(np.gradient(left.limited, *left.spacing))
    slopes = np.stack([one[left.brain] for one in slope], axis=1)
    apart = left.image[left.brain]
    moved = 0.0
    for one in range(8):
        here = slopes[part == one].astype(float)
        square = here.T @ here + TINY * np.eye(3)
        move = np.linalg.solve(square, here.T @ apart[part == one])
        moved = max(moved, float(np.linalg.norm(move)))
    return moved


def _slices(left: Left) -> float:
    """Return how odd the oddest slice is: what is left in it, of its neighbors' mean.

    Logarithms of medians, which no focus moves, beside those of the slices two before
    and two behind.
    """
    oddest = 0.0
    for axis in range(3):
        sides = zip(
            *(np.moveaxis(x, axis, 0) for x in (left.image, left.brain)), strict=True
        )
        inside = [np.abs(image[brain]) for image, brain in sides]
        most = max(one.size for one in inside)
        seen = [one for one in inside if one.size > ENOUGH * most]
        level = np.log([float(np.median(one)) + TINY for one in seen])
        beside = 0.5 * (level[4:] + level[:-4])
        oddest = max(oddest, float(np.abs(level[2:-2] - beside).max(initial=0)))
    return oddest


def _pattern(left: Left) -> float:
    """Return the logarithm of the strongest wave, of those of about its length.

    Lengths are told apart so that there are as many waves of each.
    """
    power = (np.abs(rfftn(left.image, workers=-1)) ** 2).ravel()
    waves = [np.fft.fftfreq(n) for n in left.image.shape]
    waves[2] = np.fft.rfftfreq(left.image.shape[2])
    i, j, k = (
        one / edge for one, edge in zip(np.ix_(*waves), left.spacing, strict=True)
    )
    length = np.sqrt(i**2 + j**2 + k**2).ravel()
    limits = np.quantile(length[::SOME], np.arange(1, SHELLS) / SHELLS)
    shell = np.searchsorted(limits, length)
    mean = np.bincount(shell, power) / np.bincount(shell)
    fine = shell >= FINE
    return float(np.log((power[fine] / (mean[shell[fine]] + TINY)).max() + TINY))
