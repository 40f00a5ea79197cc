"""The original study's CycleGANs, and ours, on two unpaired groups of travelers.

Of a cohort that `mitame benchmark --unpaired` has prepared, half of the training
subjects are known from one scanner and half from the other. A CycleGAN is trained once
and measured there and back. Prints, for each network,
sequence and direction: PSNR and SSIM against the noise-free target, or its scan where
no other is known, with 95 % intervals over test subjects; what is left of the planted
mark (0 is gone), or how much of it was put in (1 is all); and how far fine detail is
that of the target (correlation of what a blur of 1 voxel takes away): texture that is
made up is not.

Usage: python benchmarks/study/cyclegan.py COHORT RESULTS OUT SOURCE TARGET
       [--only NAME,…] [--steps N] [--seeds 0,1,2] [--sequences T1w,FLAIR] [--test 6]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session
from mitame.engines.bilateral import Bilateral
from mitame.engines.cyclegan import CycleGAN
from mitame.engines.cyclegan.variants import Blind, Far, Full, Patches
from mitame.engines.histogram import Histogram
from mitame.engines.identity import Identity
from mitame.engines.nyul import Nyul
from mitame.evaluate.case import PLANTED, Case, Direction
from mitame.evaluate.cohort import Cohort, Prepared, find_cohort, gain_of
from mitame.evaluate.intervals import bootstrap
from mitame.evaluate.splits import subject_folds, subject_split

TRAINED: dict[str, Callable[..., Harmonizer]] = {
    "ours": CycleGAN,
    "ours without coordinates": partial(CycleGAN, coordinates=False),
    "ours without bilateral": partial(CycleGAN, base="identity"),
    "study: whole slices": Blind,
    "study: patches": Patches,
    "study: far-reaching": Far,
    "study: fully connected": Full,
}
OTHERS: dict[str, Callable[..., Harmonizer]] = {
    "identity": Identity,
    "histogram": Histogram,
    "nyul": Nyul,
    "bilateral": Bilateral,
}
HEADS = ("PSNR", "SSIM", "mark left", "mark put in", "fine detail")


Found = dict[str, dict[str, dict[str, float]]]
"""Scores by sequence, subject and name."""

Way = Callable[[Session], Session]


def there_and_back(
    cohort: Cohort, source: str, target: str, test: int
) -> list[Direction]:
    """Return both directions; half of the training subjects are known from each."""
    train, unseen = subject_split(cohort.subjects, test=test, seed=1)
    parts = [part for _, part in subject_folds(train, 2, 1)]
    on = dict(zip(cohort.scanners, parts, strict=True))
    return [
        Direction(one, other, on[one], on[other], unseen)
        for one, other in ((source, target), (target, source))
    ]


def fitted(
    make: Callable[[], Harmonizer],
    ways: list[Direction],
    images: Prepared,
    some: set[str],
) -> list[Way]:
    """Return the way there and the way back; a CycleGAN learns both at once."""
    engines = []
    for way in ways:
        groups = (way.train_source, way.source), (way.train_target, way.target)
        scans = [[shown(images, s, on, some) for s in who] for who, on in groups]
        engines.append(make().fit(*scans))
        if isinstance(engines[0], CycleGAN):
            return [engines[0].transform, engines[0].transform_back]
    return [engine.transform for engine in engines]


def shown(images: Prepared, subject: str, scanner: str, some: set[str]) -> Session:
    """Return some sequences of a session."""
    whole = images.session(subject, scanner)
    return whole.with_volumes({s: whole[s] for s in whole if s in some})


def measured(transform: Way, way: Direction, images: Prepared, some: set[str]) -> Found:
    """Return what is reached on the test subjects."""
    found: Found = {s: {} for s in sorted(some)}
    for subject in way.test:
        result = transform(shown(images, subject, way.source, some))
        case = Case.of(subject, result, way, images)
        for suffix in found:
            found[suffix][subject] = scores(case, suffix, way)
    return found


def scores(case: Case, suffix: str, way: Direction) -> dict[str, float]:
    """Return what `HEADS` names, of one sequence; without a mark, not these two.

    Against the noise-free target, or its scan, where that is all that is known.
    """
    every = case.scores(suffix)
    kind = "" if case.truth is None else "_noisefree"
    found = {"PSNR": every[f"psnr{kind}"], "SSIM": every[f"ssim{kind}"]}
    if "planted_residual" in every:
        found["mark left"] = every["planted_residual"]
    image, true = case.result[suffix].data, case.target[suffix].data
    mark = case.cohort.planted(case.subject, way.target, suffix)
    if mark is not None:
        mark = mark * gain_of(case.target[suffix])
        region = case.mask & (mark > PLANTED * mark.max())
        short = (image - true)[region].mean() / mark[region].mean()
        found["mark put in"] = float(1 + short)
    quiet = true if case.truth is None else case.truth.noise_free[suffix].data
    fine = [(one - gaussian_filter(one, 1))[case.mask] for one in (image, quiet)]
    found["fine detail"] = float(np.corrcoef(*fine)[0, 1])
    return found


def row(name: str, found: dict[str, dict[str, float]]) -> str:
    """Return a line of the table, of one sequence."""
    cells = []
    for head in HEADS:
        values = {s: one[head] for s, one in found.items() if head in one}
        if not values:
            cells.append("")
            continue
        told = bootstrap(values, seed=0)
        digits = 2 if head == "PSNR" else 4 if head == "SSIM" else 3
        numbers = (f"{v:.{digits}f}" for v in (told.value, told.low, told.high))
        cells.append("{} [{}, {}]".format(*numbers))
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    """Read the arguments; measure what was not measured before, and print all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("cohort", "results", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--only", default=",".join([*OTHERS, *TRAINED]))
    parser.add_argument("--steps", type=int, help="those of the size, if not given")
    parser.add_argument("--seeds", default="0")
    parser.add_argument("--sequences", default="T1w,FLAIR")
    parser.add_argument("--test", type=int, default=6)
    given = parser.parse_args()
    names, suffixes = given.only.split(","), given.sequences.split(",")
    if unknown := set(names) - {*OTHERS, *TRAINED}:
        parser.error(f"no such network: {sorted(unknown)}; see {[*OTHERS, *TRAINED]}")
    cohort = find_cohort(given.cohort)
    images = Prepared(cohort, given.results / "prepared" / cohort.digest()[:12])
    ways = there_and_back(cohort, given.source, given.target, given.test)
    given.out.mkdir(parents=True, exist_ok=True)
    seen: dict[str, list[Found]] = {}
    for name in names:
        runs = {name: OTHERS[name]} if name in OTHERS else {}
        for seed in given.seeds.split(",") if name in TRAINED else ():
            options = {"seed": int(seed), "steps": given.steps}
            runs[f"{name}, seed {seed}"] = partial(TRAINED[name], **options)
        for title, make in runs.items():
            asked = (title, given.source, given.target, given.sequences)
            asked = (*asked, given.steps, given.test)
            kept = given.out / f"{'_'.join(map(str, asked))}.json"
            if not kept.exists():
                both = zip(fitted(make, ways, images, set(suffixes)), ways, strict=True)
                found = [measured(f, way, images, set(suffixes)) for f, way in both]
                kept.write_text(json.dumps(found), encoding="utf-8")
            seen[title] = json.loads(kept.read_text(encoding="utf-8"))
    for suffix in suffixes:
        for n, way in enumerate(ways):
            print(f"\n### {way.source} to {way.target}, {suffix}\n")
            print("| | " + " | ".join(HEADS) + " |\n" + "|---" * (len(HEADS) + 1) + "|")
            for title, found in seen.items():
                print(row(title, found[n][suffix]), flush=True)


if __name__ == "__main__":
    main()
