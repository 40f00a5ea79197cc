"""WhiteStripe, of the package intensity-normalization."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.harmonizer import learned, learned_of
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.peers.installed import peer
from mitame.io import bundle

MODALITY: dict[Suffix, str] = {"T1w": "t1", "T2w": "t2", "FLAIR": "flair", "PDw": "pd"}
"""What the package calls each sequence; it decides which peak is white matter."""


class WhiteStripe:
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
    stripes_ : dict of str to array, shape (2,)
        Mean and standard deviation in the stripe, the target domain's mean.

    References
    ----------
    .. [1] R. T. Shinohara et al., "Statistical normalization techniques for magnetic
       resonance imaging", NeuroImage: Clinical 6, 9-19, 2014.
    """

    needs_pairs: ClassVar[bool] = False
    stripes_: dict[Suffix, NDArray[np.float64]]

    def __init__(self, *, width: float = 0.05) -> None:
        self.width = width

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn the mean white stripe of the target; the source is not needed."""
        del source
        suffixes = {suffix for session in target for suffix in session}
        self.stripes_ = {
            suffix: np.mean(
                [_stripe(self._fitted(suffix, s)) for s in target if suffix in s],
                axis=0,
            )
            for suffix in sorted(suffixes)
        }
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with the target's white stripe; zeros stay zero."""
        return session.with_volumes(
            {suffix: self._moved(suffix, session) for suffix in session}
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the stripes into `folder`."""
        stripes = learned(self, "stripes_")
        bundle.write(
            folder, {"width": self.width}, {str(s): stripes[s] for s in stripes}
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        params, stripes = bundle.read(folder)
        engine = cls(**params)
        engine.stripes_ = stripes  # type: ignore[assignment]
        return engine

    def _moved(self, suffix: Suffix, session: Session) -> Volume:
        mean, spread = learned_of(self, "stripes_", suffix)
        volume = session[suffix]
        normalizer = self._fitted(suffix, session)
        image = peer("intensity_normalization").create_image(volume.data)
        moved = normalizer.transform(image).get_data() * spread + mean
        step = Step(
            "whitestripe",
            {"stripe": _stripe(normalizer), "target": [float(mean), float(spread)]},
        )
        return volume.with_data(np.where(volume.data == 0, 0, moved), step)

    def _fitted(self, suffix: Suffix, session: Session) -> Any:  # noqa: ANN401
        """Return the package's normalizer, fitted on one volume."""
        package = peer("intensity_normalization")
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


def _stripe(normalizer: Any) -> list[float]:  # noqa: ANN401
    return [normalizer.mean, normalizer.std]
