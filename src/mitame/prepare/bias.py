"""The slow drift of brightness over the head, taken out by N4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import SimpleITK
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.itk import data_of, mask_to_itk, to_itk
from mitame.prepare.pipeline import Undo, keep


@dataclass(frozen=True, slots=True)
class CorrectBias:
    """Divide every volume by its bias field, found by N4 inside the brain.

    The field has mean logarithm 0 inside the brain, so the brain's brightness stays
    as it was. It is evaluated at full resolution on the whole head.

    Parameters
    ----------
    shrink_mm : float
        The field is searched on voxels of about this size, mm; thick slices stay.
    iterations : int
        Steps per level, at most; four levels.

    References
    ----------
    .. [1] N. J. Tustison et al., "N4ITK: Improved N3 Bias Correction", IEEE
       Transactions on Medical Imaging 29, 2010.
    """

    shrink_mm: float = 4.0
    iterations: int = 50
    name: ClassVar[str] = "bias"

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the session without its bias fields; the way back keeps it so."""
        brain = session.require_brain()
        corrected = {}
        for suffix, volume in session.items():
            field = bias_field(volume, brain, self.shrink_mm, self.iterations)
            low, high = np.quantile(field[brain], (0.01, 0.99))
            step = Step(self.name, {"field_1_to_99_percent": [float(low), float(high)]})
            corrected[suffix] = volume.with_data(volume.data / field, step)
        return session.with_volumes(corrected), keep


def bias_field(
    volume: Volume,
    brain: NDArray[np.bool_],
    shrink_mm: float = 4.0,
    iterations: int = 50,
) -> NDArray[np.float32]:
    """Return the bias field of `volume`, shape (i, j, k), above zero everywhere.

    Parameters
    ----------
    volume : Volume
        Intensities are taken as they are; only those above zero are used.
    brain : array of bool, shape (i, j, k)
        Where the field is looked for.
    shrink_mm, iterations
        As in `CorrectBias`.

    Raises
    ------
    ImplausibleError
        If the brain has no intensity above zero.
    """
    used = brain & (volume.data > 0)
    if not used.any():
        raise ImplausibleError(
            f"None of the {int(brain.sum())} brain voxels is above zero.",
            fix="Look at the brain mask and at the rescale slope of the file.",
        )
    image = to_itk(volume)
    mask = mask_to_itk(used, volume)
    shrink = shrink_factors(volume, shrink_mm)
    n4 = SimpleITK.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations([iterations] * 4)
    n4.Execute(SimpleITK.Shrink(image, shrink), SimpleITK.Shrink(mask, shrink))
    log_field = data_of(n4.GetLogBiasFieldAsImage(image))
    log_field -= float(log_field[brain].mean(dtype=np.float64))
    return np.asarray(np.exp(log_field))


def shrink_factors(volume: Volume, shrink_mm: float) -> list[int]:
    """Return how many voxels become one along each axis; 1 where they are thick."""
    return [max(1, round(shrink_mm / edge)) for edge in volume.spacing]
