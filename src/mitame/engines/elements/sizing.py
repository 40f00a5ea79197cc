"""How much of some elements two groups differ by: found by giving them to scans.

Traces are only the first step of an element: noise saturates, what is blurred can ring
no more. Sizes are those at which the groups, once given them, are alike.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.chance import Chance, Traces
from mitame.engines.elements.element import Field
from mitame.engines.elements.giving import PROBED, SOME, Groups, Sizes
from mitame.engines.elements.placed import Placed

STEPS = 8
"""Most steps of a fit."""

ENOUGH = 0.02
"""A fit ends when it hopes to make the misfit smaller by less than this share."""

SURE = 1.0
"""And its square by less than this: that is one standard error of a size, whatever is
left that no size explains."""

SMALL = 0.25
"""Of an element's probe: as much more shows how it goes on from where it is."""

DRAWS = 1000

OFF = 0.1
"""Share of itself by which a size is off (SD) whoever the people are, as simulated
cohorts show: elements are not exactly what scanners do."""


class Sizing:
    """Sizes of given elements.

    Parameters
    ----------
    groups : Groups
        What differs, and the elements it may differ in.
    chance : Chance
        The metric in which they are compared.
    unsure : array, shape (m,)
        Standard deviation of what elements do not say of each measure.
    """

    def __init__(
        self, groups: Groups, chance: Chance, unsure: NDArray[np.float64]
    ) -> None:
        self.groups, self.chance, self.unsure = groups, chance, unsure

    def fit(
        self, sizes: Sizes, *, everyone: bool = False
    ) -> tuple[Sizes, NDArray[np.float64]]:
        """Return the sizes at which the groups are alike.

        Gauss-Newton steps whose slopes are those where it starts; every step tells more
        of them (C. G. Broyden, Mathematics of Computation 19, 1965). One that makes
        nothing better is halved. Where no step seems worth it, slopes are told anew,
        and only if they say so, too, that is the end.

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
        most = None if everyone else SOME
        gap = self.groups.difference(sizes, most=most)
        misfit, white = self.chance.misfit, self.chance.whiten
        units = self._units(sizes)
        probed = SOME if everyone else PROBED
        slope = self._white_slope(sizes, units, probed)
        length, told_here = 1.0, True
        for _ in range(STEPS):
            toward = length * np.linalg.pinv(slope) @ white @ gap
            tried = self._moved(sizes, toward * units)
            step = (_flat(tried) - _flat(sizes)) / units
            hoped, now = np.linalg.norm(white @ gap - slope @ step), misfit(gap)
            little = now - hoped <= ENOUGH * length * now
            if little and now**2 - hoped**2 < SURE * length:
                if told_here:
                    break
                slope = self._white_slope(sizes, units, probed)
                length, told_here = 1.0, True
                continue
            new = self.groups.difference(tried, most=most)
            # It may be so far that no tissue is what it was, and none is measured.
            if not np.isfinite(new).all() or misfit(new) >= now:
                length /= 2
                continue
            did = white @ (gap - new)
            slope = slope + np.outer(did - slope @ step, step) / (step @ step)
            sizes, gap = tried, new
            length, told_here = 1.0, False
        return sizes, gap

    def slopes(self, names: Iterable[str], sizes: Sizes, *, most: int) -> Traces:
        """Return how the measures move with more of elements than there is.

        Parameters
        ----------
        names : iterable of str
            Of the elements.
        sizes : dict of str to array
            How much there is.
        most : int
            Scans of a group that this is seen in.

        Returns
        -------
        dict of str to array, shape (m, n)
        """
        there = {name: size for name, size in sizes.items() if size.any()}
        if not there:
            return {name: self.groups.traces[name] for name in names}
        gap = self.groups.difference(there, most=most)
        return {name: self._slope(name, there, gap, most) for name in names}

    def _slope(
        self, name: str, sizes: Sizes, gap: NDArray[np.float64], most: int
    ) -> NDArray[np.float64]:
        element = self.groups.elements[name]
        size = sizes.get(name, np.zeros(element.n))
        # A field's coefficients are measured; where gray matter is brighter, others
        # hardly matter, and there are many places.
        if isinstance(element, Field) or (
            isinstance(element, Placed) and not size.any()
        ):
            return self.groups.traces[name]
        unit = SMALL * element.probe
        if not size.any():  # more or less of it are not given to the same group
            white = self.chance.whiten
            along = (white @ self.groups.traces[name]).sum(axis=1) @ white @ gap
            unit = abs(element.probe) * (np.sign(along) or 1.0)
        more = [{**sizes, name: size + step} for step in unit * np.eye(element.n)]
        moved = [gap - self.groups.difference(one, most=most) for one in more]
        return np.stack(moved, axis=1) / unit

    def _white_slope(
        self, sizes: Sizes, units: NDArray[np.float64], most: int
    ) -> NDArray[np.float64]:
        """Return how the measures move with one unit more of each size, (m, n)."""
        slopes = self.slopes(sizes, sizes, most=most)
        return np.asarray(self.chance.whiten @ joined(slopes, sizes) * units)

    def drawn(
        self, sizes: Sizes, gap: NDArray[np.float64]
    ) -> dict[str, NDArray[np.float64]]:
        """Return what sizes would be with other people, (`DRAWS`, n), by name.

        People are drawn anew from the same ones; what elements do not say of the
        measures is drawn, too, and by how much a size is `OFF`.

        Parameters
        ----------
        sizes : dict of str to array
        gap : array, shape (m,)
            What they leave of the difference of all.
        """
        rng = np.random.default_rng(0)
        both = self.groups.both(sizes)
        white = self.chance.whiten
        slope = white @ joined(self.slopes(sizes, sizes, most=SOME), sizes)
        to_size = np.linalg.pinv(slope) @ white
        steps = []
        for _ in range(DRAWS):
            some = [g[rng.integers(len(g), size=len(g))].mean(axis=0) for g in both]
            other = self.unsure * rng.standard_normal(len(gap))
            steps.append(to_size @ (some[1] - some[0] - gap + other))
        moved = [self._moved(sizes, step) for step in steps]
        return {n: _off(np.stack([one[n] for one in moved]), rng) for n in sizes}

    def _units(self, sizes: Sizes) -> NDArray[np.float64]:
        """Return what counts as one step in each number of some sizes."""
        elements = self.groups.elements
        return np.concatenate(
            [np.full(len(s), abs(elements[n].probe)) for n, s in sizes.items()]
        )

    def _moved(self, sizes: Sizes, step: NDArray[np.float64]) -> Sizes:
        """Return sizes after a step, as far as they mean something."""
        found, first = {}, 0
        for name, size in sizes.items():
            most = self.groups.elements[name].most
            moved = size + step[first : first + len(size)]
            found[name] = np.clip(moved, -most, most)
            first += len(size)
        return found


def joined(slopes: Traces, names: Iterable[str]) -> NDArray[np.float64]:
    """Return the slopes of some elements side by side, (m, n)."""
    return np.concatenate([slopes[name] for name in names], axis=1)


def _off(draws: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return draws (n_draws, n), each of which is also off by a share of itself."""
    return draws * (1 + OFF * rng.standard_normal((len(draws), 1)))


def _flat(sizes: Sizes) -> NDArray[np.float64]:
    return np.concatenate(list(sizes.values()))
