"""Suite of lesions: what becomes of them, with and without the limited mode."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from mitame.core.errors import InputError
from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.evaluate import metrics
from mitame.evaluate.case import Case, Direction
from mitame.evaluate.cohort import Prepared
from mitame.evaluate.foci import invented_in
from mitame.evaluate.guarded import Values, fitted_on, rows_of_values
from mitame.evaluate.painted import Painted
from mitame.evaluate.table import CEILING, Row
from mitame.guard.guard import Guard

SAFE = (0.9, 1.1)
"""Share of its contrast that a lesion keeps if nothing was done to it."""

SMALLEST_MM = 3.0
"""Diameter of the ball as large as the smallest lesion or focus that counts."""

PAINTED = 12
"""Lesions that somebody gets, if a cohort has none of its own."""

Modes = Callable[[Case], dict[str, Session]]
"""Gives results for a source scan, by what is added to the names of their scores."""

Scores = dict[tuple[Suffix, str], list[float]]
"""Of one subject, by sequence and metric."""


def score_lesions(
    engine: str, direction: Direction, images: Prepared, *, seed: int
) -> list[Row]:
    """Return how many lesions keep their contrast, with and without a limit.

    Parameters
    ----------
    engine : str
        As in the entry point, or `CEILING`.
    direction : Direction
        Every fourth training subject is kept for the guard: `fit_guarded`.
    images : Prepared
        The cohort. Test subjects without lesions get some; what needs truth is left
        out without.
    seed : int
        Of lesions and intervals.
    """
    modes: Modes = _rescans
    if engine != CEILING:
        modes = _full_and_limited(*fitted_on(engine, direction, images), "")
    return _scores(engine, direction, images, modes, _of_lesions_and_marks, seed)


def score_bias(
    engine: str, direction: Direction, images: Prepared, *, percent: int, seed: int
) -> list[Row]:
    """Return what `score_lesions` does if a part of one training group is ill.

    In both directions it is the group of the scanner whose name comes first. An engine
    that learned from it how a scanner looks may have learned the disease, too: one
    way it takes lesions away, the other way it invents them.

    Parameters
    ----------
    engine : str
        As in the entry point, or `CEILING`, which does not learn.
    direction : Direction
        Every fourth training subject is kept for the guard: `fit_guarded`.
    images : Prepared
        The cohort, of people without lesions; test subjects get some.
    percent : int
        Of the group, one of `scores.ILL_PERCENT`.
    seed : int
        Who is ill, of lesions and intervals.

    Raises
    ------
    InputError
        If the cohort has lesions of its own.
    """
    if engine == CEILING:
        return []
    _require_healthy(images)
    scanner = min(direction.source, direction.target)
    is_source = scanner == direction.source
    group = direction.train_source if is_source else direction.train_target
    order = np.random.default_rng(seed).permutation(np.array(group))
    ill = set(order[: round(percent / 100 * len(group))].tolist())

    def visit(subject: str, on: str) -> Session:
        session = images.session(subject, on)
        if on != scanner or subject not in ill:
            return session
        return _painted(subject, session, seed).on(session)

    fitted = fitted_on(engine, direction, images, visit)
    modes = _full_and_limited(*fitted, f"_ill_{percent:03d}")
    return _scores(engine, direction, images, modes, _of_lesions, seed)


def _rescans(case: Case) -> dict[str, Session]:
    return {} if case.truth is None else {"": case.truth.rescan}


def _full_and_limited(fitted: Harmonizer, guard: Guard, name: str) -> Modes:
    """Return how to make both results, the scores of one with a name's end."""

    def modes(case: Case) -> dict[str, Session]:
        full = fitted.transform(case.source)
        return {name: full, f"{name}_limited": guard.limited(case.source, full)}

    return modes


def _require_healthy(images: Prepared) -> None:
    subject = images.cohort.subjects[0]
    if images.cohort.lesions(subject) is not None:
        raise InputError(
            f"sub-{subject} has lesions of its own, so both groups are ill.",
            fix="Give a cohort without: `mitame simulate` without --plant lesions.",
        )


def _painted(subject: str, session: Session, seed: int) -> Painted:
    """Return lesions of a subject, the same whenever they are asked for."""
    rng = np.random.default_rng([seed, zlib.crc32(subject.encode())])
    return Painted.of(session, PAINTED, rng)


def _scores(
    engine: str,
    direction: Direction,
    images: Prepared,
    modes: Modes,
    measured: Callable[[Case, Modes], Scores],
    seed: int,
) -> list[Row]:
    """Return what became of the lesions of all test subjects, in every mode."""
    values: Values = {}
    for subject in direction.test:
        source = images.session(subject, direction.source)
        case = Case.of(subject, source, direction, images)
        if case.lesions is None:
            case = case.having(_painted(subject, source, seed))
        for metric, some in measured(case, modes).items():
            values.setdefault(metric, {})[subject] = some
    return rows_of_values(engine, direction, values, seed)


def _of_lesions(case: Case, modes: Modes) -> Scores:
    """Return what became of the lesions of one subject."""
    return _lesions(case, modes(case))


def _of_lesions_and_marks(case: Case, modes: Modes) -> Scores:
    """Return the same, what became of the mark, and how near results are."""
    results = modes(case)
    found = _lesions(case, results)
    has_mark = any(case.mark(suffix) for suffix in case.source)
    having = modes(case.with_mark_again()) if has_mark else {}
    for mode, result in results.items():
        for suffix, volume in result.items():
            image, true = volume.data, case.target[suffix].data
            found[suffix, f"psnr{mode}"] = [metrics.psnr(image, true, case.mask)]
            if (mark := case.mark(suffix)) is None:
                continue
            left = mark.left(image, case.quiet(suffix))
            found[suffix, f"planted_residual{mode}"] = [left]
            before, after = (_contrast(case, s, suffix) for s in (case.source, result))
            kept = mark.lesion_kept(image, having[mode][suffix].data, after / before)
            found[suffix, f"lesion_like_mark_kept{mode}"] = [kept]
    return found


def _lesions(case: Case, results: Mapping[str, Session]) -> Scores:
    """Return what became of lesions and foci, in every mode and sequence."""
    found: Scores = {}
    for mode, result in results.items():
        done = replace(case, result=result)
        for suffix in result:
            if kept := done.lesions_kept(suffix, smallest_mm=SMALLEST_MM):
                safe = [float(SAFE[0] <= one <= SAFE[1]) for one in kept]
                found[suffix, f"lesions_safe{mode}"] = safe
            if done.truth is not None:
                invented = invented_in(
                    done, done.truth, suffix, smallest_mm=SMALLEST_MM
                )
                found[suffix, f"invented_foci{mode}"] = [float(invented)]
    return found


def _contrast(case: Case, session: Session, suffix: Suffix) -> float:
    """Return white matter − gray matter."""
    return metrics.white_grey_contrast(session[suffix].data, *case.tissues())
