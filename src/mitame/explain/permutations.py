"""From which strength on a place is believed: what splits of the same group show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.explain.nuisance import Scaled, contrast_of
from mitame.explain.split import split
from mitame.solve.loops import Doubles, Floats
from mitame.solve.total_variation import Mask

STEPS = np.arange(0.05, 20.0, 0.05)
"""Thresholds that are looked at, standard errors."""

FALSE_SHARE = 0.05
"""Voxels that splits show over voxels found: what is accepted at a threshold."""

CHANCE = 0.05
"""How often a place may be found where there is none."""

LOOK = 10
"""After each so many splits: no more, if too many show as much already."""

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """How much of a place is found where there is none.

    Parameters
    ----------
    counts : array of int, shape (n, n_steps)
        Of each split of the groups, voxels that reach each of `STEPS`.
    """

    counts: Counts

    def chance(self, found: Counts) -> float:
        """Return how often splits show as much, as a p-value of at least 1 / (n + 1).

        Parameters
        ----------
        found : array of int, shape (n_steps,)
            Voxels of the groups' own difference that reach each step.
        """
        total, n = self.counts.sum(axis=0), len(self.counts)
        own = _surprise(found, total + found, n)
        splits = [_surprise(one, total + found, n) for one in self.counts]
        return float((1 + np.sum(np.array(splits) >= own)) / (n + 1))

    def threshold(self, found: Counts, most: float = CHANCE) -> float:
        """Return from which strength on voxels are believed; inf if none are.

        Parameters
        ----------
        found : array of int, shape (n_steps,)
            Voxels of the groups' own difference that reach each step.
        most : float
            Chance up to which a place is believed.
        """
        believed = self.counts.mean(axis=0) <= FALSE_SHARE * found
        believed &= found > 0
        if not believed.any() or self.chance(found) > most:
            return float("inf")
        return float(STEPS[np.argmax(believed)])


def counts_of(strength: Floats) -> Counts:
    """Return how many voxels of a place (p,) reach each of `STEPS`."""
    bins = np.append(STEPS, np.inf)
    return np.histogram(np.abs(strength), bins)[0][::-1].cumsum()[::-1]


def splits_of(
    cohort: Scaled,
    mask: Mask,
    rank: int,
    n: int,
    rng: np.random.Generator,
    found: Counts,
    most: float = CHANCE,
) -> Splits:
    """Return what splits within the groups show, each treated like the groups are.

    Half of the source and half of the target against the other halves: whatever the
    groups differ by is on both sides, and the modes are found anew. Where more of the
    first splits show as much as the groups do than all may, no more are made [1]_.

    Parameters
    ----------
    cohort : Scaled
        Two groups.
    mask : Mask
        Where their p voxels are.
    rank : int
        Modes.
    n : int
        Splits, > 0.
    rng : numpy.random.Generator
        Which subjects are on a side.
    found : array of int, shape (n_steps,)
        Voxels of the groups' own difference that reach each step.
    most : float
        Chance up to which a place is believed.

    References
    ----------
    .. [1] J. Besag, P. Clifford, "Sequential Monte Carlo p-values", Biometrika 78(2),
       301-304, 1991.
    """
    counts = np.empty((n, len(STEPS)), np.int64)
    for done, row in enumerate(counts):
        if done and done % LOOK == 0:
            known = Splits(counts[:done])
            if known.chance(found) * (done + 1) > most * (n + 1):
                return known
        direction = _within_groups(cohort.contrast, rng)
        contrast = contrast_of(cohort, direction, rank, shuffled=True)
        row[:] = counts_of(split(contrast, mask).strength)
    return Splits(counts)


def _within_groups(contrast: Doubles, rng: np.random.Generator) -> Doubles:
    """Return a direction of length 1 between halves of each group."""
    direction = np.zeros(len(contrast))
    for group in (contrast < 0, contrast > 0):
        order = rng.permutation(np.flatnonzero(group))
        half = len(order) // 2
        direction[order[:half]] = 1 / half
        direction[order[half:]] = -1 / (len(order) - half)
    return direction / np.linalg.norm(direction)


def _surprise(found: Counts, total: Counts, n: int) -> float:
    """Return how many times more voxels there are than others show, at most.

    Parameters
    ----------
    found, total : array of int, shape (n_steps,)
        Voxels of one difference, and of all n + 1 together with it.
    n : int
        How many others there are.
    """
    # Where the others show none, they are taken to show one voxel all together.
    return float(np.max(n * found / np.maximum(total - found, 1)))
