"""Which elements two groups of scans differ in, and by how much of each.

The difference of the groups' mean measures is explained by few elements, in the metric
of the people's scatter. Each costs as much as chance makes of it. Which ones to try is
told from how the measures move with each; what was tried is really given to the scans,
and taken if it explains more than it costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.chance import Chance, Traces
from mitame.engines.elements.element import Element
from mitame.engines.elements.giving import PROBED, Groups, Sizes
from mitame.engines.elements.sizing import Sizing, joined

RIVAL = 0.7
"""Share of the best one's worth from which on another choice is tried, too."""

MOST_RIVALS = 3

FURTHER = 0.25
"""Of its price that an element costs more where there is another one: where scanners
differ at all, they do so in more than elements say."""

MOST_OUT = 2
"""Elements that another one may take the place of."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Some elements, refitted.

    Parameters
    ----------
    sizes : dict of str to array
    gap : array, shape (m,)
        What they leave of the difference.
    cost : float
        Its square, in the metric of the people, and the price of the elements.
    """

    sizes: Sizes
    gap: NDArray[np.float64]
    cost: float


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
        unsure = groups.unsure()
        self.chance = chance.unsure(unsure)
        self.sizing = Sizing(groups, self.chance, unsure)

    def find(self) -> Sizes:
        """Return the elements that explain the difference, and no others.

        One after the other is added, by traces; once none is worth it any more, slopes
        are told where the sizes are, and one may also take the place of up to
        `MOST_OUT` others, or these go: taken one after the other, two may have come to
        explain what another one does.
        """
        here = self._choice({}, self.groups.difference({}))
        seen = {frozenset(here.sizes)}
        while (better := self._added(here, seen)) is not None:
            here = better
        while here.sizes and (better := self._exchanged(here, seen)) is not None:
            here = better
        if not here.sizes:
            return {}
        return self.sizing.fit(here.sizes, everyone=True)[0]

    def told(self, sizes: Sizes) -> Found:
        """Return everything that is known of the elements that were found."""
        elements = tuple(self.groups.elements.values())
        if not sizes:
            return Found(elements, {}, {}, {}, 1.0)
        gap = self.groups.difference(sizes, most=None)
        whole = self.groups.difference({})
        energy = {n: self.groups.energy(n, sizes[n]) for n in sizes}
        order = sorted(sizes, key=lambda n: -energy[n])
        draws = self.sizing.drawn(sizes, gap)
        left = self.chance.excess(gap) / max(self.chance.excess(whole), 1e-9)
        return Found(
            elements,
            {n: sizes[n] for n in order},
            {n: draws[n] for n in order},
            {n: energy[n] for n in order},
            left,
        )

    def _added(self, here: Choice, seen: set[frozenset[str]]) -> Choice | None:
        """Return the best choice with one element more, if it is worth it."""
        now, traces = self.chance.misfit(here.gap) ** 2, self.groups.traces
        worth = {}
        for name in self._absent(here.sizes):
            names = (*here.sizes, name)
            saved = now - self._left(names, here.gap, traces)
            if saved > self._price(names) - self._price(here.sizes):
                # Over its limit: what chance does with a dear one is also more.
                worth[names] = saved**0.5 / self.chance.limits[name]
        return self._best(worth, here, seen)

    def _exchanged(self, here: Choice, seen: set[frozenset[str]]) -> Choice | None:
        """Return a better choice in which some elements went or one came."""
        elements = self.groups.elements
        slopes = self.sizing.slopes(elements, here.sizes, most=PROBED)
        back = {name: self._back(name, here) for name in here.sizes}
        worth = {}
        for out in _some_of(here.sizes):
            rest = tuple(name for name in here.sizes if name not in out)
            gap = here.gap + np.sum([back[name] for name in out], axis=0)
            for new in (None, *self._absent(here.sizes)):
                names = rest if new is None else (*rest, new)
                if names:
                    hoped = self._left(names, gap, slopes) + self._price(names)
                    worth[names] = here.cost - hoped
        return self._best({n: w for n, w in worth.items() if w > 0}, here, seen)

    def _absent(self, sizes: Sizes) -> list[str]:
        return [name for name in self.groups.elements if name not in sizes]

    def _back(self, name: str, here: Choice) -> NDArray[np.float64]:
        """Return what comes back of the difference without one of the elements."""
        rest = {n: s for n, s in here.sizes.items() if n != name}
        return self.groups.difference(rest) - here.gap

    def _best(
        self,
        worth: dict[tuple[str, ...], float],
        here: Choice,
        seen: set[frozenset[str]],
    ) -> Choice | None:
        """Return the cheapest of the most promising choices, once refitted.

        None if none costs less than what there is. Where some promise about as much,
        giving them tells which it is; of first ones all are given, for traces say
        little of a large difference. None is tried twice.
        """
        new = [n for n in worth if frozenset(n) not in seen]
        order = sorted(new, key=lambda n: -worth[n])
        if here.sizes:
            enough = RIVAL * worth[order[0]] if order else 0.0
            order = [n for n in order[:MOST_RIVALS] if worth[n] >= enough]
        tried = [here]
        for names in order:
            seen.add(frozenset(names))
            start = {n: here.sizes.get(n, self._none(n)) for n in names}
            tried.append(self._choice(*self.sizing.fit(start)))
        best = min(tried, key=lambda choice: choice.cost)
        return None if best is here else best

    def _none(self, name: str) -> NDArray[np.float64]:
        return np.zeros(self.groups.elements[name].n)

    def _choice(self, sizes: Sizes, gap: NDArray[np.float64]) -> Choice:
        return Choice(sizes, gap, self.chance.misfit(gap) ** 2 + self._price(sizes))

    def _price(self, names: Sizes | tuple[str, ...]) -> float:
        """Return what chance does with some elements, and more of all but the first."""
        prices = sorted(self.chance.limits[name] ** 2 for name in names)
        return sum(prices) + FURTHER * sum(prices[:-1])

    def _left(
        self, names: tuple[str, ...], gap: NDArray[np.float64], slopes: Traces
    ) -> float:
        """Return the squared misfit of a choice if measures went on as slopes say."""
        white = self.chance.whiten
        basis, _ = np.linalg.qr(white @ joined(slopes, names))
        wanted = white @ gap
        left = wanted - basis @ (basis.T @ wanted)
        return float(left @ left)


def _some_of(sizes: Sizes) -> Iterator[tuple[str, ...]]:
    """Yield which elements may go: none, one, or up to `MOST_OUT`."""
    for n in range(MOST_OUT + 1):
        yield from combinations(sizes, n)
