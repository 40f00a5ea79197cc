"""What differs between two groups by chance, and how far beyond it an element goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from sklearn.covariance import ledoit_wolf

PERMUTATIONS = 300

FALSE_ALARMS = 0.02
"""Share of equal groups for which anything is named at all."""

USUAL = 0.95
"""Share of the lots from which the scale of an element's limit is told."""

TINY = 1e-9
"""Keeps numbers in which nobody differs finite."""

Matrix = NDArray[np.float64]

Traces = dict[str, Matrix]
"""How the measures move with each number of an element, (m, n), by name."""

Lot = tuple[Matrix, Matrix]
"""What whitens the difference of two groups drawn by lot, and that difference."""


@dataclass(frozen=True, slots=True, eq=False)
class Chance:
    """The metric in which two groups are compared, and what is beyond chance in it.

    Parameters
    ----------
    whiten : array, shape (m, m)
        Makes the difference of two groups' means white.
    limits : dict of str to float
        How far each element may explain what is chance: all of them stay below, but
        for `FALSE_ALARMS` of the lots, and each goes beyond equally rarely.
    square : float
        Mean square of a white difference that is chance.
    """

    whiten: Matrix
    limits: dict[str, float]
    square: float

    @classmethod
    def of(cls, own: tuple[Matrix, Matrix], traces: Traces, seed: int) -> Chance:
        """Return what chance does between two groups.

        Lots are drawn twice: among people without their group's mean, which says how
        large each element comes out by chance, whatever the groups differ in; and among
        all as if there were one group, which says exactly how often chance does more.
        Each is whitened by the scatter about its own means: numbers are many, people
        few.

        Parameters
        ----------
        own : tuple of array, shapes (n0, m) and (n1, m)
            Measures of everyone.
        traces : dict of str to array, shape (m, n)
            Of all elements.
        seed : int
            Of the lots.
        """
        n0 = len(own[0])
        everyone = np.concatenate(own)
        left = np.concatenate([group - group.mean(axis=0) for group in own])
        rng = np.random.default_rng(seed)
        orders = [rng.permutation(len(everyone)) for _ in range(PERMUTATIONS)]
        lots = [_whitened(left[order], n0) for order in orders]
        # Lengths of so many white numbers, but for a factor: limits are far beyond what
        # the lots show of one element.
        factors = {
            name: np.quantile(reached, USUAL) / _length(1 - USUAL, traces[name])
            for name, reached in _reached(lots, traces).items()
        }
        as_one = _reached([_whitened(everyone[order], n0) for order in orders], traces)
        rarest = np.min(
            [
                chi2.sf((reached / factors[name]) ** 2, traces[name].shape[1])
                for name, reached in as_one.items()
            ],
            axis=0,
        )
        rare = float(np.quantile(rarest, FALSE_ALARMS))
        return cls(
            _whitened(everyone, n0)[0],
            {n: float(f * _length(rare, traces[n])) for n, f in factors.items()},
            float(np.mean([np.sum(gap**2) for _, gap in lots])),
        )

    def misfit(self, gap: Matrix) -> float:
        """Return how large a difference (m,) is, in the metric of the people."""
        return float(np.linalg.norm(self.whiten @ gap))

    def unsure(self, by: Matrix) -> Chance:
        """Return the same where each measure is also unsure by so much, by itself.

        Parameters
        ----------
        by : array, shape (m,)
            Standard deviations.
        """
        back = np.linalg.inv(self.whiten)
        cov = back @ back.T + np.diag(by**2)
        return replace(self, whiten=_white(cov))

    def excess(self, gap: Matrix) -> float:
        """Return a squared misfit without what equal groups have."""
        return max(self.misfit(gap) ** 2 - self.square, 0.0)


def _length(rare: float, trace: Matrix) -> float:
    """Return the length that as many white numbers as a trace has rarely reach."""
    return float(np.sqrt(chi2.isf(rare, trace.shape[1])))


def _reached(lots: Sequence[Lot], traces: Traces) -> dict[str, Matrix]:
    """Return how far each element alone explains each lot's difference."""
    reached = {name: np.empty(len(lots)) for name in traces}
    for n, (whiten, gap) in enumerate(lots):
        for name, trace in traces.items():
            basis, _ = np.linalg.qr(whiten @ trace)
            reached[name][n] = np.linalg.norm(basis.T @ gap)
    return reached


def _whitened(people: Matrix, n0: int) -> Lot:
    """Return what makes the difference of two groups' means white, and that difference.

    Parameters
    ----------
    people : array, shape (n, m)
        Numbers of everyone, the `n0` of the first group first.
    """
    groups = people[:n0], people[n0:]
    left = np.concatenate([group - group.mean(axis=0) for group in groups])
    scale = left.std(axis=0) + TINY
    cov, _ = ledoit_wolf(left / scale, assume_centered=True)
    means = sum(1 / len(group) for group in groups)
    whiten = _white(cov * means * np.outer(scale, scale))
    return whiten, whiten @ (groups[1].mean(axis=0) - groups[0].mean(axis=0))


def _white(cov: Matrix) -> Matrix:
    """Return what makes numbers of a covariance (m, m) white."""
    scale = np.sqrt(np.diag(cov))
    values, vectors = np.linalg.eigh(cov / np.outer(scale, scale))
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T / scale)
