"""The prior as it was scanned, at the place a slice of the current scan shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitame.compare.comparison import SequenceComparison
from mitame.present.colors import gray_scale, window_of
from mitame.present.figures import draw
from mitame.present.lightbox import Lightbox
from mitame.present.view import AxialView, Frame

MOVES = ("warp", "resample")
"""Steps that bring a volume onto another grid."""


@dataclass(frozen=True, slots=True, eq=False)
class NativePicture:
    """The slice of the prior's own grid closest to a slice of the current scan.

    Parameters
    ----------
    picture : Image
        Same field of view and pixels as the other panels.
    window : tuple of float
        Black and white, scanner units.
    gap_mm : float
        From the middle of the current slice to the slice shown.
    """

    picture: Image.Image
    window: tuple[float, float]
    gap_mm: float


def draw_native(box: Lightbox, index: int) -> NativePicture:
    """Return the prior as scanned beside slice `index` of the current scan."""
    native = box.sequence.prior_native
    view, moved = AxialView.of(native), world_to_native(box.sequence)
    here = np.append(box.view.world((*box.frame.center, index)), 1)
    there = (moved @ here)[:3]
    number = view.nearest_slice(there)
    frame = Frame.around(
        view, view.locate(there), box.frame.size_mm, box.frame.pixels[0]
    )
    slab = np.asarray(view.arrange(native.data)[:, :, number])
    inside = _brain_on(box, view, number, moved)
    window = window_of(slab[inside] if inside.any() else slab[slab > 0])
    gap = abs(view.locate(there)[2] - number) * view.spacing[2]
    picture = draw(frame.cut(slab), gray_scale(*window))
    return NativePicture(picture, window, float(gap))


def world_to_native(sequence: SequenceComparison) -> NDArray[np.float64]:
    """Return the matrix from the current scan's world mm to the native prior's.

    It is read from the steps that moved the prior (`MOVES`), which write their
    ``transform``; without such a step both visits share one world. A distortion of
    a few millimeters that a ``warp`` took out as well is not followed.
    """
    known = len(sequence.prior_native.history)
    matrix = np.eye(4)
    for step in sequence.prior.history[known:]:
        if step.name in MOVES:
            move = step.params.get("transform", np.eye(4))
            matrix = matrix @ np.asarray(move, dtype=np.float64)
    return matrix


def _brain_on(
    box: Lightbox, view: AxialView, number: int, moved: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Return which pixels of a native slice lie in the brain of the current scan."""
    rows, columns = np.indices(view.shape[:2])
    level = np.full(rows.shape, number)
    places = np.stack([rows, columns, level, np.ones_like(rows)]).reshape(4, -1)
    back = np.linalg.inv(box.view.affine) @ np.linalg.inv(moved) @ view.affine
    spots = np.round((back @ places)[:3]).astype(int)
    limits = np.asarray(box.view.shape)[:, None]
    known = ((spots >= 0) & (spots < limits)).all(axis=0)
    brain = box.view.arrange(box.sequence.brain)
    inside = np.zeros(known.shape, dtype=np.bool_)
    inside[known] = brain[tuple(spots[:, known])]
    return inside.reshape(view.shape[:2])
