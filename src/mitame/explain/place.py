"""Where two groups of registered images differ, apart from what differs everywhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitame.core.errors import ImplausibleError, InputError
from mitame.explain.nuisance import contrast_of, rank_of, scaled
from mitame.explain.permutations import CHANCE, counts_of, splits_of
from mitame.explain.split import split
from mitame.solve.loops import Floats
from mitame.solve.total_variation import Mask

FEWEST = 5
"""Subjects a group needs: halves of fewer say little about chance."""

FEWEST_SPLITS = 20
"""With fewer no chance is below one in twenty."""

BORDER = 0.05
"""Step between neighbors, in white matter, across which a place hardly spreads."""


@dataclass(frozen=True, slots=True, eq=False)
class PlaceMap:
    """Where the target differs from the source, target minus source.

    Parameters
    ----------
    sparse : array of float32, shape (p,)
        Difference in the place beyond `low_rank`, unit of the images; 0 elsewhere.
    support : array of bool, shape (p,)
        The place.
    low_rank : array of float32, shape (p,)
        What differs everywhere: the group's share of the modes, unit of the images.
        A dense difference, such as that of all gray matter, is in here.
    t : array of float32, shape (p,)
        Student's t of every voxel on its own; 0 where no voxel varies.
    strength : array of float32, shape (p,)
        Of a place, standard errors, made smaller by the fit and larger by the size of
        a piece; `support` is where it reaches `threshold`.
    threshold : float
        inf if no place is believed.
    chance : float
        p-value: how often splits within the groups show as much.
    rank : int
        Modes that people share across the image.
    """

    sparse: Floats
    support: NDArray[np.bool_]
    low_rank: Floats
    t: Floats
    strength: Floats
    threshold: float
    chance: float
    rank: int


def find_place(
    source: ArrayLike,
    target: ArrayLike,
    mask: ArrayLike,
    *,
    seed: int,
    permutations: int = 100,
    most_chance: float = CHANCE,
) -> PlaceMap:
    """Return where two unpaired groups differ, how much, and what they share.

    Each voxel is scaled by its spread; modes in which people differ across the whole
    image (from within the groups), gain, tone curve and shading explain what they can,
    robustly; what is left is cut into few pieces. Splits within the groups say from
    which strength on pieces are believed: about 5 % of the voxels found are false, and
    nothing is found in 19 of 20 cohorts in which there is nothing, if not asked for
    less.

    Parameters
    ----------
    source, target : array_like, shapes (n0, p) and (n1, p)
        Registered images, one a row, at the voxels of `mask` in its order; on one
        scale, such as white matter 1. At least 5 rows each.
    mask : array_like of bool, shape (i, j, k)
        p voxels.
    seed : int
        Splits.
    permutations : int
        How many splits, at least 20; a second for each three at 235,000 voxels. Fewer
        where it is clear that there is no place.
    most_chance : float
        How often a place may be found where there is none.

    Raises
    ------
    InputError
        If shapes do not agree or subjects or splits are too few.
    ImplausibleError
        If an intensity is not finite.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> mask = np.ones((20, 20, 20), bool)
    >>> source, target = rng.normal(1, 0.1, (2, 12, mask.size))
    >>> ball = (np.linalg.norm(np.indices(mask.shape).T - 9, axis=-1).T < 3)[mask]
    >>> target[:, ball] += 0.2
    >>> found = find_place(source, target, mask, seed=0, permutations=40)
    >>> bool((found.support == ball).mean() > 0.99)
    True
    """
    inside = np.asarray(mask, bool)
    first, second = _checked(source, target, inside)
    if permutations < FEWEST_SPLITS:
        raise InputError(
            f"{permutations} permutations cannot tell a chance of 1 in 20.",
            fix=f"Ask for at least {FEWEST_SPLITS}, better 100.",
        )
    rng = np.random.default_rng(seed)
    cohort = scaled(first, second, inside)
    rank = rank_of(cohort, inside, rng)
    pieces = _bordered(first, second, inside)
    contrast = contrast_of(cohort, cohort.contrast, rank, shuffled=False)
    parts = split(contrast, pieces)
    found = counts_of(parts.strength)
    splits = splits_of(cohort, pieces, rank, permutations, rng, found, most_chance)
    threshold = splits.threshold(found, most_chance)
    support = np.abs(parts.strength) >= threshold
    varies = np.isfinite(cohort.scale)
    error = contrast.noise * np.where(varies, cohort.scale, 0) * cohort.length
    error = error.astype(np.float32)
    # Pieces were made smaller by the fit; within them the data itself is unbiased.
    sparse = np.where(support, contrast.t - parts.shared, 0) * error
    return PlaceMap(
        sparse=sparse.astype(np.float32),
        support=support,
        low_rank=parts.shared * error,
        t=np.where(varies, cohort.difference, 0),
        strength=parts.strength,
        threshold=threshold,
        chance=splits.chance(found),
        rank=rank,
    )


def _checked(
    source: ArrayLike, target: ArrayLike, inside: NDArray[np.bool_]
) -> tuple[Floats, Floats]:
    """Return both groups as float32, or raise if they cannot be compared."""
    groups = np.asarray(source, np.float32), np.asarray(target, np.float32)
    p = int(inside.sum())
    for name, group in zip(("source", "target"), groups, strict=True):
        if inside.ndim != 3 or p == 0 or group.ndim != 2 or group.shape[1] != p:
            raise InputError(
                f"The {name} is {group.shape}, the mask {inside.shape} with {p} "
                "voxels.",
                fix="Give one row for each subject, one column for each voxel of the "
                "mask.",
            )
        if len(group) < FEWEST:
            raise InputError(
                f"The {name} has {len(group)} subjects.",
                fix=f"Give at least {FEWEST} in each group; 20 find strong effects.",
            )
        if not np.isfinite(group).all():
            raise ImplausibleError(
                f"{int((~np.isfinite(group)).sum())} intensities of the {name} are "
                "not finite.",
                fix="Take voxels out of the mask that not all images have.",
            )
    return groups


def _bordered(first: Floats, second: Floats, inside: NDArray[np.bool_]) -> Mask:
    """Return the voxels, held together but for the borders of the mean image."""
    mean = (first.mean(axis=0) + second.mean(axis=0)) / 2
    white = float(np.quantile(np.abs(mean), 0.95))
    return Mask.of(inside).parted(mean, max(BORDER * white, 1e-12))
