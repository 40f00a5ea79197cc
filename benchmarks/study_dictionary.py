"""The original study's coupled dictionaries: quality against regularization.

Prints, for T1w of traveling subjects that `mitame benchmark` has prepared, what a
stronger penalty, no differences as channels, and more sequences do. PSNR and SSIM
against the noise-free target; HF: energy that a blur of 1 voxel takes away, over that
of the target; near: distance to the source over distance to the target.

Usage: python benchmarks/study_dictionary.py COHORT RESULTS SOURCE TARGET
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from mitame.core.session import Session
from mitame.engines.dictionary.plain import PlainDictionary
from mitame.evaluate import metrics
from mitame.evaluate.cohort import Prepared, find_cohort
from mitame.evaluate.splits import subject_split

PENALTIES = (0.002, 0.01, 0.05, 0.15, 0.3)
RUNS: list[tuple[str, tuple[str, ...], dict[str, Any]]] = [
    *(
        (f"penalty {p}", ("T1w",), {"penalty": p})
        for p in (0.002, 0.01, 0.05, 0.15, 0.3)
    ),
    ("0.01, no differences", ("T1w",), {"penalty": 0.01, "differences": False}),
    ("0.01, three sequences", ("T1w", "T2w", "FLAIR"), {"penalty": 0.01}),
]


def only(session: Session, suffixes: tuple[str, ...]) -> Session:
    """Return some sequences of a session."""
    return session.with_volumes({s: session[s] for s in session if s in suffixes})


def scores(result: Session, source: Session, truth: Session) -> list[float]:
    """Return PSNR, SSIM, HF, near and atoms a patch of the T1w."""
    brain = source.require_brain() & truth.require_brain()
    made, had, aim = (one["T1w"].data for one in (result, source, truth))

    def fine(image: np.ndarray) -> float:
        return float(((image - gaussian_filter(image, 1))[brain] ** 2).sum())

    def away(other: np.ndarray) -> float:
        return float(np.sqrt(((made - other)[brain] ** 2).mean()))

    return [
        metrics.psnr(made, aim, brain),
        metrics.ssim(made, aim, brain),
        fine(made) / fine(aim),
        away(had) / away(aim),
        result["T1w"].history[-1].params["atoms_a_patch"],
    ]


def main() -> None:
    """Read the arguments, print a line a run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("source")
    parser.add_argument("target")
    given = parser.parse_args()
    cohort = find_cohort(given.cohort)
    digest = cohort.digest()[:12]
    images = Prepared(cohort, given.results / "prepared" / digest)
    train, test = subject_split(cohort.subjects, test=6, seed=1)
    print(f"{'':24}   PSNR   SSIM     HF   near  atoms")
    for name, suffixes, options in RUNS:
        pairs = [
            [only(images.session(s, scanner), suffixes) for s in train]
            for scanner in (given.source, given.target)
        ]
        engine = PlainDictionary(**options).fit(*pairs)
        found = []
        for subject in test:
            source = only(images.session(subject, given.source), suffixes)
            truth = images.session(subject, given.target, "noisefree")
            found.append(scores(engine.transform(source), source, truth))
        told = np.mean(found, axis=0)
        print(f"{name:24} {told[0]:6.2f} {told[1]:6.4f} {told[2]:6.3f} "
              f"{told[3]:6.2f} {told[4]:6.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
