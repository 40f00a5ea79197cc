"""Signal equations: tissue and sequence in, intensity out; seconds and radians."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitame.core.errors import InputError

Signal = NDArray[np.float64]


def spin_echo(
    pd: ArrayLike, t1: ArrayLike, t2: ArrayLike, *, tr: float, te: float
) -> Signal:
    r"""Return the signal of a spin echo, or of a turbo spin echo by effective TE.

    .. math::

        S = PD \, (1 - e^{-TR/T_1}) \, e^{-TE/T_2}

    Parameters
    ----------
    pd : array_like, shape (...)
        Proton density, relative to water = 1; zero gives zero signal.
    t1, t2 : array_like, broadcast with `pd`
        Relaxation times, seconds, > 0.
    tr, te : float
        Repetition and (effective) echo time, seconds, 0 < te < tr.

    Returns
    -------
    array, shape (...)
        Signal in the unit of `pd`; never negative.

    Raises
    ------
    InputError
        If the times are not 0 < te < tr.

    References
    ----------
    .. [1] E. M. Haacke et al., "Magnetic Resonance Imaging: Physical Principles
       and Sequence Design", Wiley, 1999, chapter 15.

    Examples
    --------
    Fluid outshines white matter at a long echo time:

    >>> fluid, white = spin_echo([1, 0.7], [4.3, 0.85], [2, 0.07], tr=5, te=0.1)
    >>> bool(fluid > 2 * white)
    True
    """
    _require_order(te, tr)
    return _times(pd, 1 - _left(tr, t1), _left(te, t2))


def inversion_recovery(
    pd: ArrayLike,
    t1: ArrayLike,
    t2: ArrayLike,
    *,
    tr: float,
    te: float,
    ti: float,
    inversion: ArrayLike = -1.0,
    signed: bool = False,
) -> Signal:
    r"""Return the signal of an inversion recovery read by a spin echo (FLAIR).

    .. math::

        S = PD \, \left|1 - (1 - \kappa)\, e^{-TI/T_1} - \kappa\, e^{-TR/T_1}\right|
            \, e^{-TE/T_2}

    where :math:`\kappa` is the cosine of the inversion angle; a full inversion
    (-1) gives the usual :math:`1 - 2 e^{-TI/T_1} + e^{-TR/T_1}`.

    Parameters
    ----------
    pd : array_like, shape (...)
        Proton density, relative to water = 1; zero gives zero signal.
    t1, t2 : array_like, broadcast with `pd`
        Relaxation times, seconds, > 0.
    tr, te, ti : float
        Repetition, (effective) echo and inversion time, seconds;
        te > 0, ti >= 0, ti + te < tr.
    inversion : array_like, broadcast with `pd`
        What the inversion pulse leaves of the magnetization, -1 to 1. An adiabatic
        pulse leaves -1 whatever the transmit field; a plain one ``cos(pi * b1)``.
    signed : bool
        Keep the sign. Shares of tissue in one voxel add with their signs, before
        the magnitude is taken.

    Returns
    -------
    array, shape (...)
        Signal in the unit of `pd`; not negative unless `signed`.

    Raises
    ------
    InputError
        If the times are out of order.

    References
    ----------
    .. [1] J. V. Hajnal et al., "Use of fluid attenuated inversion recovery (FLAIR)
       pulse sequences in MRI of the brain", Journal of Computer Assisted
       Tomography 16, 841-844, 1992.

    Examples
    --------
    Fluid is dark where the time is right:

    >>> bright = inversion_recovery(1, 4.3, 2, tr=9, te=0.1, ti=1.6)
    >>> dark = inversion_recovery(1, 4.3, 2, tr=9, te=0.1, ti=2.5)
    >>> bool(dark < bright / 10)
    True
    """
    _require_order(te, tr)
    if not 0 <= ti < tr - te:
        raise InputError(
            f"An inversion time of {ti} s does not fit: echo time {te} s, "
            f"repetition time {tr} s.",
            fix="Give all in seconds, with 0 <= ti and ti + te < tr.",
        )
    kappa = np.asarray(inversion, dtype=np.float64)
    recovered = 1 - (1 - kappa) * _left(ti, t1) - kappa * _left(tr, t1)
    found = _times(pd, recovered, _left(te, t2))
    return found if signed else np.abs(found)


def spoiled_gradient_echo(
    pd: ArrayLike,
    t1: ArrayLike,
    t2_star: ArrayLike,
    *,
    tr: float,
    te: float,
    flip_angle: ArrayLike,
) -> Signal:
    r"""Return the steady-state signal of an ideally spoiled gradient echo.

    .. math::

        S = PD \, \sin\alpha \, \frac{1 - e^{-TR/T_1}}{1 - \cos\alpha\, e^{-TR/T_1}}
            \, e^{-TE/T_2^*}

    Parameters
    ----------
    pd : array_like, shape (...)
        Proton density, relative to water = 1; zero gives zero signal.
    t1, t2_star : array_like, broadcast with `pd`
        Relaxation times, seconds, > 0.
    tr, te : float
        Repetition and echo time, seconds, 0 < te < tr.
    flip_angle : array_like, broadcast with `pd`
        Radians, in (0, pi); the nominal angle times the transmit field.

    Returns
    -------
    array, shape (...)
        Signal in the unit of `pd`; never negative.

    Raises
    ------
    InputError
        If the times are not 0 < te < tr, or an angle is not in (0, pi).

    References
    ----------
    .. [1] E. M. Haacke et al., "Magnetic Resonance Imaging: Physical Principles
       and Sequence Design", Wiley, 1999, chapter 18.

    Examples
    --------
    White matter at 3 T is brightest at its Ernst angle:

    >>> ernst = np.arccos(np.exp(-0.020 / 0.85))
    >>> angles = np.array([0.5, 1.0, 2.0]) * ernst
    >>> signal = spoiled_gradient_echo(
    ...     0.7, 0.85, 0.05, tr=0.020, te=0.003, flip_angle=angles
    ... )
    >>> int(signal.argmax())
    1
    """
    _require_order(te, tr)
    angle = _require_angle(flip_angle)
    left = _left(tr, t1)
    steady = (1 - left) / (1 - np.cos(angle) * left)
    return _times(pd, np.sin(angle) * steady, _left(te, t2_star))


def mprage(
    pd: ArrayLike,
    t1: ArrayLike,
    t2_star: ArrayLike,
    *,
    tr: float,
    ti: float,
    te: float,
    flip_angle: ArrayLike,
    echo_spacing: float,
    n_excitations: int,
    inversion: ArrayLike = -1.0,
    signed: bool = False,
) -> Signal:
    r"""Return the steady-state signal of a magnetization-prepared gradient echo.

    One cycle of length TR is an inversion, N excitations by :math:`\alpha` that are
    ES apart, and a pause. The signal is that of excitation :math:`m = N // 2`
    (counted from 0), TI after the inversion: the middle of k-space. With

    .. math::

        A = e^{-(TI - m\,ES)/T_1}, \quad
        D = e^{-(TR - TI - (N - m)\,ES)/T_1}, \quad
        q = \cos\alpha \; e^{-ES/T_1}, \quad
        s = \frac{1 - e^{-ES/T_1}}{1 - q}

    the excitations drive the magnetization toward s as a geometric series. It
    returns to itself after one cycle when, before the inversion, it is

    .. math::

        M = \frac{1 - D + D \left(s + q^N (1 - A - s)\right)}
                 {1 - \kappa \, A \, D \, q^N}

    and the signal is

    .. math::

        S = PD \, \sin\alpha \,
            \left|s + q^m (1 - A + \kappa A M - s)\right| \, e^{-TE/T_2^*}

    Parameters
    ----------
    pd : array_like, shape (...)
        Proton density, relative to water = 1; zero gives zero signal.
    t1, t2_star : array_like, broadcast with `pd`
        Relaxation times, seconds, > 0.
    tr : float
        From one inversion to the next, seconds. GE and Philips call the time between
        excitations TR; that is `echo_spacing` here.
    ti : float
        From the inversion to the middle excitation, seconds.
    te : float
        Echo time, seconds, 0 < te < echo_spacing.
    flip_angle : array_like, broadcast with `pd`
        Radians, in (0, pi); the nominal angle times the transmit field.
    echo_spacing : float
        Between excitations, seconds.
    n_excitations : int
        Per inversion, >= 1.
    inversion : array_like, broadcast with `pd`
        Kappa: what the inversion pulse leaves of the magnetization, -1 to 1.
    signed : bool
        Keep the sign. Shares of tissue in one voxel add with their signs, before
        the magnitude is taken.

    Returns
    -------
    array, shape (...)
        Signal in the unit of `pd`; not negative unless `signed`.

    Raises
    ------
    InputError
        If the excitations do not fit between two inversions, or an angle is not in
        (0, pi).

    References
    ----------
    .. [1] R. Deichmann et al., "Optimization of 3-D MP-RAGE sequences for structural
       brain imaging", NeuroImage 12, 112-127, 2000.
    .. [2] J. P. Marques et al., "MP2RAGE, a self bias-field corrected sequence for
       improved segmentation and T1-mapping at high field", NeuroImage 49,
       1271-1281, 2010, appendix.
    .. [3] J. Wang et al., "Optimizing the magnetization-prepared rapid gradient-echo
       (MP-RAGE) sequence", PLoS ONE 9, e96899, 2014.

    Examples
    --------
    White matter is brighter than cortex, and cortex brighter than fluid:

    >>> white, cortex, fluid = mprage(
    ...     [0.7, 0.83, 1], [0.85, 1.45, 4.3], [0.05, 0.07, 1], tr=2.3, ti=0.9,
    ...     te=0.003, flip_angle=np.radians(9), echo_spacing=0.007, n_excitations=176,
    ... )
    >>> bool(white > cortex > fluid)
    True
    """
    _require_order(te, echo_spacing)
    angle = _require_angle(flip_angle)
    before = ti - (n_excitations // 2) * echo_spacing
    after = tr - before - n_excitations * echo_spacing
    if n_excitations < 1 or before < 0 or after < 0:
        raise InputError(
            f"{n_excitations} excitations {echo_spacing} s apart, centered {ti} s "
            f"after the inversion, do not fit into a repetition time of {tr} s.",
            fix="Give seconds; `tr` is the time from inversion to inversion.",
        )
    kappa = np.asarray(inversion, dtype=np.float64)
    a, d, e = _left(before, t1), _left(after, t1), _left(echo_spacing, t1)
    q = np.cos(angle) * e
    s = (1 - e) / (1 - q)
    whole = q**n_excitations
    m = (1 - d + d * (s + whole * (1 - a - s))) / (1 - kappa * a * d * whole)
    at_center = s + q ** (n_excitations // 2) * (1 - a + kappa * a * m - s)
    found = _times(pd, np.sin(angle) * at_center, _left(te, t2_star))
    return found if signed else np.abs(found)


def spin_echo_b1(b1: ArrayLike) -> Signal:
    r"""Return the share of a spin echo's signal that the transmit field leaves.

    .. math::

        f = \sin\left(b_1 \frac{\pi}{2}\right)
            \sin^2\left(b_1 \frac{\pi}{2}\right)

    one factor for the 90 degree excitation, one for the 180 degree refocusing pulse
    [1]_. Too strong a field loses as much as too weak a one.

    Parameters
    ----------
    b1 : array_like, shape (...)
        Transmit field relative to nominal, in [0, 2].

    Returns
    -------
    array, shape (...)
        In [0, 1]; 1 where `b1` is 1.

    References
    ----------
    .. [1] J. Wang et al., "Measurement and correction of transmitter and receiver
       induced nonuniformities in vivo", MRM 53, 408-417, 2005.

    Examples
    --------
    >>> spin_echo_b1([0.0, 1.0, 2.0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    excitation = np.sin(np.asarray(b1, dtype=np.float64) * (np.pi / 2))
    return np.asarray(excitation**3)


def _left(time: float, constant: ArrayLike) -> Signal:
    """Return what an exponential decay leaves after `time`."""
    return np.asarray(np.exp(-time / np.asarray(constant, dtype=np.float64)))


def _times(pd: ArrayLike, magnetization: Signal, decay: Signal) -> Signal:
    return np.asarray(np.asarray(pd, dtype=np.float64) * magnetization * decay)


def _require_order(te: float, tr: float) -> None:
    if not 0 < te < tr:
        raise InputError(
            f"Echo time {te} s and repetition time {tr} s are out of order.",
            fix="Give both in seconds, with 0 < te < tr.",
        )


def _require_angle(flip_angle: ArrayLike) -> Signal:
    angle = np.asarray(flip_angle, dtype=np.float64)
    if not ((angle > 0) & (angle < np.pi)).all():
        raise InputError(
            f"Flip angles from {angle.min():g} to {angle.max():g} rad.",
            fix="Give radians, more than 0 and less than pi.",
        )
    return angle
