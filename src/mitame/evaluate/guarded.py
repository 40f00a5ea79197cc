"""What suites of the guard share: an engine with its guard, and rows of scores."""

from __future__ import annotations

from collections.abc import Callable

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.engines.named import engine_class
from mitame.evaluate.case import Direction
from mitame.evaluate.cell import rows_of
from mitame.evaluate.cohort import Prepared
from mitame.evaluate.intervals import bootstrap
from mitame.evaluate.table import Row
from mitame.guard.guard import Guard
from mitame.model import fit_guarded

Values = dict[tuple[Suffix, str], dict[str, list[float]]]
"""By sequence and metric, of each subject."""

Visits = Callable[[str, str], Session]
"""Gives the scan of a subject on a scanner."""


def fitted_on(
    engine: str,
    direction: Direction,
    images: Prepared,
    visit: Visits | None = None,
) -> tuple[Harmonizer, Guard]:
    """Return an engine and its guard, fitted on the training subjects.

    Parameters
    ----------
    engine : str
        As in the entry point.
    direction : Direction
        Every fourth training subject is kept for the guard: `fit_guarded`.
    images : Prepared
        The cohort.
    visit : callable, optional
        Gives another scan of a subject than the cohort's.
    """
    visit = images.session if visit is None else visit
    return fit_guarded(
        engine_class(engine)(),
        [visit(subject, direction.source) for subject in direction.train_source],
        [visit(subject, direction.target) for subject in direction.train_target],
    )


def rows_of_values(
    engine: str, direction: Direction, values: Values, seed: int
) -> list[Row]:
    """Return the mean of every score over subjects, with its interval."""
    found = [(*key, bootstrap(one, seed=seed)) for key, one in values.items()]
    return rows_of(engine, direction, found)
