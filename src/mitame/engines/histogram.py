"""Quantile matching: the whole histogram of the brain, to the percentile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mitame.engines.landmarks import Landmarks

PERCENTILES = tuple(percent / 100 for percent in range(1, 100))


class Histogram(Landmarks):
    """Histogram matching: `Landmarks` at every percentile from 1 to 99.

    Parameters
    ----------
    quantiles : sequence of float, increasing, each in (0, 1)
        Where the histogram is pinned.
    """

    name: ClassVar[str] = "histogram"

    def __init__(self, *, quantiles: Sequence[float] = PERCENTILES) -> None:
        super().__init__(quantiles=quantiles)
