"""The original study's coupled dictionaries, and what ours are made of.

For T1w of traveling subjects that `mitame benchmark` has prepared, prints tables and
draws a figure: what a stronger penalty, no differences as channels, and more sequences
do to the study's dictionary; what each part of ours brings; how far other methods
are behind it, from T1w alone; and what ours does to every sequence. PSNR, SSIM against
the noise-free target, with 95 % intervals over test subjects; HF: energy that a blur of
1 voxel takes away, over that of the target; near: distance to the source over distance
to the target; atoms: used by a patch. docs/explanation/dictionaries.md shows both.

Usage: python benchmarks/study/dictionary.py COHORT RESULTS OUT SOURCE TARGET
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.engines.bilateral import Bilateral
from mitame.engines.dictionary import Dictionary
from mitame.engines.dictionary.plain import PlainDictionary
from mitame.engines.histogram import Histogram
from mitame.engines.identity import Identity
from mitame.engines.nyul import Nyul
from mitame.engines.peers.aplus import APlus
from mitame.engines.peers.ridge import PatchRidge
from mitame.evaluate import metrics
from mitame.evaluate.cohort import Kind, Prepared, find_cohort
from mitame.evaluate.intervals import bootstrap, closed_share
from mitame.evaluate.splits import subject_split

PENALTIES = (0.002, 0.01, 0.05, 0.15, 0.3)
SHOWN = (0.01, 0.15, 0.3)
"""Penalties whose images are in the figure."""

HEADS = ("PSNR", "SSIM", "HF", "near", "atoms")
NOTICE = "Simulated scans. Research software; not for primary diagnosis."
THREE: tuple[Suffix, ...] = ("T1w", "T2w", "FLAIR")


class ToneCurve(Bilateral):
    """The dictionary's base alone."""

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Fit on pairs, as the dictionary does."""
        return self.fit_pairs(source, target)


class LinearMap(PatchRidge):
    """The dictionary's base and linear map, without a code."""

    base = Dictionary.base


@dataclass(frozen=True)
class Run:
    """One row of a table: a new engine for every direction."""

    name: str
    make: Callable[[], Harmonizer]
    suffixes: tuple[Suffix, ...] = ("T1w",)


STUDY = [
    *(Run(f"penalty {p:g}", partial(PlainDictionary, penalty=p)) for p in PENALTIES),
    Run("0.01, no differences",
        partial(PlainDictionary, penalty=0.01, differences=False)),
    Run("0.01, three sequences", partial(PlainDictionary, penalty=0.01), THREE),
]  # fmt: skip
OURS = [
    Run("tone curve in space", ToneCurve),
    Run("and a linear map", LinearMap),
    *(Run(f"and a code of {k} atoms", partial(Dictionary, n_atoms=k))
      for k in (128, 512, 1024)),
    Run("512 atoms, patches of 3 voxels", partial(Dictionary, radius=1)),
    Run("512 atoms, squares of slices", partial(Dictionary, shape="2d")),
    Run("512 atoms, three squares that cross", partial(Dictionary, shape="2.5d")),
    Run("512 atoms, and where the patch lies", partial(Dictionary, coordinates=True)),
    Run("512 atoms, three sequences", Dictionary, THREE),
]  # fmt: skip
PEERS = [
    Run("identity", Identity),
    Run("histogram", Histogram),
    Run("nyul", Nyul),
    Run("bilateral", Bilateral),
    Run("ridge", PatchRidge),
    Run("aplus", APlus),
]
BEST = OURS[3]
"""The dictionary with its defaults."""


@dataclass(frozen=True)
class Direction:
    """Training pairs and test cases of one direction."""

    images: Prepared
    train: tuple[str, ...]
    test: tuple[str, ...]
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.source} to {self.target}"

    def session(
        self, subject: str, scanner: str, kind: Kind, suffixes: tuple[str, ...]
    ) -> Session:
        """Return some sequences of a prepared session."""
        whole = self.images.session(subject, scanner, kind)
        return whole.with_volumes({s: whole[s] for s in whole if s in suffixes})

    def cases(self, run: Run) -> Iterator[Case]:
        """Yield what is compared of every test subject."""
        pairs = [
            [self.session(s, scanner, "scan", run.suffixes) for s in self.train]
            for scanner in (self.source, self.target)
        ]
        engine = run.make().fit(*pairs)
        for subject in self.test:
            source = self.session(subject, self.source, "scan", run.suffixes)
            seen = (
                self.session(subject, self.target, kind, run.suffixes)
                for kind in ("noisefree", "scan", "rescan")
            )
            yield Case(source, engine.transform(source), *seen)


@dataclass(frozen=True)
class Case:
    """A test subject: the scan, what became of it, and what the target shows."""

    source: Session
    result: Session
    truth: Session
    target: Session
    rescan: Session

    @property
    def brain(self) -> NDArray[np.bool_]:
        """Where both scanners show the brain."""
        return self.source.require_brain() & self.truth.require_brain()

    def gap(self, suffix: Suffix) -> tuple[float, float]:
        """Return how much error is gone and how much could be."""
        had, made, again, aim = (
            one[suffix].data
            for one in (self.source, self.result, self.rescan, self.target)
        )
        return metrics.gap(had, made, again, aim, self.brain)


def scores(case: Case, suffix: Suffix) -> list[float]:
    """Return what `HEADS` names, of one sequence."""
    brain = case.brain
    order = case.result, case.source, case.truth
    made, had, aim = (one[suffix].data for one in order)

    def fine(image: NDArray[np.float32]) -> float:
        return float(((image - gaussian_filter(image, 1))[brain] ** 2).sum())

    def away(other: NDArray[np.float32]) -> float:
        return float(np.sqrt(((made - other)[brain] ** 2).mean()))

    return [
        metrics.psnr(made, aim, brain),
        metrics.ssim(made, aim, brain),
        fine(made) / fine(aim),
        away(had) / away(aim),
        case.result[suffix].history[-1].params.get("atoms_a_patch", np.nan),
    ]


def table(title: str, runs: list[Run], ways: list[Direction], out: Path) -> None:
    """Print a table; rows that an earlier run has measured are not measured again."""
    print(f"\n### {title}\n")
    print("| | " + " | ".join(f"{w}: {', '.join(HEADS)}" for w in ways) + " |")
    print("|---" * (len(ways) + 1) + "|")
    for run in runs:
        cells = [" · ".join(told(measured(run, way, out))) for way in ways]
        print(f"| {run.name} | " + " | ".join(cells) + " |", flush=True)


def told(values: NDArray[np.float64]) -> Iterator[str]:
    """Yield the scores of subjects (n, 5) in words, PSNR and SSIM with intervals."""
    for head, column in zip(HEADS, values.T, strict=True):
        if head in ("PSNR", "SSIM"):
            digits = 2 if head == "PSNR" else 4
            yield interval(column, digits)
        elif not np.isnan(column).any():
            yield f"{column.mean():.3g}"


def interval(values: NDArray[np.float64], digits: int) -> str:
    """Return a mean over subjects with its interval, in words."""
    found = bootstrap({str(n): float(v) for n, v in enumerate(values)}, seed=0)
    low, high = (f"{v:.{digits}f}" for v in (found.low, found.high))
    return f"{found.value:.{digits}f} [{low}, {high}]"


def behind(runs: list[Run], ways: list[Direction], out: Path) -> None:
    """Print by how much the dictionary is better than others, subject by subject."""
    print("\n### T1w alone: the dictionary is better by\n")
    print("| than | " + " | ".join(f"{w}: PSNR, SSIM" for w in ways) + " |")
    print("|---" * (len(ways) + 1) + "|")
    for run in runs:
        cells = []
        for way in ways:
            more = measured(BEST, way, out) - measured(run, way, out)
            cells.append(f"{interval(more[:, 0], 2)} · {interval(more[:, 1], 4)}")
        print(f"| {run.name} | " + " | ".join(cells) + " |", flush=True)


def measured(
    run: Run, way: Direction, out: Path, suffix: Suffix = "T1w"
) -> NDArray[np.float64]:
    """Return the scores of a run (n, 5), of one of its sequences."""
    with np.load(kept(run, way, out)) as stored:
        return np.asarray(stored["scores"][:, run.suffixes.index(suffix)])


def every(runs: list[Run], ways: list[Direction], out: Path) -> None:
    """Print what runs do to each of their sequences, and the gap they close."""
    heads = (*HEADS[:-1], "gap closed")
    print("\n### Every sequence\n")
    print("| | " + " | ".join(f"{w}: {', '.join(heads)}" for w in ways) + " |")
    print("|---" * (len(ways) + 1) + "|")
    for run in runs:
        for suffix in run.suffixes:
            cells = [" · ".join(seen(run, way, out, suffix)) for way in ways]
            print(f"| {run.name}: {suffix} | " + " | ".join(cells) + " |", flush=True)


def seen(run: Run, way: Direction, out: Path, suffix: Suffix) -> Iterator[str]:
    """Yield the scores of one sequence in words, and the gap it closes."""
    yield from islice(told(measured(run, way, out, suffix)), HEADS.index("atoms"))
    with np.load(kept(run, way, out)) as stored:
        gaps = stored["gaps"][:, run.suffixes.index(suffix)]
    found = closed_share({str(n): tuple(pair) for n, pair in enumerate(gaps)}, seed=0)
    yield f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]" if found else "none"


def kept(run: Run, way: Direction, out: Path) -> Path:
    """Return where the scores of a run are, and a slice of the first case."""
    place = out / f"{run.name} {way}.npz".replace(" ", "_")
    if not place.exists():
        found, gaps = [], []
        for n, case in enumerate(way.cases(run)):
            found.append([scores(case, suffix) for suffix in run.suffixes])
            gaps.append([case.gap(suffix) for suffix in run.suffixes])
            if n == 0:
                seen = slices(case)
        np.savez(place, scores=found, gaps=gaps, seen=seen)
    return place


def slices(case: Case) -> NDArray[np.float32]:
    """Return an axial slice of all three T1w through the brain's middle, front up."""
    brain = np.argwhere(case.truth.require_brain())
    (i, j, _), (i_end, j_end, _) = brain.min(axis=0), brain.max(axis=0) + 1
    middle = int(np.median(brain[:, 2]))
    box = slice(i, i_end), slice(j, j_end), middle
    shown = case.source, case.result, case.truth
    return np.stack([one["T1w"].data[box].T[::-1] for one in shown])


def draw(ways: list[Direction], out: Path) -> None:
    """Draw quality against penalty, and what the results look like."""
    figure = Figure(figsize=(11, 9))
    FigureCanvasAgg(figure)
    above = figure.add_gridspec(1, 3, top=0.95, bottom=0.74, left=0.05, right=0.98)
    below = figure.add_gridspec(len(ways), 5, top=0.65, bottom=0.01, left=0, right=1)
    curves = {
        w: np.array([measured(r, w, out).mean(axis=0) for r in STUDY[:5]]) for w in ways
    }
    drawn = {
        "PSNR": "PSNR, dB",
        "HF": "fine detail, target = 1",
        "atoms": "atoms a patch",
    }
    for place, (head, title) in enumerate(drawn.items()):
        axis = figure.add_subplot(above[place])
        for way, values in curves.items():
            axis.plot(PENALTIES, values[:, HEADS.index(head)], "o-", label=str(way))
        axis.set(xscale="log", xlabel="penalty of the code", title=title)
        axis.legend(fontsize=8)
    for row, way in enumerate(ways):
        files = [out / f"penalty_{p:g}_{way}.npz".replace(" ", "_") for p in SHOWN]
        pictures = [np.load(file)["seen"] for file in files]
        named = [
            (f"source, {way.source}", pictures[0][0]),
            *((f"penalty {p:g}", s[1]) for p, s in zip(SHOWN, pictures, strict=True)),
            (f"target, {way.target}, noise-free", pictures[0][2]),
        ]
        for place, (title, picture) in enumerate(named):
            axis = figure.add_subplot(below[row, place])
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1.3)
            axis.set_title(title, fontsize=8)
            axis.set_axis_off()
    figure.text(0.99, 0.003, NOTICE, ha="right", fontsize=7)
    figure.savefig(out / "study-dictionary.png", dpi=100)


def main() -> None:
    """Read the arguments, measure both directions."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    for name in ("cohort", "results", "out"):
        parser.add_argument(name, type=Path)
    parser.add_argument("source")
    parser.add_argument("target")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    cohort = find_cohort(given.cohort)
    images = Prepared(cohort, given.results / "prepared" / cohort.digest()[:12])
    train, test = subject_split(cohort.subjects, test=6, seed=1)
    ways = [
        Direction(images, tuple(train), tuple(test), one, other)
        for one, other in (
            (given.source, given.target),
            (given.target, given.source),
        )
    ]
    every([BEST, OURS[-1]], ways, given.out)
    table("T1w alone", PEERS, ways, given.out)
    behind(PEERS, ways, given.out)
    table("The study's dictionary", STUDY, ways, given.out)
    draw(ways, given.out)
    table("What ours is made of", OURS, ways, given.out)
    behind(OURS[:2], ways, given.out)


if __name__ == "__main__":
    main()
