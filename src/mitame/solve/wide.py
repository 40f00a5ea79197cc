"""A matrix of few rows: how large it is, its singular values, and room for others."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError, OutputError
from mitame.solve.loops import Doubles, Floats
from mitame.solve.lowrank_kernels import PART, measure
from mitame.solve.threads import single_blas


@dataclass(frozen=True)
class Shrunk:
    """A matrix with singular values made smaller, by what acts from the left."""

    values: Doubles
    vectors: Doubles
    factors: Doubles

    @classmethod
    def by(cls, square: Doubles, threshold: float) -> Shrunk:
        """Return it from ``Z @ Z.T``; the largest value is first."""
        squares, vectors = np.linalg.eigh(square)
        sizes = np.sqrt(np.maximum(squares[::-1], 0))
        values = np.maximum(sizes - threshold, 0)
        return cls(values, vectors[:, ::-1], values / np.maximum(sizes, threshold))

    @property
    def rank(self) -> int:
        """Return how many values are left."""
        return int((self.values > 0).sum())

    @property
    def whole(self) -> Floats:
        """Return what makes the shrunk matrix of the matrix."""
        whole = (self.vectors * self.factors) @ self.vectors.T
        return np.ascontiguousarray(whole, np.float32)

    def parts(self, rank: int) -> tuple[Floats, Floats]:
        """Return `LowRank.left`, and what makes `LowRank.right` of the matrix."""
        left = np.ascontiguousarray(self.vectors[:, :rank], np.float32)
        return left, np.ascontiguousarray((left * self.factors[:rank]).T, np.float32)


@dataclass(frozen=True)
class Wide:
    """What is split, how large it is, and where the sums of its parts go."""

    matrix: Floats
    penalty: float
    square: Doubles
    largest: float
    gram: Doubles
    sums: Doubles

    @classmethod
    def on(cls, matrix: NDArray[np.floating], penalty: float | None) -> Wide:
        """Return it for a matrix that can be split."""
        if matrix.ndim != 2 or not 0 < len(matrix) <= matrix.shape[-1]:
            raise InputError(
                f"The matrix has the shape {matrix.shape}.",
                fix="Give two axes, the second not the shorter one: transpose it.",
            )
        if penalty is not None and not 0 < penalty < np.inf:
            raise InputError(f"The penalty is {penalty}.", fix="Give one above 0.")
        n, width = matrix.shape
        gram = np.empty((-(-width // PART), n, n))
        sums = np.empty((len(gram), 5))
        rows = np.ascontiguousarray(matrix, np.float32).view(np.ndarray)
        rows.setflags(write=False)  # as one mapped from a file: one type to compile for
        with single_blas():
            measure(rows, gram, sums)
        square, largest = gram.sum(axis=0), float(sums[:, 0].max())
        if not 0 < np.trace(square) < np.inf:
            raise InputError(
                "The matrix is zero everywhere, or has entries that are not finite.",
                fix="Give finite values, not all zero.",
            )
        penalty = width**-0.5 if penalty is None else penalty
        return cls(rows, penalty, square, largest, gram, sums)

    @property
    def norm(self) -> float:
        """Return the largest singular value."""
        return float(np.sqrt(np.linalg.eigvalsh(self.square)[-1]))

    def relative(self, squares: float) -> float:
        """Return a length, given squared, over that of the matrix."""
        return float(np.sqrt(squares / np.trace(self.square)))


def room(shape: tuple[int, ...], folder: Path | None, name: str | None) -> Floats:
    """Return an array in memory, or in a file; one without a name goes with its use."""
    if folder is None:
        return np.empty(shape, np.float32)
    try:
        if name is None:
            with tempfile.TemporaryFile(dir=folder) as file:
                return np.asarray(np.memmap(file, np.float32, "w+", shape=shape))
        path = folder / f"{name}.npy"
        if path.exists():
            raise OutputError(f"{path} is there already.", fix="Move it away.")
        return np.asarray(np.lib.format.open_memmap(path, "w+", np.float32, shape))
    except OSError as error:
        raise OutputError(
            f"Nothing can be kept in {folder}: {error}.",
            fix="Give a folder that is there, with room for the parts.",
        ) from error
