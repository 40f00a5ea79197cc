"""What a comparison found: images on the current grid, numbers and marks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Suffix
from mitame.core.volume import Step, Volume
from mitame.guard.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Mark:
    """One place where the scans differ by more than their noise.

    Parameters
    ----------
    center : tuple of float
        World position on the current scan, mm, RAS+.
    volume_ml : float
        Size, millilitres.
    diameter_mm : float
        Diameter of the ball of that size, mm.
    mean_change : float
        Mean of current − harmonized prior inside, in units of the current scan's
        white-matter median; positive is brighter today.
    peak_z : float
        Largest change over its noise level, signed.
    holds : bool
        Whether it is there, too, if no more is done to the prior than any lesion
        survives: see `compare.guarded`.
    """

    center: tuple[float, float, float]
    volume_ml: float
    diameter_mm: float
    mean_change: float
    peak_z: float
    holds: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class SequenceComparison:
    """One sequence of both visits, all volumes on the current scan's native grid.

    Intensities are in units of the white-matter median of the image they belong to;
    `harmonized` is in the current scan's units.

    Parameters
    ----------
    prior_native : Volume
        The prior as it was scanned, on its own grid, scanner units.
    prior : Volume
        The prior moved onto the current grid; only scaled.
    current : Volume
        The current scan; only scaled.
    harmonized : Volume
        `prior` with the look of `current`.
    change : Volume
        current − harmonized; positive is brighter today.
    noise : Volume
        Standard deviation `change` would have if nothing had changed.
    brain : array of bool, shape (i, j, k)
        Where both visits show brain.
    marks : tuple of Mark
        Largest first.
    mark_labels : array of int, shape (i, j, k)
        n where ``marks[n - 1]`` is, 0 elsewhere.
    numbers : dict of str to float
        Scores by the names that `present` explains.
    verdict : Verdict
        What the guard says of how the prior was harmonized.
    """

    prior_native: Volume
    prior: Volume
    current: Volume
    harmonized: Volume
    change: Volume
    noise: Volume
    brain: NDArray[np.bool_]
    marks: tuple[Mark, ...]
    mark_labels: NDArray[np.int32]
    numbers: dict[str, float]
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def edit(self) -> Volume:
        """Harmonized − prior, in the harmonized scale."""
        return self.harmonized.with_data(
            self.harmonized.data - self.prior.data, Step("edit", {"minus": "prior"})
        )


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A patient's prior and current visit, sequence by sequence."""

    sequences: dict[Suffix, SequenceComparison]
    subject: str | None = None
    prior_date: date | None = None
    current_date: date | None = None
