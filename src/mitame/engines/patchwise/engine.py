"""From pairs of patches to an engine, whatever is learned from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.harmonizer import Harmonizer, params_of, require_fitted
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.added import Edit, added, edited_at, fading
from mitame.engines.identity import Identity
from mitame.engines.patchwise.features import Features, Rows, Shape, Window
from mitame.engines.patchwise.pairs import require_known, require_pairs
from mitame.io import bundle
from mitame.solve import patches

STRIDE_MM = 2.0
"""About so far apart are the centers of the patches that are put together."""


class Patchwise:
    """Add to a scan what patches of it say is missing to the target.

    A base comes first. What it leaves is learned from patches of pairs (`learn`) and
    given for those of a new scan (`found`); where they overlap they are averaged. All
    sequences of a visit are one patch. Another voxel size is brought to that of
    training, and what is added is brought back: the scan itself keeps its grid.

    Parameters
    ----------
    radius, target_radius : int
        Voxels a patch reaches from its center, in the source and in the target.
    shape : str
        Of a patch: `"2d"`, a square of an axial slice; `"2.5d"`, three squares that
        cross; `"3d"`, a cube.
    coordinates : bool
        Whether a patch knows its place in the template.
    samples : int
        Patches to train on, of all pairs together.
    seed : int
        Of the choice of patches.

    Attributes
    ----------
    base_ : Harmonizer
        What comes first.
    features_ : Features
        How patches become numbers, and a linear map of them.
    """

    needs_pairs: ClassVar[bool] = True
    name: ClassVar[str]
    base_class: ClassVar[type[Harmonizer]] = Identity
    base_: Harmonizer
    features_: Features

    def __init__(
        self,
        *,
        radius: int = 2,
        target_radius: int = 1,
        shape: Shape = "3d",
        coordinates: bool = False,
        samples: int = 180_000,
        seed: int = 0,
    ) -> None:
        self.radius = radius
        self.target_radius = target_radius
        self.shape = shape
        self.coordinates = coordinates
        self.samples = samples
        self.seed = seed

    def base(self, source: Sequence[Session], target: Sequence[Session]) -> Harmonizer:
        """Return what comes first, fitted on pairs."""
        return self.base_class().fit(source, target)

    def learn(self, rows: Rows, left: Rows) -> None:
        """Learn what the linear map leaves; nothing, if the map is all there is.

        Parameters
        ----------
        rows : array of float32, shape (n, d_row)
            As `Window.rows` returns them.
        left : array of float32, shape (n, d_target)
            What base and linear map leave of the target patches.
        """

    def found(self, rows: Rows) -> Rows:
        """Return what to add to the base's target patches, shape (n, d_target)."""
        return self.features_.linear(rows)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what was learned beside the features."""
        return {}

    def take_back(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set again what `arrays` told."""

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn from pairs: source[n] and target[n] are one subject on one grid.

        Raises
        ------
        InputError
            If there are not as many of both, two of a pair are of other subjects, or
            no sequence is in all.
        GridMismatchError
            If a pair is not on one grid.
        """
        suffixes = require_pairs(source, target)
        self.base_ = self.base(source, target)
        spacing = float(np.median([s.reference.spacing for s in source]))
        window = Window(
            suffixes,
            spacing,
            self.radius,
            self.target_radius,
            self.coordinates,
            self.shape,
        )
        rng = np.random.default_rng(self.seed)
        parts = [
            self._pair(window, one, other, self.samples // len(source), rng)
            for one, other in zip(source, target, strict=True)
        ]
        rows, wanted = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.features_, left = Features.fit(window, rows, wanted)
        self.learn(rows, left)
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` as the target shows it; zeros stay zero.

        Raises
        ------
        NotFittedError
            If the engine was not fitted.
        InputError
            If the session has other sequences than those of training.
        """
        require_fitted(self, "features_")
        require_known(session, self.features_.window.suffixes)
        return self.added(session, self.base_.transform(session), self.found)

    def added(
        self, session: Session, based: Session, found: Callable[[Rows], Rows]
    ) -> Session:
        """Return `based` with what `found` gives for the rows of its patches."""

        def edit(seen: Session, curved: Session) -> Edit:
            return self._sums(seen, curved, found)

        spacing = self.features_.window.spacing
        step = Step(self.name, params_of(self))
        return added(session, based, edited_at(spacing, session, based, edit), step)

    def save(self, folder: Path) -> None:
        """Write the parameters and what was learned into `folder`."""
        require_fitted(self, "features_")
        words = {"params": params_of(self), "features": self.features_.words()}
        bundle.write(folder, words, {**self.arrays(), **self.features_.arrays()})
        self.base_.save(folder / "base")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, arrays = bundle.read(folder)
        engine = cls(**words["params"])
        engine.features_ = Features.read(words["features"], arrays)
        engine.take_back(arrays)
        engine.base_ = cls.base_class.load(folder / "base")
        return engine

    def _pair(
        self,
        window: Window,
        source: Session,
        target: Session,
        n: int,
        rng: np.random.Generator,
    ) -> tuple[Rows, Rows]:
        """Return numbers of some patches of a pair, and what the base leaves there."""
        based = self.base_.transform(source)
        inside = np.argwhere(source.require_brain() & target.require_brain())
        centers = rng.choice(inside, min(n, len(inside)), replace=False)
        missing = [target[s].data - based[s].data for s in window.suffixes]
        return (
            window.rows(source, based, centers),
            patches.take(np.stack(missing), centers, window.target),
        )

    def _sums(
        self, session: Session, based: Session, found: Callable[[Rows], Rows]
    ) -> Edit:
        """Return what is added to each sequence, on the grid that was trained on."""
        window = self.features_.window
        brain = session.require_brain()
        near, fade = fading(brain)
        i, j, k = window.strides(STRIDE_MM)
        centers = np.argwhere(near[::i, ::j, ::k]) * (i, j, k)
        rows = found(window.rows(session, based, centers))
        volumes = patches.together(rows, centers, window.target, brain.shape)
        return dict(zip(window.suffixes, volumes * fade, strict=True))
