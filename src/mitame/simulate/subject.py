"""One person: an anatomy deformed, with tissue parameters and texture of its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.volume import Volume
from mitame.prepare.resample import grid_at_spacing
from mitame.prepare.warp import slab_positions
from mitame.simulate.anatomy import VENTRICLES, Anatomy, labeled_tissues
from mitame.simulate.random_field import random_field
from mitame.simulate.tissue import Tissue
from mitame.simulate.unlabeled import unlabeled_shares

FIELD_MM = 3.0
"""Voxels of the grid that deformations are computed on."""

EDGE_MM = 0.5
"""Width (SD) of the border between two labels, which are whole voxels of 1 mm."""


@dataclass(frozen=True, slots=True)
class Variety:
    """How far subjects differ from their anatomy; standard deviations.

    Parameters
    ----------
    deformation_mm, detail_mm : float
        Displacement over 40 mm and over 15 mm.
    ventricles_mm, cortex_mm : float
        By how much the wall of the ventricles and the surface of the cortex move.
    relaxation : float
        Relative spread of T1, T2 and proton density of a tissue, between subjects.
    texture : float
        Relative spread of T1 and T2 inside a tissue.
    """

    deformation_mm: float = 3.0
    detail_mm: float = 0.8
    ventricles_mm: float = 1.0
    cortex_mm: float = 0.35
    relaxation: float = 0.02
    texture: float = 0.03


HIPPOCAMPUS = (17, 53)


@dataclass(frozen=True, slots=True)
class Atrophy:
    """What a person lost between two dates.

    Parameters
    ----------
    ventricles_mm : float
        By how much the wall of the ventricles moved outward.
    cortex_mm, hippocampus_mm : float
        By how much the surface of the cortex and of the hippocampus moved inward.
    """

    ventricles_mm: float
    cortex_mm: float
    hippocampus_mm: float


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """One head on the fine grid that scans are computed from.

    Parameters
    ----------
    name : str
        BIDS label.
    tissues : tuple of str
        What the first axis of `shares` stands for.
    shares : array of uint8, shape (n_tissues, i, j, k)
        How much of a voxel a tissue fills, in 255ths.
    labels : array of int16, shape (i, j, k)
        The label that fills most of the voxel's middle.
    affine : array, shape (4, 4)
        Voxel indices to world millimeters, RAS+.
    relaxation : dict of str to array, shape (3,)
        By what PD, T1 and T2 of each tissue are multiplied.
    texture : array of float16, shape (2, i, j, k)
        By how much T1 and T2 differ from their tissue's, as a share.
    """

    name: str
    tissues: tuple[Tissue, ...]
    shares: NDArray[np.uint8]
    labels: NDArray[np.int16]
    affine: NDArray[np.float64]
    relaxation: dict[Tissue, NDArray[np.float64]]
    texture: NDArray[np.float16]

    @property
    def grid(self) -> Volume:
        """An empty volume where the subject is."""
        return Volume(np.zeros(self.labels.shape, np.float32), self.affine)

    def share(self, *tissues: Tissue) -> NDArray[np.float32]:
        """Return how much of every voxel some tissues fill together, 0 to 1."""
        chosen = [self.shares[self.tissues.index(t)] for t in tissues]
        return np.asarray(np.sum(chosen, axis=0, dtype=np.float32)) / np.float32(255)

    def with_share(self, tissue: Tissue, share: NDArray[np.floating]) -> Subject:
        """Return the subject with `tissue` grown into all others.

        Parameters
        ----------
        tissue : str
            A tissue; it need not be there before.
        share : array, shape (i, j, k)
            What it takes of every voxel, 0 to 1; the others shrink alike.
        """
        left = self.shares * (1 - share.astype(np.float32))
        tissues = self.tissues
        if tissue not in tissues:
            tissues = (*tissues, tissue)
            left = np.concatenate([left, np.zeros_like(left[:1])])
        left[tissues.index(tissue)] += 255 * share
        own = {t: self.relaxation.get(t, np.ones(3)) for t in tissues}
        shares = np.rint(left).astype(np.uint8)
        return replace(self, tissues=tissues, shares=shares, relaxation=own)


def make_subject(
    name: str,
    anatomy: Anatomy,
    *,
    spacing: float,
    rng: np.random.Generator,
    variety: Variety | None = None,
    loss: Atrophy | None = None,
) -> Subject:
    """Return a person with the anatomy of `anatomy`, but not quite.

    Parameters
    ----------
    name : str
        BIDS label.
    anatomy : Anatomy
        Where it comes from.
    spacing : float
        Voxel edge of the scans that will be made, mm.
    rng : numpy.random.Generator
        All that is random comes from here.
    variety : Variety, optional
        How much is random.
    loss : Atrophy, optional
        What the person has lost; of the same random numbers, the same person later.
    """
    variety = variety or Variety()
    grid = _fine_grid(anatomy, spacing)
    way = _deformation(anatomy, variety, rng, loss or Atrophy(0, 0, 0))
    where = _places(anatomy, grid, way)
    texture = [
        variety.texture * (random_field(grid, 2.0, rng) + random_field(grid, 8.0, rng))
        for _ in range(2)
    ]
    more = unlabeled_shares(anatomy, rng)
    blur = max(EDGE_MM, 0.3 * spacing)

    def share(tissue: Tissue) -> NDArray[np.uint8]:
        there = anatomy.tissue(tissue) + more.get(tissue, np.float32(0))
        soft = ndimage.gaussian_filter(there.astype(np.float32), blur)
        seen = ndimage.map_coordinates(soft, where, order=1, mode="nearest")
        return np.asarray(np.rint(255 * seen), np.uint8)

    tissues: tuple[Tissue, ...] = (*labeled_tissues(), "fat")
    with ThreadPoolExecutor(max_workers=2) as pool:  # SciPy leaves the GIL
        shares = np.stack(list(pool.map(share, tissues)))
    labels = ndimage.map_coordinates(anatomy.labels, where, order=0, mode="nearest")
    return Subject(
        name,
        tissues,
        shares,
        labels,
        grid.affine,
        {t: 1 + variety.relaxation * rng.standard_normal(3) for t in tissues},
        np.stack(texture).astype(np.float16),
    )


def _fine_grid(anatomy: Anatomy, spacing: float) -> Volume:
    """Return the grid scans are computed from: finer by a half, if labels are.

    Its numbers of voxels are such that a whole number of scan voxels fills it.
    """
    factor = 1.5 if spacing >= 1.5 else 1.0
    extent = np.array(anatomy.labels.shape) * anatomy.grid.spacing
    scanned = 2 * np.round(extent / spacing / 2)  # even: half of them is whole, too
    fine = np.round(scanned * factor).astype(int)
    edge = spacing / factor / np.array(anatomy.grid.spacing)
    affine = anatomy.affine.copy()
    affine[:3, :3] *= edge
    affine[:3, 3] += anatomy.affine[:3, :3] @ ((edge - 1) / 2)
    return Volume(np.zeros(fine, np.float32), affine)


def _deformation(
    anatomy: Anatomy, variety: Variety, rng: np.random.Generator, loss: Atrophy
) -> tuple[Volume, NDArray[np.float32]]:
    """Return a displacement (3, i, j, k) in mm on a coarse grid, with that grid.

    The sum of smooth random velocities and of those that move the wall of the
    ventricles and the cortex is followed for a unit time, by scaling and squaring
    [1]_: it folds nowhere.

    References
    ----------
    .. [1] V. Arsigny et al., "A log-Euclidean framework for statistics on
       diffeomorphisms", MICCAI 2006.
    """
    coarse = grid_at_spacing(anatomy.grid, FIELD_MM)
    velocity = np.stack(
        [
            variety.deformation_mm * random_field(coarse, 40.0, rng)
            + variety.detail_mm * random_field(coarse, 15.0, rng)
            for _ in range(3)
        ]
    )
    ventricles, cortex = rng.standard_normal(2)
    for structure, grown_mm in (
        (np.isin(anatomy.labels, VENTRICLES),
         variety.ventricles_mm * ventricles + loss.ventricles_mm),
        (anatomy.tissue("white_matter") | anatomy.tissue("cortex"),
         variety.cortex_mm * cortex - loss.cortex_mm),
        (np.isin(anatomy.labels, HIPPOCAMPUS), -loss.hippocampus_mm),
    ):  # fmt: skip
        if grown_mm:
            velocity += grown_mm * _inward(anatomy, structure, coarse)
    return coarse, _followed(velocity)


def _inward(
    anatomy: Anatomy, structure: NDArray[np.bool_], coarse: Volume
) -> NDArray[np.float32]:
    """Return a field that points into a structure across its surface, at most one.

    A place that looks inward sees the structure sooner: it grows.
    """
    soft = ndimage.gaussian_filter(structure.astype(np.float32), FIELD_MM)
    where = _places(anatomy, coarse, None)
    there = ndimage.map_coordinates(soft, where, order=1)
    slope = np.stack(np.gradient(there))
    return np.asarray(slope / max(float(np.abs(slope).max()), 1e-6), np.float32)


def _followed(velocity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the displacement, mm, that a velocity makes in unit time."""
    doublings = 4
    step = velocity / 2**doublings
    index = np.indices(velocity.shape[1:], dtype=np.float32)
    for _ in range(doublings):
        there = index + step / np.float32(FIELD_MM)
        step = step + np.stack(
            [ndimage.map_coordinates(s, there, order=1, mode="nearest") for s in step]
        )
    return np.asarray(step, np.float32)


def _places(
    anatomy: Anatomy,
    grid: Volume,
    way: tuple[Volume, NDArray[np.float32]] | None,
) -> NDArray[np.float32]:
    """Return where voxels of `grid` lie in the anatomy's voxels, (3, i, j, k)."""
    to_voxel = np.linalg.inv(anatomy.affine)
    places = np.empty((3, *grid.shape), np.float32)
    for i in range(grid.shape[0]):  # slab by slab: a head fits in memory
        world = slab_positions(grid, i)
        if way is not None:
            world = world + _displacement(world, *way)
        voxel = world @ to_voxel[:3, :3].T + to_voxel[:3, 3]
        places[:, i] = np.moveaxis(voxel, -1, 0)
    return places


def _displacement(
    world: NDArray[np.float64], coarse: Volume, field: NDArray[np.float32]
) -> NDArray[np.float32]:
    to_voxel = np.linalg.inv(coarse.affine)
    voxel = np.moveaxis(world @ to_voxel[:3, :3].T + to_voxel[:3, 3], -1, 0)
    moved = [
        ndimage.map_coordinates(part, voxel, order=1, mode="nearest") for part in field
    ]
    return np.stack(moved, axis=-1)
