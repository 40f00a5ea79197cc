"""What moves whole images: the modes in which people and scanners differ everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.solve.loops import Doubles, Floats
from mitame.solve.threads import single_blas

BLOCKS = 8
"""Along each axis: what blocks do not share is no mode of the whole image."""

DRAWS = 20
"""Shuffled cohorts that a mode has to be stronger than."""

RARE = 0.95
"""Share of the shuffled cohorts whose mode has to be weaker."""

FLAT = 1e-6
"""A voxel that varies less than this share of the images' spread is constant."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Two groups, each voxel in units of its own spread within the groups.

    Parameters
    ----------
    residual : array of float32, shape (n, p)
        What is left of each subject without its group's mean.
    contrast : array of float64, shape (n,)
        Of length 1: what of the images makes the group difference.
    difference : array of float32, shape (p,)
        `contrast` of the scaled images.
    scale : array of float32, shape (p,)
        Spread of each voxel within groups, unit of the input.
    gram : array of float64, shape (n, n)
        Inner products of the residuals.
    squares : array of float32, shape (p,)
        Sum of a voxel's squared residuals.
    looks : array of float32, shape (m, p)
        What another gain, tone curve or shading would add, scaled too.
    """

    residual: Floats
    contrast: Doubles
    difference: Floats
    scale: Floats
    gram: Doubles
    squares: Floats
    looks: Floats

    @property
    def length(self) -> float:
        """Standard error of a group difference over the spread of one image."""
        n_target = int((self.contrast > 0).sum())
        return float(np.sqrt(1 / n_target + 1 / (len(self.contrast) - n_target)))


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """One difference of subjects, in units of its noise, and what may explain it.

    Parameters
    ----------
    t : array of float32, shape (p,)
        Difference over the noise that the modes leave.
    modes : array of float32, shape (k + m, p)
        Modes of the cohort and looks of a scanner, in the same unit.
    noise : array of float32, shape (p,)
        Standard deviation of the noise of one image, scaled.
    """

    t: Floats
    modes: Floats
    noise: Floats


def scaled(source: Floats, target: Floats, inside: NDArray[np.bool_]) -> Scaled:
    """Return two groups of images (n, p) of the voxels `inside`, ready to be compared.

    Voxels that do not vary are given a spread that makes all of them zero.
    """
    images = np.concatenate([source, target], dtype=np.float32)
    first, second = (images[: len(source)], images[len(source) :])
    contrast = np.repeat([-1 / len(first), 1 / len(second)], [len(first), len(second)])
    contrast /= np.linalg.norm(contrast)
    mean = images.mean(axis=0)
    difference = contrast.astype(np.float32) @ images
    for group in (first, second):
        group -= group.mean(axis=0)
    squares = np.einsum("np,np->p", images, images)
    scale = np.sqrt(squares / (len(images) - 2))
    scale[scale < max(FLAT * float(np.median(scale)), 1e-12)] = np.inf
    images /= scale
    looks = _looks(mean, inside) / scale
    with single_blas():
        gram = (images @ images.T).astype(np.float64)
    squares = np.where(np.isfinite(scale), np.float32(len(images) - 2), np.float32(0))
    return Scaled(images, contrast, difference / scale, scale, gram, squares, looks)


def contrast_of(
    cohort: Scaled, direction: Doubles, rank: int, *, shuffled: bool
) -> Contrast:
    """Return what a direction among subjects shows, against their own modes.

    Parameters
    ----------
    cohort : Scaled
        Two groups.
    direction : array of float64, shape (n,)
        Of length 1: `cohort.contrast`, or one between subjects of the same groups.
    rank : int
        Modes, >= 0; taken from what the direction leaves of the residual.
    shuffled : bool
        Whether the direction lies within the residual, as that between subjects of the
        same groups does.
    """
    n = len(direction)
    apart = np.eye(n) - np.outer(direction, direction)
    _, vectors = np.linalg.eigh(apart @ cohort.gram @ apart)
    rows = np.vstack([vectors[:, n - rank :].T, direction]).astype(np.float32)
    with single_blas():
        seen = rows @ cohort.residual
    squares = cohort.squares - np.einsum("kp,kp->p", seen[:-1], seen[:-1])
    difference, freedom = cohort.difference, n - 2 - rank
    if shuffled:
        difference, freedom = seen[-1], freedom - 1
        squares -= difference**2
    noise = np.sqrt(np.maximum(squares, FLAT * n) / freedom)
    modes = np.concatenate([seen[:-1], cohort.looks]) / noise
    return Contrast(difference / noise, modes, noise)


def rank_of(cohort: Scaled, inside: NDArray[np.bool_], rng: np.random.Generator) -> int:
    """Return how many modes the subjects of a group share across the whole image.

    Parallel analysis [1]_: subjects are shuffled in each block of the image on its own.
    That keeps what neighbors share and breaks what distant places do; a mode counts if
    it is stronger than the one of its rank in nearly all shuffled cohorts.

    Parameters
    ----------
    cohort : Scaled
        Two groups.
    inside : array of bool, shape (i, j, k)
        Where its p voxels are.
    rng : numpy.random.Generator
        Shuffles.

    References
    ----------
    .. [1] J. L. Horn, "A rationale and test for the number of factors in factor
       analysis", Psychometrika 30, 179-185, 1965.
    """
    n = len(cohort.gram)
    own = np.linalg.eigvalsh(cohort.gram)[::-1]
    grams = _block_grams(cohort.residual, inside)
    chance = np.empty((DRAWS, n))
    for draw in chance:
        mixed = np.zeros((n, n))
        for gram in grams:
            order = _shuffled(cohort.contrast, rng)
            mixed += gram[np.ix_(order, order)]
        draw[:] = np.linalg.eigvalsh(mixed)[::-1]
    stronger = own > np.quantile(chance, RARE, axis=0)
    return min(int(np.argmin(stronger)), n // 3)


def _shuffled(contrast: Doubles, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return an order of the subjects in which each stays in its group."""
    order = np.arange(len(contrast))
    for group in (contrast < 0, contrast > 0):
        order[group] = rng.permutation(order[group])
    return order


def _block_grams(residual: Floats, inside: NDArray[np.bool_]) -> list[Doubles]:
    """Return inner products of subjects within each block of the image."""
    place = np.argwhere(inside)
    place -= place.min(axis=0)
    block = np.zeros(len(place), int)
    for where in place.T:
        block = BLOCKS * block + where * BLOCKS // (int(where.max()) + 1)
    found = []
    for each in np.unique(block):
        part = residual[:, block == each]
        found.append((part @ part.T).astype(np.float64))
    return found


def _looks(mean: Floats, inside: NDArray[np.bool_]) -> Floats:
    """Return what gain, tone curve and a slow shading change in an image (m, p)."""
    place = np.argwhere(inside).astype(np.float32)
    x, y, z = ((place - place.mean(axis=0)) / np.maximum(place.std(axis=0), 1)).T
    bright = mean / np.float32(max(float(np.quantile(np.abs(mean), 0.95)), 1e-12))
    shading = [x, y, z, x * x, y * y, z * z, x * y, x * z, y * z]
    return np.stack([bright, bright**2, bright**3, *(bright * one for one in shading)])
