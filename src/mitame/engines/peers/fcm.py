"""Fuzzy c-means normalization, of the package intensity-normalization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Self

import numpy as np

from mitame.core.errors import ImplausibleError
from mitame.core.harmonizer import learned, learned_of
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.peers.installed import peer
from mitame.io import bundle

WHITE_MATTER: dict[Suffix, str] = {
    "T1w": "wm",
    "T2w": "csf",
    "FLAIR": "gm",
    "PDw": "csf",
}
"""Which of the package's clusters has the white matter. It names them from dark to
bright as on T1w: `csf`, `gm`, `wm`; on the other sequences another one is white matter.
"""


class FuzzyCMeans:
    """Fuzzy c-means normalization [1]_: one gain, from the white matter's mean.

    The package divides each volume by the mean of its white matter, which it finds
    by clustering the brain's intensities; the target domain's mean multiplies it.

    Parameters
    ----------
    seed : int
        Of the clusters' random start.

    Attributes
    ----------
    means_ : dict of str to float
        Mean intensity of the white matter, the target domain's mean.

    References
    ----------
    .. [1] J. C. Reinhold et al., "Evaluating the impact of intensity normalization on
       MR image synthesis", Proc. SPIE 10949, 2019.
    """

    needs_pairs: ClassVar[bool] = False
    means_: dict[Suffix, float]

    def __init__(self, *, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn the target's mean white matter; the source is not needed."""
        del source
        suffixes = {suffix for session in target for suffix in session}
        self.means_ = {
            suffix: float(
                np.mean([self._own(suffix, s) for s in target if suffix in s])
            )
            for suffix in sorted(suffixes)
        }
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` times a gain; zeros stay zero."""
        return session.with_volumes(
            {suffix: self._moved(suffix, session) for suffix in session}
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the means into `folder`."""
        means = dict(learned(self, "means_"))
        bundle.write(folder, {"settings": {"seed": self.seed}, "means": means}, {})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, _ = bundle.read(folder)
        engine = cls(**words["settings"])
        engine.means_ = words["means"]
        return engine

    def _moved(self, suffix: Suffix, session: Session) -> Volume:
        target: float = learned_of(self, "means_", suffix)
        own = self._own(suffix, session)
        volume = session[suffix]
        step = Step("fcm", {"white_matter": own, "target": target})
        return volume.with_data(volume.data * np.float32(target / own), step)

    def _own(self, suffix: Suffix, session: Session) -> float:
        """Return the mean of a volume's white matter, as the package takes it."""
        package = peer("intensity_normalization")
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
        return mean


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Fix NumPy's global randomness, which scikit-fuzzy draws from, for a moment."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002
