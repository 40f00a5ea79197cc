"""Engines × directions × metrics: every engine on the same subjects, one table."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import permutations, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.engines.named import engine_class
from mitame.evaluate import metrics
from mitame.evaluate.cohort import Cohort, Prepared, gain_of
from mitame.evaluate.intervals import bootstrap
from mitame.evaluate.place import InPlace, in_place
from mitame.evaluate.site import site_accuracy
from mitame.evaluate.splits import subject_split
from mitame.evaluate.table import ALL, CEILING, Row, plain, read_rows
from mitame.io import nifti
from mitame.io.staging import staged_file

PERSON_MM = 3.0
"""Voxels of the template on which two people are compared."""

PLANTED = 0.5
"""Share of its height above which a planted mark is measured."""

Progress = Callable[[str], None]
Scores = dict[tuple[str, str], dict[str, float]]
"""By sequence and metric: the score of each test subject."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a benchmark runs.

    Parameters
    ----------
    engines : tuple of str
        As in the entry point.
    test : int
        Subjects to test on; the others train.
    seed : int
        Of the split, the classifiers and the intervals.
    sites : bool
        Whether classifiers are trained to tell the scanners apart.
    """

    engines: tuple[str, ...]
    test: int
    seed: int
    sites: bool = True


@dataclass(frozen=True, slots=True)
class Direction:
    """From one scanner to another, and who trains and who tests."""

    source: str
    target: str
    train: tuple[str, ...]
    test: tuple[str, ...]


def run_benchmark(
    cohort: Cohort,
    plan: Plan,
    out: Path,
    *,
    progress: Progress = lambda _: None,
) -> list[Row]:
    """Return the rows of all engines and directions.

    Prepared images and the rows of every engine are kept in `out`; a run that was
    interrupted goes on where it stopped.

    Raises
    ------
    InputError
        If an engine is unknown, or there are too few subjects.
    """
    for name in plan.engines:
        engine_class(name)  # a misspelt name is told before an hour of preparation
    train, test = subject_split(cohort.subjects, test=plan.test, seed=plan.seed)
    # Other scans of the same names are another cohort.
    digest = cohort.digest()
    images = Prepared(cohort, out / "prepared" / digest[:12])
    visits = list(product(cohort.subjects, cohort.scanners))

    def prepared(visit: tuple[str, str]) -> tuple[str, str]:
        images.session(*visit)
        return visit

    with ThreadPoolExecutor(max_workers=2) as pool:  # SimpleITK and torch share
        for subject, scanner in pool.map(prepared, visits):
            progress(f"sub-{subject} on {scanner} prepared")
    rows: list[Row] = []
    for source, target in permutations(cohort.scanners, 2):
        direction = Direction(source, target, train, test)
        for engine in (*([CEILING] if cohort.has_truth else []), *plan.engines):
            rows += _kept(engine, direction, plan, images, out / "cells" / digest[:12])
            progress(f"{engine}: {source} to {target}")
    return rows


def count_steps(cohort: Cohort, plan: Plan) -> int:
    """Return how often `run_benchmark` reports progress."""
    directions = len(cohort.scanners) * (len(cohort.scanners) - 1)
    cells = directions * (len(plan.engines) + cohort.has_truth)
    return len(cohort.subjects) * len(cohort.scanners) + cells


def _kept(
    engine: str, direction: Direction, plan: Plan, images: Prepared, cells: Path
) -> list[Row]:
    """Return the rows of one engine and direction, from an earlier run if it did."""
    asked = {**asdict(plan), **asdict(direction), "engines": [engine]}
    asked = json.loads(json.dumps(asked))
    path = cells / f"{engine}_{direction.source}_{direction.target}.json"
    if path.exists():
        found = json.loads(path.read_bytes())
        if found["plan"] == asked:
            return read_rows(found["rows"])
        path.unlink()
    rows = _scored(engine, direction, plan, images)
    cells.mkdir(parents=True, exist_ok=True)
    with staged_file(path) as temporary:
        content = {"plan": asked, "rows": [plain(row) for row in rows]}
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return rows


def _scored(
    engine: str, direction: Direction, plan: Plan, images: Prepared
) -> list[Row]:
    """Return every score of one engine in one direction."""
    transform = _transform(engine, direction, images)
    results = {s: transform(s) for s in direction.test}
    scores = _image_scores(results, direction, images)
    rows = [
        Row(
            engine, direction.source, direction.target, sequence, metric,
            found.value, found.low, found.high, found.n_subjects,
        )
        for (sequence, metric), values in scores.items()
        for found in [bootstrap(values, seed=plan.seed)]
    ]  # fmt: skip
    if len(results) > 1:
        rows.append(_person_row(engine, direction, images, results))
    if plan.sites:
        rows += _site_rows(engine, direction, plan, images, results, transform)
    return rows


def _transform(
    engine: str, direction: Direction, images: Prepared
) -> Callable[[str], Session]:
    """Return a function that gives a subject's harmonized session."""
    if engine == CEILING:
        return lambda subject: images.session(subject, direction.target, "rescan")
    fitted = engine_class(engine)().fit(
        images.sessions(direction.train, direction.source),
        images.sessions(direction.train, direction.target),
    )
    return lambda subject: fitted.transform(images.session(subject, direction.source))


def _image_scores(
    results: Mapping[str, Session], direction: Direction, images: Prepared
) -> Scores:
    """Return the scores of each result against its subject on the target scanner."""
    scores: Scores = {}
    for subject, result in results.items():
        target = images.session(subject, direction.target)
        source = images.session(subject, direction.source)
        for suffix in result:
            mask = _both(source, target)
            given = result[suffix].data, target[suffix].data
            found = {
                "psnr": metrics.psnr(*given, mask),
                "ssim": metrics.ssim(*given, mask),
                "mae": metrics.mae(*given, mask),
                "wasserstein": metrics.wasserstein(*given, mask),
            }
            if images.cohort.has_truth:
                found |= _truth_scores(subject, suffix, result, direction, images)
            for metric, value in found.items():
                scores.setdefault((suffix, metric), {})[subject] = value
    return scores


def _truth_scores(
    subject: str,
    suffix: Suffix,
    result: Session,
    direction: Direction,
    images: Prepared,
) -> dict[str, float]:
    """Return the scores that need to know more than the target's own scan."""
    source = images.session(subject, direction.source)
    target = images.session(subject, direction.target)
    quiet, again = (
        images.session(subject, direction.target, kind)[suffix].data
        for kind in ("noisefree", "rescan")
    )
    mask = _both(source, target)
    found = {"psnr_noisefree": metrics.psnr(result[suffix].data, quiet, mask)}
    before, after, least = (
        metrics.mae(image, quiet, mask)
        for image in (source[suffix].data, result[suffix].data, again)
    )
    if before > least:  # else there is no gap to close
        found["gap_closed"] = metrics.gap_closed(before, after, least)
    planted = images.cohort.file(subject, direction.source, suffix, "planted")
    if planted.exists():
        mark = nifti.read(planted).data * gain_of(source[suffix])
        region = mask & (mark > PLANTED * mark.max())
        found["planted_residual"] = metrics.planted_residual(
            result[suffix].data, quiet, mark, region
        )
    return found


def _person_row(
    engine: str,
    direction: Direction,
    images: Prepared,
    results: Mapping[str, Session],
) -> Row:
    """Return how many subjects' results are nearest to their own scan."""
    theirs = [in_place(results[s], PERSON_MM) for s in direction.test]
    real = images.sessions(direction.test, direction.target)
    owns = [in_place(session, PERSON_MM) for session in real]
    distances = [[_distance(one, own) for own in owns] for one in theirs]
    nothing = float("nan")
    return Row(
        engine, direction.source, direction.target, ALL, "person_kept",
        metrics.person_kept(distances), nothing, nothing, len(direction.test),
    )  # fmt: skip


def _distance(one: InPlace, other: InPlace) -> float:
    """Return the mean difference of two visits, all sequences, in both brains."""
    both = one.brain & other.brain
    apart = [one.images[s] - other.images[s] for s in one.images]
    return float(np.mean(np.abs([gap[both] for gap in apart])))


def _site_rows(
    engine: str,
    direction: Direction,
    plan: Plan,
    images: Prepared,
    results: Mapping[str, Session],
    transform: Callable[[str], Session],
) -> list[Row]:
    """Return how well new classifiers tell results from the target's real scans."""
    train, test = (
        (
            [transform(s) for s in subjects],
            images.sessions(subjects, direction.target),
        )
        for subjects in (direction.train, direction.test)
    )
    found = site_accuracy(train, (list(results.values()), test[1]), seed=plan.seed)
    numbers = {
        "site_accuracy": found.worse,
        "site_accuracy_linear": found.linear,
        "site_accuracy_network": found.network,
    }
    nothing = float("nan")
    return [
        Row(
            engine, direction.source, direction.target, ALL, metric, value,
            nothing, nothing, len(direction.test),
        )
        for metric, value in numbers.items()
    ]  # fmt: skip


def _both(source: Session, target: Session) -> NDArray[np.bool_]:
    """Return the brain that both scans show."""
    return source.require_brain() & target.require_brain()
