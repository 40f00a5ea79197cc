"""Gaussian smoothing in several threads."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d


def gaussian(
    image: NDArray[np.float32], width: float | Sequence[float] | NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return an image smoothed as `scipy.ndimage.gaussian_filter` does, bit for bit.

    Parameters
    ----------
    image : array of float32, shape (i, j, ...)
        Two axes or more.
    width : float or sequence of float
        Standard deviation, voxels; one for all axes or one for each.
    """
    found = image
    with ThreadPoolExecutor(get_num_threads()) as pool:  # SciPy leaves the GIL
        for axis, one in enumerate(np.broadcast_to(width, image.ndim)):
            given, found = found, np.empty_like(image)
            across = (axis + 1) % image.ndim
            parts = zip(
                *(
                    np.array_split(whole, get_num_threads(), axis=across)
                    for whole in (given, found)
                ),
                strict=True,
            )
            jobs = [
                pool.submit(gaussian_filter1d, part, one, axis, output=out)
                for part, out in parts
            ]
            for job in jobs:
                job.result()
    return found
