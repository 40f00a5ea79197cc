"""A generator on a whole head: slices across all three axes, averaged."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from mitame.engines.cyclegan.slices import FOLD, Head, Image, cut

BATCH = 8
"""Slices at once."""

Run = Callable[[Image, Image], Image]
"""From images and places of slices to images, as `Generator.forward`."""


class Generated:
    """A trained generator, run by onnxruntime.

    Parameters
    ----------
    onnx : bytes
        As `export.to_onnx` returns them.
    """

    def __init__(self, onnx: bytes) -> None:
        self.onnx = onnx

    def run(self, images: Image, place: Image) -> Image:
        """Return slices (n, n_images, h, w) as the target shows them."""
        given = {"images": images, "place": place}
        # One that was trained without coordinates has no such input.
        known = {one.name: given[one.name] for one in self._session.get_inputs()}
        (made,) = self._session.run(None, known)
        return np.asarray(made)

    @cached_property
    def _session(self) -> Any:  # noqa: ANN401
        import onnxruntime

        return onnxruntime.InferenceSession(
            self.onnx, providers=["CPUExecutionProvider"]
        )


def edit_of(head: Head, run: Run, amplitude: float) -> Image:
    """Return what is added to a head, shape (n_images, i, j, k).

    Each voxel lies in three slices, one across each axis; their mean leaves no steps
    between slices.

    Parameters
    ----------
    head : Head
        Any.
    run : callable
        A generator.
    amplitude : float
        Of the coordinate channels it was trained with.
    """
    shape = head.inside.shape
    # Squares go up in it then.
    head = head.padded([n + n % FOLD for n in shape])
    total = np.zeros_like(head.images)
    for axis, n in enumerate(head.inside.shape):
        moved = np.moveaxis(total, axis + 1, 0)
        for first in range(0, n, BATCH):
            at = slice(first, min(n, first + BATCH))
            some = cut(head, axis, at, amplitude)
            images = np.ascontiguousarray(some.images)
            moved[at] += run(images, np.ascontiguousarray(some.place)) - images
    i, j, k = shape
    return total[:, :i, :j, :k] / np.float32(3)
