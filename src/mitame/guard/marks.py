"""Marks: what an engine does at one place in nearly everybody, learned from a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.prepare.template import template_coordinates, template_grid
from mitame.solve.lattice import Lattice, sample_grid
from mitame.solve.smooth import gaussian

PLACE_MM = 8.0
"""Distance of the places at which marks are told."""

TONE = 0.125
"""Distance of the tones, white-matter medians."""

CALM_MM = 1.5
"""Width (SD) over which a voxel's brightness is taken."""

FEWEST = 3
"""Voxels of a place and tone that somebody must have to be asked about it."""

COMMON = 0.8
"""Share of people who must have a tone at a place. Tissue is there in everybody, a
lesion in few: so what is done to lesions is never a mark, however many have one."""

SURE = 4.0
"""Standard errors, over people, by which a mark is more than nothing."""

LEAST = 0.03
"""White-matter medians; less is no mark."""

SE = 1.858
"""Standard error of a median, times the root of the number, over the median absolute
deviation: that of a normal distribution."""

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What is added to a brightness at a place, beside what varies slowly.

    Parameters
    ----------
    shift : array, shape (i, j, k, n_tones)
        White-matter medians, at the voxels of ``template_grid(PLACE_MM)`` and at tones
        `TONE` apart from 0 on; 0 where there is no mark.
    """

    shift: Lattice

    @classmethod
    def of(cls, suffix: Suffix, people: Sequence[tuple[Session, Session]]) -> Self:
        """Return the marks of an engine.

        Parameters
        ----------
        suffix : str
            Which sequence.
        people : sequence of (Session, Session)
            Of each the limited result without marks, and the engine's own.
        """
        tones = [_calm(limited[suffix]) for limited, _ in people]
        most = max(float(tone.max()) for tone in tones)
        shape = (*template_grid(PLACE_MM).shape, int(np.ceil(most / TONE)) + 2)
        each = np.stack(
            [
                _left(suffix, *one, tone, shape)
                for one, tone in zip(people, tones, strict=True)
            ]
        )
        return cls(_everybodys(each))

    def over(self, session: Session, suffix: Suffix) -> NDArray[np.float32]:
        """Return what is added to one sequence of a session, (i, j, k)."""
        to_node = _to_node(session)[:3]
        tone = _calm(session[suffix]) / np.float32(TONE)
        return sample_grid(self.shift, to_node, tone)


def _calm(volume: Volume) -> Numbers:
    """Return a volume with less noise."""
    return gaussian(volume.data, CALM_MM / np.array(volume.spacing))


def _to_node(session: Session) -> NDArray[np.float64]:
    """Return the affine map from voxels of a session to nodes of marks."""
    grid = template_grid(PLACE_MM)
    place = session.require_template() @ session.reference.affine
    return np.asarray(np.linalg.inv(grid.affine) @ place)


def _left(
    suffix: Suffix,
    limited: Session,
    result: Session,
    tone: Numbers,
    shape: tuple[int, ...],
) -> Numbers:
    """Return the mean that is left of one person's edit at each place and tone.

    Not a number where they have too few such voxels.
    """
    brain = limited.require_brain()
    place = template_coordinates(limited)[brain]
    start = template_grid(PLACE_MM).affine[:3, 3]
    node = np.rint((place - start) / PLACE_MM).astype(int)
    level = np.rint(tone[brain] / TONE).astype(int)
    inside = ((node >= 0) & (node < shape[:3])).all(axis=1) & (level >= 0)
    cell = np.ravel_multi_index((*node[inside].T, level[inside]), shape)
    left = (result[suffix].data - limited[suffix].data)[brain][inside]
    size = int(np.prod(shape))
    count = np.bincount(cell, minlength=size)
    total = np.bincount(cell, left, minlength=size)
    mean = np.where(count >= FEWEST, total / np.maximum(count, 1), np.nan)
    return mean.reshape(shape).astype(np.float32)


def _everybodys(each: Numbers) -> Lattice:
    """Return what nearly everybody has, (n_people, i, j, k, n_tones) to (i, j, k, n).

    A tone that few have at a place is shifted like the nearest one that is common
    there: a lesion keeps its contrast with tissue that is marked.
    """
    known = np.isfinite(each)
    common = known.mean(axis=0) >= COMMON
    middle, spread = (np.zeros(each.shape[1:], np.float32) for _ in range(2))
    some = each[:, common]
    middle[common] = np.nanmedian(some, axis=0)
    spread[common] = np.nanmedian(np.abs(some - middle[common]), axis=0)
    error = SE * spread / np.sqrt(np.maximum(known.sum(axis=0), 1))
    there = common & (np.abs(middle) >= np.maximum(SURE * error, LEAST))
    return _nearest(np.where(there, middle, 0), common)


def _nearest(shift: Lattice, common: NDArray[np.bool_]) -> Lattice:
    """Return the shift of the nearest common tone of each place; 0 where none is."""
    n = shift.shape[-1]
    away = np.abs(np.arange(n)[:, None] - np.arange(n))  # (n, n)
    cost = np.where(common[..., None, :], away, n)  # (i, j, k, n, n)
    found = np.take_along_axis(shift, cost.argmin(axis=-1), axis=-1)
    return np.where(common.any(axis=-1, keepdims=True), found, 0).astype(np.float32)
