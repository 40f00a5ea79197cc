"""What the receiver adds: thermal noise, a stripe pattern, twelve bits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError

LARGEST_STORED = 4095
"""Twelve bits, as scanners store magnitude images."""


def rician(
    data: NDArray[np.floating], sigma: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    r"""Return the magnitude of `data` with complex Gaussian noise.

    .. math::

        \sqrt{(S + n_1)^2 + n_2^2}, \qquad n_1, n_2 \sim N(0, \sigma^2)

    In air this is Rayleigh noise with mean :math:`\sigma\sqrt{\pi/2}`; where the
    signal is strong it is Gaussian with standard deviation sigma [1]_.

    Parameters
    ----------
    data : array, any shape
        Signal; its sign, if it has one, is lost as in any magnitude image.
    sigma : float
        Standard deviation of each channel, in the unit of `data`, >= 0.
    rng : numpy.random.Generator
        Drawn from twice, each time the shape of `data`.

    Returns
    -------
    array of float32, shape of `data`
        Never negative.

    Raises
    ------
    InputError
        If `sigma` is negative or not finite.

    References
    ----------
    .. [1] H. Gudbjartsson, S. Patz, "The Rician distribution of noisy MRI data",
       MRM 34, 910-914, 1995.
    """
    if not (np.isfinite(sigma) and sigma >= 0):
        raise InputError(f"Noise of {sigma}.", fix="Give a sigma of 0 or more.")
    scale = np.float32(sigma)
    real = np.asarray(data, dtype=np.float32) + scale * _normal(data.shape, rng)
    return np.asarray(np.hypot(real, scale * _normal(data.shape, rng)))


def stripes(
    data: NDArray[np.floating],
    *,
    amplitude: float,
    cycles: tuple[int, int, int],
    phase: float = 0.0,
) -> NDArray[np.float32]:
    r"""Return `data` with one spurious peak in k-space: a plane wave over everything.

    .. math::

        S(x) + a \cos\left(2 \pi \sum_n c_n x_n / N_n + \varphi\right)

    Add it before the noise and the magnitude, as a spike in the raw data would be.

    Parameters
    ----------
    data : array, shape (i, j, k)
        Signal.
    amplitude : float
        a, in the unit of `data`; 0 changes nothing.
    cycles : tuple of int
        c: periods across the field of view along each axis; fewer than half the
        voxels there, and not all zero.
    phase : float
        Radians.

    Returns
    -------
    array of float32, shape (i, j, k)
        Negative where the wave is, outside the head.

    Raises
    ------
    InputError
        If the grid cannot carry the wave.
    """
    pairs = zip(cycles, data.shape, strict=True)
    if not any(cycles) or any(2 * abs(c) >= n for c, n in pairs if c):
        raise InputError(
            f"A wave of {cycles} cycles over {data.shape} voxels.",
            fix="Give fewer cycles than half the voxels, and at least one.",
        )
    angle = np.full((1, 1, 1), phase)
    for axis, (n_cycles, n) in enumerate(zip(cycles, data.shape, strict=True)):
        ramp = 2 * np.pi * n_cycles * np.arange(n) / n
        angle = angle + np.expand_dims(
            ramp, [other for other in range(3) if other != axis]
        )
    return np.asarray(data + amplitude * np.cos(angle), dtype=np.float32)


def stored_as_12_bit(
    data: NDArray[np.floating], *, scale: float
) -> tuple[NDArray[np.uint16], int]:
    """Return `data` as a scanner stores it, and how many voxels did not fit.

    A scanner saturates; so does this, and it says how often.

    Parameters
    ----------
    data : array, any shape
        Magnitudes.
    scale : float
        Stored units per unit of `data`, > 0.

    Returns
    -------
    stored : array of uint16, shape of `data`
        Rounded, 0 to 4095.
    n_saturated : int
        Voxels that were below 0 or above 4095 after rounding.

    Raises
    ------
    InputError
        If `scale` is not above zero.

    Examples
    --------
    >>> stored, n_saturated = stored_as_12_bit(np.array([0.26, 1.0, 9.0]), scale=1000)
    >>> stored.tolist(), n_saturated
    ([260, 1000, 4095], 1)
    """
    if not (np.isfinite(scale) and scale > 0):
        raise InputError(f"A scale of {scale}.", fix="Give more than zero.")
    rounded = np.rint(data * np.float64(scale))
    fitted = np.clip(rounded, 0, LARGEST_STORED)
    return fitted.astype(np.uint16), int((rounded != fitted).sum())


def _normal(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    return rng.standard_normal(shape, dtype=np.float32)
