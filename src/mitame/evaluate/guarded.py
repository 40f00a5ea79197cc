"""Suites of the guard: faults that it must find, and lesions that must stay."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.engines.named import engine_class
from mitame.evaluate import metrics
from mitame.evaluate.case import Case, Direction
from mitame.evaluate.cohort import Kind, Prepared
from mitame.evaluate.faults import FAULTS, Edited
from mitame.evaluate.intervals import bootstrap
from mitame.evaluate.table import CEILING, Row
from mitame.guard.guard import Guard
from mitame.guard.verdict import Grade
from mitame.model import fit_guarded

SAFE = (0.9, 1.1)
"""Share of its contrast that a lesion keeps if nothing was done to it."""

SMALLEST_MM = 3.0
"""Diameter of the ball as large as the smallest lesion or focus that counts."""

FOCUS_MM = (1.3, 3.9)
"""Widths (SD) of a focus and of what is around it."""

NOISE = 5.0
"""Standard deviations of the source's noise above which a focus stands out."""

Values = dict[tuple[Suffix, str], dict[str, list[float]]]
"""By sequence and metric, of each subject."""


def score_faults(
    engine: str, direction: Direction, images: Prepared, *, seed: int
) -> list[Row]:
    """Return how many broken results the guard finds, and how many good ones.

    Parameters
    ----------
    engine : str
        As in the entry point.
    direction : Direction
        Every fourth training subject is kept for the guard: `fit_guarded`.
    images : Prepared
        The cohort. Good are the results of test subjects' scans, and of rescans if
        there are any; those of scans are broken once in every way of `FAULTS`.
    seed : int
        Of faults and intervals.
    """
    if engine == CEILING:
        return []
    fitted, guard = _fitted(engine, direction, images)
    values: Values = {}
    rng = np.random.default_rng(seed)
    kinds: tuple[Kind, ...] = ("scan", "rescan")
    for subject, kind in product(
        direction.test, kinds[: 1 + images.cohort.has_rescans]
    ):
        source = images.session(subject, direction.source, kind)
        result = fitted.transform(source)
        for suffix in result:
            given = Edited(source, result, suffix)
            found = _of_good(given, guard)
            if kind == "scan":
                found |= _of_broken(given, guard, rng)
            for metric, value in found.items():
                one = values.setdefault((suffix, metric), {})
                one.setdefault(subject, []).append(value)
    return _rows(engine, direction, values, seed)


def _of_good(given: Edited, guard: Guard) -> dict[str, float]:
    """Return what is said of a good result; 1 is yes."""
    good = _grade(given, guard)
    return {
        "good_refused": float(good == "refuse"),
        "good_looked_at": float(good == "look"),
    }


def _of_broken(
    given: Edited, guard: Guard, rng: np.random.Generator
) -> dict[str, float]:
    """Return in which ways it can be broken without passing; 1 is caught."""
    caught = {
        f"caught_{name}": float(_grade(fault(given, rng), guard) != "pass")
        for name, fault in FAULTS.items()
    }
    return caught | {"faults_caught": float(np.mean(list(caught.values())))}


def _grade(given: Edited, guard: Guard) -> Grade:
    """Return the verdict on one sequence."""
    one, other = (
        session.with_volumes({given.suffix: session[given.suffix]})
        for session in (given.source, given.result)
    )
    return guard.judge(one, other)[given.suffix].grade


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
        The cohort; what needs truth is left out without.
    seed : int
        Of the intervals.
    """
    values: Values = {}
    fitted = None if engine == CEILING else _fitted(engine, direction, images)
    for subject in direction.test:
        if fitted is None:
            full = images.session(subject, direction.target, "rescan")
            results = {"": full}
        else:
            source = images.session(subject, direction.source)
            full = fitted[0].transform(source)
            results = {"": full, "_limited": fitted[1].limited(source, full)}
        for mode, result in results.items():
            case = Case.of(subject, result, direction, images)
            for suffix in result:
                for metric, some in _lesions(case, suffix).items():
                    values.setdefault((suffix, metric + mode), {})[subject] = some
    return _rows(engine, direction, values, seed)


def _lesions(case: Case, suffix: Suffix) -> dict[str, list[float]]:
    """Return what became of lesions in one result of one subject."""
    image, true = case.result[suffix].data, case.target[suffix].data
    found = {"psnr": [metrics.psnr(image, true, case.mask)]}
    if kept := case.lesions_kept(suffix, smallest_mm=SMALLEST_MM):
        found["lesions_safe"] = [float(SAFE[0] <= one <= SAFE[1]) for one in kept]
    if case.truth is not None:
        found["invented_foci"] = [float(_invented(case, suffix))]
    return found


def _invented(case: Case, suffix: Suffix) -> int:
    """Return how many foci a result has that neither noise-free scan has.

    Foci stand out from what is around them; each image in units of its own contrast of
    white and gray matter.
    """
    assert case.truth is not None  # noqa: S101 - asked by the caller
    sessions = (
        case.result,
        case.source,
        case.truth.source_noise_free,
        case.truth.noise_free,
    )
    result, source, quiet, target = (_standing_out(case, s, suffix) for s in sessions)
    low, high = np.minimum(quiet, target), np.maximum(quiet, target)
    noise = float(np.std((source - quiet)[case.mask]))
    return metrics.invented_foci(
        result,
        np.clip(result, low, high),
        case.mask,
        spacing=case.source.reference.spacing,
        threshold=NOISE * noise,
        smallest_mm=SMALLEST_MM,
    )


def _standing_out(case: Case, session: Session, suffix: Suffix) -> NDArray[np.float32]:
    """Return how far each place stands out, in contrasts of white and gray matter."""
    image = session[suffix].data
    near, around = (
        ndimage.gaussian_filter(image, width / np.array(session[suffix].spacing))
        for width in FOCUS_MM
    )
    return np.asarray((near - around) / abs(case.contrast(image)), np.float32)


def _fitted(
    engine: str, direction: Direction, images: Prepared
) -> tuple[Harmonizer, Guard]:
    return fit_guarded(
        engine_class(engine)(),
        images.sessions(direction.train_source, direction.source),
        images.sessions(direction.train_target, direction.target),
    )


def _rows(engine: str, direction: Direction, values: Values, seed: int) -> list[Row]:
    """Return the mean of every score over subjects, with its interval."""
    found = []
    for (suffix, metric), by_subject in values.items():
        told = bootstrap(by_subject, seed=seed)
        found.append(
            Row(
                engine,
                direction.source,
                direction.target,
                suffix,
                metric,
                told.value,
                told.low,
                told.high,
                told.n_subjects,
            )
        )
    return found
