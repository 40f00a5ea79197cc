"""Coupled dictionaries as in the original study, so that its findings can be redone.

A sparse code is shorter than what it stands for, and so is the patch: the stronger the
penalty, the darker and smoother the result. This is why it is not offered by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from mitame.core.harmonizer import params_of, require_fitted
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.engines.coded import Atoms
from mitame.engines.patchwise.pairs import require_known, require_pairs
from mitame.io import bundle
from mitame.solve import patches
from mitame.solve.coding import lasso
from mitame.solve.learn import learn_atoms

EDGE_VOXELS = 2
"""Patches are taken so far beyond the brain mask."""

CHUNK = 65536
"""Patches coded at once."""

Rows = NDArray[np.float32]


class PlainDictionary:
    """Patches of slices, their differences as channels, one code for both scanners.

    Dictionaries of both are learned as one, of patches that are laid side by side, so
    that they share the code. The code of a scan comes from the source's half alone,
    and the target's half gives the patch. The mean stays in the patch.

    Parameters
    ----------
    n_atoms : int
        Of the dictionary.
    penalty : float
        Of the L1 norm of the code, relative to the median length of a patch. The
        stronger, the fewer atoms are used, and the smoother is the result.
    differences : bool
        Whether differences of neighboring voxels are channels, too.
    reach : int
        Voxels that a patch goes out from its center, within the slice.
    samples : int
        Patches to train on, of all pairs together.
    passes : int
        Times every patch is seen.
    seed : int
        Of the choice of patches and of the first atoms.

    Attributes
    ----------
    source_, target_ : array of float32, shape (n_atoms, d)
        The two dictionaries; the target's without differences.
    use_ : array of float32, shape (n_atoms,)
        Share of the training patches whose code has the atom.
    """

    needs_pairs: ClassVar[bool] = True
    source_: Rows
    target_: Rows
    use_: Rows
    suffixes_: tuple[Suffix, ...]
    penalty_: float

    def __init__(
        self,
        *,
        n_atoms: int = 256,
        penalty: float = 0.05,
        differences: bool = True,
        reach: int = 3,
        samples: int = 60_000,
        passes: int = 2,
        seed: int = 0,
    ) -> None:
        self.n_atoms = n_atoms
        self.penalty = penalty
        self.differences = differences
        self.reach = reach
        self.samples = samples
        self.passes = passes
        self.seed = seed

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn from pairs: source[n] and target[n] are one subject on one grid.

        Raises
        ------
        InputError
            If they are no pairs, or no sequence is in all.
        GridMismatchError
            If a pair is not on one grid.
        """
        self.suffixes_ = require_pairs(source, target)
        rng = np.random.default_rng(self.seed)
        parts = [
            self._pair(one, other, self.samples // len(source), rng)
            for one, other in zip(source, target, strict=True)
        ]
        ours, theirs = (np.concatenate(part) for part in zip(*parts, strict=True))
        self.penalty_ = self.penalty * float(np.median(np.linalg.norm(ours, axis=1)))
        both = np.concatenate([ours, theirs], axis=1)
        atoms = learn_atoms(
            both, self.n_atoms, self.penalty_, passes=self.passes, seed=self.seed
        )
        self.source_ = np.ascontiguousarray(atoms[:, : ours.shape[1]])
        self.target_ = np.ascontiguousarray(atoms[:, ours.shape[1] :])
        codes = lasso(ours, self.source_, self.penalty_)
        self.use_ = np.asarray(codes.uses() / len(ours), np.float32)
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with every patch of its brain from the target's atoms.

        Raises
        ------
        NotFittedError
            If the engine was not fitted.
        InputError
            If the session has other sequences than those of training.
        """
        require_fitted(self, "source_")
        return self._decoded(session, self.target_)

    def atoms(self) -> Atoms:
        """Return both dictionaries as pictures, without differences."""
        edge = 2 * self.reach + 1
        shape = (self.n_atoms, len(self.suffixes_), edge, edge, 1)
        return Atoms(self._seen.reshape(shape), self.target_.reshape(shape), self.use_)

    def from_code(self, session: Session) -> tuple[Session, Session]:
        """Return what the code of a prepared source session stands for."""
        return self._decoded(session, self._seen), self.transform(session)

    def save(self, folder: Path) -> None:
        """Write the parameters and both dictionaries into `folder`."""
        require_fitted(self, "source_")
        words = {
            "params": params_of(self),
            "suffixes": list(self.suffixes_),
            "penalty": self.penalty_,
        }
        names = ("source", "target", "use")
        bundle.write(folder, words, {n: getattr(self, f"{n}_") for n in names})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, arrays = bundle.read(folder)
        engine = cls(**words["params"])
        engine.suffixes_ = tuple(words["suffixes"])
        engine.penalty_ = words["penalty"]
        engine.source_, engine.target_ = arrays["source"], arrays["target"]
        engine.use_ = arrays["use"]
        return engine

    def _decoded(self, session: Session, side: Rows) -> Session:
        """Return `session` with every patch of its brain from atoms of one side."""
        require_known(session, self.suffixes_)
        brain = session.require_brain()
        centers = np.argwhere(binary_dilation(brain, iterations=EDGE_VOXELS))
        given = self._channels(session, self.differences)
        rows = np.empty((len(centers), side.shape[1]), np.float32)
        used = 0
        for first in range(0, len(centers), CHUNK):
            some = slice(first, first + CHUNK)
            boxes = patches.take(given, centers[some], self._square)
            codes = lasso(boxes, self.source_, self.penalty_)
            rows[some] = codes.decode(side)
            used += int(codes.counts.sum())
        found = patches.together(rows, centers, self._square, brain.shape)
        step = Step(
            "dictionary-plain", {"atoms_a_patch": round(used / len(centers), 3)}
        )
        return session.with_volumes(
            {
                suffix: volume.with_data(
                    np.where(brain & (volume.data != 0), found[n], volume.data), step
                )
                for n, (suffix, volume) in enumerate(
                    (s, session[s]) for s in self.suffixes_
                )
            }
        )

    @property
    def _seen(self) -> Rows:
        """Return the source's atoms without differences."""
        return np.ascontiguousarray(self.source_[:, : self.target_.shape[1]])

    @property
    def _square(self) -> patches.Offsets:
        return patches.box(self.reach, self.reach, 0)

    def _pair(
        self, source: Session, target: Session, n: int, rng: np.random.Generator
    ) -> tuple[Rows, Rows]:
        """Return some patches of a pair."""
        inside = np.argwhere(source.require_brain() & target.require_brain())
        centers = rng.choice(inside, min(n, len(inside)), replace=False)
        ours = self._channels(source, self.differences)
        theirs = self._channels(target, False)
        return (
            patches.take(ours, centers, self._square),
            patches.take(theirs, centers, self._square),
        )

    def _channels(self, session: Session, differences: bool) -> Rows:
        """Return every sequence, with its differences along rows and columns."""
        volumes = [session[suffix].data for suffix in self.suffixes_]
        if differences:
            volumes += [
                np.gradient(v, axis=axis) for v in volumes[:] for axis in (0, 1)
            ]
        return np.stack(volumes).astype(np.float32)
