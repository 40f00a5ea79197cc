"""Fuzzy c-means normalization, of the package intensity-normalization."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.peers.installed import peer
from mitame.engines.toward_target import TowardTarget

package = peer("intensity_normalization")

WHITE_MATTER: dict[Suffix, str] = {
    "T1w": "wm",
    "T2w": "csf",
    "FLAIR": "gm",
    "PDw": "csf",
}
"""Which of the package's clusters has the white matter. It names them from dark to
bright as on T1w: `csf`, `gm`, `wm`; on the other sequences another one is white matter.
"""


class FuzzyCMeans(TowardTarget):
    """Fuzzy c-means normalization [1]_: one gain, from the white matter's mean.

    The package divides each volume by the mean of its white matter, which it finds
    by clustering the brain's intensities; the target domain's mean multiplies it.

    Parameters
    ----------
    seed : int
        Of the clusters' random start.

    Attributes
    ----------
    target_ : dict of str to array, shape ()
        Mean intensity of the white matter, the target domain's mean.

    References
    ----------
    .. [1] J. C. Reinhold et al., "Evaluating the impact of intensity normalization on
       MR image synthesis", Proc. SPIE 10949, 2019.
    """

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def own(self, suffix: Suffix, session: Session) -> NDArray[np.float64]:
        """Return the mean of a volume's white matter, as the package takes it."""
        tissue = package.TissueType(WHITE_MATTER[suffix])
        normalizer = package.FCMNormalizer(tissue_type=tissue)
        volume = session[suffix]
        brain = package.create_image(session.require_brain())
        with _seeded(self.seed):
            normalizer.fit(package.create_image(volume.data), brain)
        mean = float(np.average(volume.data, weights=normalizer.tissue_membership))
        if mean <= 0:
            raise ImplausibleError(
                f"The white matter of the {suffix} has a mean of {mean:.3g}.",
                fix="Look at the brain mask and at the scan.",
            )
        return np.array(mean)

    def moved(
        self, suffix: Suffix, session: Session, target: NDArray[np.float64]
    ) -> Volume:
        """Return one sequence times a gain."""
        own, volume = self.own(suffix, session), session[suffix]
        step = Step("fcm", {"white_matter": float(own), "target": float(target)})
        return volume.with_data(volume.data * np.float32(target / own), step)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Fix NumPy's global randomness, which scikit-fuzzy draws from, for a moment."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
