"""Dictionary: paired patches of two scanners with one shared sparse code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from numpy.typing import NDArray

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session
from mitame.engines.bilateral import Bilateral
from mitame.engines.dictionary.code import TrainedCode
from mitame.engines.dictionary.train import Training, train_code
from mitame.engines.patchwise import Patchwise
from mitame.engines.patchwise.features import Features, Rows

PARTS = ("encode", "again", "threshold", "decode")


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
    radius, target_radius, samples
        See `Patchwise`.

    Attributes
    ----------
    base_ : Bilateral
        The tone curve in space.
    features_ : Features
        How patches become numbers, and the linear map.
    code_ : TrainedCode
        The two dictionaries.
    """

    name: ClassVar[str] = "dictionary"
    base_class: ClassVar[type[Harmonizer]] = Bilateral
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
        super().__init__(
            radius=radius, target_radius=target_radius, samples=samples, seed=seed
        )
        self.n_atoms = n_atoms
        self.penalty = penalty
        self.epochs = epochs
        self.rate = rate

    def base(self, source: Sequence[Session], target: Sequence[Session]) -> Harmonizer:
        """Return the tone curve in space, of pairs."""
        return Bilateral().fit_pairs(source, target)

    def learn(self, blank: Features, rows: Rows, wanted: Rows) -> None:
        """Learn the linear map, and the code of what it leaves."""
        self.features_, left = blank.fitted(rows, wanted)
        self.code_ = train_code(
            self.features_.patches(rows), self.features_.normed(left), self._training
        )

    def found(self, rows: Rows) -> Rows:
        """Return the linear map of patches and what their code gives."""
        coded = self.code_.apply(self.features_.patches(rows))
        return self.features_.linear(rows) + self.features_.denormed(coded)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the two dictionaries."""
        return {part: getattr(self.code_, part) for part in PARTS}

    def take_back(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set the two dictionaries again."""
        self.code_ = TrainedCode(*(arrays[part] for part in PARTS))

    @property
    def _training(self) -> Training:
        return Training(
            n_atoms=self.n_atoms,
            penalty=self.penalty,
            epochs=self.epochs,
            rate=self.rate,
            seed=self.seed,
        )
