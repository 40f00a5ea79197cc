"""What two groups of scans differ in: named elements, each with size and interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix
from mitame.engines.elements.candidates import candidates, levels
from mitame.engines.elements.element import Element
from mitame.engines.elements.engine import scans_of
from mitame.engines.elements.fit import Difference, Found, Scan
from mitame.engines.noise import noise_level
from mitame.explain.plain import Levels, in_plain_units, unit_of

FEWEST = 4
"""Scans of a group: with fewer nobody knows how people differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """One element that two groups differ in.

    Parameters
    ----------
    name : str
        Of the element.
    size, low, high : float
        How much more of it the target has, and the 95 % interval over people.
    unit : str
        Of these.
    share : float
        Of what is explained, 0 to 1.
    """

    name: str
    size: float
    low: float
    high: float
    unit: str
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """What differs in one sequence.

    Parameters
    ----------
    named : tuple of Named
        The largest share first; none if nothing differs beyond chance.
    left : float
        Share of the difference that they leave unexplained, 0 to 1.
    found : Found
        The same as engines use it.
    """

    named: tuple[Named, ...]
    left: float
    found: Found


def explain(
    source: Sequence[Session],
    target: Sequence[Session],
    *,
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[Suffix, Explanation]:
    """Return what two groups differ in, for every sequence that both have.

    Parameters
    ----------
    source, target : sequence of Session
        Prepared, their bias fields left in; nobody need be in both.
    seed : int
        Of the splits that tell what chance does.
    progress : callable
        Is told what is being done.

    Raises
    ------
    InputError
        If no sequence is in both groups, or a group has too few scans of it.
    """
    groups = source, target
    theirs = [{suffix for session in group for suffix in session} for group in groups]
    shared = sorted(theirs[0] & theirs[1])
    if not shared:
        raise InputError(
            f"Source has {sorted(theirs[0])}, target has {sorted(theirs[1])}; nothing "
            "in common.",
            fix="Give scans of the same sequence from both scanners.",
        )
    found = {}
    for suffix in shared:
        progress(suffix)
        one, other = scans_of(source, suffix), scans_of(target, suffix)
        _require_enough(suffix, one, other)
        found[suffix] = _explained(one, other, seed)
    return found


def _require_enough(
    suffix: Suffix, source: Sequence[Scan], target: Sequence[Scan]
) -> None:
    if min(len(source), len(target)) < FEWEST:
        raise InputError(
            f"{len(source)} {suffix} scans of the source, {len(target)} of the target.",
            fix=f"Give {FEWEST} or more of each; 20 show what is small.",
        )


def _explained(source: list[Scan], target: list[Scan], seed: int) -> Explanation:
    elements = candidates(source, target, seed=seed)
    found = Difference(source, target, elements, seed=seed).find()
    gray, _ = levels(source)
    noise = [
        float(np.mean([noise_level(s.image, s.ground.brain) for s in group]))
        for group in (source, target)
    ]
    known = Levels(gray, (noise[0], noise[1]))
    by_name = {e.name: e for e in elements}
    named = tuple(_named(by_name[name], found, known) for name in found.sizes)
    return Explanation(named, found.left, found)


def _named(element: Element, found: Found, known: Levels) -> Named:
    size = in_plain_units(element, found.sizes[element.name][None], known)[0]
    draws = in_plain_units(element, found.draws[element.name], known)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Named(
        element.name,
        float(size),
        float(low),
        float(high),
        unit_of(element),
        found.shares[element.name],
    )
