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

from mitame.engines.elements.element import Element, Field, Size
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.elements.measures import FIRST_FIELD, Measures, unsure
from mitame.engines.elements.spectrum import Numbers

PROBED = 4
"""Scans that elements are given to, to learn their traces."""

SOME = 8
"""Most scans of a group that elements are given to while sizes are looked for."""

Sizes = dict[str, Numbers]
"""How much there is of elements, by name."""

Share = tuple[tuple[Element, Size], ...]
"""What a group is given, in the order in which scanners add it."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """An image in white-matter medians, and where everything is in it."""

    image: Image
    ground: Ground

    @property
    def flat(self) -> Image:
        """The image without its bias field."""
        return self.image / self.ground.shading


class Groups:
    """Two groups' measures, and what every element does to them.

    Parameters
    ----------
    source, target : sequence of Scan
        Two groups; nobody need be in both.
    elements : sequence of Element
        In the order in which scanners add them; what nobody's scan would show, such as
        a place outside the field of view, is left out.
    measures : Measures
        What is measured.

    Attributes
    ----------
    known : array of bool
        Which of the `measures` every scan shows; m of them.
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
        self.measures = measures
        ours, theirs = (
            np.stack([measures.of(s.image, s.ground) for s in group])
            for group in (source, target)
        )
        self.known = np.isfinite(np.concatenate([ours, theirs])).all(axis=0)
        self.own = ours[:, self.known], theirs[:, self.known]
        traces = {element.name: self._trace(element) for element in elements}
        self.traces = {n: trace for n, trace in traces.items() if _shows(trace)}
        self.elements = {e.name: e for e in elements if e.name in self.traces}

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

    def difference(
        self, sizes: Sizes, *, most: int | None = SOME
    ) -> NDArray[np.float64]:
        """Return target minus source, once those who lack elements were given them.

        Parameters
        ----------
        sizes : dict of str to array
            What is given.
        most : int, optional
            Scans of a group that are given it, whose change stands for all; None if
            all are.
        """
        more, less = self.shares(sizes)
        source = self._mean(self.source, self.own[0], more, most)
        target = self._mean(self.target, self.own[1], less, most)
        return np.asarray(target - source)

    def unsure(self) -> NDArray[np.float64]:
        """Return what elements do not say of each measure's difference: its SD."""
        whole = np.zeros(len(self.known))
        whole[self.known] = self.difference({})
        return np.asarray(unsure(whole)[self.known])

    def both(self, sizes: Sizes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return everyone's measures, with elements given to those who lack them."""
        more, less = self.shares(sizes)
        source = self._measured(self.source, more) if more else self.own[0]
        return source, self._measured(self.target, less) if less else self.own[1]

    def alike(self, sizes: Sizes) -> tuple[list[Image], list[Image]]:
        """Return everyone's images, with elements given to those who lack them."""
        more, less = self.shares(sizes)
        return (
            [given(scan, more) for scan in self.source],
            [given(scan, less) for scan in self.target],
        )

    def shares(self, sizes: Sizes) -> tuple[Share, Share]:
        """Return what the source is given, and what the target is."""
        return shares(tuple(self.elements.values()), sizes)

    def energy(self, name: str, size: Numbers) -> float:
        """Return the mean square of what an element changes in some scans' brains."""
        more, less = self.shares({name: size})
        group, one = (self.source, more) if more else (self.target, less)
        edits = [(given(s, one) - s.image)[s.ground.brain] for s in group[:PROBED]]
        return float(np.mean([np.mean(edit**2) for edit in edits]))

    def _mean(
        self, group: Sequence[Scan], own: Numbers, share: Share, most: int | None
    ) -> Numbers:
        mean = own.mean(axis=0)
        if not share:
            return np.asarray(mean)
        some = slice(None, None, 1 if most is None else -(-len(group) // most))
        change = self._measured(group[some], share) - own[some]
        return np.asarray(mean + change.mean(axis=0))

    def _measured(self, group: Sequence[Scan], share: Share) -> NDArray[np.float64]:
        return np.stack([self._of(given(s, share), s.ground) for s in group])

    def _of(self, image: Image, ground: Ground) -> Numbers:
        return np.asarray(self.measures.of(image, ground)[self.known])

    def _trace(self, element: Element) -> NDArray[np.float64]:
        if isinstance(element, Field):
            return np.asarray(field_trace(len(self.known))[self.known])
        every = list(zip(self.source, self.own[0], strict=True))
        some = every[:: max(1, len(every) // PROBED)][:PROBED]
        found = []
        for size in element.probe * np.eye(element.n):
            moved = [
                self._of(element.apply(s.image, s.ground, size), s.ground) - own
                for s, own in some
            ]
            found.append(np.mean(moved, axis=0) / element.probe)
        return np.stack(found, axis=1)


def shares(elements: Sequence[Element], sizes: Sizes) -> tuple[Share, Share]:
    """Return what one group is given to be like another, and what the other is.

    Parameters
    ----------
    elements : sequence of Element
        In the order in which scanners add them.
    sizes : dict of str to array
        How much more of them the other has, by name.
    """
    more: list[tuple[Element, Size]] = []
    less: list[tuple[Element, Size]] = []
    for element in elements:
        size = sizes.get(element.name)
        if size is None or not size.any():
            continue
        if element.n > 1 or size[0] * element.probe > 0:
            more.append((element, size))
        else:
            less.append((element, -size))
    return tuple(more), tuple(less)


def given(scan: Scan, share: Share) -> Image:
    """Return an image with what its group is given."""
    image = scan.image
    for element, size in share:
        image = element.apply(image, scan.ground, size)
    return image


def _shows(trace: NDArray[np.float64]) -> bool:
    """Return whether the measures tell of every number of an element."""
    return bool(np.isfinite(trace).all() and trace.any(axis=0).all())


def field_trace(n: int) -> NDArray[np.float64]:
    """Return the trace of the field: its coefficients are measured."""
    found = np.zeros((n, N_FIELDS))
    found[FIRST_FIELD : FIRST_FIELD + N_FIELDS] = np.eye(N_FIELDS)
    return found
