"""Noise: told from the finest differences, and made as much as a target has."""

from __future__ import annotations

import zlib
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_gradient_magnitude
from scipy.optimize import brentq

from mitame.solve.robust import spread
from mitame.solve.smooth import gaussian

GAIN = 6**1.5
"""Of second differences along three axes, sqrt(6) each, for white noise."""

EDGES = 2.0
"""Width (SD), voxels, of the neighborhood whose slope tells edges from smooth parts."""

PATCH, REACH, STRENGTH = 3, 2, 0.8
"""Of non-local means: voxels an edge of a patch, voxels to where patches are compared,
and how unlike patches may be, in standard deviations of the noise."""

FINE = 1.0
"""Width (SD), voxels, of means that stay: noise hardly has any, and a lesion that looks
like nothing else is one."""

Image = NDArray[np.float32]

Noise = Literal["keep", "less", "match"]
"""What is done about noise: nothing; some is taken away where there should be less; or
some is added as well where there should be more."""


def with_noise(
    how: Noise, image: Image, brain: NDArray[np.bool_], level: float, seed: int
) -> Image:
    """Return an image with the noise it should have, as far as that is wanted.

    Parameters
    ----------
    how : {"keep", "less", "match"}
        See `Noise`.
    image, brain, level, seed
        As of `quieted` and `noisier`.
    """
    if how == "keep":
        return image
    image = quieted(image, brain, level)
    return noisier(image, brain, level, seed) if how == "match" else image


def noise_level(image: Image, brain: NDArray[np.bool_]) -> float:
    """Return the standard deviation of the noise of an image, in its unit.

    Told from the finest differences of neighbors along all axes, in the half of the
    brain where it is smoothest: tissue has little of them there.

    Parameters
    ----------
    image : array of float32, shape (i, j, k)
        Any.
    brain : array of bool, shape (i, j, k)
        The brain; some of it is three voxels from the border of the image or more.

    Examples
    --------
    >>> noise = np.random.default_rng(0).normal(0, 0.1, (20, 20, 20))
    >>> 0.09 < noise_level(1 + noise, noise < 9) < 0.11
    True
    """
    return noise_in(image, smooth_part(image, brain))


def noise_in(image: Image, where: NDArray[np.bool_]) -> float:
    """Return the standard deviation of the noise of an image in its `smooth_part`."""
    return spread(_finest(image)[where]) / GAIN


def quieted(image: Image, brain: NDArray[np.bool_], level: float) -> Image:
    """Return an image with so much less noise that this is left; never more noise.

    A mixture of the image and what non-local means leave of it (A. Buades, B. Coll,
    J.-M. Morel, CVPR 2005), which average voxels whose surroundings are alike. Only
    fine detail is changed.

    Parameters
    ----------
    image, brain
        As of `noise_level`.
    level : float
        Standard deviation that is wanted; if that cannot be had, all is done that can.
    """
    # Heavy, and few engines need it.
    from skimage.restoration import denoise_nl_means

    where = smooth_part(image, brain)
    noise = _finest(image)[where]
    now = spread(noise) / GAIN
    if now <= level:
        return image
    calm = denoise_nl_means(
        image,
        patch_size=PATCH,
        patch_distance=REACH,
        h=STRENGTH * now,
        sigma=now,
        fast_mode=True,
    )
    change = np.asarray(calm - image, np.float32)
    change -= gaussian(change, FINE)
    less = _finest(change)[where]

    def surplus(share: float) -> float:
        return spread(noise + np.float32(share) * less) / GAIN - level

    share = 1.0 if surplus(1.0) >= 0 else brentq(surplus, 0.0, 1.0, xtol=1e-3)
    return image + np.float32(share) * change


def noisier(image: Image, brain: NDArray[np.bool_], level: float, seed: int) -> Image:
    """Return an image with so much white noise added that it has this; never less.

    Parameters
    ----------
    image, brain, level
        As of `quieted`.
    seed : int
        Of the noise, together with the image: the same image has the same noise.
    """
    lacks = level**2 - noise_level(image, brain) ** 2
    if lacks <= 0:
        return image
    rng = np.random.default_rng((seed, zlib.crc32(image.tobytes())))
    noise = rng.standard_normal(image.shape, np.float32)
    return image + np.float32(lacks**0.5) * noise


def _finest(image: Image) -> Image:
    """Return second differences along all axes: two voxels less along each."""
    for axis in range(3):
        image = np.diff(image, n=2, axis=axis)
    return image


def smooth_part(image: Image, brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the half of the brain where an image is smoothest.

    Parameters
    ----------
    image, brain
        As of `noise_level`.

    Returns
    -------
    array of bool, shape (i - 2, j - 2, k - 2)
        Without the outermost voxels, whose finest differences are not known.
    """
    middle = (slice(1, -1),) * 3
    slope = gaussian_gradient_magnitude(image, EDGES)[middle]
    inside = brain[middle]
    return np.asarray(inside & (slope <= np.median(slope[inside])))
