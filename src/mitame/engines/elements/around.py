"""How bright gray matter is around each place of the template.

Affinely, folds of two people do not lie on each other: gray matter is averaged over a
neighborhood, each by itself, so that how much of it is gray does not matter.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.prepare.regions import REGIONS, region_map
from mitame.prepare.template import template_coordinates, template_grid
from mitame.solve.smooth import gaussian

SPACING_MM = 4.0

WIDTH_MM = 10.0
"""Width (SD) of a neighborhood, if not told otherwise."""

LEAST_GRAY = 0.02
"""Gray matter around a place, as a share of the mean neighborhood, from which on it is
known how bright it is there."""

Image = NDArray[np.float32]

Tones = tuple[float, float]
"""Between which gray matter is, white-matter medians."""


def lattice() -> Volume:
    """Return the grid of the places, in the millimeters of the template."""
    return template_grid(SPACING_MM)


def cells_of(session: Session) -> NDArray[np.intp]:
    """Return in which cell of the `lattice`, flat, each voxel of the brain is.

    Raises
    ------
    InputError
        If brain mask or place are missing.
    """
    place = template_coordinates(session)[session.require_brain()]
    grid = lattice()
    back = np.linalg.inv(grid.affine)
    index = np.rint(place @ back[:3, :3].T + back[:3, 3]).astype(int)
    inside = np.clip(index, 0, np.array(grid.shape) - 1)
    return np.asarray(np.ravel_multi_index(tuple(inside.T), grid.shape), np.intp)


def gray_around(
    values: NDArray[np.floating],
    cells: NDArray[np.intp],
    tones: Tones,
    width_mm: float = WIDTH_MM,
) -> Image:
    """Return how bright gray matter is around each place of the `lattice`.

    Parameters
    ----------
    values : array, shape (n,)
        Of a brain's voxels, white-matter medians, without bias field.
    cells : array of int, shape (n,)
        Where they are: `cells_of`.
    tones : tuple of float
        Between which gray matter is.
    width_mm : float
        Width (SD) of the neighborhood.

    Returns
    -------
    array of float32, shape (i, j, k)
        Not a number outside the brain, and where there is hardly any gray matter.
    """
    gray = (values > tones[0]) & (values < tones[1])
    shape = lattice().shape
    size = int(np.prod(shape))
    sums = (
        np.bincount(cells[gray], weights, minlength=size).reshape(shape)
        for weights in (values[gray], None)
    )
    total, count = (gaussian(s.astype(np.float32), width_mm / SPACING_MM) for s in sums)
    inside = covered(cells)
    known = inside & (count > LEAST_GRAY * len(cells) / max(inside.sum(), 1))
    found = np.full(shape, np.nan, np.float32)
    found[known] = total[known] / count[known]
    return found


def covered(cells: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which places of the `lattice` a brain covers."""
    shape = lattice().shape
    found = np.zeros(int(np.prod(shape)), bool)
    found[cells] = True
    return found.reshape(shape)


@cache
def region_at(name: str) -> NDArray[np.bool_]:
    """Return where one of `REGIONS` is on the `lattice`."""
    return np.asarray(region_map(lattice()) == REGIONS.index(name) + 1)
