"""What a linear model may know about a scan: tone, texture, place, tissue contrast."""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.session import Session
from mitame.prepare.place import in_place
from mitame.prepare.resample import resample
from mitame.prepare.template import template, template_grid
from mitame.solve.robust import spread

SPACING_MM = 2.0

TONE_LEVELS = np.linspace(0.01, 0.99, 21)
TEXTURE_LEVELS = np.array([0.05, 0.1, 0.25, 0.75, 0.9, 0.95, 0.99])

LOCAL_MM = (2.5, 8.0)
"""SD of the neighborhoods in which the local standard deviation is taken."""

CELLS = 5
LEAST_VOXELS = 10
"""A cell of the coarse grid with fewer is at the rim, and says more about the mask."""

# Shares of the template's tissue maps that leave a clear core of each.
_CORE: dict[Literal["wm", "gm", "csf"], float] = {"wm": 0.9, "gm": 0.7, "csf": 0.7}

# White-matter medians; keeps the logarithm of a flat image's texture finite.
_LEAST_TEXTURE = 1e-5


def features(session: Session, *, spacing: float = SPACING_MM) -> NDArray[np.float64]:
    """Return the numbers a linear model sees, 191 for each sequence.

    For each sequence, in the order of their names: quantiles in the brain, their mean
    and standard deviation (23); level and relative quantiles of gradient, Laplacian
    and local standard deviation at two scales (32); mean intensity in 5 × 5 × 5 cells
    of template space (125); level, spread and contrasts of the three tissues, by the
    template's maps (11).

    Parameters
    ----------
    session : Session
        Prepared: brain mask, `to_template`, white-matter medians.
    spacing : float
        Of the grid in template space all of it is computed on, mm.

    Raises
    ------
    InputError
        If brain mask or place are missing.
    """
    placed = in_place(session, spacing)
    found = []
    for image in placed.images.values():
        values = image[placed.brain].astype(np.float64)
        found += [
            _tone(values),
            _texture(image, placed.brain, spacing),
            _cell_means(values, placed.brain),
            _tissues(image, placed.brain, spacing),
        ]
    return np.concatenate(found)


def _tone(values: NDArray[np.float64]) -> NDArray[np.float64]:
    moments = [values.mean(), values.std()]
    return np.concatenate([np.quantile(values, TONE_LEVELS), moments])


def _texture(
    image: NDArray[np.float32], brain: NDArray[np.bool_], spacing: float
) -> NDArray[np.float64]:
    """Return level and shape of four histograms of small detail."""
    # Voxels at the rim have neighbors outside, which is skull or nothing.
    core = ndimage.binary_erosion(brain)
    core = core if core.any() else brain
    gradient = np.sqrt(sum(slope**2 for slope in np.gradient(image)))
    maps = [gradient[core], np.abs(ndimage.laplace(image)[core])]
    for scale in LOCAL_MM:
        maps.append(_local_spread(image, brain, scale / spacing)[core])
    return np.concatenate([_level_and_shape(values) for values in maps])


def _level_and_shape(values: NDArray[np.floating]) -> NDArray[np.float64]:
    median = max(float(np.median(values)), _LEAST_TEXTURE)
    shape = np.quantile(values, TEXTURE_LEVELS) / median
    return np.concatenate([[np.log(median)], shape])


def _local_spread(
    image: NDArray[np.float32], brain: NDArray[np.bool_], sigma: float
) -> NDArray[np.float32]:
    """Return the standard deviation around every voxel, of brain voxels only."""
    share = ndimage.gaussian_filter(brain.astype(np.float32), sigma)
    share = np.maximum(share, np.float32(1e-3))
    # About the mean, or the two squares are too alike for float32.
    centered = np.where(brain, image - image[brain].mean(), np.float32(0))
    mean = ndimage.gaussian_filter(centered, sigma) / share
    square = ndimage.gaussian_filter(centered**2, sigma) / share
    return np.asarray(np.sqrt(np.maximum(square - mean**2, 0)))


def _cell_means(
    values: NDArray[np.float64], brain: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the mean in each cell; that of the brain where there is little brain."""
    where = np.nonzero(brain)
    place = np.zeros(values.size, dtype=np.intp)
    for index, size in zip(where, brain.shape, strict=True):
        place = CELLS * place + index * CELLS // size
    count = np.bincount(place, minlength=CELLS**3)
    total = np.bincount(place, values, minlength=CELLS**3)
    mean = total / np.maximum(count, 1)
    return np.where(count >= LEAST_VOXELS, mean, values.mean())


def _tissues(
    image: NDArray[np.float32], brain: NDArray[np.bool_], spacing: float
) -> NDArray[np.float64]:
    """Return median, spread, contrast and contrast to noise of the tissues."""
    level, noise = [], []
    for core in _tissue_cores(spacing):
        there = core & brain
        values = image[there if there.any() else brain]
        level.append(float(np.median(values)))
        noise.append(spread(values - level[-1]))
    white, grey, fluid = level
    contrasts = [white - grey, grey - fluid, white - fluid]
    to_noise = np.array(contrasts[:2]) / max(noise[0], _LEAST_TEXTURE)
    return np.array([*level, *noise, *contrasts, *to_noise])


@cache
def _tissue_cores(spacing: float) -> tuple[NDArray[np.bool_], ...]:
    """Return where the template has white matter, grey matter and fluid."""
    onto = template_grid(spacing)
    return tuple(
        resample(template(tissue), onto, interpolator="linear").data > share
        for tissue, share in _CORE.items()
    )
