"""What numbers people have, and how far others may be from them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy import stats

TAIL = 0.95
"""Quantile from which on peaks make a tail."""

FEWEST = 20
"""Peaks that a person's tail is told from."""

STRANGE = 0.05
"""Share of people whose limit is above what is taken for everybody's."""

DIFFER = 0.1
"""Spread (SD) of the logarithm of people's limits, about, in the models that were
looked at."""

LEAST = 3.0
"""Times the usual that is never odd; the limit if there are too few peaks."""

PRIOR = 4
"""People that the usual spread counts for."""


@dataclass(frozen=True, slots=True)
class Range:
    """Where a number of another person lies, at all odds.

    Parameters
    ----------
    low, high : float
        Its limits.
    """

    low: float
    high: float

    @classmethod
    def of(
        cls, values: Sequence[float], *, chance: float, usual: float, sides: int = 2
    ) -> Self:
        """Return the range that a new value leaves with some chance.

        People are taken for normal. How much they differ is told by them and by what
        is usual, which counts like `PRIOR` of them: Student's prediction interval with
        a conjugate prior of the variance [1]_. The fewer were seen, the wider.

        Parameters
        ----------
        values : sequence of float
            One for each person.
        chance : float
            That somebody like them lies outside.
        usual : float
            How much people differ in this number in other models (SD).
        sides : int
            1: only large values are odd.

        References
        ----------
        .. [1] A. Gelman et al., "Bayesian Data Analysis", 3rd edition, 2013, 3.3.
        """
        n, middle = len(values), float(np.mean(values))
        freedom = PRIOR + n - 1
        square = float(np.sum((np.asarray(values) - middle) ** 2))
        wide = np.sqrt((PRIOR * usual**2 + square) / freedom * (1 + 1 / n))
        reach = float(wide * stats.t.isf(chance / sides, freedom))
        return cls(middle - reach if sides == 2 else -math.inf, middle + reach)

    @classmethod
    def from_json(cls, limits: Mapping[str, Any]) -> Self:
        """Return what `to_json` made plain values of."""
        low = limits["low"]
        return cls(-math.inf if low is None else low, limits["high"])

    def to_json(self) -> dict[str, float | None]:
        """Return the limits, None for no lower one: JSON has no infinity."""
        return {"low": None if math.isinf(self.low) else self.low, "high": self.high}

    @property
    def words(self) -> str:
        """As "0.1 to 0.2"."""
        if math.isinf(self.low):
            return f"up to {self.high:.3g}"
        return f"{self.low:.3g} to {self.high:.3g}"

    def holds(self, value: float) -> bool:
        """Return whether a number is one that people have."""
        return self.low <= value <= self.high


def tail_limit(people: Sequence[NDArray[np.floating]], *, chance: float) -> float:
    r"""Return what the strongest peak of another person exceeds with some chance.

    Peaks of a person above a high quantile u are taken for exponential [1]_: of n of
    them n exp(-(t - u) / b) are expected above t. b is told from their median, so that
    a lesion that was changed does not make it larger. People differ in that limit:
    another person's is lower in all but `STRANGE` of cases (`Range`).

    Parameters
    ----------
    people : sequence of array
        Peaks of each.
    chance : float
        Wanted number above the limit in one person.

    References
    ----------
    .. [1] J. Pickands, "Statistical inference using extreme order statistics", Annals
       of Statistics 3(1), 119-131, 1975.
    """
    each = [_own_limit(peaks, chance) for peaks in people if peaks.size >= FEWEST]
    if not each:
        return LEAST
    found = Range.of(np.log(each).tolist(), chance=STRANGE, usual=DIFFER, sides=1)
    return max(math.exp(found.high), LEAST)


def _own_limit(peaks: NDArray[np.floating], chance: float) -> float:
    """Return above what `chance` peaks of one person are expected."""
    start = float(np.quantile(peaks, TAIL))
    above = peaks[peaks > start]
    scale = float(np.median(above - start)) / math.log(2) if above.size else 0.0
    return start + scale * math.log(max(above.size, 1) / chance)
