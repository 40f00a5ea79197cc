"""One engine in one direction: every score of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.engines.named import engine_class
from mitame.evaluate import metrics
from mitame.evaluate.cohort import Prepared, gain_of
from mitame.evaluate.intervals import Interval, bootstrap, bootstrap_ratio
from mitame.evaluate.place import InPlace, in_place
from mitame.evaluate.planted import kept_of_lesions
from mitame.evaluate.site import site_accuracy
from mitame.evaluate.table import ALL, CEILING, Row

PERSON_MM = 3.0
"""Voxels of the template on which two people are compared."""

PLANTED = 0.5
"""Share of its height above which a planted mark is measured."""

GAPS = {"gap_closed": "scan", "gap_closed_noisefree": "noisefree"}
"""Against which image of the target scanner the errors of a gap are measured."""

Transform = Callable[[str], Session]
"""Gives a subject's harmonized session."""


@dataclass(frozen=True, slots=True)
class Direction:
    """From one scanner to another, and who trains and who tests.

    Parameters
    ----------
    source, target : str
        Scanners.
    train_source, train_target : tuple of str
        Subjects whose scans on one and on the other an engine learns from.
    test : tuple of str
        Subjects it has not seen, whose scans on both are known.
    """

    source: str
    target: str
    train_source: tuple[str, ...]
    train_target: tuple[str, ...]
    test: tuple[str, ...]


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
    cell = _Cell(engine, direction, images, results, seed)
    rows = [cell.row(suffix, *found) for suffix in cell.sequences
            for found in _of_sequence(cell, suffix)]  # fmt: skip
    if len(results) > 1:
        rows.append(cell.plain_row("person_kept", _person_kept(cell)))
    if sites:
        rows += _site_rows(cell, transform)
    return rows


@dataclass(frozen=True)
class _Cell:
    """What is scored: results, and the scans they are held against."""

    engine: str
    direction: Direction
    images: Prepared
    results: Mapping[str, Session]
    seed: int

    @cached_property
    def sequences(self) -> tuple[Suffix, ...]:
        """Those of the results."""
        return tuple(next(iter(self.results.values())))

    def row(self, sequence: str, metric: str, found: Interval) -> Row:
        """Return a score with its interval."""
        way = self.direction.source, self.direction.target
        values = found.value, found.low, found.high
        return Row(self.engine, *way, sequence, metric, *values, found.n_subjects)

    def plain_row(self, metric: str, value: float) -> Row:
        """Return a score of all sequences together, without interval."""
        nothing = float("nan")
        n = len(self.direction.test)
        return self.row(ALL, metric, Interval(value, nothing, nothing, n))

    def shown(self, subject: str, suffix: Suffix, kind: str) -> NDArray[np.float32]:
        """Return what one of the images of a subject shows.

        ``result``, ``source``, or what the target scanner has: ``scan``, ``rescan``,
        ``noisefree``.
        """
        if kind == "result":
            return self.results[subject][suffix].data
        if kind == "source":
            return self.images.session(subject, self.direction.source)[suffix].data
        target = self.direction.target
        return self.images.session(subject, target, kind)[suffix].data  # type: ignore[arg-type]

    def mask(self, subject: str) -> NDArray[np.bool_]:
        """Return the brain that the scans of both scanners show."""
        source, target = (
            self.images.session(subject, scanner).require_brain()
            for scanner in (self.direction.source, self.direction.target)
        )
        return source & target


def _transform(engine: str, direction: Direction, images: Prepared) -> Transform:
    if engine == CEILING:
        return lambda subject: images.session(subject, direction.target, "rescan")
    fitted = engine_class(engine)().fit(
        images.sessions(direction.train_source, direction.source),
        images.sessions(direction.train_target, direction.target),
    )
    return lambda subject: fitted.transform(images.session(subject, direction.source))


def _of_sequence(cell: _Cell, suffix: Suffix) -> list[tuple[str, Interval]]:
    """Return the scores of one sequence, by metric."""
    scores: dict[str, dict[str, float]] = {}
    for subject in cell.results:
        for metric, value in _against_target(cell, subject, suffix).items():
            scores.setdefault(metric, {})[subject] = value
    sure = partial(bootstrap, seed=cell.seed)
    found = [(metric, sure(values)) for metric, values in scores.items()]
    if cell.images.cohort.has_rescans:
        found += _gaps(cell, suffix)
        kept = {s: _lesions_kept(cell, s, suffix) for s in cell.results}
        if known := {subject: values for subject, values in kept.items() if values}:
            found.append(("lesion_contrast_kept", sure(known)))
    return found


def _against_target(cell: _Cell, subject: str, suffix: Suffix) -> dict[str, float]:
    """Return the scores of one result against its subject on the target scanner."""
    mask = cell.mask(subject)
    result = cell.shown(subject, suffix, "result")
    truth = cell.shown(subject, suffix, "scan")
    found = metrics.against_truth(result, truth, mask)
    if cell.images.cohort.has_rescans:
        truth = cell.shown(subject, suffix, "noisefree")
        found["psnr_noisefree"] = metrics.psnr(result, truth, mask)
        found["ssim_noisefree"] = metrics.ssim(result, truth, mask)
    return found | _planted_left(cell, subject, suffix, truth)


def _planted_left(
    cell: _Cell, subject: str, suffix: Suffix, truth: NDArray[np.float32]
) -> dict[str, float]:
    """Return what is left of a mark of the source scanner, if it has one."""
    source = cell.direction.source
    planted = cell.images.cohort.planted(subject, source, suffix)
    if planted is None:
        return {}
    mark = planted * gain_of(cell.images.session(subject, source)[suffix])
    region = cell.mask(subject) & (mark > PLANTED * mark.max())
    result = cell.shown(subject, suffix, "result")
    left = metrics.planted_residual(result, truth, mark, region)
    return {"planted_residual": left}


def _gaps(cell: _Cell, suffix: Suffix) -> list[tuple[str, Interval]]:
    """Return the share of the gap that is closed: of all subjects' errors together.

    Where the rescan is not surely nearer than the source, there is no score.
    """
    found = []
    for metric, truth in GAPS.items():
        errors = {
            subject: [
                metrics.mae(
                    cell.shown(subject, suffix, kind),
                    cell.shown(subject, suffix, truth),
                    cell.mask(subject),
                )
                for kind in ("source", "result", "rescan")
            ]
            for subject in cell.results
        }
        parts = {s: (before - after, before - least)
                 for s, (before, after, least) in errors.items()}  # fmt: skip
        if _is_sure({s: gap for s, (_, gap) in parts.items()}, cell.seed):
            found.append((metric, bootstrap_ratio(parts, seed=cell.seed)))
    return found


def _is_sure(gaps: Mapping[str, float], seed: int) -> bool:
    """Whether other subjects would show a gap, too."""
    found = bootstrap(gaps, seed=seed)
    return (found.low if len(gaps) > 1 else found.value) > 0


def _lesions_kept(cell: _Cell, subject: str, suffix: Suffix) -> list[float]:
    """Return how much is left of each lesion that the source scanner shows."""
    lesions = cell.images.cohort.lesions(subject)
    if lesions is None:
        return []
    quiet = cell.images.session(subject, cell.direction.source, "noisefree")
    return kept_of_lesions(
        before=cell.shown(subject, suffix, "source"),
        after=cell.shown(subject, suffix, "result"),
        quiet=quiet[suffix].data,
        lesions=lesions,
        labels=cell.images.cohort.labels(subject),
        brain=cell.mask(subject),
        spacing=quiet.reference.spacing,
    )


def _person_kept(cell: _Cell) -> float:
    """Return the share of subjects whose results are nearest to their own scan."""
    theirs = [in_place(result, PERSON_MM) for result in cell.results.values()]
    real = cell.images.sessions(cell.direction.test, cell.direction.target)
    owns = [in_place(session, PERSON_MM) for session in real]
    return metrics.person_kept(
        [[_distance(one, own) for own in owns] for one in theirs]
    )


def _distance(one: InPlace, other: InPlace) -> float:
    """Return the mean difference of two visits, all sequences, in both brains."""
    both = one.brain & other.brain
    apart = [one.images[s] - other.images[s] for s in one.images]
    return float(np.mean(np.abs([gap[both] for gap in apart])))


def _site_rows(cell: _Cell, transform: Transform) -> list[Row]:
    """Return how well new classifiers tell results from the target's real scans."""
    direction, images = cell.direction, cell.images
    train = (
        [transform(subject) for subject in direction.train_source],
        images.sessions(direction.train_target, direction.target),
    )
    test = (
        list(cell.results.values()),
        images.sessions(direction.test, direction.target),
    )
    found = site_accuracy(train, test, seed=cell.seed)
    return [
        cell.plain_row("site_accuracy", found.worse),
        cell.plain_row("site_accuracy_linear", found.linear),
        cell.plain_row("site_accuracy_network", found.network),
    ]
