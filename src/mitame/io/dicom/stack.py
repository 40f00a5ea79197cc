"""How the frames of a series stack into one regular grid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError, InputError
from mitame.io.dicom.frames import TELLS_APART, Frame

MIN_SLICES = 3
POSITION_TOLERANCE_MM = 0.05
"""Scanners round positions to two decimals or better."""
SAME_PLACE_MM = 0.01
ANGLE_TOLERANCE = 1e-3
LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Frames in order along the third axis, and the grid they make."""

    frames: tuple[Frame, ...]
    shape: tuple[int, int, int]
    affine: NDArray[np.float64]


def stack(frames: Sequence[Frame]) -> Stack:
    """Return the frames as one regular grid, RAS+ mm.

    Raises
    ------
    InputError
        If frames differ in size or direction, or several lie at one place.
    ImplausibleError
        If there are fewer than three, or the distances between them differ.
    """
    _require_one_shape(frames)
    across = np.cross(*frames[0].orientation)
    ordered = sorted(frames, key=lambda frame: float(frame.position @ across))
    _require_one_per_place(ordered, across)
    if len(ordered) < MIN_SLICES:
        raise ImplausibleError(
            f"The series has {len(ordered)} slice(s), fewer than {MIN_SLICES}.",
            fix="Give the folder that holds the whole series.",
        )
    step = _require_even_steps(ordered, across)
    rows, columns = ordered[0].size
    affine = LPS_TO_RAS @ _affine(ordered[0], step)
    return Stack(tuple(ordered), (columns, rows, len(ordered)), affine)


def _affine(first: Frame, step: NDArray[np.float64]) -> NDArray[np.float64]:
    """DICOM PS3.3 C.7.6.2.1.1, extended by the step from slice to slice."""
    affine = np.eye(4)
    affine[:3, 0] = first.orientation[0] * first.spacing[1]
    affine[:3, 1] = first.orientation[1] * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = first.position
    return affine


def _require_one_shape(frames: Sequence[Frame]) -> None:
    first = frames[0]
    sizes = sorted({frame.size for frame in frames})
    if len(sizes) > 1:
        raise InputError(
            f"The slices have different sizes (rows, columns): {sizes}.",
            fix="Give a series of one image size.",
        )
    for name, atol in (("orientation", ANGLE_TOLERANCE), ("spacing", 1e-3)):
        values = np.stack([getattr(frame, name) for frame in frames])
        if np.abs(values - getattr(first, name)).max() > atol:
            kinds = np.unique(values.round(3).reshape(len(frames), -1), axis=0)
            raise InputError(
                f"The slices have {len(kinds)} different values of {name}: "
                f"{kinds[:3].tolist()}.",
                fix="Give one volume per series; this may be a localizer.",
            )


def _require_one_per_place(
    ordered: Sequence[Frame], across: NDArray[np.float64]
) -> None:
    """Raise if slices share a place, and say what tells them apart."""
    places: dict[int, list[Frame]] = defaultdict(list)
    key, last = 0, float(ordered[0].position @ across)
    for frame in ordered:
        here = float(frame.position @ across)
        key, last = key + (here - last > SAME_PLACE_MM), here
        places[key].append(frame)
    most = max(places.values(), key=len)
    if len(most) == 1:
        return
    differing = _differing(most)
    if differing:
        raise InputError(
            f"{len(most)} images lie at one place; they differ in "
            f"{'; '.join(differing)}.",
            fix="Split the series so that each place has one image.",
        )
    names = ", ".join(sorted({frame.file.name for frame in most})[:3])
    raise InputError(
        f"{len(most)} images lie at {_spot(most[0])} and nothing tells them apart: "
        f"{names}.",
        fix="Remove the duplicate files.",
    )


def _differing(frames: Sequence[Frame]) -> list[str]:
    """Return ``name: values`` of every mark in which the frames differ."""
    lines = []
    for mark in TELLS_APART:
        values = sorted({frame.marks.get(mark, "none") for frame in frames})
        if len(values) > 1:
            lines.append(f"{mark} {', '.join(values[:8])}")
    return lines


def _require_even_steps(
    ordered: Sequence[Frame], across: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the step from slice to slice; raise where one is missing."""
    positions = np.stack([frame.position for frame in ordered])
    step = np.asarray((positions[-1] - positions[0]) / (len(ordered) - 1))
    expected = positions[0] + np.arange(len(ordered))[:, None] * step
    if np.linalg.norm(positions - expected, axis=1).max() < POSITION_TOLERANCE_MM:
        return step
    gaps = np.diff(positions @ across)
    usual = float(np.median(gaps))
    odd = np.flatnonzero(np.abs(gaps - usual) > POSITION_TOLERANCE_MM)
    where = "; ".join(f"{gaps[n]:.2f} mm after {_spot(ordered[n])}" for n in odd[:5])
    raise ImplausibleError(
        f"The slices are not evenly spaced: usually {usual:.2f} mm, but "
        f"{where or 'they do not lie on one line'}.",
        fix="Slices are missing or belong to two scans; export the whole series again.",
    )


def _spot(frame: Frame) -> str:
    return f"{frame.position.round(2).tolist()} (LPS, '{frame.file.name}')"
