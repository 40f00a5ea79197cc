"""One image and where it sits in the world."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from mitame.core.errors import GridMismatchError, ImplausibleError, InputError
from mitame.core.scanner import Scanner

GRID_TOLERANCE_MM = 1e-3


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was done to an image, with the numbers it used.

    `params` holds plain values only, so a history can be written as JSON.
    """

    name: str
    params: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A 3-D image, its grid, the scanner it came from and what was done to it.

    A `Volume` never changes. Code that computes new intensities makes a new one
    with `with_data`, so the grid and the history cannot be lost on the way.

    Parameters
    ----------
    data : array_like, shape (i, j, k)
        Intensities; stored as read-only float32.
    affine : array_like, shape (4, 4)
        Voxel indices to world millimetres, RAS+ (the NIfTI convention).
    scanner : Scanner, optional
        The machine that made the image; ``None`` when the file does not say.
    history : tuple of Step
        What was done so far, oldest first.

    Raises
    ------
    InputError
        If the shapes are wrong.
    ImplausibleError
        If an intensity is not finite, or the affine is singular.
    """

    data: NDArray[np.float32]
    affine: NDArray[np.float64]
    scanner: Scanner | None = None
    history: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        data = _frozen(self.data, np.float32)
        affine = _frozen(self.affine, np.float64)
        if data.ndim != 3 or affine.shape != (4, 4):
            raise InputError(
                f"A volume is (i, j, k) with a (4, 4) affine; got {data.shape} "
                f"with {affine.shape}.",
                fix="Give one 3-D image; split a 4-D series first.",
            )
        bad = data.size - int(np.isfinite(data).sum())
        if bad:
            raise ImplausibleError(
                f"{bad} of {data.size} voxels are NaN or infinite.",
                fix="Repair the file; mitame does not guess missing intensities.",
            )
        if not _is_invertible(affine):
            raise ImplausibleError(
                f"The affine is singular: {affine[:3, :3].tolist()}.",
                fix="Repair the orientation in the header (qform/sform).",
            )
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "affine", affine)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along each axis."""
        i, j, k = self.data.shape
        return i, j, k

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel edge lengths, mm."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    def with_data(self, data: ArrayLike, step: Step) -> Volume:
        """Return the same place and scanner with new intensities.

        Raises
        ------
        GridMismatchError
            If `data` is not the shape of this volume's grid.
        """
        new = np.asarray(data, dtype=np.float32)
        if new.shape != self.data.shape:
            raise GridMismatchError(
                f"New intensities are {new.shape}, the grid is {self.data.shape}.",
                fix="Resample with `prepare.resample`, which moves the affine too.",
            )
        return replace(self, data=new, history=(*self.history, step))

    def with_grid(self, data: ArrayLike, affine: ArrayLike, step: Step) -> Volume:
        """Return new intensities in a new place; the only door for moving voxels."""
        new = np.asarray(data, dtype=np.float32)
        place = np.asarray(affine, dtype=np.float64)
        return replace(self, data=new, affine=place, history=(*self.history, step))

    def same_grid(self, other: Volume) -> bool:
        """Return whether voxel (i, j, k) is one place in both."""
        return self.data.shape == other.data.shape and np.allclose(
            self.affine, other.affine, rtol=0, atol=GRID_TOLERANCE_MM
        )

    def require_same_grid(self, other: Volume) -> None:
        """Raise `GridMismatchError` unless voxel (i, j, k) is one place in both."""
        if self.same_grid(other):
            return
        if self.data.shape != other.data.shape:
            gap = f"shapes {self.data.shape} and {other.data.shape}"
        else:
            worst = float(np.abs(self.affine - other.affine).max())
            gap = f"affines that differ by up to {worst:.3g}"
        raise GridMismatchError(
            f"The volumes have {gap}.",
            fix="Bring one onto the other with `prepare.resample(moving, onto=fixed)`.",
        )


def _frozen(array: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    """Return `array` as a read-only array of `dtype`; copy unless already so."""
    given = np.asarray(array)
    if given.dtype == dtype and not given.flags.writeable and given.base is None:
        return given
    copy = np.array(array, dtype=dtype)
    copy.setflags(write=False)
    return copy


def _is_invertible(affine: NDArray[np.float64]) -> bool:
    """Whether the three voxel edges span space, whatever their lengths."""
    edges = affine[:3, :3]
    lengths = np.linalg.norm(edges, axis=0)
    if not np.isfinite(affine).all() or not lengths.all():
        return False
    return bool(abs(np.linalg.det(edges / lengths)) > 1e-3)
