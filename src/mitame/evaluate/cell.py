"""One engine in one direction: every score of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from mitame.core.session import Session
from mitame.engines.named import engine_class
from mitame.evaluate import metrics
from mitame.evaluate.case import Case, Direction
from mitame.evaluate.cohort import Prepared
from mitame.evaluate.intervals import Interval, bootstrap, closed_share
from mitame.evaluate.site import site_accuracy
from mitame.evaluate.table import ALL, CEILING, Row
from mitame.prepare.place import InPlace, in_place

PERSON_MM = 3.0
"""Voxels of the template on which two people are compared."""

Transform = Callable[[str], Session]
"""Gives a subject's harmonized session."""

Found = tuple[str, str, Interval]
"""Sequence, metric and score."""


def score(
    engine: str, direction: Direction, images: Prepared, *, seed: int, sites: bool
) -> list[Row]:
    """Return every score of one engine in one direction.

    Parameters
    ----------
    engine : str
        As in the entry point, or `CEILING`.
    direction : Direction
        Between which scanners; the engine sees the training subjects alone.
    images : Prepared
        The cohort.
    seed : int
        Of the intervals and the classifiers.
    sites : bool
        Whether classifiers are trained to tell results from real scans.
    """
    transform = _transform(engine, direction, images)
    results = {subject: transform(subject) for subject in direction.test}
    found = _measured(results, direction, images, seed)
    if len(results) > 1:
        kept = _person_kept(results, direction, images)
        found.append((ALL, "person_kept", _bare(kept, direction)))
    if sites:
        found += _site_accuracies(results, transform, direction, images, seed)
    return rows_of(engine, direction, found)


def rows_of(engine: str, direction: Direction, found: Sequence[Found]) -> list[Row]:
    """Return scores of one engine and direction as rows of a table."""
    return [
        Row(engine, direction.source, direction.target, sequence, metric,
            interval.value, interval.low, interval.high, interval.n_subjects)
        for sequence, metric, interval in found
    ]  # fmt: skip


def _transform(engine: str, direction: Direction, images: Prepared) -> Transform:
    if engine == CEILING:
        return lambda subject: images.session(subject, direction.target, "rescan")
    fitted = engine_class(engine)().fit(
        images.sessions(direction.train_source, direction.source),
        images.sessions(direction.train_target, direction.target),
    )
    return lambda subject: fitted.transform(images.session(subject, direction.source))


def _measured(
    results: Mapping[str, Session], direction: Direction, images: Prepared, seed: int
) -> list[Found]:
    """Return the scores of every sequence against the test subjects' own scans."""
    values: dict[tuple[str, str], dict[str, float | list[float]]] = {}
    gaps: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    for subject, result in results.items():
        case = Case.of(subject, result, direction, images)
        for suffix in result:
            for metric, value in case.scores(suffix).items():
                values.setdefault((suffix, metric), {})[subject] = value
            for metric, parts in case.gaps(suffix).items():
                gaps.setdefault((suffix, metric), {})[subject] = parts
    found = [(*key, bootstrap(one, seed=seed)) for key, one in values.items()]
    for key, parts_by_subject in gaps.items():
        closed = closed_share(parts_by_subject, seed=seed)
        if closed is not None:
            found.append((*key, closed))
    return found


def _bare(value: float, direction: Direction) -> Interval:
    """Return a score of all test subjects together, which has no interval."""
    nothing = float("nan")
    return Interval(value, nothing, nothing, len(direction.test))


def _person_kept(
    results: Mapping[str, Session], direction: Direction, images: Prepared
) -> float:
    """Return the share of subjects whose results are nearest to their own scan."""
    theirs = [in_place(result, PERSON_MM) for result in results.values()]
    real = images.sessions(direction.test, direction.target)
    owns = [in_place(session, PERSON_MM) for session in real]
    return metrics.person_kept(
        [[_distance(one, own) for own in owns] for one in theirs]
    )


def _distance(one: InPlace, other: InPlace) -> float:
    """Return the mean difference of two visits, all sequences, in both brains."""
    both = one.brain & other.brain
    apart = [one.images[s] - other.images[s] for s in one.images]
    return float(np.mean(np.abs([gap[both] for gap in apart])))


def _site_accuracies(
    results: Mapping[str, Session],
    transform: Transform,
    direction: Direction,
    images: Prepared,
    seed: int,
) -> list[Found]:
    """Return how well new classifiers tell results from the target's real scans."""
    train = (
        [transform(subject) for subject in direction.train_source],
        images.sessions(direction.train_target, direction.target),
    )
    test = (
        list(results.values()),
        images.sessions(direction.test, direction.target),
    )
    found = site_accuracy(train, test, seed=seed)
    return [
        (ALL, "site_accuracy", _bare(found.worse, direction)),
        (ALL, "site_accuracy_linear", _bare(found.linear, direction)),
        (ALL, "site_accuracy_network", _bare(found.network, direction)),
    ]
