"""Engines × directions × metrics: every engine on the same subjects, one table."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from itertools import permutations, product
from pathlib import Path

from mitame.core.errors import InputError
from mitame.core.progress import Progress
from mitame.engines.named import engine_class
from mitame.evaluate.case import Direction
from mitame.evaluate.cell import score
from mitame.evaluate.cohort import Cohort, Kind, Prepared
from mitame.evaluate.scores import ILL_PERCENT
from mitame.evaluate.splits import subject_folds, subject_split
from mitame.evaluate.suite_faults import score_faults
from mitame.evaluate.suite_lesions import score_bias, score_lesions
from mitame.evaluate.table import CEILING, Row, plain, read_rows
from mitame.io.staging import staged_file

SUITES = ("looks", "lesions", "bias", "faults")


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
    unpaired : bool
        Whether every scanner has training subjects of its own, as in most studies;
        else all of them are seen on all scanners.
    suite : {"looks", "lesions", "bias", "faults"}
        How near results come to the target; what becomes of lesions, with and without
        the limited mode; the same if one training group is ill; or what the guard
        says of broken and of good results.
    """

    engines: tuple[str, ...]
    test: int
    seed: int
    sites: bool = True
    unpaired: bool = False
    suite: str = "looks"

    @property
    def ill(self) -> tuple[int | None, ...]:
        """Return how many in a hundred of a training group are made ill, in turn."""
        return ILL_PERCENT if self.suite == "bias" else (None,)


@dataclass(frozen=True, slots=True)
class Cell:
    """One part of a run, kept by itself.

    Parameters
    ----------
    engine : str
        As in the entry point, or `CEILING`.
    direction : Direction
        Between which scanners.
    ill : int, optional
        How many in a hundred of a training group are made ill: see `score_bias`.
    """

    engine: str
    direction: Direction
    ill: int | None

    @property
    def name(self) -> str:
        """Of its file, without the ending."""
        way = f"{self.engine}_{self.direction.source}_{self.direction.target}"
        return way if self.ill is None else f"{way}_{self.ill:03d}"

    @property
    def words(self) -> str:
        """Say what is done."""
        way = f"{self.engine}: {self.direction.source} to {self.direction.target}"
        return way if self.ill is None else f"{way}, {self.ill} % ill"


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
    if plan.suite not in SUITES:
        raise InputError(
            f"There is no suite '{plan.suite}'.", fix=f"Use one of {', '.join(SUITES)}."
        )
    for name in plan.engines:  # what is wrong is told before an hour of preparation
        if engine_class(name).needs_pairs and plan.unpaired:
            raise InputError(
                f"'{name}' learns from pairs, and nobody is on two scanners here.",
                fix="Leave it out, or leave out --unpaired.",
            )
    directions = _directions(cohort, plan)
    # Other scans of the same names are another cohort.
    digest = cohort.digest()
    images = Prepared(cohort, out / "prepared" / digest[:12])
    _prepare(images, plan, directions[0].test, progress)
    rows: list[Row] = []
    engines = (*([CEILING] if cohort.has_rescans else []), *plan.engines)
    for direction, engine, ill in product(directions, engines, plan.ill):
        cell = Cell(engine, direction, ill)
        rows += _kept(cell, plan, images, out / "cells" / digest[:12])
        progress(cell.words)
    return rows


def _prepare(
    images: Prepared, plan: Plan, test: tuple[str, ...], progress: Progress
) -> None:
    """Prepare everything that is needed, two at a time; it takes most of the time."""

    def prepared(visit: tuple[str, str]) -> tuple[str, str]:
        for kind in _kinds(images.cohort, plan, is_tested=visit[0] in test):
            images.session(*visit, kind)
        return visit

    visits = product(images.cohort.subjects, images.cohort.scanners)
    with ThreadPoolExecutor(max_workers=2) as pool:  # SimpleITK and torch share
        for subject, scanner in pool.map(prepared, visits):
            progress(f"sub-{subject} on {scanner} prepared")


def _kinds(cohort: Cohort, plan: Plan, *, is_tested: bool) -> tuple[Kind, ...]:
    """Return which images of a visit will be looked at; classifiers learn rescans."""
    if not cohort.has_rescans:
        return ("scan",)
    if is_tested:
        return "scan", "rescan", "noisefree"
    return ("scan", "rescan") if plan.sites else ("scan",)


def _directions(cohort: Cohort, plan: Plan) -> list[Direction]:
    """Return every way between two scanners, with who trains and who tests."""
    train, test = subject_split(cohort.subjects, test=plan.test, seed=plan.seed)
    on = dict.fromkeys(cohort.scanners, train)
    if plan.unpaired:
        folds = subject_folds(train, len(cohort.scanners), plan.seed)
        parts = (part for _, part in folds)
        on = dict(zip(cohort.scanners, parts, strict=True))
    return [
        Direction(source, target, on[source], on[target], test)
        for source, target in permutations(cohort.scanners, 2)
    ]


def count_steps(cohort: Cohort, plan: Plan) -> int:
    """Return how often `run_benchmark` reports progress."""
    directions = len(cohort.scanners) * (len(cohort.scanners) - 1)
    cells = directions * (len(plan.engines) + cohort.has_rescans) * len(plan.ill)
    return len(cohort.subjects) * len(cohort.scanners) + cells


def _scored(cell: Cell, images: Prepared, plan: Plan) -> list[Row]:
    """Return the rows of one engine and direction in the suite of a plan."""
    given = cell.engine, cell.direction, images
    if cell.ill is not None:
        return score_bias(*given, percent=cell.ill, seed=plan.seed)
    if plan.suite == "faults":
        return score_faults(*given, seed=plan.seed)
    if plan.suite == "lesions":
        return score_lesions(*given, seed=plan.seed)
    return score(*given, seed=plan.seed, sites=plan.sites)


def _kept(cell: Cell, plan: Plan, images: Prepared, cells: Path) -> list[Row]:
    """Return the rows of one cell, from an earlier run if it did."""
    asked = {**asdict(plan), **asdict(cell.direction), "engines": [cell.engine]}
    asked = json.loads(json.dumps(asked))
    path = cells / plan.suite / f"{cell.name}.json"
    if path.exists():
        found = json.loads(path.read_bytes())
        if found["plan"] == asked:
            return read_rows(found["rows"])
        path.unlink()
    rows = _scored(cell, images, plan)
    path.parent.mkdir(parents=True, exist_ok=True)
    with staged_file(path) as temporary:
        content = {"plan": asked, "rows": [plain(row) for row in rows]}
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return rows
