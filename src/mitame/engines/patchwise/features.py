"""What a patch is to the engine: numbers, their scale, and a linear map of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix
from mitame.solve import patches

RIDGE = 1e-4
"""Weight of the squared linear map, times the number of patches."""

MIDDLE_MM, REACH_MM = (0, -18, 8), 80
"""Of the template's brain: places are told from there, in such units."""

TINY = np.finfo(np.float32).tiny

Rows = NDArray[np.float32]
Shape = Literal["2d", "2.5d", "3d"]
"""Of a patch: a square of an axial slice, three squares that cross, a cube."""


@dataclass(frozen=True, slots=True)
class Window:
    """What of a scan a patch holds.

    Parameters
    ----------
    suffixes : tuple of str
        The sequences, in the order of patches.
    spacing : float
        Voxel edge that patches were trained on, mm.
    radius, target_radius : int
        Of source patches and of based and target patches, voxels.
    coordinates : bool
        Whether it holds its place in the template, too.
    shape : str
        See `Shape`.

    Raises
    ------
    InputError
        If there is no such shape, or a target patch is larger than a source patch.
    """

    suffixes: tuple[Suffix, ...]
    spacing: float
    radius: int
    target_radius: int
    coordinates: bool = False
    shape: Shape = "3d"

    def __post_init__(self) -> None:
        if self.shape not in get_args(Shape):
            raise InputError(
                f"A patch cannot be {self.shape!r}.",
                fix=f"Choose a shape of {', '.join(get_args(Shape))}.",
            )
        if not 0 <= self.target_radius <= self.radius:
            raise InputError(
                f"Target patches reach {self.target_radius} voxels, source patches "
                f"{self.radius}.",
                fix="Let target_radius be 0 to radius.",
            )

    @property
    def source(self) -> patches.Offsets:
        """Return where the voxels of a source patch are, shape (size, 3)."""
        return _offsets(self.shape, self.radius)

    @property
    def target(self) -> patches.Offsets:
        """Return where the voxels of a target patch are, shape (target_size, 3)."""
        return _offsets(self.shape, self.target_radius)

    def strides(self, apart: float) -> tuple[int, int, int]:
        """Return voxels between centers about `apart` mm apart; no voxel is left out.

        A patch that is flat in a slice needs a center in every slice.
        """
        most = max(1, min(round(apart / self.spacing), 2 * self.target_radius + 1))
        return most, most, most if self.shape == "3d" else 1

    def rows(
        self, session: Session, based: Session, centers: NDArray[np.integer]
    ) -> Rows:
        """Return a row for each center, shape (n, d_row).

        A row holds the source patch, the based patch (what the tone curve makes of
        it), sequence by sequence, the place if wanted, and a 1.
        """
        seen, curved = (
            np.stack([one[suffix].data for suffix in self.suffixes])
            for one in (session, based)
        )
        n, size = len(self.suffixes), len(self.source)
        ends = n * size, n * (size + len(self.target))
        found = np.zeros((len(centers), ends[1] + 3 * self.coordinates + 1), np.float32)
        patches.take(seen, centers, self.source, found[:, : ends[0]])
        patches.take(curved, centers, self.target, found[:, ends[0] : ends[1]])
        if self.coordinates:
            found[:, ends[1] : -1] = places(session, centers)
        found[:, -1] = 1
        return found

    def centered(self, rows: Rows) -> Rows:
        """Return the source patches about their own means."""
        n = len(self.suffixes)
        given = rows[:, : n * len(self.source)].reshape(len(rows), n, -1)
        about = given - given.mean(axis=2, keepdims=True)
        return np.asarray(about.reshape(len(rows), -1), np.float32)

    def inner(self, found: Rows) -> Rows:
        """Return the part of source patches that target patches cover."""
        n, size = len(self.suffixes), len(self.source)
        covered = (np.abs(self.source) <= self.target_radius).all(axis=1)
        given = found[:, : n * size].reshape(len(found), n, size)
        return np.ascontiguousarray(given[:, :, covered].reshape(len(found), -1))

    def boxes(self, rows: Rows, offsets: patches.Offsets) -> Rows:
        """Return patches as boxes, shape (n, n_suffixes, i, j, k), 0 where none is."""
        n, size = len(self.suffixes), len(offsets)
        corner = offsets.min(axis=0)
        shape = offsets.max(axis=0) - corner + 1
        found = np.zeros((len(rows), n, *shape), np.float32)
        given = rows[:, : n * size].reshape(len(rows), n, size)
        found[:, :, *(offsets - corner).T] = given
        return found


def _offsets(shape: Shape, radius: int) -> patches.Offsets:
    if shape == "2.5d":
        return patches.planes(radius)
    return patches.box(radius, radius, radius if shape == "3d" else 0)


def places(session: Session, centers: NDArray[np.integer]) -> Rows:
    """Return where voxels (n, 3) are in the template, about -1 to 1, shape (n, 3)."""
    to_template = session.require_template() @ session.reference.affine
    place = centers @ to_template[:3, :3].T + to_template[:3, 3]
    return np.asarray((place - MIDDLE_MM) / REACH_MM, np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """How patches become numbers, and what is linear in them.

    Parameters
    ----------
    window : Window
        What a patch holds.
    scale : float
        Spread of source patches about their means.
    spread : array of float32, shape (d_target,)
        Standard deviation of what the linear map leaves.
    weights : array of float32, shape (d_row, d_target)
        The linear map, from rows to what the base leaves of the target patch.
    """

    window: Window
    scale: float
    spread: Rows
    weights: Rows

    @classmethod
    def fit(cls, window: Window, rows: Rows, wanted: Rows) -> tuple[Self, Rows]:
        """Return scale and linear map of training patches, and what these leave.

        Parameters
        ----------
        window : Window
            What the rows hold.
        rows : array of float32, shape (n, d_row)
            As `Window.rows` returns them.
        wanted : array of float32, shape (n, d_target)
            What the base leaves of the target patches.
        """
        exact = rows.astype(np.float64)
        normal = exact.T @ exact
        normal[np.diag_indices_from(normal)] += RIDGE * len(rows)
        weights = np.linalg.solve(normal, exact.T @ wanted).astype(np.float32)
        left = wanted - rows @ weights
        scale = float(window.centered(rows).std())
        return cls(window, scale, left.std(axis=0), weights), left

    def patches(self, rows: Rows) -> Rows:
        """Return the source patches about their own means, of unit variance.

        The place of a patch, if it has one, follows its numbers.
        """
        found = self.window.centered(rows)
        found /= np.float32(self.scale)
        if self.window.coordinates:
            return np.concatenate([found, rows[:, -4:-1]], axis=1)
        return found

    def linear(self, rows: Rows) -> Rows:
        """Return what the linear map gives of the target patches."""
        return np.asarray(rows @ self.weights)

    def normed(self, left: Rows) -> Rows:
        """Return target patches in units of their spread."""
        return np.asarray(left / np.maximum(self.spread, TINY), np.float32)

    def denormed(self, found: Rows) -> Rows:
        """Return target patches from units of their spread."""
        return found * self.spread

    def words(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self.window), "scale": self.scale}

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return the rest."""
        return {"spread": self.spread, "weights": self.weights}

    @classmethod
    def read(cls, words: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Return what `words` and `arrays` told."""
        words = dict(words)
        scale, suffixes = words.pop("scale"), tuple(words.pop("suffixes"))
        window = Window(suffixes, **words)
        return cls(window, scale, arrays["spread"], arrays["weights"])
