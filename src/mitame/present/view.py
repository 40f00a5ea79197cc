"""Axial pictures: which voxel is where, as a radiologist looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from mitame.core.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class AxialView:
    """A grid seen slice by slice: patient right on the left, anterior on top.

    The slices are the grid's own: the axes closest to the world axes are taken, and
    nothing is interpolated from one slice to the next.

    Parameters
    ----------
    order : tuple of int
        The grid axes that run along rows (downward), columns and slices (upward).
    flips : tuple of bool
        Whether each of these runs against the stored order.
    shape : tuple of int
        Number of rows, columns and slices.
    affine : array, shape (4, 4)
        (row, column, slice) to world millimetres, RAS+.
    """

    order: tuple[int, int, int]
    flips: tuple[bool, bool, bool]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @classmethod
    def of(cls, volume: Volume) -> AxialView:
        """Return the view of the grid of `volume`, whatever its axis order."""
        cosines = volume.affine[:3, :3] / np.asarray(volume.spacing)
        x, y, z = max(
            permutations(range(3)), key=lambda axes: _closeness(cosines, axes)
        )
        order = (y, x, z)
        # Rows run to posterior (-y), columns to the patient's left (-x), slices up.
        flips = (
            bool(cosines[1, y] > 0),
            bool(cosines[0, x] > 0),
            bool(cosines[2, z] < 0),
        )
        rows, columns, slices = (volume.shape[axis] for axis in order)
        arrange = _arrangement(order, flips, volume.shape)
        return cls(order, flips, (rows, columns, slices), volume.affine @ arrange)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between rows, columns and slices, mm."""
        row, column, between = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(row), float(column), float(between)

    def arrange(self, data: NDArray[Any]) -> NDArray[Any]:
        """Return `data` as (row, column, slice)."""
        turned = data.transpose(self.order)
        return turned[
            tuple(slice(None, None, -1 if flip else 1) for flip in self.flips)
        ]

    def locate(self, world: ArrayLike) -> NDArray[np.float64]:
        """Return the fractional (row, column, slice) of a point in world mm."""
        point = np.append(np.asarray(world, dtype=np.float64), 1)
        return np.asarray(np.linalg.solve(self.affine, point)[:3])

    def world(self, place: ArrayLike) -> NDArray[np.float64]:
        """Return the world position, mm, of a fractional (row, column, slice)."""
        point = np.append(np.asarray(place, dtype=np.float64), 1)
        return np.asarray((self.affine @ point)[:3])

    def nearest_slice(self, world: ArrayLike) -> int:
        """Return the slice whose middle is closest to a point in world mm."""
        return int(np.clip(np.round(self.locate(world)[2]), 0, self.shape[2] - 1))


@dataclass(frozen=True, slots=True)
class Frame:
    """The field of view of a picture: a rectangle on a slice, and its pixels.

    Parameters
    ----------
    center : tuple of float
        Row and column of the middle, in voxels of the view.
    size_mm : tuple of float
        Height and width, mm.
    spacing : tuple of float
        Distance between rows and between columns, mm.
    pixels : tuple of int
        Height and width of the picture; the same millimetres per pixel both ways.
    """

    center: tuple[float, float]
    size_mm: tuple[float, float]
    spacing: tuple[float, float]
    pixels: tuple[int, int]

    @classmethod
    def around(
        cls,
        view: AxialView,
        place: ArrayLike,
        size_mm: tuple[float, float],
        height: int,
    ) -> Frame:
        """Return the frame `height` pixels tall with `place` (row, column) inside."""
        row, column = (float(value) for value in np.asarray(place)[:2])
        width = max(round(height * size_mm[1] / size_mm[0]), 1)
        return cls((row, column), size_mm, view.spacing[:2], (height, width))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom edge, in voxels from the first voxel's edge."""
        tall, wide = (
            mm / gap for mm, gap in zip(self.size_mm, self.spacing, strict=True)
        )
        top, left = self.center[0] + 0.5 - tall / 2, self.center[1] + 0.5 - wide / 2
        return left, top, left + wide, top + tall

    def fraction(self, row: float, column: float) -> tuple[float, float]:
        """Return how far right and how far down a place is, 0 to 1 in the frame."""
        left, top, right, bottom = self.box
        across = (column + 0.5 - left) / (right - left)
        return across, (row + 0.5 - top) / (bottom - top)

    def cut(self, slab: NDArray[Any], *, fill: float = 0) -> NDArray[np.float32]:
        """Return what a slice (row, column) shows here, at the picture's pixels.

        Interpolation is cubic and inside the slice only; outside the slice is `fill`.
        """
        left, top, right, bottom = self.box
        missing = (-left, -top, right - slab.shape[1], bottom - slab.shape[0])
        pad = max(int(np.ceil(max(missing))), 0)
        padded = np.pad(slab.astype(np.float32), pad, constant_values=fill)
        height, width = self.pixels
        box = (left + pad, top + pad, right + pad, bottom + pad)
        picture = Image.fromarray(padded).resize(
            (width, height), Image.Resampling.BICUBIC, box=box
        )
        return np.asarray(picture, dtype=np.float32)


def brain_frame(
    view: AxialView, brain: NDArray[np.bool_], *, margin_mm: float, height: int
) -> Frame:
    """Return the frame that holds the brain of every slice, with a margin.

    Parameters
    ----------
    view : AxialView
        Of the grid the brain mask lies on.
    brain : array of bool, shape (i, j, k)
        An empty mask gives the whole slice.
    margin_mm : float
        Between the brain and the edge of the picture.
    height : int
        Of the picture, pixels.
    """
    flat = view.arrange(brain).any(axis=2)
    rows, columns = np.nonzero(flat if flat.any() else np.ones_like(flat))
    first = np.array([rows.min(), columns.min()])
    last = np.array([rows.max(), columns.max()])
    size = (last - first + 1) * np.asarray(view.spacing[:2]) + 2 * margin_mm
    return Frame.around(
        view, (first + last) / 2, (float(size[0]), float(size[1])), height
    )


def _closeness(cosines: NDArray[np.float64], axes: tuple[int, ...]) -> float:
    """How well the grid axes `axes` point along world x, y and z."""
    return float(sum(abs(cosines[world, axis]) for world, axis in enumerate(axes)))


def _arrangement(
    order: tuple[int, int, int], flips: tuple[bool, bool, bool], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return the matrix from (row, column, slice) to grid (i, j, k)."""
    matrix = np.zeros((4, 4))
    matrix[3, 3] = 1
    for place, (axis, flip) in enumerate(zip(order, flips, strict=True)):
        matrix[axis, place] = -1 if flip else 1
        matrix[axis, 3] = shape[axis] - 1 if flip else 0
    return matrix
