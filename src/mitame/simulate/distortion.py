"""Where a gradient coil puts things: displacement that grows away from the center."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitame.core.errors import InputError

REACH_MM = 100.0
"""A head in the middle of the scanner reaches about this far from the isocenter."""

QUINTIC_SHARE = 0.25
"""Of the fifth order beside the third; coils are built so that orders fall off."""


def gradient_displacement(
    positions: ArrayLike, *, nonlinearity_mm: float
) -> NDArray[np.float32]:
    r"""Return how far gradient non-linearity moves each position.

    A gradient coil's field is a sum of solid harmonics; symmetry leaves the odd ones
    [1]_. The first after the linear one are, for z and (with x and y exchanged) x,

    .. math::

        z^3 - \tfrac32 z (x^2 + y^2), \qquad x (x^2 + y^2 - 4 z^2)

    and three quarters of these with one quarter of the fifth order make the
    displacement along z and x.

    Parameters
    ----------
    positions : array_like, shape (..., 3)
        World positions from the isocenter, mm; the third axis is the bore.
    nonlinearity_mm : float
        Largest displacement at 100 mm from the isocenter; negative shrinks the head
        where positive stretches it, 0 displaces nothing.

    Returns
    -------
    array of float32, shape (..., 3)
        Displacement, mm, as `mitame.prepare.warp` takes it.

    Raises
    ------
    InputError
        If `positions` does not end in three coordinates.

    References
    ----------
    .. [1] A. Janke et al., "Use of spherical harmonic deconvolution methods to
       compensate for nonlinear gradient effects on MRI images", MRM 52, 115-122, 2004.
    """
    place = np.asarray(positions, dtype=np.float64) / REACH_MM
    if place.shape[-1:] != (3,):
        raise InputError(
            f"Positions of shape {place.shape}.", fix="Give (..., 3), in mm."
        )
    return np.asarray(nonlinearity_mm * _harmonics(place), dtype=np.float32)


def _harmonics(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one on each axis at distance one, and nowhere more at that distance."""
    x, y, z = place[..., 0], place[..., 1], place[..., 2]
    across = x**2 + y**2
    square = across + z**2
    # x and y share their factor: the coils are one, turned by a quarter.
    side = _mix(across - 4 * z**2, 21 * z**4 - 14 * z**2 * square + square**2)
    fifth = (63 * z**4 - 70 * z**2 * square + 15 * square**2) / 8
    along = _mix(z**2 - 1.5 * across, fifth)
    return np.stack([x * side, y * side, z * along], axis=-1)


def _mix(third: NDArray[np.float64], fifth: NDArray[np.float64]) -> NDArray[np.float64]:
    return (1 - QUINTIC_SHARE) * third + QUINTIC_SHARE * fifth
