"""Histogram engines: move each volume's brain quantiles onto the target's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.harmonizer import learned, learned_of
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.io import bundle
from mitame.solve.tone import piecewise_linear, through_zero

DARK = 0.1
"""Share of the middle landmark below which a landmark does not count."""


class Landmarks:
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
    landmarks_ : dict of str to array, shape (n_quantiles,)
        Mean intensity of the target domain at each quantile, by sequence.
    """

    name: ClassVar[str]
    needs_pairs: ClassVar[bool] = False
    landmarks_: dict[Suffix, NDArray[np.float64]]

    def __init__(self, *, quantiles: Sequence[float]) -> None:
        self.quantiles = quantiles

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn the target landmarks; the source is not needed."""
        del source
        suffixes = {suffix for session in target for suffix in session}
        self.landmarks_ = {
            suffix: np.mean(
                [self._own(s[suffix], s) for s in target if suffix in s], axis=0
            )
            for suffix in sorted(suffixes)
        }
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with the target landmarks; zeros stay zero."""
        return session.with_volumes(
            {suffix: self._moved(suffix, session) for suffix in session}
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the landmarks into `folder`."""
        arrays = {
            str(suffix): marks for suffix, marks in learned(self, "landmarks_").items()
        }
        bundle.write(folder, {"quantiles": list(self.quantiles)}, arrays)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        params, arrays = bundle.read(folder)
        engine = cls(**params)
        engine.landmarks_ = arrays  # type: ignore[assignment]
        return engine

    def _moved(self, suffix: Suffix, session: Session) -> Volume:
        target = learned_of(self, "landmarks_", suffix)
        volume = session[suffix]
        own = self._own(volume, session)
        # Landmarks in the dark say little, and a line from zero to one of them may be
        # so steep that it blows up the noise of the air.
        bright = (own > DARK * np.median(own)) & (target > DARK * np.median(target))
        knots, values = through_zero(own[bright]), through_zero(target[bright])
        moved = piecewise_linear(volume.data, knots, values)
        step = Step(self.name, {"landmarks": own.tolist(), "target": target.tolist()})
        return volume.with_data(np.where(volume.data == 0, 0, moved), step)

    def _own(self, volume: Volume, session: Session) -> NDArray[np.float64]:
        brain = volume.data[session.require_brain()].astype(np.float64)
        return np.asarray(np.quantile(brain, self.quantiles))
