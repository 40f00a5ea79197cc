"""Elements fitted to two groups of scans."""

from __future__ import annotations

from collections.abc import Sequence

from mitame.engines.elements.candidates import candidates
from mitame.engines.elements.chance import Chance
from mitame.engines.elements.giving import Groups, Scan
from mitame.engines.elements.places import with_places
from mitame.engines.elements.search import Found, Search


def found_between(
    source: Sequence[Scan], target: Sequence[Scan], seed: int, *, fields: bool = True
) -> Found:
    """Return the few elements in which two groups differ, each with its size.

    Parameters
    ----------
    source, target : sequence of Scan
        Of one sequence; nobody need be in both.
    seed : int
        Of the lots that tell what chance does.
    fields : bool
        Whether bias fields are still in the scans: what correction leaves of them is
        no element.
    """
    elements, measures = candidates(source, target, seed=seed, fields=fields)
    groups = Groups(source, target, elements, measures)
    search = Search(groups, Chance.of(groups.own, groups.traces, seed))
    found = search.find()
    placed = with_places(groups, found)
    if placed is not found:
        placed, _ = search.sizing.fit(placed, everyone=True)
    return search.told(placed)
