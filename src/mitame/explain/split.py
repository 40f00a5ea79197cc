"""One difference as a sum: what all of the brain shares, a place, and noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.explain.nuisance import Contrast
from mitame.solve.clusters import enhanced
from mitame.solve.loops import Floats
from mitame.solve.threads import single_blas
from mitame.solve.total_variation import Mask, fewest_pieces

L1, L2 = 0.5, 1.0
"""Weights of a place's size and of its outline, standard errors."""

HUBER = 2.0
"""Standard errors beyond which a voxel pulls the modes no more."""

ROUNDS = 2
"""Fits of the modes and of the place in turn; more change little."""

PULLS = 8
"""Steps of a robust fit; each leaves a tenth of the way."""

EVERY = 3
"""Of so many voxels one is asked how much of each mode there is."""

TOLERANCE = 1e-3
"""Gap at which a place is found."""

RIDGE = 1e-6
"""Keeps modes apart that are the same."""

SIZE_POWER = 0.2
"""How much the size of a piece adds to its strength: a thousand voxels double it."""


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """A difference in standard errors (p,): `shared` + `place` + noise.

    Parameters
    ----------
    shared : array of float32, shape (p,)
        Sum of the modes.
    place : array of float32, shape (p,)
        Few connected pieces, made smaller by about `L1`.
    strength : array of float32, shape (p,)
        Of the place, more where a piece is large; see `enhanced`.
    gap : float
        Of the last fit of the place, see `fewest_pieces`.
    """

    shared: Floats
    place: Floats
    strength: Floats
    gap: float


def split(contrast: Contrast, mask: Mask) -> Parts:
    """Return the parts of one difference.

    The modes are fitted robustly to what the place leaves, the place to what the modes
    leave, in turn [1]_.

    Parameters
    ----------
    contrast : Contrast
        Difference (p,) and modes, standard errors.
    mask : Mask
        Where its p voxels are.

    References
    ----------
    .. [1] Y. Sun, N. R. Zhang, A. B. Owen, "Multiple hypothesis testing adjusted for
       latent variables, with an application to the AGEMAP gene expression data",
       Annals of Applied Statistics 6(4), 2012.
    """
    modes = contrast.modes / _size(contrast.modes)
    amounts = np.zeros(len(modes), np.float32)
    place, dual, gap = np.zeros_like(contrast.t), None, 0.0
    shared = place
    for _ in range(ROUNDS):
        amounts = robust_amounts(contrast.t - place, modes, amounts)
        shared = amounts @ modes
        found = fewest_pieces(
            contrast.t - shared,
            mask,
            l1=L1,
            l2=L2,
            start=dual,
            tolerance=TOLERANCE,
        )
        place, dual, gap = found.values, found.dual, found.gap
    strength = enhanced(place, mask.inside, size_power=SIZE_POWER)
    return Parts(shared, place, strength, gap)


def robust_amounts(values: Floats, modes: Floats, start: Floats) -> Floats:
    """Return how much of each mode there is in an image, by Huber's loss.

    Parameters
    ----------
    values : array, shape (p,)
        In standard errors.
    modes : array, shape (k, p)
        Of mean square 1.
    start : array, shape (k,)
        Where to start from.
    """
    some, chosen = values[::EVERY], np.ascontiguousarray(modes[:, ::EVERY])
    with single_blas():
        product = chosen @ chosen.T + RIDGE * len(some) * np.eye(len(chosen))
        inverse = np.linalg.inv(product.astype(np.float64)).astype(np.float32)
        amounts = start.copy()
        for _ in range(PULLS):
            left = some - amounts @ chosen
            amounts += inverse @ (chosen @ np.clip(left, -HUBER, HUBER))
    return amounts


def _size(modes: Floats) -> Floats:
    """Return the root mean square of each mode (k, 1), at least a tiny number."""
    size: NDArray[np.float32] = np.sqrt(np.mean(modes**2, axis=1, keepdims=True))
    return np.maximum(size, np.float32(1e-12))
