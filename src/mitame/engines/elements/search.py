"""Which elements two groups of scans differ in, and by how much of each.

The difference of the groups' mean measures is explained by few elements, in the metric
of the people's scatter. Each costs as much as chance makes of it. One after the other
is really given to the scans and refitted with those before, and taken if it explains
more than it costs; traces, the first step only, say which may be worth it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.chance import Chance
from mitame.engines.elements.element import Element, Field
from mitame.engines.elements.giving import Groups, Sizes

DRAWS = 1000

STEPS = 8
"""Most steps of a refit."""

RIVAL = 0.7
"""Share of the best one's reach from which on another element is tried, too."""

MOST_RIVALS = 3

PART = 0.2
"""Share of a trace that an element has to be, to count where several are like one."""

UNLIKE = 0.7
"""Share of a trace that several may leave, and still be like it."""

UNSURE = 0.03
"""Share of a difference that may stay: scanners are not exactly what elements say, and
what that leaves is not another element."""

SMALL = 0.1
"""Of an element's probe: as much more shows how a size depends on the people."""

ENOUGH = 0.02
"""A refit ends when it hopes to make the misfit smaller by less than this share."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The elements of a difference.

    Parameters
    ----------
    elements : tuple of Element
        All that were looked for, in the order in which scanners add them.
    sizes : dict of str to array
        Of those that were found, by name; the one that changes most comes first.
    draws : dict of str to array, shape (n_draws, n)
        Sizes with other people of the same scanners, by resampling them.
    energy : dict of str to float
        Mean square of what an element alone changes in the brain, white-matter
        medians squared.
    left : float
        Share of the whole difference that no element explains, 0 to 1.
    """

    elements: tuple[Element, ...]
    sizes: Sizes
    draws: dict[str, NDArray[np.float64]]
    energy: dict[str, float]
    left: float


class Search:
    """The way to few elements.

    Parameters
    ----------
    groups : Groups
        What differs, and the elements it may differ in.
    chance : Chance
        What is beyond chance.
    """

    def __init__(self, groups: Groups, chance: Chance) -> None:
        self.groups = groups
        self.chance = chance.unsure(UNSURE * groups.difference({}))

    def find(self) -> Sizes:
        """Return the elements that explain the difference, and no others."""
        sizes: Sizes = {}
        gap = self.groups.difference(sizes)
        for _ in self.groups.elements:
            tried = [
                self._without_needless(*self.refit({**sizes, name: self._none(name)}))
                for name in self._rivals(sizes, gap)
            ]
            if not tried:
                break
            best = min(tried, key=lambda one: self._cost(*one))
            if self._cost(*best) >= self._cost(sizes, gap):
                break
            sizes, gap = best
        sizes, gap = self._fewer(sizes, gap)
        return self.refit(sizes, everyone=True)[0] if sizes else sizes

    def _fewer(
        self, sizes: Sizes, gap: NDArray[np.float64]
    ) -> tuple[Sizes, NDArray[np.float64]]:
        """Return one element in place of several that together look like it.

        Taken one after the other, two may come to explain what one would for less.
        """
        for name, element in self.groups.elements.items():
            if name in sizes or element.n > 1:
                continue
            alike = self._alike(name, sizes)
            if len(alike) < 2:
                continue
            rest = {n: s for n, s in sizes.items() if n not in alike}
            tried = self._without_needless(
                *self.refit({**rest, name: self._none(name)})
            )
            if self._cost(*tried) < self._cost(sizes, gap):
                sizes, gap = tried
        return sizes, gap

    def _alike(self, name: str, sizes: Sizes) -> list[str]:
        """Return which elements an element looks like the sum of, if it does."""
        traces, white = self.groups.traces, self.chance.whiten
        mine = (white @ traces[name])[:, 0]
        parts = np.linalg.lstsq(white @ self._traces(sizes), mine)[0]
        found, first, whole = [], 0, np.zeros_like(mine)
        for other in sizes:
            last = first + traces[other].shape[1]
            part = white @ traces[other] @ parts[first:last]
            if np.linalg.norm(part) > PART * np.linalg.norm(mine):
                found.append(other)
            first, whole = last, whole + part
        left = np.linalg.norm(mine - whole) / np.linalg.norm(mine)
        return found if left < UNLIKE else []

    def _none(self, name: str) -> NDArray[np.float64]:
        return np.zeros(self.groups.elements[name].n)

    def _rivals(self, sizes: Sizes, gap: NDArray[np.float64]) -> list[str]:
        """Return which elements may be the next, those that explain most first.

        Traces are only the first step of an element: where some explain about as much,
        giving them tells which it is.
        """
        beyond = {
            name: self._beyond(name, gap, sizes)
            for name in self.groups.elements
            if name not in sizes
        }
        order = sorted(beyond, key=lambda n: -beyond[n])
        if not order or beyond[order[0]] <= 1:
            return []
        return [n for n in order if beyond[n] >= RIVAL * beyond[order[0]]][:MOST_RIVALS]

    def _cost(self, sizes: Sizes, gap: NDArray[np.float64]) -> float:
        """Return the squared misfit, and for each element what chance does with it."""
        price = sum(self.chance.limits[name] ** 2 for name in sizes)
        return self.chance.misfit(gap) ** 2 + price

    def refit(
        self, sizes: Sizes, *, everyone: bool = False
    ) -> tuple[Sizes, NDArray[np.float64]]:
        """Return the sizes at which the groups are alike, by giving them.

        Gauss-Newton steps whose slopes are traces at first, or, for everyone, those
        where the sizes are; every step that was tried tells more of them (C. G.
        Broyden, Mathematics of Computation 19, 1965).

        Parameters
        ----------
        sizes : dict of str to array
            To start from.
        everyone : bool
            Whether all scans are given them, or some.

        Returns
        -------
        sizes : dict of str to array
        gap : array, shape (m,)
            What they leave of the difference.
        """
        gap = self.groups.difference(sizes, everyone=everyone)
        misfit, white = self.chance.misfit, self.chance.whiten
        units = self._units(sizes)
        slopes = self._slopes(sizes) if everyone else self._traces(sizes)
        slope = white @ slopes * units
        length = 1.0
        for _ in range(STEPS):
            toward = length * np.linalg.pinv(slope) @ white @ gap
            tried = self._moved(sizes, toward * units)
            step = (_flat(tried) - _flat(sizes)) / units
            hoped = np.linalg.norm(white @ gap - slope @ step)
            if hoped >= (1 - ENOUGH) * misfit(gap):
                break
            new = self.groups.difference(tried, everyone=everyone)
            did = white @ (gap - new)
            if not np.isfinite(did).all():  # so far that no tissue is what it was
                length /= 2
                continue
            length = 1.0
            slope = slope + np.outer(did - slope @ step, step) / (step @ step)
            if misfit(new) < misfit(gap):
                sizes, gap = tried, new
        return sizes, gap

    def told(self, sizes: Sizes) -> Found:
        """Return everything that is known of the elements that were found."""
        elements = tuple(self.groups.elements.values())
        if not sizes:
            return Found(elements, {}, {}, {}, 1.0)
        gap = self.groups.difference(sizes, everyone=True)
        whole = self.groups.difference({})
        energy = {n: self.groups.energy(n, sizes[n]) for n in sizes}
        order = sorted(sizes, key=lambda n: -energy[n])
        draws = self._drawn(sizes, gap)
        left = self.chance.excess(gap) / max(self.chance.excess(whole), 1e-9)
        return Found(
            elements,
            {n: sizes[n] for n in order},
            {n: draws[n] for n in order},
            {n: energy[n] for n in order},
            left,
        )

    def _beyond(self, name: str, gap: NDArray[np.float64], known: Sizes) -> float:
        own = self.groups.traces[name]
        return self.chance.beyond(name, gap, self._traces(known), own)

    def _units(self, sizes: Sizes) -> NDArray[np.float64]:
        """Return what counts as one step in each number of some sizes."""
        elements = self.groups.elements
        return np.concatenate(
            [np.full(len(s), abs(elements[n].probe)) for n, s in sizes.items()]
        )

    def _traces(self, sizes: Sizes) -> NDArray[np.float64]:
        every = [self.groups.traces[name] for name in sizes]
        return np.concatenate([np.empty((len(self.chance.whiten), 0)), *every], axis=1)

    def _to_size(self, sizes: Sizes) -> NDArray[np.float64]:
        """Return what makes a step in the sizes of a difference (m,)."""
        white = self.chance.whiten
        return np.asarray(np.linalg.pinv(white @ self._slopes(sizes)) @ white)

    def _slopes(self, sizes: Sizes) -> NDArray[np.float64]:
        """Return the traces of a little more of elements where they are, (m, n)."""
        gap = self.groups.difference(sizes)
        slopes = [self._slope(name, sizes, gap) for name in sizes]
        return np.concatenate(slopes, axis=1)

    def _slope(
        self, name: str, sizes: Sizes, gap: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return the trace of a little more of an element than there is, (m, n)."""
        element = self.groups.elements[name]
        if isinstance(element, Field):
            return self.groups.traces[name]
        unit = SMALL * element.probe
        more = [
            {**sizes, name: sizes[name] + step} for step in unit * np.eye(element.n)
        ]
        return np.stack([gap - self.groups.difference(m) for m in more], axis=1) / unit

    def _moved(self, sizes: Sizes, step: NDArray[np.float64]) -> Sizes:
        """Return sizes after a step, as far as they mean something."""
        found, first = {}, 0
        for name, size in sizes.items():
            most = self.groups.elements[name].most
            moved = size + step[first : first + len(size)]
            found[name] = np.clip(moved, -most, most)
            first += len(size)
        return found

    def _without_needless(
        self, sizes: Sizes, gap: NDArray[np.float64]
    ) -> tuple[Sizes, NDArray[np.float64]]:
        """Drop elements that the others explain as well."""
        while len(sizes) > 1:
            needs = {}
            for name, size in sizes.items():
                others = {n: s for n, s in sizes.items() if n != name}
                back = gap + self.groups.traces[name] @ size
                needs[name] = self._beyond(name, back, others)
            least = min(needs, key=lambda n: needs[n])
            if needs[least] > 1:
                return sizes, gap
            sizes, gap = self.refit({n: s for n, s in sizes.items() if n != least})
        return sizes, gap

    def _drawn(
        self, sizes: Sizes, gap: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Return what the sizes would be with people drawn anew from the same ones."""
        rng = np.random.default_rng(0)
        both = self.groups.both(sizes)
        to_size = self._to_size(sizes)
        steps = []
        for _ in range(DRAWS):
            some = [g[rng.integers(len(g), size=len(g))].mean(axis=0) for g in both]
            steps.append(to_size @ (some[1] - some[0] - gap))
        moved = [self._moved(sizes, step) for step in steps]
        return {n: np.stack([one[n] for one in moved]) for n in sizes}


def _flat(sizes: Sizes) -> NDArray[np.float64]:
    return np.concatenate(list(sizes.values()))
