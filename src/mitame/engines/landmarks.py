"""Histogram engines: move each volume's brain quantiles onto the target's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.toward_target import TowardTarget
from mitame.solve.tone import piecewise_linear, through_zero

DARK = 0.1
"""Share of the middle landmark below which a landmark does not count."""


class Landmarks(TowardTarget):
    """Give each volume the brain quantiles of the target domain.

    Each volume's own quantiles are moved onto the mean target quantiles; zero
    stays zero, intensities between two quantiles follow a straight line, and those
    outside follow the nearest line on, so no intensity is clipped.

    Parameters
    ----------
    quantiles : sequence of float, increasing, each in (0, 1)
        Where the histogram is pinned.

    Attributes
    ----------
    target_ : dict of str to array, shape (n_quantiles,)
        Mean intensity of the target domain at each quantile, by sequence.
    """

    name: ClassVar[str]

    def __init__(self, *, quantiles: Sequence[float]) -> None:
        self.quantiles = quantiles

    def own(self, suffix: Suffix, session: Session) -> NDArray[np.float64]:
        """Return the brain's intensity at each quantile."""
        brain = session[suffix].data[session.require_brain()].astype(np.float64)
        return np.asarray(np.quantile(brain, self.quantiles))

    def moved(
        self, suffix: Suffix, session: Session, target: NDArray[np.float64]
    ) -> Volume:
        """Return one sequence with the target's landmarks."""
        volume, own = session[suffix], self.own(suffix, session)
        # Landmarks in the dark say little, and a line from zero to one of them may be
        # so steep that it blows up the noise of the air.
        bright = (own > DARK * np.median(own)) & (target > DARK * np.median(target))
        knots, values = through_zero(own[bright]), through_zero(target[bright])
        moved = piecewise_linear(volume.data, knots, values)
        step = Step(self.name, {"landmarks": own.tolist(), "target": target.tolist()})
        return volume.with_data(np.where(volume.data == 0, 0, moved), step)
