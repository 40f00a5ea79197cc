"""A gain that varies slowly with place and brightness, fitted robustly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from mitame.solve.lattice import (
    Lattice,
    design,
    roughness,
    sample,
    sample_grid,
    weighted_ridge,
)
from mitame.solve.robust import redescending_weights, spread

TINY_RIDGE = 1e-4
"""Holds nodes no data reaches at gain one; too weak to move any other."""

Coherence = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""Maps residuals (n,) to their mean over each voxel's neighborhood (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class GainField:
    r"""A tone curve at every place: target ≈ source x gain(place, source).

    The gain is multilinear on a lattice of three places and one brightness (a
    bilateral grid [1]_); outside it goes on as a constant, so nothing is clipped
    and zero stays zero.

    Parameters
    ----------
    gain : array, shape (i, j, k, n_tones)
        Gain at the nodes; one everywhere changes nothing.
    origin : array, shape (3,)
        Place of the first node, mm.
    spacing : float
        Distance of neighboring nodes, mm.
    tone_step : float
        Brightness between neighboring tone nodes, the first being zero.

    References
    ----------
    .. [1] J. Chen, S. Paris, F. Durand, "Real-time edge-aware image processing with
       the bilateral grid", ACM Transactions on Graphics 26(3), 2007.
    """

    gain: Lattice
    origin: NDArray[np.float64]
    spacing: float
    tone_step: float

    def at(
        self, place: NDArray[np.floating], brightness: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return the gain at places (n, 3) in mm with brightness (n,)."""
        return sample(self.gain, self.nodes(place, brightness))

    def over(
        self, to_place: NDArray[np.floating], brightness: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return the gain of every voxel of a grid.

        Parameters
        ----------
        to_place : array, shape (4, 4)
            From voxels to places, mm.
        brightness : array, shape (i, j, k)
            Of each voxel.
        """
        to_node = np.array(to_place[:3], np.float64) / self.spacing
        to_node[:, 3] -= self.origin / self.spacing
        return sample_grid(self.gain, to_node, brightness / np.float32(self.tone_step))

    def nodes(
        self, place: NDArray[np.floating], brightness: NDArray[np.floating]
    ) -> NDArray[np.float32]:
        """Return lattice coordinates (n, 4), in node units."""
        where = (place - self.origin) / self.spacing
        return np.column_stack([where, brightness / self.tone_step]).astype(np.float32)


@dataclass(frozen=True, slots=True)
class GainSettings:
    """How stiff a `GainField` is, and what it does not listen to.

    Parameters
    ----------
    spacing : float
        Distance of the place nodes, mm.
    tone_step : float
        Distance of the tone nodes, in white-matter medians.
    place_stiffness, tone_stiffness : float
        Weight of the squared bending along places and tones, times the mean
        number of voxels a node has.
    tuning : float
        Residual, in spreads, at which a voxel counts a quarter.
    rounds : int
        Reweighted fits, the first plain.
    """

    spacing: float = 12.0
    tone_step: float = 0.25
    place_stiffness: float = 0.03
    tone_stiffness: float = 10.0
    tuning: float = 2.0
    rounds: int = 8


def fit_gain(
    place: NDArray[np.floating],
    brightness: NDArray[np.floating],
    source: NDArray[np.floating],
    target: NDArray[np.floating],
    settings: GainSettings,
    *,
    weight: NDArray[np.floating] | None = None,
    coherence: Coherence | None = None,
) -> GainField:
    """Return the gain that takes `source` to `target` where nothing changed.

    Iteratively reweighted least squares: each round, voxels that the last one left
    far off count less.

    Parameters
    ----------
    place : array, shape (n, 3)
        Positions, mm.
    brightness : array, shape (n,)
        Where on the tone axis a voxel is: `source` with little noise. With the noise
        in it, a voxel bright by chance would ask for a lower gain than a dark one,
        and that slope would flatten everything bright.
    source, target : array, shape (n,)
        Intensities, both in white-matter medians.
    settings : GainSettings
        Stiffness and robustness.
    weight : array, shape (n,), optional
        How much each voxel counts, >= 0.
    coherence : callable, optional
        With it, what neighbors leave *together* counts as a change as well, though
        each of them alone looks like noise.
    """
    blank = _blank(place, brightness, settings)
    matrix = design(blank.nodes(place, brightness), source, blank.gain.shape)
    count = np.ones(len(source), np.float32) if weight is None else weight
    penalty = _penalty(blank.gain.shape, float(count.sum()), settings)
    wanted = target - source  # solved for gain - 1: no data means no change
    excess = np.zeros(blank.gain.size, np.float32)
    trust = count
    for _ in range(settings.rounds):
        excess = weighted_ridge(matrix, wanted, trust, penalty, excess)
        left = np.asarray(wanted - matrix @ excess, dtype=np.float32)
        trust = count * _trust(left, count > 0, settings.tuning, coherence)
    gain = 1 + excess.reshape(blank.gain.shape)
    return GainField(gain, blank.origin, settings.spacing, settings.tone_step)


def _blank(
    place: NDArray[np.floating],
    brightness: NDArray[np.floating],
    settings: GainSettings,
) -> GainField:
    """Return a gain of one whose lattice covers the data."""
    origin = place.min(axis=0).astype(np.float64)
    extent = place.max(axis=0) - origin
    places = np.maximum(np.ceil(extent / settings.spacing).astype(int) + 1, 3)
    top = float(np.quantile(brightness, 0.999))
    tones = max(int(np.ceil(top / settings.tone_step)) + 1, 3)
    gain = np.ones((*places, tones), np.float32)
    return GainField(gain, origin, settings.spacing, settings.tone_step)


def _penalty(
    shape: tuple[int, ...], total_weight: float, settings: GainSettings
) -> sparse.csr_array:
    per_node = total_weight / float(np.prod(shape))
    place, tone = settings.place_stiffness, settings.tone_stiffness
    bending = roughness(shape, [per_node * s for s in (place, place, place, tone)])
    ridge = TINY_RIDGE * per_node * sparse.eye_array(int(np.prod(shape)))
    return sparse.csr_array(bending + ridge, dtype=np.float32)


def _trust(
    left: NDArray[np.float32],
    counts: NDArray[np.bool_],
    tuning: float,
    coherence: Coherence | None,
) -> NDArray[np.float32]:
    """Return how far each voxel is believed to be unchanged, in (0, 1]."""
    scale = spread(left[counts])
    trust = redescending_weights(left, scale, tuning=tuning)
    if coherence is None:
        return trust
    # One bright vessel must not mark its whole neighborhood as changed.
    together = coherence(np.clip(left, -4 * scale, 4 * scale))
    usual = spread(together[counts])
    return trust * redescending_weights(together, usual, tuning=tuning)
