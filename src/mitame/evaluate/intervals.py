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
    if not 0 < level < 1:
        raise InputError(f"The level is {level}.", fix="Give a share, say 0.95.")
    values = _subject_means(values_by_subject)
    value = float(statistic(values))
    if len(values) == 1:
        return Interval(value, math.nan, math.nan, 1)
    found = stats.bootstrap(
        (values,),
        statistic,
        n_resamples=n_resamples,
        confidence_level=level,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(value, float(found.low), float(found.high), len(values))


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
