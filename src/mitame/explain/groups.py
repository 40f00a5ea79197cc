"""What two groups of scans differ in: named elements, each with size and interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix, shared_sequences
from mitame.core.volume import Step, Volume
from mitame.engines.elements.candidates import levels, mean_noise
from mitame.engines.elements.element import Element, Field
from mitame.engines.elements.engine import scans_of
from mitame.engines.elements.fit import found_between
from mitame.engines.elements.giving import Scan, Share, given, shares
from mitame.engines.elements.ground import Ground
from mitame.engines.elements.placed import Placed
from mitame.engines.elements.search import Found
from mitame.explain.local import Local, find_local, local_of
from mitame.explain.place import FEWEST
from mitame.explain.plain import (
    BRIGHTER,
    Levels,
    in_plain_units,
    unit_of,
    without_scatter,
)


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
        Of the squared change in brightness that all elements make, 0 to 1.
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
        Share of the measured difference that the elements leave unexplained, 0 to 1;
        places where all tissues differ do not count.
    found : Found
        The elements as engines use them.
    places : tuple of Local
        Where the groups differ in one place only.
    """

    named: tuple[Named, ...]
    left: float
    found: Found
    places: tuple[Local, ...]

    @property
    def zero(self) -> tuple[str, ...]:
        """What was looked for and is not needed."""
        # Stripes are an element only where some wave tells the groups apart.
        every = (e.name for e in self.found.elements if not isinstance(e, Placed))
        zero = [
            n for n in dict.fromkeys([*every, "stripes"]) if n not in self.found.sizes
        ]
        return tuple(zero) if self.places else (*zero, "place")


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
    found = {}
    for suffix in shared_sequences(source, target):
        progress(suffix)
        ours, theirs = (scans_of(group, suffix) for group in groups)
        require_enough(suffix, len(ours), len(theirs))
        found[suffix] = _told(ours, theirs, seed)
    return found


def _told(source: Sequence[Scan], target: Sequence[Scan], seed: int) -> Explanation:
    """Return what two groups differ in: one place, and elements outside of it.

    What differs in one place only would be taken for a bit of everything. And strong
    elements may look like a place: if they alone are no more names and leave no place,
    there is none. Nor is one believed where a field differs outside of it: fields are
    told from white matter, and what they leave at the brain's rim looks like a place.
    """
    local = find_local(source, target, seed=seed)
    whole = _explained(source, target, None, seed)
    if local is None:
        return whole
    rest = _without(source, local), _without(target, local)
    outside = _explained(*rest, local, seed)
    if any(one.name == "bias field" for one in outside.named):
        return whole
    if len(whole.named) > len(outside.named):
        return outside
    more, less = shares(whole.found.elements, whole.found.sizes)
    alike = _given(source, more), _given(target, less)
    return whole if find_local(*alike, seed=seed) is None else outside


def _given(group: Sequence[Scan], share: Share) -> list[Scan]:
    """Return scans with elements."""
    found = []
    for scan in group:
        session, suffix = scan.ground.session, scan.ground.suffix
        image = session[suffix].with_data(given(scan, share), Step("given", {}))
        ground = Ground(session.with_volumes({suffix: image}), suffix)
        found.append(Scan(image.data, ground))
    return found


def unexplained(
    before: Sequence[Session],
    after: Sequence[Session],
    told: Explanation,
    suffix: Suffix,
) -> float:
    """Return how much of what was done to scans is none of the elements, 0 to 1.

    Parameters
    ----------
    before, after : sequence of Session
        The same scans, in one order.
    told : Explanation
        What both differ in.
    suffix : str
        Which sequence.

    Returns
    -------
    float
        Mean over the scans of the squared change in the brain that is left once the
        elements were given, over the whole. Noise counts as left: no two scans have
        the same. Above 1 if elements do more harm than good in single voxels.
    """
    more, less = shares(told.found.elements, told.found.sizes)
    left = []
    for one, other in zip(
        scans_of(before, suffix), scans_of(after, suffix), strict=True
    ):
        brain = one.ground.brain
        whole = (other.image - one.image)[brain]
        rest = (given(other, less) - given(one, more))[brain]
        if whole.any():
            left.append(float(np.mean(rest**2) / np.mean(whole**2)))
    return float(np.mean(left)) if left else 0.0


def _without(group: Sequence[Scan], local: Local) -> list[Scan]:
    """Return scans whose brain is all but a place of the template."""
    there = Volume((local.map.data != 0).astype(np.float32), local.map.affine)
    found = []
    for scan in group:
        session = scan.ground.session
        rest = session.require_brain() & (scan.ground.there(there) == 0)
        ground = Ground(replace(session, brain=rest), scan.ground.suffix)
        found.append(Scan(scan.image, ground))
    return found


def require_enough(suffix: Suffix, n_source: int, n_target: int) -> None:
    """Raise `InputError` if a group has too few scans of a sequence."""
    if min(n_source, n_target) < FEWEST:
        raise InputError(
            f"{n_source} {suffix} scans of the source, {n_target} of the target.",
            fix=f"Give {FEWEST} or more of each; 20 show what is small.",
        )


def _explained(
    source: Sequence[Scan], target: Sequence[Scan], local: Local | None, seed: int
) -> Explanation:
    """Return the elements outside of a place, and the place."""
    found = found_between(source, target, seed)
    white, gray, _ = levels(source)
    known = Levels(gray / white, (mean_noise(source), mean_noise(target)))
    whole = sum(found.energy.values()) + (local.energy if local else 0)
    used = [e for e in found.elements if e.name in found.sizes]
    placed = {e.name: local_of(e, found) for e in used if isinstance(e, Placed)}
    others = [e for e in used if e.name not in placed]
    places = (*placed.values(), *([local] if local else []))
    named = [
        *(_named(element, found, known, whole) for element in others),
        *(_placed(place, whole) for place in places),
    ]
    ordered = sorted(named, key=lambda one: -one.share)
    return Explanation(tuple(ordered), found.left, found, places)


def _placed(place: Local, whole: float) -> Named:
    share = place.energy / whole
    return Named(place.name, place.size, place.low, place.high, BRIGHTER, share)


def _named(element: Element, found: Found, known: Levels, whole: float) -> Named:
    rows, draws = found.sizes[element.name][None], found.draws[element.name]
    if isinstance(element, Field):
        rows, draws = without_scatter(rows, draws)
    size = in_plain_units(element, rows, known)[0]
    draws = in_plain_units(element, draws, known)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Named(
        element.name,
        float(size),
        float(low),
        float(high),
        unit_of(element),
        found.energy[element.name] / whole,
    )
