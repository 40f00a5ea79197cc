"""Suite of faults: the guard must find broken results, and let good ones pass."""

from __future__ import annotations

from itertools import product

import numpy as np

from mitame.evaluate.case import Direction
from mitame.evaluate.cohort import Kind, Prepared
from mitame.evaluate.faults import FAULTS, Edited
from mitame.evaluate.guarded import Values, fitted_on, rows_of_values
from mitame.evaluate.table import CEILING, Row
from mitame.guard.guard import Guard
from mitame.guard.numbers import Grade


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
    fitted, guard = fitted_on(engine, direction, images)
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
    return rows_of_values(engine, direction, values, seed)


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
