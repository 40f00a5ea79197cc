"""What is given to the networks: one named thing alone, in a stated size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from mitame.engines.elements.candidates import (
    as_shown,
    everywhere,
    levels,
    mean_noise,
)
from mitame.engines.elements.element import Element, Field, Level, Size, Tone
from mitame.engines.elements.fading import fades_of
from mitame.engines.elements.giving import Scan
from mitame.engines.elements.placed import Placed
from mitame.explain.inside.bands import Added, Taken, bands_of
from mitame.explain.plain import BRIGHTER, Levels, in_plain_units, unit_of

Kind = Literal["tissue", "look", "place", "added", "taken"]
"""A tissue is brighter; the scanner is another; gray matter of a part of the brain is
brighter; noise of some frequencies is added; as much of an image's own is taken
away in each of some bands."""

BRIGHTENED = 0.05
"""Of a tissue, as a share of itself."""

LINEAR = 3
"""The first functions that fields are made of: they rise along one axis each."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """One named thing, and how much of it is given.

    Parameters
    ----------
    kind : str
        See `Kind`.
    name : str
        Of the element; of frequencies, from where to where, cycles/mm.
    amount : float
        In `unit`, as it is told.
    unit : str
        As those of elements.
    element : Element
        Does it.
    size : array, shape (n,)
        In the unit of the element.
    """

    kind: Kind
    name: str
    amount: float
    unit: str
    element: Element
    size: Size


def probes_of(scans: Sequence[Scan]) -> list[Probe]:
    """Return all that is given, in sizes that fit some scans.

    Parameters
    ----------
    scans : sequence of Scan
        As the networks are shown them.
    """
    known, noise = levels(scans), mean_noise(scans)
    white, gray, fluid = known
    bright = as_shown(
        Level("white matter", white, tuple(sorted((0.0, gray, fluid)))), scans
    )
    tissues: list[Element] = [bright]
    looks: list[Element] = [Tone()]
    places: list[Element] = []
    for element in everywhere(scans, known, noise, fades_of(scans)):
        if isinstance(element, Level):
            # How bright gray matter is, is what elements call contrast.
            tissue = element.name.replace("contrast", "gray matter")
            tissues.append(replace(element, name=tissue))
        else:
            (places if isinstance(element, Placed) else looks).append(element)
    plain = Levels(gray / white, (noise, noise))
    return [
        *(_brighter("tissue", one, BRIGHTENED) for one in tissues),
        *(_look(one, plain) for one in looks),
        *(_brighter("place", one, one.probe) for one in places),
        *_frequencies(scans[0].ground.spacing),
    ]


def _brighter(kind: Kind, element: Element, share: float) -> Probe:
    size = np.full(element.n, share)
    return Probe(kind, element.name, 100 * share, BRIGHTER, element, size)


def _look(element: Element, plain: Levels) -> Probe:
    size = np.full(element.n, element.probe)
    if isinstance(element, Field):  # one slope, whose standard deviation is the probe
        size = np.where(np.arange(element.n) < LINEAR, element.probe / LINEAR**0.5, 0.0)
    amount = float(in_plain_units(element, size[None], plain)[0])
    return Probe("look", element.name, amount, unit_of(element), element, size)


def _frequencies(spacing: Sequence[float]) -> list[Probe]:
    found = []
    kinds: tuple[tuple[Kind, type[Added] | type[Taken]], ...] = (
        ("added", Added),
        ("taken", Taken),
    )
    for kind, make in kinds:
        for band in bands_of(spacing):
            name = f"{band.low:.3g}-{band.high:.3g}"
            size, amount = np.array([make.probe]), 100 * make.probe
            unit = "% of white matter"
            found.append(Probe(kind, name, amount, unit, make(band, name), size))
    return found
