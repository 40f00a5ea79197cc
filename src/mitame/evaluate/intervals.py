"""How sure a score is, given the subjects it was measured on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from mitame.core.errors import ImplausibleError, InputError


@dataclass(frozen=True, slots=True)
class Interval:
    """A score with the range that resampled subjects give it.

    `low` and `high` are NaN when there is one subject: nothing is known then.
    """

    value: float
    low: float
    high: float
    n_subjects: int


def bootstrap(
    values_by_subject: Mapping[str, Sequence[float] | float],
    *,
    statistic: Callable[..., Any] = np.mean,
    level: float = 0.95,
    n_resamples: int = 2000,
    seed: int,
) -> Interval:
    """Return a statistic over subjects with its percentile bootstrap interval [1]_.

    The scans of a subject are averaged first and subjects are drawn, not scans: they
    are what another study would have others of. Percentiles work for any statistic,
    but are too narrow for a handful of subjects: at a level of 95 %, intervals for the
    mean of 5 normal subjects hold the truth in 83 %, of 10 in 89 %, of 20 in 92 %.

    Parameters
    ----------
    values_by_subject : mapping of str to float or sequence of float
        One score, or one per scan, of each subject.
    statistic : callable
        Of the values of all subjects; one that takes `axis`, like those of NumPy, is
        much faster.
    level : float
        Share of such intervals that should hold the truth, in (0, 1).
    n_resamples : int
        How often subjects are drawn.
    seed : int
        Of the draw.

    Raises
    ------
    InputError
        If there is no subject, one without a value, or `level` is not in (0, 1).
    ImplausibleError
        If a value is not finite.

    References
    ----------
    .. [1] B. Efron, R. J. Tibshirani, "An Introduction to the Bootstrap", 1993,
       chapter 13.

    Examples
    --------
    >>> bootstrap({"one": [1.0, 3.0], "two": 4.0}, seed=0).value
    3.0
    """
    values = _subject_means(values_by_subject)
    return _resampled((values,), statistic, level, n_resamples, seed)


def bootstrap_ratio(
    parts_by_subject: Mapping[str, tuple[float, float]],
    *,
    level: float = 0.95,
    n_resamples: int = 2000,
    seed: int,
) -> Interval:
    """Return the sum of first parts over the sum of second ones, with its interval.

    A subject whose second part is small says little, and weighs little; a mean of
    ratios would be ruled by it. Subjects are drawn, both parts together, as
    `bootstrap` does.

    Parameters
    ----------
    parts_by_subject : mapping of str to (float, float)
        Numerator and denominator of each subject; the denominators' sum is > 0.
    level, n_resamples, seed
        As for `bootstrap`.

    Raises
    ------
    InputError
        If there is no subject, the denominators do not add up to more than zero, or
        `level` is not in (0, 1).
    ImplausibleError
        If a part is not finite.

    Examples
    --------
    >>> bootstrap_ratio({"one": (1.0, 2.0), "two": (1.0, 6.0)}, seed=0).value
    0.25
    """
    over, under = (
        _subject_means({s: parts[n] for s, parts in parts_by_subject.items()})
        for n in (0, 1)
    )
    if under.sum() <= 0:
        raise InputError(
            f"The denominators add up to {under.sum():g}.", fix="Give more than zero."
        )
    return _resampled((over, under), _ratio, level, n_resamples, seed)


def closed_share(
    gaps_by_subject: Mapping[str, tuple[float, float]], *, seed: int
) -> Interval | None:
    """Return the share of a gap that is closed, over all subjects.

    None where other subjects might have no gap: the interval of what could be gained
    touches 0. A share of that says nothing.

    Parameters
    ----------
    gaps_by_subject : mapping of str to (float, float)
        How much error is gone and how much could be, as `metrics.gap` returns them.
    seed : int
        Of the draw.
    """
    could = bootstrap({s: gap for s, (_, gap) in gaps_by_subject.items()}, seed=seed)
    if (could.low if could.n_subjects > 1 else could.value) <= 0:
        return None
    return bootstrap_ratio(gaps_by_subject, seed=seed)


def _resampled(
    samples: tuple[NDArray[np.float64], ...],
    statistic: Callable[..., Any],
    level: float,
    n_resamples: int,
    seed: int,
) -> Interval:
    """Return a statistic of samples that are drawn together, with its interval."""
    if not 0 < level < 1:
        raise InputError(f"The level is {level}.", fix="Give a share, say 0.95.")
    value, n_subjects = float(statistic(*samples)), len(samples[0])
    if n_subjects == 1:
        return Interval(value, math.nan, math.nan, 1)
    found = stats.bootstrap(
        samples,
        statistic,
        paired=len(samples) > 1,
        n_resamples=n_resamples,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(value, float(found.low), float(found.high), n_subjects)


def _ratio(
    over: NDArray[np.float64], under: NDArray[np.float64], axis: int = -1
) -> NDArray[np.float64]:
    return np.asarray(over.sum(axis=axis) / under.sum(axis=axis))


def _subject_means(
    values_by_subject: Mapping[str, Sequence[float] | float],
) -> NDArray[np.float64]:
    """Return one value per subject, in the order of their names."""
    if not values_by_subject:
        raise InputError("No subject.", fix="Give the scores of at least one.")
    means = []
    for subject in sorted(values_by_subject):
        scans = np.atleast_1d(np.asarray(values_by_subject[subject], np.float64))
        if not scans.size:
            raise InputError(f"{subject} has no value.", fix="Leave the subject out.")
        if not np.isfinite(scans).all():
            raise ImplausibleError(
                f"{subject} has the values {scans.tolist()}.",
                fix="Find out why one is not finite; do not average over it.",
            )
        means.append(scans.mean())
    return np.array(means)
