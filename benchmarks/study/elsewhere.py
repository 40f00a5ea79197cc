"""What a planted mark costs a CycleGAN elsewhere.

Trains once on the two groups of `cyclegan.py`, and once on the same scans with the mark
taken off: the truth has it, voxel by voxel. Prints the mean absolute error outside of
the mark (in white-matter medians, against the noise-free target, or its scan where no
other is known) with and without it, on the same test subjects, with 95 % intervals;
what `bilateral` does stands beside it.

Usage: python benchmarks/study/elsewhere.py COHORT RESULTS OUT SOURCE TARGET
       [--steps N] [--seed 0] [--sequences T1w,FLAIR] [--test 6]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from cyclegan import Found, Way, fitted, shown, there_and_back
from numpy.typing import NDArray

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.bilateral import Bilateral
from mitame.engines.cyclegan import CycleGAN
from mitame.evaluate.case import Direction
from mitame.evaluate.cohort import Cohort, Kind, Prepared, find_cohort
from mitame.evaluate.intervals import bootstrap

ELSEWHERE = 0.01
"""Share of a mark's height below which a voxel counts as elsewhere."""


@dataclass(frozen=True, slots=True)
class Unmarked(Prepared):
    """The same prepared images without what was planted."""

    def session(self, subject: str, scanner: str, kind: Kind = "scan") -> Session:
        """Return one visit; what preparing multiplied the mark by goes with it."""
        found = Prepared.session(self, subject, scanner, kind)
        native = self.cohort.native(subject, scanner, kind)
        plain = {}
        for suffix, volume in found.items():
            mark = self.cohort.planted(subject, scanner, suffix)
            if mark is not None:
                stored = native[suffix].data
                share = np.divide(mark, stored, np.zeros_like(stored), where=stored > 0)
                volume = volume.with_data(volume.data * (1 - share), Step("unmark", {}))
            plain[suffix] = volume
        return found.with_volumes(plain)


def main() -> None:
    """Read the arguments; train with and without the mark, and print both."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("cohort", "results", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--steps", type=int, help="those of the size, if not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sequences", default="T1w,FLAIR")
    parser.add_argument("--test", type=int, default=6)
    given = parser.parse_args()
    cohort = find_cohort(given.cohort)
    cache = given.results / "prepared" / cohort.digest()[:12]
    ways = there_and_back(cohort, given.source, given.target, given.test)
    engines: dict[str, Callable[..., Harmonizer]] = {
        "bilateral": Bilateral,
        "ours": partial(CycleGAN, seed=given.seed, steps=given.steps),
    }
    given.out.mkdir(parents=True, exist_ok=True)
    some = set(given.sequences.split(","))
    for name, make in engines.items():
        both = []
        for made in (Prepared, Unmarked):
            kept = given.out / f"{name}_{given.seed}_{made.__name__}.json"
            if not kept.exists():
                images = made(cohort, cache)
                found = tried(make, ways, images, some)
                kept.write_text(json.dumps(found), encoding="utf-8")
            both.append(json.loads(kept.read_text(encoding="utf-8")))
        for way, marked, plain in zip(ways, *both, strict=True):
            for suffix in sorted(some):
                print(
                    row(
                        f"{name}, {way.source} to {way.target}, {suffix}",
                        marked[suffix],
                        plain[suffix],
                    ),
                    flush=True,
                )


def tried(
    make: Callable[[], Harmonizer],
    ways: list[Direction],
    images: Prepared,
    some: set[str],
) -> list[Found]:
    """Return errors elsewhere, for each direction."""
    both = zip(fitted(make, ways, images, some), ways, strict=True)
    return [measured(transform, way, images, some) for transform, way in both]


def measured(transform: Way, way: Direction, images: Prepared, some: set[str]) -> Found:
    """Return the mean absolute error elsewhere, of each test subject."""
    found: Found = {suffix: {} for suffix in sorted(some)}
    kind: Kind = "noisefree" if images.cohort.has_rescans else "scan"
    for subject in way.test:
        source = shown(images, subject, way.source, some)
        result = transform(source)
        target = images.session(subject, way.target, kind)
        brain = source.require_brain() & target.require_brain()
        for suffix in found:
            place = brain & elsewhere(images.cohort, subject, suffix, brain)
            error = np.abs(result[suffix].data - target[suffix].data)[place].mean()
            found[suffix][subject] = {"error": float(error)}
    return found


def elsewhere(
    cohort: Cohort, subject: str, suffix: str, brain: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Return where no scanner plants anything in a subject."""
    place = np.ones_like(brain)
    for scanner in cohort.scanners:
        mark = cohort.planted(subject, scanner, suffix)
        if mark is not None:
            place &= np.abs(mark) < ELSEWHERE * np.abs(mark).max()
    return place


def row(
    title: str, marked: dict[str, dict[str, float]], plain: dict[str, dict[str, float]]
) -> str:
    """Return a line of the table: with the mark, without, and the difference."""
    one, other = (
        {s: f["error"] for s, f in found.items()} for found in (marked, plain)
    )
    more = {s: 100 * (one[s] / other[s] - 1) for s in one}
    cells = []
    for values, digits in ((one, 4), (other, 4), (more, 1)):
        told = bootstrap(values, seed=0)
        numbers = (f"{v:.{digits}f}" for v in (told.value, told.low, told.high))
        cells.append("{} [{}, {}]".format(*numbers))
    return f"| {title} | {cells[0]} | {cells[1]} | {cells[2]} % |"


if __name__ == "__main__":
    main()
