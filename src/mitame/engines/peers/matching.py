"""Histogram matching, of the package scikit-image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from skimage.exposure import match_histograms

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.toward_target import TowardTarget
from mitame.solve.tone import through_zero


class SkimageHistogram(TowardTarget):
    """Exact histogram matching: `skimage.exposure.match_histograms` in the brain.

    The reference is all target brains together, each with as many intensities as
    the others. Outside the brain the same tone curve holds: it goes in straight
    lines through every intensity of the brain and, below the darkest one, to zero.
    Beyond the ends it goes on at the same distance, since the slope between the last
    two voxels is chance. Zero stays zero.

    Parameters
    ----------
    samples : int
        Intensities taken of each target brain, evenly spaced in rank.

    Attributes
    ----------
    target_ : dict of str to array, shape (n_targets * samples,)
        The target's intensities, by sequence.
    """

    def __init__(self, *, samples: int = 4096) -> None:
        self.samples = samples

    def own(self, suffix: Suffix, session: Session) -> NDArray[np.float64]:
        """Return a brain's intensities, evenly spaced in rank."""
        brain = session[suffix].data[session.require_brain()]
        return np.asarray(np.quantile(brain, np.linspace(0, 1, self.samples)))

    def together(self, owns: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """Return all intensities: they are one reference."""
        return np.concatenate(owns)

    def moved(
        self, suffix: Suffix, session: Session, target: NDArray[np.float64]
    ) -> Volume:
        """Return one sequence with the target's histogram."""
        volume = session[suffix]
        brain = volume.data[session.require_brain()]
        matched = match_histograms(brain, target)
        knots, first = np.unique(brain, return_index=True)
        moved = _along(volume.data, knots, matched[first])
        middle = [float(np.median(brain)), float(np.median(matched))]
        step = Step("skimage-histogram", {"median": middle[0], "target": middle[1]})
        return volume.with_data(np.where(volume.data == 0, 0, moved), step)


def _along(
    x: NDArray[np.float32], knots: NDArray[np.float32], values: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return `x` moved along the tone curve through (knots, values)."""
    before, after = knots.astype(np.float64), values.astype(np.float64)
    if before[0] > 0 and after[0] > 0:
        before, after = through_zero(before), through_zero(after)
    beyond = x - np.clip(x, before[0], before[-1])
    return np.asarray(np.interp(x, before, after) + beyond)
