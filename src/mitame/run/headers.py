"""What headers say of a scan, beside what they said of those a model knows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mitame.guard.expected import Range
from mitame.guard.verdict import Reason
from mitame.io.scan import Scan

CHANCE = 0.005
"""That somebody like the people of a group is taken for too young or too old."""

YEARS = 10.0
"""Spread (SD) of ages in a group, about."""


def told_by_headers(scans: Sequence[Scan]) -> dict[str, Any]:
    """Return what a model remembers of a group; names, paths and ages are not kept.

    Parameters
    ----------
    scans : sequence of Scan
        The group.

    Returns
    -------
    dict
        ``scanners``, those that are named; ``age``, the years another person of the
        group may have, None if no header tells ages; ``contrast_agent``, whether it
        was given to somebody, None if no header tells.
    """
    ages = [s.protocol.age for s in scans if s.protocol.age is not None]
    agents = [s.protocol.contrast_agent for s in scans]
    known = [agent for agent in agents if agent is not None]
    likely = Range.of(ages, chance=CHANCE, usual=YEARS) if ages else None
    return {
        "scanners": sorted({str(scan.scanner) for scan in scans if scan.scanner}),
        "age": None if likely is None else likely.to_json(),
        "contrast_agent": any(known) if known else None,
    }


def odd_by_header(scan: Scan, group: dict[str, Any]) -> tuple[Reason, ...]:
    """Return why a scan is another kind than those of a group; each is to look at.

    The person's own age is not told: reasons go into logs.

    Parameters
    ----------
    scan : Scan
        Which one.
    group : dict
        From `told_by_headers`; what an older model does not tell is not asked for.
    """
    reasons = []
    scanners = group.get("scanners")
    if scan.scanner and scanners and str(scan.scanner) not in scanners:
        told = f"{scan.scanner}; known: {', '.join(scanners)}"
        reasons.append(Reason("look", "header: scanner", told=told))
    age, agent = scan.protocol.age, scan.protocol.contrast_agent
    if age is not None and group.get("age"):
        likely = Range.from_json(group["age"])
        if not likely.holds(age):
            told = f"known: {likely.low:.0f} to {likely.high:.0f} years"
            reasons.append(Reason("look", "header: age", told=told))
    if agent and group.get("contrast_agent") is False:
        reasons.append(Reason("look", "header: contrast agent"))
    return tuple(reasons)
