"""Dictionary: paired patches of two scanners with one shared sparse code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, gaussian_filter

from mitame.core.harmonizer import params_of, require_fitted
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.bilateral import Bilateral
from mitame.engines.dictionary.code import TrainedCode
from mitame.engines.dictionary.features import Features
from mitame.engines.dictionary.pairs import require_known, require_pairs
from mitame.engines.dictionary.train import Training, train_code
from mitame.io import bundle
from mitame.prepare.resample import at_spacing, resample, resample_mask
from mitame.solve import patches

SAME_SPACING = 0.05
"""Relative; a grid so near to the one that was trained on is used as it is."""

STRIDE_MM = 2.0
"""About so far apart are the centers of the patches that are put together."""

EDGE_VOXELS = 2
"""The code is used so far beyond the brain mask, and fades out."""


class Dictionary:
    """Give a patch the look of the target by the sparse code it has in the source.

    A tone curve that varies slowly in space (`Bilateral`, on pairs) and a linear map
    of the patch come first; what they leave is a sparse code of the source patch,
    trained for the target patch, times the target's atoms. The code of a scan comes
    from that scan alone. Overlapping patches are averaged. All sequences of a visit
    are one patch.

    Parameters
    ----------
    n_atoms, penalty, epochs, rate, seed
        See `train.Training`.
    radius, target_radius : int
        Voxels a patch reaches from its center, in the source and in the target.
    samples : int
        Patches to train on, of all pairs together.

    Attributes
    ----------
    base_ : Bilateral
        The tone curve in space.
    features_ : Features
        How patches become numbers, and the linear map.
    code_ : TrainedCode
        The two dictionaries.
    """

    needs_pairs: ClassVar[bool] = True
    base_: Bilateral
    features_: Features
    code_: TrainedCode

    def __init__(
        self,
        *,
        n_atoms: int = 512,
        radius: int = 2,
        target_radius: int = 1,
        penalty: float = 1.0,
        epochs: int = 15,
        rate: float = 3e-3,
        samples: int = 180_000,
        seed: int = 0,
    ) -> None:
        self.n_atoms = n_atoms
        self.radius = radius
        self.target_radius = target_radius
        self.penalty = penalty
        self.epochs = epochs
        self.rate = rate
        self.samples = samples
        self.seed = seed

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
        self.base_ = Bilateral().fit_pairs(source, target)
        spacing = float(np.median([s.reference.spacing for s in source]))
        blank = Features(suffixes, spacing, self.radius, self.target_radius)
        rng = np.random.default_rng(self.seed)
        parts = [
            self._pair(blank, one, other, self.samples // len(source), rng)
            for one, other in zip(source, target, strict=True)
        ]
        rows, wanted = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.features_, left = blank.fitted(rows, wanted)
        self.code_ = train_code(
            self.features_.patches(rows), self.features_.normed(left), self._training
        )
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
        require_fitted(self, "code_")
        require_known(session, self.features_.suffixes)
        based = self.base_.transform(session)
        edit, used = self._edit(session, based)
        step = Step("dictionary", {"n_atoms": self.n_atoms, "atoms_used": used})
        return session.with_volumes(
            {
                suffix: volume.with_data(
                    based[suffix].data
                    + np.where(volume.data == 0, np.float32(0), edit[suffix]),
                    step,
                )
                for suffix, volume in session.items()
            }
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and what was learned into `folder`."""
        require_fitted(self, "code_")
        words = {"params": params_of(self), "features": self.features_.words()}
        code = {
            "encode": self.code_.encode,
            "again": self.code_.again,
            "threshold": self.code_.threshold,
            "decode": self.code_.decode,
        }
        bundle.write(folder, words, {**code, **self.features_.arrays()})
        self.base_.save(folder / "base")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, arrays = bundle.read(folder)
        engine = cls(**words["params"])
        engine.features_ = Features.read(words["features"], arrays)
        names = ("encode", "again", "threshold", "decode")
        engine.code_ = TrainedCode(*(arrays[name] for name in names))
        engine.base_ = Bilateral.load(folder / "base")
        return engine

    @property
    def _training(self) -> Training:
        return Training(
            n_atoms=self.n_atoms,
            penalty=self.penalty,
            epochs=self.epochs,
            rate=self.rate,
            seed=self.seed,
        )

    def _pair(
        self,
        features: Features,
        source: Session,
        target: Session,
        n: int,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return numbers of some patches of a pair, and what the base leaves there."""
        based = self.base_.transform(source)
        inside = np.argwhere(source.require_brain() & target.require_brain())
        centers = rng.choice(inside, min(n, len(inside)), replace=False)
        missing = [target[s].data - based[s].data for s in features.suffixes]
        return (
            features.rows(source, based, centers),
            patches.take(np.stack(missing), centers, (self.target_radius,) * 3),
        )

    def _edit(
        self, session: Session, based: Session
    ) -> tuple[dict[Suffix, NDArray[np.float32]], float]:
        """Return what the code adds to each sequence, and the share of atoms used."""
        spacing = self.features_.spacing
        edges = np.array(session.reference.spacing)
        same = np.abs(edges / spacing - 1).max() <= SAME_SPACING
        if same:
            return self._coded(session, based)
        fine = _resampled(session, spacing), _resampled(based, spacing)
        edit, used = self._coded(*fine)
        grid = fine[0].reference
        back = {
            suffix: resample(
                Volume(data, grid.affine), session.reference, interpolator="linear"
            ).data
            for suffix, data in edit.items()
        }
        return back, used

    def _coded(
        self, session: Session, based: Session
    ) -> tuple[dict[Suffix, NDArray[np.float32]], float]:
        """Return the same on the grid that was trained on."""
        brain = session.require_brain()
        near = binary_dilation(brain, iterations=EDGE_VOXELS)
        stride = max(1, round(STRIDE_MM / self.features_.spacing))
        lattice = np.indices(near.shape) % stride == 0
        centers = np.argwhere(near & lattice.all(axis=0))
        rows = self.features_.rows(session, based, centers)
        given = self.features_.patches(rows)
        found = self.features_.linear(rows)
        found += self.features_.denormed(self.code_.apply(given))
        reach = (self.target_radius,) * 3
        volumes = patches.together(found, centers, reach, brain.shape)
        fade = np.maximum(brain, gaussian_filter(near.astype(np.float32), 1))
        few = self.code_.codes(given[:: max(1, len(given) // 1000)])
        used = round(float((few != 0).mean()), 4)
        edits = dict(zip(self.features_.suffixes, volumes * fade, strict=True))
        return edits, used


def _resampled(session: Session, spacing: float) -> Session:
    """Return a session with cubic voxels."""
    volumes = {
        suffix: at_spacing(volume, spacing) for suffix, volume in session.items()
    }
    grid = next(iter(volumes.values()))
    brain = resample_mask(session.require_brain(), session.reference, grid)
    return Session(
        volumes, session.subject, brain=brain, to_template=session.to_template
    )
