"""Groups of registered T1w with a known difference between them.

Every subject is a mixture of six real brains on the 2 mm grid of the MNI152 template
(the template, one patient and four healthy adults), displaced by a voxel or two as
coarse registration leaves it, with a contrast, a shading and noise of its own.
Subjects 0 to 119 are for reporting, 120 to 239 for development.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from mitame.core.volume import Volume
from mitame.io.nifti import read
from mitame.prepare.resample import resample
from mitame.prepare.template import template, to_template
from mitame.simulate.random_field import random_field

POOL = 120
"""Subjects for reporting, and as many for development."""

DEVELOPMENT = 100
"""First seed whose subjects are those for development."""

HEADS = ("IXI013-HH-1212", "IXI034-HH-1260", "IXI052-HH-1343", "IXI067-HH-1356")
AMPLITUDE = 0.12
BALLS_MM = ((-30.0, -6.0, 18.0), (42.0, -46.0, 4.0), (-6.0, 44.0, 32.0))
RADIUS_MM = 6.0

Kind = Literal["occ", "balls", "none"]


@dataclass(frozen=True, slots=True, eq=False)
class Planted:
    """Two groups, (n, p) each, and the voxels (p,) in which the second was changed."""

    source: NDArray[np.float32]
    target: NDArray[np.float32]
    truth: NDArray[np.bool_]


def brain() -> NDArray[np.bool_]:
    """Return the voxels of all studies here: the template's brain at 2 mm."""
    return np.asarray(template("mask").data > 0.5)


def planted(kind: Kind, n: int, seed: int, cache: Path, *, confounded: bool) -> Planted:
    """Return two groups of `n` subjects, the second with a brighter place.

    Parameters
    ----------
    kind : {"occ", "balls", "none"}
        The occipital cortex, three balls, or nothing is 1.12 times as bright.
    n : int
        Subjects in a group, up to 60.
    seed : int
        Who they are; from 100 on others than below.
    cache : Path
        Folder in which the subjects are kept.
    confounded : bool
        Whether the second group has another tone curve, gain and shading too.
    """
    part = int(seed >= DEVELOPMENT)
    chosen = np.random.default_rng(100 + seed).permutation(POOL)[: 2 * n]
    people = np.load(pool(part, cache), mmap_mode="r")[chosen].astype(np.float32)
    place = _place(kind)[brain()]
    target = people[n:] * (1 + np.float32(AMPLITUDE) * place)
    if confounded:
        shading = _bump()[brain()]
        target = np.clip(target, 0.01, None) ** np.float32(1.05)
        target *= np.float32(1.015) * (
            1 + np.float32(0.05) * (shading - shading.mean())
        )
    return Planted(people[:n], target, place > 0)


def pool(part: int, cache: Path) -> Path:
    """Return the file with half of all subjects (120, p); made where it is missing."""
    path = cache / f"subjects_{part}.npy"
    if not path.exists():
        heads = _heads(cache)
        inside = brain()
        rows = np.empty((POOL, int(inside.sum())), np.float16)
        for row in range(POOL):
            rows[row] = _subject(heads, POOL * part + row)[inside]
        np.save(path, rows)
    return path


def _subject(heads: NDArray[np.float32], number: int) -> NDArray[np.float32]:
    """Return one subject, white matter about 1."""
    rng = np.random.default_rng(7000 + number)
    grid = template("mask")
    share = np.abs(rng.normal(0.5, 0.35, len(heads)))
    share[0] += 0.3
    mixed = np.tensordot((share / share.sum()).astype(np.float32), heads, 1)
    moved = np.indices(grid.shape, np.float32)
    for axis in range(3):
        moved[axis] += 1.0 * random_field(grid, 18.0, rng)
        moved[axis] += 0.45 * random_field(grid, 10.0, rng)
    seen = np.maximum(map_coordinates(mixed, moved, order=1), 0)
    seen **= np.float32(np.exp(rng.normal(0, 0.05)))
    seen *= (1 + 0.03 * random_field(grid, 60.0, rng)) * (1 + rng.normal(0, 0.02))
    seen = seen + rng.normal(0, 0.03, seen.shape)
    return np.asarray(seen, np.float32)


def _heads(cache: Path) -> NDArray[np.float32]:
    """Return real brains on the template's grid, white matter 1; (6, i, j, k)."""
    path = cache / "heads.npy"
    if path.exists():
        return np.asarray(np.load(path))
    scans = Path(os.environ.get("MITAME_DATA", "../shared/data"))
    grid, inside = template("mask"), brain()
    patient = read(scans / "ms-cross" / "patient07" / "T1w.nii.gz")
    fine = Volume(gaussian_filter(patient.data, 0.6), patient.affine)
    found = [template("t1").data, resample(fine, grid, interpolator="linear").data]
    for name in HEADS:
        image = read(scans / "ixi-hh-3t" / f"{name}_T1w.nii.gz")
        own = read(scans / "ixi-hh-3t" / f"{name}_brainmask.nii.gz").data > 0
        back = np.linalg.inv(to_template(image, own))
        bare = Volume(image.data * own, image.affine)
        found.append(resample(bare, grid, transform=back, interpolator="linear").data)
    white = (template("wm").data > 0.8) & inside
    heads = np.stack([data / np.median(data[white]) * inside for data in found])
    np.save(path, heads.astype(np.float32))
    return heads.astype(np.float32)


def _place(kind: Kind) -> NDArray[np.float32]:
    """Return where the second group is brighter, 0 or 1."""
    grid, inside = template("mask"), brain()
    if kind == "none":
        return np.zeros(grid.shape, np.float32)
    if kind == "occ":
        rows = np.flatnonzero(inside.any(axis=(0, 2)))
        behind = np.arange(grid.shape[1]) < rows[0] + 0.16 * (rows[-1] - rows[0])
        return np.asarray(
            inside & (template("gm").data > 0.5) & behind[:, None], np.float32
        )
    away = [np.linalg.norm(_places() - ball, axis=-1) for ball in BALLS_MM]
    return np.asarray(inside & (np.min(away, axis=0) <= RADIUS_MM), np.float32)


def _bump() -> NDArray[np.float32]:
    """Return a wide hill in the middle of the brain, 0 to 1."""
    away = (_places() - (0.0, -10.0, 15.0)) / (90.0, 90.0, 80.0)
    return np.asarray(np.exp(-(away**2).sum(axis=-1)), np.float32)


def _places() -> NDArray[np.float32]:
    """Return the place of every voxel, mm; (i, j, k, 3)."""
    grid = template("mask")
    index = np.moveaxis(np.indices(grid.shape, np.float32), 0, -1)
    return np.asarray(index @ grid.affine[:3, :3].T + grid.affine[:3, 3], np.float32)
