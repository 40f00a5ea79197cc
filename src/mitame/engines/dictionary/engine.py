"""Dictionary: paired patches of two scanners with one shared sparse code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ModelError
from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session
from mitame.engines.bilateral import Bilateral
from mitame.engines.coded import Atoms
from mitame.engines.dictionary.code import TrainedCode, source_atoms
from mitame.engines.dictionary.train import Training, train_code
from mitame.engines.patchwise import Patchwise
from mitame.engines.patchwise.features import Rows, Shape

PARTS = ("encode", "atoms", "threshold", "decode")
"""Of the trained code, by which they are stored."""


class Dictionary(Patchwise):
    """Give a patch the look of the target by the sparse code it has in the source.

    A tone curve that varies slowly in space (`Bilateral`, on pairs) and a linear map
    of the patch come first; what they leave is a sparse code of the source patch,
    trained for the target patch, times the target's atoms. The code of a scan comes
    from that scan alone.

    Parameters
    ----------
    n_atoms, penalty, epochs, rate, seed
        See `train.Training`.
    radius, target_radius, shape, coordinates, samples
        See `Patchwise`.

    Attributes
    ----------
    base_ : Bilateral
        The tone curve in space.
    features_ : Features
        How patches become numbers, and the linear map.
    code_ : TrainedCode
        The code, and the target's atoms.
    source_ : array of float32, shape (n_atoms, d)
        The source's atoms: what the codes stand for there.
    use_ : array of float32, shape (n_atoms,)
        Share of the training patches whose code has the atom.
    """

    name: ClassVar[str] = "dictionary"
    base_class: ClassVar[type[Harmonizer]] = Bilateral
    code_: TrainedCode
    source_: Rows
    use_: Rows

    def __init__(
        self,
        *,
        n_atoms: int = 512,
        radius: int = 2,
        target_radius: int = 1,
        shape: Shape = "3d",
        coordinates: bool = False,
        penalty: float = 1.0,
        epochs: int = 15,
        rate: float = 1e-2,
        samples: int = 180_000,
        seed: int = 0,
    ) -> None:
        super().__init__(
            radius=radius,
            target_radius=target_radius,
            shape=shape,
            coordinates=coordinates,
            samples=samples,
            seed=seed,
        )
        self.n_atoms = n_atoms
        self.penalty = penalty
        self.epochs = epochs
        self.rate = rate

    def base(self, source: Sequence[Session], target: Sequence[Session]) -> Harmonizer:
        """Return the tone curve in space, of pairs."""
        return Bilateral().fit_pairs(source, target)

    def learn(self, rows: Rows, left: Rows) -> None:
        """Learn the code of what the linear map leaves."""
        given = self.features_.patches(rows)
        self.code_ = train_code(given, self.features_.normed(left), self._training)
        self.source_, self.use_ = source_atoms(self.code_, given)

    def found(self, rows: Rows) -> Rows:
        """Return the linear map of patches and what their code gives."""
        coded = self.code_.apply(self.features_.patches(rows))
        return self.features_.linear(rows) + self.features_.denormed(coded)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return code and atoms."""
        parts = {part: getattr(self.code_, part) for part in PARTS}
        return {**parts, "source": self.source_, "use": self.use_}

    def take_back(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set code and atoms again.

        Raises
        ------
        ModelError
            If there is not all that this version wants.
        """
        if missing := {*PARTS, "source", "use"} - set(arrays):
            raise ModelError(
                f"The dictionary lacks {', '.join(sorted(missing))}.",
                fix="Fit it again with this version of mitame.",
            )
        self.code_ = TrainedCode(*(arrays[part] for part in PARTS))
        self.source_, self.use_ = arrays["source"], arrays["use"]

    def atoms(self) -> Atoms:
        """Return both dictionaries as pictures."""
        window = self.features_.window
        theirs = self.features_.denormed(self.code_.decode)
        return Atoms(
            window.boxes(self.source_, window.source),
            window.boxes(theirs, window.target),
            self.use_,
        )

    def from_code(self, session: Session) -> tuple[Session, Session]:
        """Return what the code of a prepared source session stands for.

        The source's side has the means of its patches, which are not coded; the
        target's is what `transform` gives, tone curve and linear map included.
        """

        def seen(rows: Rows) -> Rows:
            given = self.features_.patches(rows)
            coded = self.code_.codes(given) @ self.source_
            inner = self.features_.window.inner(coded - given)
            return inner * np.float32(self.features_.scale)

        return self.added(session, session, seen), self.transform(session)

    @property
    def _training(self) -> Training:
        return Training(
            n_atoms=self.n_atoms,
            penalty=self.penalty,
            epochs=self.epochs,
            rate=self.rate,
            seed=self.seed,
        )
