"""How much of one patient's lesions gets into what two scanners are said to differ in.

Cohorts of `naming.py` with one planted difference; then the same with twelve lesions in
one person of the target. The leak is the mean square, over that person's brain, of what
the elements change once the lesions are in the cohort, more or less than without them;
over the mean square of the lesions.

Usage: python benchmarks/leak.py ANATOMY OUT [--people 60] [--first 0]
       [--cohorts 0,1,2]
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import naming
import numpy as np
from naming import GROUP, Person
from numpy.typing import NDArray

from mitame.core.session import Session
from mitame.engines.elements.engine import scans_of
from mitame.engines.elements.fit import found_between
from mitame.engines.elements.giving import Scan, given, shares
from mitame.engines.elements.search import Found
from mitame.evaluate.intervals import bootstrap
from mitame.simulate.plant import choose_lesions, plant_lesions

LESIONS = 12


def with_lesions(person: Person, seed: int) -> Person:
    """Return somebody with lesions."""
    rng = np.random.default_rng([9, seed])
    lesions = choose_lesions(person.subject, LESIONS, rng)
    return replace(person, subject=plant_lesions(person.subject, lesions, rng)[0])


def edit(found: Found, scan: Scan) -> NDArray[np.floating]:
    """Return what elements change in the brain of a scan, there and back, (2, n)."""
    changed = [
        given(scan, share) - scan.image for share in shares(found.elements, found.sizes)
    ]
    return np.stack([one[scan.ground.brain] for one in changed])


def leak(number: int, people: list[Person]) -> tuple[float, list[str], list[str]]:
    """Return the leak of one cohort, what was planted, and what was found with it."""
    key = (0, number)
    rng = np.random.default_rng(key)
    planted = naming.drawn("single", rng)
    who = [people[n] for n in rng.permutation(len(people))[: 2 * GROUP]]
    target = [
        naming.prepared(person, planted, (*key, n))
        for n, person in enumerate(who[GROUP:])
    ]
    ill = naming.prepared(with_lesions(who[GROUP], number), planted, (*key, 0))
    source = scans_of([person.session for person in who[:GROUP]], "T1w")
    healthy, changed = _found(source, target), _found(source, [ill, *target[1:]])
    scan, seen = scans_of([target[0], ill], "T1w")
    lesions = (seen.image - scan.image)[scan.ground.brain]
    more = edit(changed, scan) - edit(healthy, scan)
    share = float(np.mean(np.sum(more**2, axis=0)) / np.mean(lesions**2))
    return share, [*planted], [*changed.sizes]


def _found(source: list[Scan], target: list[Session]) -> Found:
    return found_between(source, scans_of(target, "T1w"), 0)


def main() -> None:
    """Print the leak of each cohort, and their median."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("anatomy", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    parser.add_argument("--cohorts", default="0,1,2")
    args = parser.parse_args()
    people = naming.pool(args.anatomy, args.out, args.people, args.first)
    leaks = {}
    for number in args.cohorts.split(","):
        leaks[number], planted, found = leak(int(number), people)
        print(f"{number}: {leaks[number]:.4f}, {planted} as {found}", flush=True)
    print(bootstrap(leaks, seed=0))


if __name__ == "__main__":
    main()
