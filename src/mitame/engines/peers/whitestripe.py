"""WhiteStripe, of the package intensity-normalization."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.peers.installed import peer
from mitame.engines.toward_target import TowardTarget

package = peer("intensity_normalization")

MODALITY: dict[Suffix, str] = {"T1w": "t1", "T2w": "t2", "FLAIR": "flair", "PDw": "pd"}
"""What the package calls each sequence; it decides which peak is white matter."""


class WhiteStripe(TowardTarget):
    """WhiteStripe [1]_: mean and spread of the normal-appearing white matter.

    The package brings each volume to z-scores of its own white stripe; the mean
    stripe of the target domain then makes intensities of them. Where the stripe is
    moved, so is everything: only voxels that are exactly zero stay zero, and the
    noise of the air is lifted or sunk by the shift.

    Parameters
    ----------
    width : float
        Half the width of the stripe, as a share of the brain's voxels.

    Attributes
    ----------
    target_ : dict of str to array, shape (2,)
        Mean and standard deviation in the stripe, the target domain's mean.

    References
    ----------
    .. [1] R. T. Shinohara et al., "Statistical normalization techniques for magnetic
       resonance imaging", NeuroImage: Clinical 6, 9-19, 2014.
    """

    def __init__(self, *, width: float = 0.05) -> None:
        self.width = width

    def own(self, suffix: Suffix, session: Session) -> NDArray[np.float64]:
        """Return mean and standard deviation in the stripe."""
        return _stripe(self._fitted(suffix, session))

    def moved(
        self, suffix: Suffix, session: Session, target: NDArray[np.float64]
    ) -> Volume:
        """Return one sequence with the target's white stripe."""
        volume, normalizer = session[suffix], self._fitted(suffix, session)
        scores = normalizer.transform(package.create_image(volume.data)).get_data()
        mean, spread = target
        stripe = _stripe(normalizer).tolist()
        step = Step("whitestripe", {"stripe": stripe, "target": target.tolist()})
        moved = scores * spread + mean
        return volume.with_data(np.where(volume.data == 0, 0, moved), step)

    def _fitted(self, suffix: Suffix, session: Session) -> Any:  # noqa: ANN401
        """Return the package's normalizer, fitted on one volume."""
        normalizer = package.WhiteStripeNormalizer(
            width=self.width, modality=package.Modality(MODALITY[suffix])
        )
        image = package.create_image(session[suffix].data)
        brain = package.create_image(session.require_brain())
        try:
            return normalizer.fit(image, brain)
        except package.domain.exceptions.NormalizationError as error:
            raise ImplausibleError(
                f"WhiteStripe finds no white matter in the {suffix}: {error}.",
                fix="Look at the brain mask and at the scan.",
            ) from error


def _stripe(normalizer: Any) -> NDArray[np.float64]:  # noqa: ANN401
    return np.array([normalizer.mean, normalizer.std])
