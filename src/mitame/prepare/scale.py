"""A common intensity scale: the white matter's median becomes 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.pipeline import Undo, keep
from mitame.prepare.template import tissue_prior

# About 300 ml of the template; a lower share lets cortex in, a higher one leaves
# mostly what lies beside the ventricles, where MS lesions are.
CORE = 0.9
# In median absolute deviations; 3 is two standard deviations of a Gaussian.
FAR = 3.0


@dataclass(frozen=True, slots=True)
class ScaleToWhiteMatter:
    """Divide every volume by the median of its white matter; nothing is clipped.

    White matter is where the template nearly always has it, inside the brain mask.
    """

    name: ClassVar[str] = "scale"

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the scaled session; the way back keeps the new scale."""
        where = white_matter(session)
        scaled = {}
        for suffix, volume in session.items():
            gain = 1 / white_matter_median(volume, where)
            step = Step(self.name, {"gain": gain})
            scaled[suffix] = volume.with_data(volume.data * np.float32(gain), step)
        return session.with_volumes(scaled), keep


def white_matter(session: Session) -> NDArray[np.bool_]:
    """Return where the template nearly always has white matter, in the brain."""
    brain = session.require_brain()
    return np.asarray(brain & (tissue_prior(session, "wm") > CORE))


def white_matter_median(volume: Volume, where: NDArray[np.bool_]) -> float:
    """Return the median intensity of the white matter in `where`.

    What lies far from the first median is something else, say a wide ventricle, a
    lesion or the cortex beside it, and does not count in the second.

    Raises
    ------
    ImplausibleError
        If there is no white matter, or its median is not above zero.
    """
    inside = volume.data[where]
    if not inside.size:
        raise ImplausibleError(
            "The brain mask and the template's white matter do not meet.",
            fix="Look at the brain mask and at the orientation in the header.",
        )
    first = np.median(inside)
    away = np.abs(inside - first)
    median = float(np.median(inside[away <= FAR * np.median(away)]))
    if median <= 0:
        raise ImplausibleError(
            f"The median of {inside.size} white-matter voxels is {median:g}.",
            fix="Look at the rescale slope of the file; intensities must be positive.",
        )
    return median
