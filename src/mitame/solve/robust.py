"""Fits that a few odd values cannot pull: robust scale and weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAD_TO_SD = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""

LEAST_SCALE = 1e-18


def spread(values: NDArray[np.floating]) -> float:
    """Return the standard deviation of the bulk of `values`, from their median.

    Parameters
    ----------
    values : array, any shape
        Residuals around zero; up to half of them may be outliers.

    Returns
    -------
    float
        1.4826 times the median absolute value, in the unit of `values`.

    Examples
    --------
    >>> residuals = np.random.default_rng(0).normal(0, 3, 10_000)
    >>> residuals[:1000] += 500
    >>> 3 < spread(residuals) < 3.6
    True
    """
    return MAD_TO_SD * float(np.median(np.abs(values)))


def redescending_weights(
    residual: NDArray[np.floating], scale: float, *, tuning: float
) -> NDArray[np.float32]:
    r"""Return least-squares weights under which large residuals count for nothing.

    .. math::

        w(r) = \left(1 + (r / (c\,\sigma))^2\right)^{-2}

    the weight of the Geman-McClure loss [1]_: one at zero, a quarter at
    :math:`r = c\,\sigma`, and so small beyond that a real change leaves the fit.

    Parameters
    ----------
    residual : array, any shape
        What the fit leaves, same unit as `scale`.
    scale : float
        Spread of the ordinary residuals, > 0.
    tuning : float
        c above, in spreads, > 0.

    Returns
    -------
    array, shape of `residual`
        Weights in (0, 1].

    References
    ----------
    .. [1] S. Geman, D. E. McClure, "Statistical methods for tomographic image
       reconstruction", Bulletin of the ISI 52(4), 5-21, 1987.
    """
    # A perfect fit has no spread; the floor keeps the square within float32.
    ratio = residual / (tuning * max(scale, LEAST_SCALE))
    return np.asarray((1 + ratio**2) ** -2, dtype=np.float32)
