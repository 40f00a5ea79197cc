"""Suites of the guard: faults that it must find, and lesions that must stay."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Suffix
from mitame.engines.named import engine_class
from mitame.evaluate import metrics
from mitame.evaluate.case import Case, Direction, Truth
from mitame.evaluate.cell import rows_of
from mitame.evaluate.cohort import Kind, Prepared
from mitame.evaluate.faults import FAULTS, Edited
from mitame.evaluate.intervals import bootstrap
from mitame.evaluate.table import CEILING, Row
from mitame.guard.guard import Guard
from mitame.guard.numbers import Grade
from mitame.model import fit_guarded
from mitame.solve.smooth import gaussian

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
        found["invented_foci"] = [float(_invented(case, case.truth, suffix))]
    return found


def _invented(case: Case, truth: Truth, suffix: Suffix) -> int:
    """Return how many foci a result has that neither noise-free scan has.

    Foci stand out from what is around them; each image in units of its own contrast of
    white and gray matter.
    """
    sessions = case.result, case.source, truth.source_noise_free, truth.noise_free
    spacing, tissues = case.source.reference.spacing, case.tissues()
    result, source, quiet, target = (
        _standing_out(session[suffix].data, spacing)
        / abs(metrics.white_grey_contrast(session[suffix].data, *tissues))
        for session in sessions
    )
    low, high = np.minimum(quiet, target), np.maximum(quiet, target)
    noise = float(np.std((source - quiet)[case.mask]))
    return metrics.invented_foci(
        result,
        np.clip(result, low, high),
        case.mask,
        spacing=spacing,
        threshold=NOISE * noise,
        smallest_mm=SMALLEST_MM,
    )


def _standing_out(
    image: NDArray[np.float32], spacing: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return how far each place stands out from what is around it."""
    near, around = (gaussian(image, width / np.array(spacing)) for width in FOCUS_MM)
    return near - around


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
    found = [(*key, bootstrap(one, seed=seed)) for key, one in values.items()]
    return rows_of(engine, direction, found)
