"""What a scanner cannot resolve: point spread, slice thickness, the end of k-space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import convolve1d

from mitame.core.errors import InputError

FWHM_TO_SD = 1 / np.sqrt(8 * np.log(2))


def point_spread(
    data: NDArray[np.floating], spacing: Sequence[float], *, fwhm_mm: float
) -> NDArray[np.float32]:
    """Return `data` blurred by a Gaussian, the same in all directions.

    Its transfer function is applied in k-space: a Gaussian narrower than a voxel,
    sampled at voxels, would hardly blur at all.

    Parameters
    ----------
    data : array, shape (i, j, k)
        Intensities.
    spacing : sequence of float
        Voxel edge lengths, mm.
    fwhm_mm : float
        Full width at half maximum, mm, >= 0.

    Returns
    -------
    array of float32, shape (i, j, k)
        Of the same sum; what leaves on one side comes in on the other, as in a scan.

    Raises
    ------
    InputError
        If the width is negative.
    """
    if not fwhm_mm >= 0:
        raise InputError(f"A point spread of {fwhm_mm} mm.", fix="Give 0 or more.")
    found = np.asarray(data, dtype=np.float32)
    for axis, edge in enumerate(spacing):
        n = found.shape[axis]
        turns = np.pi * fwhm_mm * FWHM_TO_SD * fft.rfftfreq(n, edge)
        transfer = np.exp(-2 * turns**2).astype(np.float32)
        others = [other for other in range(found.ndim) if other != axis]
        encoded = fft.rfft(found, axis=axis, workers=1)
        encoded *= np.expand_dims(transfer, others)
        found = fft.irfft(encoded, n=n, axis=axis, workers=1)
    return found


def slice_profile(
    data: NDArray[np.floating],
    spacing: Sequence[float],
    *,
    thickness_mm: float,
    axis: int,
) -> NDArray[np.float32]:
    """Return the mean of `data` over a slice around every voxel.

    The grid stays; take every nth slice of it for an image of thick slices.

    Parameters
    ----------
    data : array, shape (i, j, k)
        Intensities.
    spacing : sequence of float
        Voxel edge lengths, mm.
    thickness_mm : float
        Full width of the slice, > 0; up to one voxel it changes nothing.
    axis : int
        Through which axis the slices are stacked.

    Returns
    -------
    array of float32, shape (i, j, k)
        Of the same sum; the border mirrors.

    Raises
    ------
    InputError
        If the thickness is not above zero.

    Examples
    --------
    >>> one_voxel = np.eye(1, 5, 2).reshape(1, 1, 5)
    >>> slice_profile(one_voxel, (1, 1, 1), thickness_mm=2, axis=2).ravel().tolist()
    [0.0, 0.25, 0.5, 0.25, 0.0]
    """
    if not thickness_mm > 0:
        raise InputError(f"Slices of {thickness_mm} mm.", fix="Give more than zero.")
    width = max(thickness_mm / spacing[axis], 1.0)  # voxels
    reach = int(np.ceil((width - 1) / 2))
    offset = np.arange(-reach, reach + 1)
    weight = np.clip(width / 2 - np.abs(offset) + 0.5, 0, 1) / width
    smooth = convolve1d(data, weight, axis=axis, output=np.float32, mode="reflect")
    return np.asarray(smooth)


def truncate(
    data: NDArray[np.floating],
    spacing: Sequence[float],
    *,
    resolution_mm: float,
    ringing: float,
    axes: Sequence[int] = (0, 1, 2),
) -> NDArray[np.float32]:
    r"""Return `data` with k-space cut off where the acquisition ends.

    Along each axis, with :math:`k_{max} = 1 / (2 \cdot resolution)` and
    :math:`f` = `ringing`, the window is one up to :math:`f k_{max}`, then

    .. math::

        w(k) = \frac12 + \frac12 \cos\left(
            \pi \frac{|k| - f k_{max}}{(1 - f) k_{max}}\right)

    and zero beyond :math:`k_{max}`: a hard edge at f = 1, which overshoots a step by
    9 % of it (Gibbs), a Hann window at f = 0, which does not; Tukey's in between [1]_.

    Parameters
    ----------
    data : array, shape (i, j, k)
        Intensities; what leaves on one side comes in on the other, as in a scan.
    spacing : sequence of float
        Voxel edge lengths, mm.
    resolution_mm : float
        Nominal voxel size of the acquisition, > 0; finer than the grid, nothing is
        cut there, and the window only reaches as far as the grid does.
    ringing : float
        f, 0 to 1.
    axes : sequence of int
        Which are encoded; leave out the axis through slices of a 2-D acquisition.

    Returns
    -------
    array of float32, shape (i, j, k)
        Of the same sum. A hard edge makes it negative beside bright tissue.

    Raises
    ------
    InputError
        If the resolution or the ringing is out of range.

    References
    ----------
    .. [1] F. J. Harris, "On the use of windows for harmonic analysis with the
       discrete Fourier transform", Proceedings of the IEEE 66, 51-83, 1978.
    """
    if not (resolution_mm > 0 and 0 <= ringing <= 1):
        raise InputError(
            f"A resolution of {resolution_mm} mm with ringing {ringing}.",
            fix="Give a resolution above zero, and ringing from 0 to 1.",
        )
    found = np.asarray(data, dtype=np.float32)
    for axis in axes:
        n = found.shape[axis]
        share = fft.rfftfreq(n, spacing[axis]) * 2 * resolution_mm
        window = np.expand_dims(
            _window(share, ringing), [other for other in range(3) if other != axis]
        )
        encoded = fft.rfft(found, axis=axis, workers=1) * window
        found = fft.irfft(encoded, n=n, axis=axis, workers=1)
    return found


def _window(share: NDArray[np.floating], ringing: float) -> NDArray[np.float32]:
    """Return the window at `share` of the largest encoded frequency."""
    hard = share <= 1
    if ringing == 1:
        return hard.astype(np.float32)
    taper = np.clip((share - ringing) / (1 - ringing), 0, 1)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * taper), dtype=np.float32)
