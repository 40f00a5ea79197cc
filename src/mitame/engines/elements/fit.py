"""Which elements two groups of scans differ in, and by how much of each.

Every scan has a `summary`; an element shifts it in a direction of its own, found by
giving the element to some scans. The difference of the groups' mean summaries is
explained by few elements: group lasso in the metric of the subjects' scatter, whose
threshold comes from splits of one group, and then a refit in which the elements are
really given to the scans (Gauss-Newton). An element is always given to the group that
has less of it, so nothing has to be undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf

from mitame.engines.elements.element import Element, Field, Stripes
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.spectrum import Numbers
from mitame.engines.elements.summary import FIRST_FIELD, summary

PERMUTATIONS = 300

FALSE_ALARMS = 0.02
"""Share of equal groups for which anything is named at all."""

DRAWS = 1000

TINY = 1e-9
"""Keeps numbers in which nobody differs finite."""

PROBED = 4
"""Scans that elements are given to, to learn their traces."""

ROUNDS = 6


Lot = tuple[NDArray[np.float64], NDArray[np.float64]]
"""What whitens the difference of two groups drawn by lot, and that difference."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """An image in white-matter medians, and where everything is in it."""

    image: Image
    ground: Ground


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The elements of a difference.

    Parameters
    ----------
    elements : tuple of Element
        All that were looked for.
    sizes : dict of str to array
        Of those that were found, by name.
    draws : dict of str to array, shape (n_draws, n)
        Sizes with other people of the same scanners, by resampling them.
    energy : dict of str to float
        Mean square of what an element alone changes in the brain, white-matter
        medians squared.
    left : float
        Share of the whole difference that no element explains, 0 to 1.
    """

    elements: tuple[Element, ...]
    sizes: dict[str, Numbers]
    draws: dict[str, NDArray[np.float64]]
    energy: dict[str, float]
    left: float


def given(scan: Scan, elements: Sequence[Element], sizes: dict[str, Numbers]) -> Image:
    """Return an image with elements, in the order in which scanners add them."""
    image = scan.image
    for element in elements:
        if element.name in sizes:
            image = element.apply(image, scan.ground, sizes[element.name])
    return image


class Difference:
    """Two groups' summaries, and what every element does to them."""

    def __init__(
        self,
        source: Sequence[Scan],
        target: Sequence[Scan],
        elements: Sequence[Element],
        *,
        seed: int = 0,
    ) -> None:
        self.source, self.target = source, target
        self.elements = tuple(elements)
        self.most = {element.name: element.most for element in elements}
        waves = [e.wave for e in elements if isinstance(e, Stripes)]
        self.wave = waves[0] if waves else None
        self.own = [self._summaries(group, {}) for group in (source, target)]
        self._scatter(seed)
        self.traces = {e.name: self._trace(e) for e in elements}

    def _summaries(
        self, group: Sequence[Scan], sizes: dict[str, Numbers]
    ) -> NDArray[np.float64]:
        return np.stack(
            [
                summary(given(s, self.elements, sizes), s.ground, self.wave)
                for s in group
            ]
        )

    def _scatter(self, seed: int) -> None:
        """Find what whitens the difference of means, and what chance makes of it.

        Lots are drawn twice: among people without their group's mean, which says how
        large each element comes out by chance, whatever the groups differ in; and among
        all as if there were one group, which says exactly how often chance does more.
        Each is whitened by the scatter about its own means: numbers are many, people
        few.
        """
        n0 = len(self.own[0])
        everyone = np.concatenate(self.own)
        left = np.concatenate([group - group.mean(axis=0) for group in self.own])
        self.whiten, _ = _whitened(everyone, n0)
        rng = np.random.default_rng(seed)
        orders = [rng.permutation(len(everyone)) for _ in range(PERMUTATIONS)]
        self.chance = [_whitened(left[order], n0) for order in orders]
        self.one_group = [_whitened(everyone[order], n0) for order in orders]

    def _trace(self, element: Element) -> NDArray[np.float64]:
        """Return how the summary moves with each number of an element, (m, n)."""
        if isinstance(element, Field):
            return field_trace(self.own[0].shape[1])
        step = element.probe
        every = list(zip(self.source, self.own[0], strict=True))
        size = np.array([step])
        some = every[:: max(1, len(every) // PROBED)][:PROBED]
        moved = [
            summary(element.apply(s.image, s.ground, size), s.ground, self.wave) - own
            for s, own in some
        ]
        return np.asarray(np.mean(moved, axis=0)[:, None] / step)

    def difference(self, sizes: dict[str, Numbers]) -> NDArray[np.float64]:
        """Return target minus source, once those who lack elements were given them."""
        source, target = self.both(sizes)
        return np.asarray(target.mean(axis=0) - source.mean(axis=0))

    def both(
        self, sizes: dict[str, Numbers]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return everyone's summary, with elements given to those who lack them."""
        more, less = self._who(sizes)
        source = self._summaries(self.source, more) if more else self.own[0]
        return source, self._summaries(self.target, less) if less else self.own[1]

    def _who(
        self, sizes: dict[str, Numbers]
    ) -> tuple[dict[str, Numbers], dict[str, Numbers]]:
        """Return what the source is given, and what the target is."""
        more: dict[str, Numbers] = {}
        less: dict[str, Numbers] = {}
        for element in self.elements:
            if element.name in sizes:
                size = sizes[element.name]
                exact = element.n > 1 or size[0] * element.probe > 0
                (more if exact else less)[element.name] = size if exact else -size
        return more, less

    def find(self) -> Found:
        """Return the elements that explain the difference, and no others."""
        limits, level = self._limits()
        sizes: dict[str, Numbers] = {}
        gap = self.difference({})
        whole = self._misfit(gap)
        for _ in range(len(self.elements)):
            scores = {
                e.name: self._score(e.name, gap, sizes) / limits[e.name]
                for e in self.elements
                if e.name not in sizes
            }
            best = max(scores, key=lambda n: scores[n])
            if scores[best] <= level:
                break
            sizes[best] = np.zeros(self.traces[best].shape[1])
            sizes, gap = self._refit(sizes)
            sizes, gap = self._without_needless(sizes, gap, limits, level)
            if best not in sizes:
                break
        return self._told(sizes, gap, whole)

    def _limits(self) -> tuple[dict[str, float], float]:
        """Return what chance reaches for each element, and for the most of them."""
        by_chance = self._scores(self.chance)
        limits = {n: float(np.quantile(s, 0.95)) for n, s in by_chance.items()}
        as_one = self._scores(self.one_group)
        most = np.max([s / limits[n] for n, s in as_one.items()], axis=0)
        return limits, float(np.quantile(most, 1 - FALSE_ALARMS))

    def _scores(self, lots: Sequence[Lot]) -> dict[str, NDArray[np.float64]]:
        """Return how far each element alone explains each lot's difference."""
        scores = {e.name: np.empty(len(lots)) for e in self.elements}
        for n, (whiten, gap) in enumerate(lots):
            for name, trace in self.traces.items():
                basis, _ = np.linalg.qr(whiten @ trace)
                scores[name][n] = np.linalg.norm(basis.T @ gap)
        return scores

    def _score(
        self, name: str, gap: NDArray[np.float64], known: dict[str, Numbers]
    ) -> float:
        """Return how far an element can reduce what is left beside the known ones."""
        mine = self.whiten @ self.traces[name]
        wanted = self.whiten @ gap
        if known:
            others = np.linalg.qr(self.whiten @ self._all(known))[0]
            mine = mine - others @ (others.T @ mine)
            wanted = wanted - others @ (others.T @ wanted)
        basis, _ = np.linalg.qr(mine)
        return float(np.linalg.norm(basis.T @ wanted))

    def _all(self, names: Sequence[str] | dict[str, Numbers]) -> NDArray[np.float64]:
        return np.concatenate([self.traces[n] for n in names], axis=1)

    def _refit(
        self, sizes: dict[str, Numbers]
    ) -> tuple[dict[str, Numbers], NDArray[np.float64]]:
        """Return the sizes at which the groups are alike, by giving them."""
        gap = self.difference(sizes)
        for _ in range(ROUNDS):
            design = self.whiten @ self._all(sizes)
            step = np.linalg.lstsq(design, self.whiten @ gap, rcond=None)[0]
            for share in (1.0, 0.5, 0.25):
                tried = self._moved(sizes, np.asarray(share * step, np.float64))
                new = self.difference(tried)
                if self._misfit(new) < self._misfit(gap):
                    break
            else:
                break
            better = 1 - self._misfit(new) / self._misfit(gap)
            sizes, gap = tried, new
            if better < 0.02:
                break
        return sizes, gap

    def _moved(
        self, sizes: dict[str, Numbers], step: NDArray[np.float64]
    ) -> dict[str, Numbers]:
        """Return sizes after a step, as far as they mean something."""
        found, first = {}, 0
        for name, size in sizes.items():
            most = self.most[name]
            moved = size + step[first : first + len(size)]
            found[name] = np.clip(moved, -most, most)
            first += len(size)
        return found

    def _without_needless(
        self,
        sizes: dict[str, Numbers],
        gap: NDArray[np.float64],
        limits: dict[str, float],
        level: float,
    ) -> tuple[dict[str, Numbers], NDArray[np.float64]]:
        """Drop elements that the others explain as well."""
        while len(sizes) > 1:
            needs = {n: self._need(n, sizes, gap) / limits[n] for n in sizes}
            least = min(needs, key=lambda n: needs[n])
            if needs[least] > level:
                return sizes, gap
            sizes, gap = self._refit({n: s for n, s in sizes.items() if n != least})
        return sizes, gap

    def _need(
        self, name: str, sizes: dict[str, Numbers], gap: NDArray[np.float64]
    ) -> float:
        """Return how much worse the fit is without an element."""
        others = {n: s for n, s in sizes.items() if n != name}
        back = gap + self.traces[name] @ sizes[name]
        return self._score(name, back, others)

    def _misfit(self, gap: NDArray[np.float64]) -> float:
        return float(np.linalg.norm(self.whiten @ gap))

    def _told(
        self, sizes: dict[str, Numbers], gap: NDArray[np.float64], whole: float
    ) -> Found:
        left = self._misfit(gap) ** 2
        if not sizes:
            return Found(self.elements, {}, {}, {}, 1.0)
        energy = {n: self._energy(n, sizes[n]) for n in sizes}
        order = sorted(sizes, key=lambda n: -energy[n])
        draws = self._drawn(sizes, gap)
        return Found(
            self.elements,
            {n: sizes[n] for n in order},
            {n: draws[n] for n in order},
            {n: energy[n] for n in order},
            self._beyond_chance(left) / max(self._beyond_chance(whole**2), 1e-9),
        )

    def _energy(self, name: str, size: Numbers) -> float:
        """Return the mean square of what an element changes in some scans' brains."""
        more, less = self._who({name: size})
        group, one = (self.source, more) if more else (self.target, less)
        edits = [
            (given(s, self.elements, one) - s.image)[s.ground.brain]
            for s in group[:PROBED]
        ]
        return float(np.mean([np.mean(edit**2) for edit in edits]))

    def _beyond_chance(self, square: float) -> float:
        """Return a squared misfit without what equal groups have."""
        chance = float(np.mean([np.sum(gap**2) for _, gap in self.chance]))
        return max(square - chance, 0.0)

    def _drawn(
        self, sizes: dict[str, Numbers], gap: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Return what the sizes would be with people drawn anew from the same ones."""
        rng = np.random.default_rng(0)
        both = self.both(sizes)
        design = self.whiten @ self._all(sizes)
        to_size = np.asarray(np.linalg.pinv(design) @ self.whiten, np.float64)
        steps = []
        for _ in range(DRAWS):
            some = [g[rng.integers(len(g), size=len(g))].mean(axis=0) for g in both]
            steps.append(to_size @ (some[1] - some[0] - gap))
        moved = [self._moved(sizes, step) for step in steps]
        return {n: np.stack([one[n] for one in moved]) for n in sizes}


def _whitened(people: NDArray[np.float64], n0: int) -> Lot:
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
    values, vectors = np.linalg.eigh(cov * sum(1 / len(group) for group in groups))
    whiten = (vectors / np.sqrt(values)) @ vectors.T / scale
    return whiten, whiten @ (groups[1].mean(axis=0) - groups[0].mean(axis=0))


def field_trace(n: int) -> NDArray[np.float64]:
    """Return the trace of the field: its coefficients are in the summary."""
    found = np.zeros((n, N_FIELDS))
    found[FIRST_FIELD : FIRST_FIELD + N_FIELDS] = np.eye(N_FIELDS)
    return found
