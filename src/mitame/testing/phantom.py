"""A smooth head made of ellipsoids, on any grid, for tests without data."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitame.core.scanner import Scanner
from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume

CENTER = (0.0, -18.0, 8.0)
"""Middle of the brain, world mm; where MNI152 has it, so the phantom is in place."""

HALF_AXES = (66.0, 84.0, 62.0)
"""Of the brain with its CSF, mm."""

# Outer radius of each shell in units of HALF_AXES, from the inside out.
_SHELLS = {"ventricle": 0.2, "wm": 0.78, "gm": 0.94, "csf": 1.0, "skull": 1.1}
_SCALP = 1.22
_FOLD = 0.05

INTENSITY: dict[Suffix, dict[str, float]] = {
    "T1w": {"csf": 150, "gm": 500, "wm": 800, "skull": 60, "scalp": 900},
    "T2w": {"csf": 1000, "gm": 450, "wm": 300, "skull": 60, "scalp": 500},
    "FLAIR": {"csf": 80, "gm": 500, "wm": 400, "skull": 60, "scalp": 450},
    "PDw": {"csf": 700, "gm": 650, "wm": 500, "skull": 60, "scalp": 550},
}
"""Arbitrary units, in the order the sequences have."""


def head_grid(spacing: float = 6.0) -> Volume:
    """Return an empty RAS+ grid around the phantom, voxels of `spacing` mm."""
    half = 1.3 * np.asarray(HALF_AXES)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = np.asarray(CENTER) - half
    shape = np.ceil(2 * half / spacing).astype(int) + 1
    return Volume(np.zeros(shape, np.float32), affine)


def tissues(
    shape: Sequence[int], affine: ArrayLike, *, softness: float = 2.0
) -> dict[str, NDArray[np.float64]]:
    """Return how much of each tissue is in every voxel.

    Parameters
    ----------
    shape : sequence of int
        Of the grid.
    affine : array_like, shape (4, 4)
        Voxel indices to world mm; the head stays in its place in the world.
    softness : float
        Half the width of a border, mm.

    Returns
    -------
    dict of str to array, shape (i, j, k)
        `csf`, `gm`, `wm`, `skull` and `scalp`; 0 to 1, together at most 1.
    """
    radius, fold = _radius(shape, np.asarray(affine, dtype=np.float64))
    width = softness / float(np.mean(HALF_AXES))

    def inside(edge: float | NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(0.5 - 0.5 * np.tanh((radius - edge) / width))

    ventricle = inside(_SHELLS["ventricle"])
    white = inside(_SHELLS["wm"] + fold)
    grey, fluid = inside(_SHELLS["gm"]), inside(_SHELLS["csf"])
    bone, skin = inside(_SHELLS["skull"]), inside(_SCALP)
    return {
        "csf": ventricle + fluid - grey,
        "gm": np.maximum(grey - white, 0),
        "wm": np.maximum(white - ventricle, 0),
        "skull": bone - fluid,
        "scalp": skin - bone,
    }


def phantom(
    grid: Volume | None = None,
    *,
    suffix: Suffix = "T1w",
    gain: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
    softness: float = 2.0,
) -> Volume:
    """Return one sequence of the phantom.

    Parameters
    ----------
    grid : Volume, optional
        Its grid is used; `head_grid` by default.
    suffix : {"T1w", "T2w", "FLAIR", "PDw"}
        Which tissue contrast.
    gain : float
        What every intensity is multiplied by.
    noise : float
        Standard deviation of Gaussian noise, before the gain.
    seed : int
        Of the noise.
    softness : float
        Half the width of a border, mm.
    """
    grid = head_grid() if grid is None else grid
    rng = np.random.default_rng(seed)
    data = rng.normal(0.0, noise, grid.shape) if noise else np.zeros(grid.shape)
    shares = tissues(grid.shape, grid.affine, softness=softness)
    for tissue, share in shares.items():
        data += INTENSITY[suffix][tissue] * share
    scanner = Scanner("Phantom", "One", "0001", 3.0)
    return Volume((gain * data).astype(np.float32), grid.affine, scanner)


def phantom_session(
    grid: Volume | None = None,
    *,
    suffixes: Sequence[Suffix] = ("T1w",),
    gain: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
) -> Session:
    """Return a visit of the phantom with its true brain mask and template place.

    Parameters
    ----------
    grid, gain, noise, seed
        As in `phantom`; every sequence has noise of its own.
    suffixes : sequence of str
        The sequences of the visit.
    """
    grid = head_grid() if grid is None else grid
    volumes = {
        suffix: phantom(grid, suffix=suffix, gain=gain, noise=noise, seed=seed + n)
        for n, suffix in enumerate(suffixes)
    }
    share = tissues(grid.shape, grid.affine)
    brain = share["csf"] + share["gm"] + share["wm"] > 0.5
    return Session(volumes, brain=brain, to_template=np.eye(4))


def in_view(volume: Volume, onto: Volume) -> NDArray[np.bool_]:
    """Return where voxels of `onto` lie in the field of view of `volume`.

    It reaches half a voxel beyond the outermost voxel centers.
    """
    to_voxel = np.linalg.inv(volume.affine) @ onto.affine
    index = np.indices(onto.shape).reshape(3, -1)
    at = to_voxel[:3, :3] @ index + to_voxel[:3, 3:]
    size = np.array(volume.shape)[:, None]
    inside = ((at >= -0.5) & (at <= size - 0.5)).all(axis=0)
    return np.asarray(inside.reshape(onto.shape))


def _radius(
    shape: Sequence[int], affine: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the ellipsoidal radius of every voxel, and how far the folds reach."""
    index = np.indices(tuple(shape), dtype=np.float64)
    place = np.tensordot(affine[:3, :3], index, axes=1)
    start = (affine[:3, 3] - CENTER)[:, None, None, None]
    x, y, z = (place + start) / np.reshape(HALF_AXES, (3, 1, 1, 1))
    fold = _FOLD * np.sin(6 * x) * np.cos(5 * y) * np.cos(7 * z + 1)
    return np.sqrt(x**2 + y**2 + z**2), fold
