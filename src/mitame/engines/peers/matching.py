"""Histogram matching, of the package scikit-image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.harmonizer import learned, learned_of
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.peers.installed import peer
from mitame.io import bundle
from mitame.solve.tone import through_zero


class SkimageHistogram:
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
    references_ : dict of str to array, shape (n_targets * samples,)
        The target's intensities, by sequence.
    """

    needs_pairs: ClassVar[bool] = False
    references_: dict[Suffix, NDArray[np.float32]]

    def __init__(self, *, samples: int = 4096) -> None:
        self.samples = samples

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn the target's intensities; the source is not needed."""
        del source
        suffixes = {suffix for session in target for suffix in session}
        self.references_ = {
            suffix: np.concatenate(
                [self._sampled(s, suffix) for s in target if suffix in s]
            )
            for suffix in sorted(suffixes)
        }
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with the target's histogram; zeros stay zero."""
        return session.with_volumes(
            {suffix: self._moved(suffix, session) for suffix in session}
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the intensities into `folder`."""
        known = learned(self, "references_")
        bundle.write(
            folder, {"samples": self.samples}, {str(s): known[s] for s in known}
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        params, references = bundle.read(folder)
        engine = cls(**params)
        engine.references_ = references  # type: ignore[assignment]
        return engine

    def _sampled(self, session: Session, suffix: Suffix) -> NDArray[np.float32]:
        brain = session[suffix].data[session.require_brain()]
        levels = np.linspace(0, 1, self.samples)
        return np.asarray(np.quantile(brain, levels), dtype=np.float32)

    def _moved(self, suffix: Suffix, session: Session) -> Volume:
        reference = learned_of(self, "references_", suffix)
        volume = session[suffix]
        brain = volume.data[session.require_brain()]
        matched = peer("skimage.exposure").match_histograms(brain, reference)
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
