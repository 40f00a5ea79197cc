"""Sessions as slices with places, and slices as sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.engines.noise import noise_level

MIDDLE_MM, REACH_MM = (0, -18, 8), 80
"""Of the template's brain: places are told from there, in such units."""

WAVES = (1, 2)
"""Half periods of the waves over the brain that tell a place, too."""

FOLD = 2
"""Places are told of squares of so many voxels an edge: they are smooth."""

MARGIN = 4
"""Voxels around the brain that are trained on."""

FADED = 6
"""Voxels around the brain that an edit reaches: see `added.fading`."""

TOP = 99.5
"""Percentile of the brain that is the brightest tone."""

LEAST_INSIDE = 0.05
"""Share of a slice that is brain, or it is not shown in training."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The part of a session that holds the brain.

    Parameters
    ----------
    images : array of float32, shape (n_images, i, j, k)
        Sequences in the order of the engine.
    inside : array of float32, shape (i, j, k)
        1 in the brain.
    to_place : array, shape (3, 4)
        From voxels to places, about -1 to 1.
    """

    images: Image
    inside: Image
    to_place: NDArray[np.float64]

    @classmethod
    def of(
        cls, session: Session, suffixes: Sequence[Suffix], margin: int = MARGIN
    ) -> Head:
        """Return what of a prepared session is so many voxels around the brain."""
        box = box_around(session.require_brain(), margin)
        first = [side.start for side in box]
        to_place = session.require_template() @ session.reference.affine
        to_place = to_place[:3].copy()
        to_place[:, 3] += to_place[:, :3] @ first - np.array(MIDDLE_MM)
        return cls(
            np.stack([session[s].data[box] for s in suffixes]),
            session.require_brain()[box].astype(np.float32),
            to_place / REACH_MM,
        )

    def padded(self, shape: Sequence[int]) -> Head:
        """Return the same in a larger box, nothing around it."""
        wide = [
            (0, big - small)
            for big, small in zip(shape, self.inside.shape, strict=True)
        ]
        return Head(
            np.pad(self.images, [(0, 0), *wide]),
            np.pad(self.inside, wide),
            self.to_place,
        )


def box_around(brain: NDArray[np.bool_], margin: int) -> tuple[slice, slice, slice]:
    """Return the box that holds the brain and so many voxels around it."""
    where = np.argwhere(brain)
    ends = zip(where.min(axis=0), where.max(axis=0), strict=True)
    i, j, k = (slice(max(0, a - margin), b + margin + 1) for a, b in ends)
    return i, j, k


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Some slices of one direction.

    Parameters
    ----------
    images : array of float32, shape (batch, n_images, h, w)
        Intensities.
    place : array of float32, shape (batch, n_place, h / FOLD, w / FOLD)
        Coordinate channels.
    inside : array of float32, shape (batch, 1, h, w)
        1 in the brain.
    """

    images: Image
    place: Image
    inside: Image


def n_place(amplitude: float) -> int:
    """Return the number of coordinate channels."""
    return 3 * (1 + 2 * len(WAVES)) if amplitude else 0


def place_channels(
    to_place: NDArray[np.float64],
    voxels: Sequence[NDArray[np.integer]],
    amplitude: float,
) -> Image:
    """Return the coordinate channels of voxels: places, and their sines and cosines.

    Parameters
    ----------
    to_place : array, shape (3, 4)
        Of the head.
    voxels : sequence of three arrays
        Indices along each axis; they broadcast to one shape.
    amplitude : float
        Of all channels.

    Returns
    -------
    array of float32, shape (n_place, ...)
    """
    if not amplitude:
        shape = np.broadcast_shapes(*(v.shape for v in voxels))
        return np.zeros((0, *shape), np.float32)
    channels = []
    for a, b, c, start in to_place:
        place = a * voxels[0] + b * voxels[1] + c * voxels[2] + start
        place = place.astype(np.float32)  # waves of these take half as long
        channels.append(place)
        for wave in WAVES:
            channels += [np.sin(np.pi * wave * place), np.cos(np.pi * wave * place)]
    return np.asarray(amplitude * np.stack(channels), np.float32)


def cut(head: Head, axis: int, at: slice, amplitude: float) -> Slices:
    """Return slices of a head across an axis; images are looked into, not copied.

    Parameters
    ----------
    head : Head
        Any.
    axis : int
        0, 1 or 2.
    at : slice
        Which slices.
    amplitude : float
        Of the coordinate channels.
    """
    images = np.moveaxis(head.images, axis + 1, 0)[at]
    inside = np.moveaxis(head.inside, axis, 0)[at]
    # Slices first, then their two axes in order, as `images` has them.
    indices = np.arange(head.inside.shape[axis])[at]
    voxels: list[NDArray[np.integer]] = [indices.reshape(-1, 1, 1)] * 3
    across, down = (a for a in range(3) if a != axis)
    voxels[across] = np.arange(0, head.inside.shape[across], FOLD).reshape(1, -1, 1)
    voxels[down] = np.arange(0, head.inside.shape[down], FOLD)
    place = place_channels(head.to_place, voxels, amplitude)  # (n_place, n, h, w)
    return Slices(images, np.moveaxis(place, 1, 0), inside[:, None])


def tops_of(heads: Sequence[Head]) -> list[float]:
    """Return the brightest tone of each image, the median over heads."""
    found = [
        np.percentile(head.images[:, head.inside > 0], TOP, axis=1) for head in heads
    ]
    return [float(top) for top in np.median(found, axis=0)]


def noise_of(heads: Sequence[Head]) -> Image:
    """Return the noise of some heads, the median over them, shape (n_images,)."""
    return np.median(
        [[noise_level(image, h.inside > 0) for image in h.images] for h in heads],
        axis=0,
    ).astype(np.float32)


Which = tuple[int, ...]
"""A slice: whose, and which across the axis; of a piece, where it begins, too."""


class Deck:
    """Slices of one scanner, from which some are drawn.

    Parameters
    ----------
    heads : sequence of Head
        Of one shape.
    amplitude : float
        Of the coordinate channels.
    patch : int
        Voxels an edge of the pieces that are cut from slices; 0 for whole ones.
    """

    def __init__(self, heads: Sequence[Head], amplitude: float, patch: int = 0) -> None:
        self.heads = heads
        self.amplitude = amplitude
        self.patch = patch
        self._shown = [[_shown(head, axis) for head in heads] for axis in range(3)]
        self._places = [
            [_places(h, axis, at) for h, at in zip(heads, shown, strict=True)]
            for axis, shown in enumerate(self._shown)
        ]

    def span(self, axis: int) -> tuple[float, float]:
        """Return between which places most heads have slices across an axis."""
        ends = np.array([(p.min(), p.max()) for p in self._places[axis]])
        low, high = np.median(ends, axis=0)
        return float(low), float(high)

    def draw(
        self, axis: int, places: NDArray[np.float64], rng: np.random.Generator
    ) -> list[Which]:
        """Return the slice that is nearest to each place, each of a head drawn anew.

        Parameters
        ----------
        axis : int
            What slices are across.
        places : array, shape (n,)
            As of `span`. Two decks that are asked for the same places show the same
            part of the brain: what then differs is the scanner, and people.
        rng : Generator
            Draws the heads.
        """
        found = []
        for place in places:
            who = int(rng.integers(len(self.heads)))
            nearest = np.abs(self._places[axis][who] - place).argmin()
            at = int(self._shown[axis][who][nearest])
            found.append((who, at, *self._corner(axis, who, at, rng)))
        return found

    def _corner(
        self, axis: int, who: int, at: int, rng: np.random.Generator
    ) -> tuple[int, ...]:
        """Return where a piece begins that has brain in its middle; nothing of none."""
        if not self.patch:
            return ()
        brain = np.take(self.heads[who].inside, at, axis=axis)
        middle = rng.choice(np.argwhere(brain > 0))
        last = np.maximum(0, np.array(brain.shape) - self.patch)
        corner = np.clip(middle - self.patch // 2, 0, last) // FOLD * FOLD
        return int(corner[0]), int(corner[1])

    def cut(self, axis: int, some: Sequence[Which]) -> Slices:
        """Return some slices across an axis."""
        parts = [
            _pieced(
                cut(self.heads[who], axis, slice(at, at + 1), self.amplitude),
                corner,
                self.patch,
            )
            for who, at, *corner in some
        ]
        return Slices(
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("images", "place", "inside")
            )
        )


def _pieced(slices: Slices, corner: Sequence[int], edge: int) -> Slices:
    """Return the piece of slices that begins at a corner; all, if there is none."""
    if not corner:
        return slices
    fine, coarse = (
        tuple(slice(first // by, (first + edge) // by) for first in corner)
        for by in (1, FOLD)
    )
    return Slices(
        slices.images[:, :, *fine],
        slices.place[:, :, *coarse],
        slices.inside[:, :, *fine],
    )


def _shown(head: Head, axis: int) -> NDArray[np.intp]:
    """Return which slices across an axis have enough of the brain."""
    others = tuple(a for a in range(3) if a != axis)
    return np.flatnonzero(head.inside.mean(axis=others) > LEAST_INSIDE)


def _places(head: Head, axis: int, at: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return where the middles of slices are, along the axis of the template."""
    voxels = np.repeat((np.array(head.inside.shape) - 1)[:, None] / 2, len(at), axis=1)
    voxels[axis] = at
    places = head.to_place[:, :3] @ voxels + head.to_place[:, 3:]
    along = int(np.abs(head.to_place[:, axis]).argmax())
    return np.asarray(places[along])
