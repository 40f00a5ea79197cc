"""Whether `mitame explain` names what was planted between two groups.

Simulated T1w of one scanner, 20 people and 20 others of a pool, 2 mm; the others are
scanned again with one planted difference, with two or three, or with none. Everyone's
brain mask and place are those of the plain scan: what is measured is naming. Results
are kept line by line in OUT/results.jsonl, so a run that was stopped goes on; several
processes may each do a part.

Usage: python benchmarks/naming.py ANATOMY OUT [--people 60] [--first 0]
       [--single 200] [--mixed 100] [--none 100] [--part 0/1] [--table]
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import track
from scipy.ndimage import gaussian_filter
from sklearn.linear_model import HuberRegressor

from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.elements.fields import fields_at
from mitame.evaluate.intervals import bootstrap
from mitame.explain.groups import explain
from mitame.explain.local import Local
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation
from mitame.prepare.place import in_place
from mitame.prepare.resample import resample, resample_mask
from mitame.prepare.scale import ScaleToWhiteMatter
from mitame.prepare.template import (
    FindTemplate,
    template_coordinates,
    template_grid,
)
from mitame.simulate.acquire import Scanned, scan
from mitame.simulate.anatomy import OUTSIDE_BRAIN, find_anatomies, read_anatomy
from mitame.simulate.catalog import SimulatedScanner, scanner_named
from mitame.simulate.plant import occipital_region
from mitame.simulate.subject import Subject, make_subject

SPACING = 2.0
GROUP = 20
PLAIN = scanner_named("prisma")
GRAY = (3, 42, 8, 47, 10, 11, 12, 13, 17, 18, 26, 49, 50, 51, 52, 53, 54, 58)
CORTEX, WHITE = (3, 42), (2, 41)

SIZES: dict[str, tuple[float, ...]] = {
    "tone curve": (-0.2, -0.1, 0.08, 0.15, 0.25),
    "noise": (0.6, 0.75, 1.4, 2.0, 3.0),
    "sharpness": (1.0, 1.5, 2.0),
    "ringing": (0.35, 0.5, 0.7),
    "stripes": (0.02, 0.04, 0.08),
    "bias field": (0.08, 0.15, 0.25),
    "contrast": (-0.1, -0.06, 0.06, 0.1, 0.15),
    "place": (0.2, 0.3, 0.45),
}
"""From just visible to strong, in the units of the simulator."""

TRUTH_OF = 6
"""People of whom the truth is taken, where it is that of the image."""

RIGHT = 0.2
"""Share of its truth by which a size may be wrong."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the pool, and their plain scan, prepared."""

    subject: Subject
    session: Session


Planted = dict[str, float]
"""What is planted, by name, in the units of the simulator."""

Line = dict[str, Any]
"""One cohort: what was planted, its truth, and what was named."""


def other_scanner(planted: Planted) -> SimulatedScanner:
    """Return the plain scanner with what was planted, but for marks of the tissue."""
    runs, tone, shading = PLAIN.acquisitions["T1w"], PLAIN.tone, PLAIN.receive_shading
    for name, size in planted.items():
        if name == "noise":
            runs = replace(runs, snr=runs.snr / size)
        elif name == "sharpness":
            runs = replace(runs, blur_mm=float(np.hypot(runs.blur_mm, size)))
        elif name == "ringing":
            runs = replace(runs, ringing=runs.ringing + size)
        elif name == "stripes":
            runs = replace(runs, stripes=size)
        elif name == "tone curve":
            tone *= float(np.exp(size))
        elif name == "bias field":
            shading += size
    return replace(
        PLAIN, acquisitions={"T1w": runs}, tone=tone, receive_shading=shading
    )


def mark_of(subject: Subject, planted: Planted) -> NDArray[np.floating]:
    """Return what tissue is multiplied by."""
    mark = np.ones(subject.labels.shape, np.float32)
    if "contrast" in planted:
        gray = np.isin(subject.labels, GRAY).astype(np.float32)
        mark += planted["contrast"] * gaussian_filter(gray, 0.25)
    if "place" in planted:
        mark *= 1 + planted["place"] * occipital_region(subject)
    return mark


def scanned(subject: Subject, planted: Planted, seed: tuple[int, ...]) -> Scanned:
    """Return a scan of somebody with what was planted."""
    return scan(
        subject,
        other_scanner(planted),
        "T1w",
        spacing=SPACING,
        rng=np.random.default_rng(seed),
        planted=mark_of(subject, planted),
    )


def prepared(person: Person, planted: Planted, seed: tuple[int, ...]) -> Session:
    """Return a scan with what was planted, where the plain one is."""
    image = scanned(person.subject, planted, seed).image
    known = person.session
    native = Session({"T1w": image}, known.subject, brain=known.brain)
    found, _ = ScaleToWhiteMatter().apply(
        replace(native, to_template=known.to_template)
    )
    return found


def truth(
    name: str, planted: Planted, people: list[Person], key: tuple[int, int]
) -> float:
    """Return the size of one planted thing in the units of `mitame explain`."""
    size = planted[name]
    if name in ("noise", "sharpness"):
        return size
    if name in ("ringing", "stripes"):
        return 100 * size
    if name == "tone curve":
        return float(np.exp(size))
    pairs = [Pair.of(p, {name: size}, (*key, n)) for n, p in enumerate(people)]
    if name == "bias field":  # its coil lies otherwise in everyone
        return 100 * float(np.linalg.norm(np.mean([p.field() for p in pairs], axis=0)))
    measured = Pair.contrast if name == "contrast" else Pair.brightening
    return float(np.mean([measured(pair) for pair in pairs[:TRUTH_OF]]))


def dice(places: Sequence[Local], planted: Planted, people: list[Person]) -> float:
    """Return how far what was found is the place where people's mean mark is half."""
    mark = {"place": planted["place"]}
    mean = np.mean([Pair.of(p, mark, (0,)).mark() for p in people], axis=0)
    true, grid = mean > 0.5 * mean.max(), template_grid(SPACING)
    found = np.zeros(grid.shape, bool)
    for place in places:
        found |= resample(place.map, grid, interpolator="nearest").data != 0
    return float(2 * (found & true).sum() / (found.sum() + true.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Noise-free images of somebody: plain, and with something planted."""

    person: Person
    plain: NDArray[np.float32]
    seen: NDArray[np.float32]

    @classmethod
    def of(cls, person: Person, planted: Planted, seed: tuple[int, ...]) -> Pair:
        """Return both, the coil where it was in the scan."""
        both = (
            scanned(person.subject, what, seed).noise_free.data
            for what in ({}, planted)
        )
        return cls(person, *both)

    def field(self) -> NDArray[np.float64]:
        """Return the coefficients of the field that was added."""
        brain = self.person.session.require_brain()
        ratio = np.log(self.seen[brain] / self.plain[brain])[::20]
        place = template_coordinates(self.person.session)[brain][::20]
        fit = HuberRegressor(alpha=0, max_iter=1000).fit(fields_at(place), ratio)
        return np.asarray(fit.coef_)

    def contrast(self) -> float:
        """Return by how many percent white and gray are further apart."""
        labels = labels_of(self.person)
        apart = []
        for image in (self.plain, self.seen):
            white = np.median(image[np.isin(labels, WHITE)])
            apart.append(1 - np.median(image[np.isin(labels, CORTEX)]) / white)
        return 100 * float(apart[1] / apart[0] - 1)

    def mark(self) -> NDArray[np.float32]:
        """Return how much brighter tissue is, in the template, with some unit."""
        known = self.person.session
        image = known["T1w"].with_data(self.seen - self.plain, Step("mark", {}))
        there = in_place(replace(known, volumes={"T1w": image}), SPACING)
        return np.where(there.brain, there.images["T1w"], 0)

    def brightening(self) -> float:
        """Return how many percent brighter the marked cortex is."""
        edit = self.seen - self.plain
        there = edit > 0.5 * edit.max()
        return 100 * float(edit[there].mean() / self.plain[there].mean())


def labels_of(person: Person) -> NDArray[np.int16]:
    """Return the labels at the voxels of the scan, the nearest of each."""
    fine, shape = person.subject.labels, person.session.reference.shape
    index = [
        np.minimum((np.arange(n) + 0.5) * m / n, m - 1).astype(int)
        for n, m in zip(shape, fine.shape, strict=True)
    ]
    return fine[np.ix_(*index)]


def drawn(kind: str, rng: np.random.Generator) -> Planted:
    """Return what is planted in one cohort."""
    n = {"single": 1, "mixed": int(rng.integers(2, 4)), "none": 0}[kind]
    names = rng.choice(sorted(SIZES), n, replace=False)
    return {str(name): float(rng.choice(SIZES[str(name)])) for name in names}


def cohort(kind: str, number: int, people: list[Person]) -> Line:
    """Return what was planted in one cohort, and what was named."""
    key = (["single", "mixed", "none"].index(kind), number)
    rng = np.random.default_rng(key)
    planted = drawn(kind, rng)
    who = [people[n] for n in rng.permutation(len(people))[: 2 * GROUP]]
    source = [person.session for person in who[:GROUP]]
    target = [
        prepared(p, planted, (*key, n)) if planted else p.session
        for n, p in enumerate(who[GROUP:])
    ]
    told = explain(source, target, seed=number)["T1w"]
    places = {place.name for place in told.places}
    named = [
        (
            "place" if one.name in places else one.name,
            one.name,
            one.size,
            one.low,
            one.high,
        )
        for one in told.named
    ]
    true = {name: truth(name, planted, who[GROUP:], key) for name in planted}
    line = {
        "kind": kind,
        "number": number,
        "planted": planted,
        "truth": true,
        "named": named,
    }
    if "place" in planted:
        line["dice"] = dice(told.places, planted, who[GROUP:])
    return line


def pool(anatomy: Path, out: Path, n: int, first: int = 0) -> list[Person]:
    """Return `n` people from the `first` on; who was made before is read back."""
    heads = find_anatomies(anatomy)
    found = []
    for number in track(range(first, first + n), description="people"):
        kept = out / "people" / f"{number:03d}.pickle"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            person = made(number, heads[number % len(heads)])
            part = kept.with_suffix(f".{np.random.default_rng().integers(1 << 30)}")
            part.write_bytes(pickle.dumps(person))
            part.rename(kept)
        found.append(pickle.loads(kept.read_bytes()))
    return found


def made(number: int, head: Path) -> Person:
    """Return one person with a plain scan, whose brain mask is that of the labels."""
    rng = np.random.default_rng([5, number])
    subject = make_subject(
        f"{number:03d}", read_anatomy(head), spacing=SPACING, rng=rng
    )
    image = scanned(subject, {}, (6, number)).image
    inside = ~np.isin(subject.labels, OUTSIDE_BRAIN)
    brain = resample_mask(inside, subject.grid, image)
    native = Session({"T1w": image}, subject.name, brain=brain)
    steps = Preparation((Orient(), FindTemplate(), ScaleToWhiteMatter()))
    return Person(subject, steps.apply(native)[0])


def right_size(name: str, size: float, true: float) -> bool:
    """Return whether a size is right to `RIGHT`; factors are compared from 1."""
    neutral = 1.0 if name in ("tone curve", "noise") else 0.0
    return abs(size - true) <= RIGHT * abs(true - neutral)


def table(lines: list[Line]) -> None:
    """Print accuracy, sizes, F1 of mixes and how often nothing is named something."""
    single = [one for one in lines if one["kind"] == "single"]
    print("| planted | cohorts | named first | size within 20 % | others named |")
    print("|---|---|---|---|---|")
    for name in [*SIZES, "all"]:
        some = [one for one in single if name == "all" or name in one["planted"]]
        if some:
            print(f"| {name} | {len(some)} | " + " | ".join(shares(some)) + " |")
    overlap = [one["dice"] for one in lines if "dice" in one]
    if overlap:
        print(f"places: Dice {np.mean(overlap):.2f}, {min(overlap):.2f} to ", end="")
        print(f"{max(overlap):.2f} over {len(overlap)}")
    inside = [h for one in single if (h := held(one)) is not None]
    print(f"intervals that hold the truth: {sum(inside)} of {len(inside)}")
    mixed = [one for one in lines if one["kind"] == "mixed"]
    if mixed:
        scores = {str(one["number"]): f1(one) for one in mixed}
        told = bootstrap(scores, seed=0)
        print(f"mixes: F1 {told.value:.2f} [{told.low:.2f}, {told.high:.2f}]", end="")
        print(f" over {len(mixed)}")
    none = [one for one in lines if one["kind"] == "none"]
    print(
        f"nothing planted: something named in {sum(bool(o['named']) for o in none)}",
        end="",
    )
    print(f" of {len(none)}")


def shares(some: list[Line]) -> list[str]:
    """Return the cells of a row: right first, right size, and false ones."""
    first, sized, more = [], [], []
    for one in some:
        ((name, true),) = one["truth"].items()
        named = {kind: size for kind, _, size, *_ in reversed(one["named"])}
        first.append(bool(one["named"]) and one["named"][0][0] == name)
        sized.append(name in named and right_size(name, named[name], true))
        more.append(len(one["named"]) - (name in named))
    counts = [f"{sum(x)} ({100 * np.mean(x):.0f} %)" for x in (first, sized)]
    return [*counts, f"{np.mean(more):.2f} a cohort"]


def held(one: Line) -> bool | None:
    """Return whether the interval holds the truth; None where nothing was named."""
    ((name, true),) = one["truth"].items()
    for kind, _, _, low, high in one["named"]:
        if kind == name:
            return bool(low <= true <= high)
    return None


def f1(one: Line) -> float:
    """Return the F1 score of the names of one cohort."""
    named, true = {kind for kind, *_ in one["named"]}, set(one["planted"])
    return 2 * len(named & true) / (len(named) + len(true))


def main() -> None:
    """Read the arguments; do what was not done before, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("anatomy", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first one")
    for kind, n in (("single", 200), ("mixed", 100), ("none", 100)):
        parser.add_argument(f"--{kind}", type=int, default=n)
    parser.add_argument("--part", default="0/1", help="k/n: every n-th, from the k-th")
    parser.add_argument("--table", action="store_true", help="print what is there")
    given = parser.parse_args()
    results = given.out / "results.jsonl"
    if not given.table:
        k, n = map(int, given.part.split("/"))
        people = pool(given.anatomy, given.out, given.people, given.first)
        wanted = [
            (kind, number)
            for number in range(max(given.single, given.mixed, given.none))
            for kind in ("single", "mixed", "none")
            if number < getattr(given, kind)
        ]
        done = {(one["kind"], one["number"]) for one in read_lines(results)}
        for key in track(wanted[k::n], description="cohorts"):
            if key not in done:
                line = json.dumps(cohort(*key, people))
                with results.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")
    table(read_lines(results))


def read_lines(path: Path) -> list[Line]:
    """Return the cohorts that were done."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


if __name__ == "__main__":
    main()
