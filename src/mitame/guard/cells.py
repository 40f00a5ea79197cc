"""Cells of place and brightness, in which people can be compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.prepare.template import template_coordinates, template_grid
from mitame.solve.lattice import Lattice, sample_grid
from mitame.solve.smooth import gaussian

TONE = 0.125
"""Distance of the tones, white-matter medians."""

CALM_MM = 1.5
"""Width (SD) over which a voxel's brightness is taken."""

FEWEST = 3
"""Voxels that somebody must have in a cell to be asked about it."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Boxes of the template, and brightnesses `TONE` apart from 0 on.

    Parameters
    ----------
    edge : float
        Of a box, mm; its middle is a voxel of ``template_grid(edge)``.
    n_tones : int
        Brightnesses; what is brighter is in no cell.
    """

    edge: float
    n_tones: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a lattice over the cells, (i, j, k, n_tones)."""
        return (*template_grid(self.edge).shape, self.n_tones)

    def means(
        self,
        session: Session,
        calm: NDArray[np.float32],
        values: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Return the mean of each cell; not a number where there are too few voxels.

        Parameters
        ----------
        session : Session
            Prepared; voxels of its brain are looked at.
        calm : array, shape (i, j, k)
            Brightness of every voxel, without noise.
        values : array, shape (i, j, k)
            What the mean is of.
        """
        brain = session.require_brain()
        start = template_grid(self.edge).affine[:3, 3]
        box = np.rint((template_coordinates(session)[brain] - start) / self.edge)
        tone = np.rint(calm[brain] / TONE)
        where = np.column_stack([box, tone]).astype(int)
        inside = ((where >= 0) & (where < self.shape)).all(axis=1)
        cell = np.ravel_multi_index(tuple(where[inside].T), self.shape)
        size = int(np.prod(self.shape))
        count = np.bincount(cell, minlength=size)
        total = np.bincount(cell, values[brain][inside], size)
        mean = np.where(count >= FEWEST, total / np.maximum(count, 1), np.nan)
        return mean.reshape(self.shape).astype(np.float32)

    def over(
        self, lattice: Lattice, session: Session, calm: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return what a lattice over the cells is at every voxel, multilinear."""
        grid = template_grid(self.edge)
        place = session.require_template() @ session.reference.affine
        to_node = np.asarray(np.linalg.inv(grid.affine) @ place)[:3]
        return sample_grid(lattice, to_node, calm / np.float32(TONE))


def calm(volume: Volume) -> NDArray[np.float32]:
    """Return the brightness of every voxel, with less noise."""
    return gaussian(volume.data, CALM_MM / np.array(volume.spacing))


def filled(lattice: Lattice, known: NDArray[np.bool_]) -> Lattice:
    """Return a lattice with the nearest known tone of each place; 0 where none is."""
    n = lattice.shape[-1]
    away = np.abs(np.arange(n)[:, None] - np.arange(n))  # (n, n)
    cost = np.where(known[..., None, :], away, n)  # (i, j, k, n, n)
    found = np.take_along_axis(lattice, cost.argmin(axis=-1), axis=-1)
    return np.where(known.any(axis=-1, keepdims=True), found, 0).astype(np.float32)
