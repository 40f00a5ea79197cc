"""Two groups of scans, what is measured of them, and what elements do to that.

Every scan has its `Measures`; an element shifts them in directions of its own, found by
giving the element to some scans. An element is always given to the group that has less
of it, so nothing has to be undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.engines.elements.element import Element, Field
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.measures import FIRST_FIELD, Measures
from mitame.engines.elements.spectrum import Numbers

PROBED = 4
"""Scans that elements are given to, to learn their traces."""

Sizes = dict[str, Numbers]
"""How much there is of elements, by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """An image in white-matter medians, and where everything is in it."""

    image: Image
    ground: Ground


class Groups:
    """Two groups' measures, and what every element does to them.

    Parameters
    ----------
    source, target : sequence of Scan
        Two groups; nobody need be in both.
    elements : sequence of Element
        In the order in which scanners add them.
    measures : Measures
        What is measured.

    Attributes
    ----------
    own : tuple of array, shapes (n0, m) and (n1, m)
        What is measured of the scans as they are.
    traces : dict of str to array, shape (m, n)
        How the measures move with each number of an element.
    """

    def __init__(
        self,
        source: Sequence[Scan],
        target: Sequence[Scan],
        elements: Sequence[Element],
        measures: Measures,
    ) -> None:
        self.source, self.target = source, target
        self.elements = {element.name: element for element in elements}
        self.measures = measures
        self.own = self._measured(source, {}), self._measured(target, {})
        self.traces = {name: self._trace(e) for name, e in self.elements.items()}

    def add(self, element: Element, *, before: str) -> None:
        """Add an element in front of another one."""
        trace = self._trace(element)
        elements, traces = {}, {}
        for name, known in self.elements.items():
            if name == before:
                elements[element.name], traces[element.name] = element, trace
            elements[name], traces[name] = known, self.traces[name]
        self.elements, self.traces = elements, traces

    def drop(self, name: str) -> None:
        """Leave an element out."""
        del self.elements[name], self.traces[name]

    def difference(self, sizes: Sizes) -> NDArray[np.float64]:
        """Return target minus source, once those who lack elements were given them."""
        source, target = self.both(sizes)
        return np.asarray(target.mean(axis=0) - source.mean(axis=0))

    def both(self, sizes: Sizes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return everyone's measures, with elements given to those who lack them."""
        more, less = self.shares(sizes)
        source = self._measured(self.source, more) if more else self.own[0]
        return source, self._measured(self.target, less) if less else self.own[1]

    def alike(self, sizes: Sizes) -> tuple[list[Image], list[Image]]:
        """Return everyone's images, with elements given to those who lack them."""
        more, less = self.shares(sizes)
        return (
            [self.given(scan, more) for scan in self.source],
            [self.given(scan, less) for scan in self.target],
        )

    def shares(self, sizes: Sizes) -> tuple[Sizes, Sizes]:
        """Return what the source is given, and what the target is."""
        return shares(tuple(self.elements.values()), sizes)

    def given(self, scan: Scan, sizes: Sizes) -> Image:
        """Return an image with elements, in the order in which scanners add them."""
        return given(scan, tuple(self.elements.values()), sizes)

    def energy(self, name: str, size: Numbers) -> float:
        """Return the mean square of what an element changes in some scans' brains."""
        more, less = self.shares({name: size})
        group, one = (self.source, more) if more else (self.target, less)
        edits = [(self.given(s, one) - s.image)[s.ground.brain] for s in group[:PROBED]]
        return float(np.mean([np.mean(edit**2) for edit in edits]))

    def _measured(self, group: Sequence[Scan], sizes: Sizes) -> NDArray[np.float64]:
        return np.stack(
            [self.measures.of(self.given(scan, sizes), scan.ground) for scan in group]
        )

    def _trace(self, element: Element) -> NDArray[np.float64]:
        if isinstance(element, Field):
            return field_trace(self.own[0].shape[1])
        every = list(zip(self.source, self.own[0], strict=True))
        some = every[:: max(1, len(every) // PROBED)][:PROBED]
        found = []
        for size in element.probe * np.eye(element.n):
            moved = [
                self.measures.of(element.apply(s.image, s.ground, size), s.ground) - own
                for s, own in some
            ]
            found.append(np.mean(moved, axis=0) / element.probe)
        return np.stack(found, axis=1)


def shares(elements: Sequence[Element], sizes: Sizes) -> tuple[Sizes, Sizes]:
    """Return what one group is given to be like another, and what the other is."""
    more: Sizes = {}
    less: Sizes = {}
    for element in elements:
        if element.name in sizes:
            size = sizes[element.name]
            exact = element.n > 1 or size[0] * element.probe > 0
            (more if exact else less)[element.name] = size if exact else -size
    return more, less


def given(scan: Scan, elements: Sequence[Element], sizes: Sizes) -> Image:
    """Return an image with elements, in the order in which scanners add them."""
    image = scan.image
    for element in elements:
        if element.name in sizes:
            image = element.apply(image, scan.ground, sizes[element.name])
    return image


def field_trace(n: int) -> NDArray[np.float64]:
    """Return the trace of the field: its coefficients are measured."""
    found = np.zeros((n, N_FIELDS))
    found[FIRST_FIELD : FIRST_FIELD + N_FIELDS] = np.eye(N_FIELDS)
    return found
