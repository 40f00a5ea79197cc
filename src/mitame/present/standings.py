"""Which engine stands where: better, best, between floor and ceiling."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from mitame.core.errors import InputError
from mitame.evaluate.scores import METRICS, Direction
from mitame.evaluate.table import CEILING, Row
from mitame.present.words import Words

FLOOR = "identity"
"""The engine that does nothing; like the ceiling, it does not harmonize."""


def shortfall(value: float, direction: Direction) -> float:
    """Return how far a value is from good, to compare engines: less is better."""
    if direction == "larger":
        return -value
    if direction == "smaller":
        return value
    return abs(value - float(direction.removeprefix("toward ")))


def direction_in_words(direction: Direction, words: Words) -> str:
    """Return which values are good, in the reader's language."""
    kind, _, aim = direction.partition(" ")
    return words.say(f"bench_{kind}", aim=aim)


def measured_metrics(rows: Iterable[Row]) -> list[str]:
    """Return the metrics that have a value, in the order of their definitions.

    Raises
    ------
    InputError
        If one has no definition: a number nobody can explain is not shown.
    """
    found = {row.metric for row in rows if math.isfinite(row.value)}
    if found - METRICS.keys():
        raise InputError(
            f"There is no definition of {', '.join(sorted(found - METRICS.keys()))}.",
            fix=f"Define it in scores.METRICS or use one of {', '.join(METRICS)}.",
        )
    return [metric for metric in METRICS if metric in found]


def ranked_engines(rows: Iterable[Row], metric: str) -> list[str]:
    """Return the engines: the floor, then the best first; the ceiling is left out.

    The mean over directions and sequences counts. Engines without a value are last.
    """
    values: dict[str, list[float]] = {}
    for row in rows:
        seen = values.setdefault(row.engine, [])
        if row.metric == metric and math.isfinite(row.value):
            seen.append(shortfall(row.value, METRICS[metric].direction))
    values.pop(CEILING, None)
    means = {e: float(np.mean(v)) if v else math.inf for e, v in values.items()}
    return sorted(means, key=lambda engine: (engine != FLOOR, means[engine], engine))
