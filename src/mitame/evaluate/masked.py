"""The values of an image inside a mask, or an error that says what is wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import GridMismatchError, ImplausibleError, InputError

Image = NDArray[np.floating[Any]]
Mask = NDArray[np.bool_]

LEAST_CONTRAST = 1e-6
"""White-matter medians; a difference below it is rounding, and cannot divide."""


def inside(mask: Mask, **images: NDArray[np.generic]) -> list[NDArray[np.float64]]:
    """Return what each image holds in `mask`, 1-D each, in the order given.

    Parameters
    ----------
    mask : array of bool, any shape
        At least one voxel.
    **images : array, shape of `mask`
        By the names that messages shall use.

    Raises
    ------
    InputError
        If the mask is not one of bool, is empty, or an image is one of bool.
    GridMismatchError
        If an image has another shape.
    ImplausibleError
        If a value is NaN or infinite, in the mask or outside.
    """
    require_mask(mask, "mask")
    for name, image in images.items():
        _require_image(image, name)
        require_shape(image, mask.shape, name)
    return [image[mask].astype(np.float64) for image in images.values()]


def require_mask(mask: NDArray[np.generic], name: str) -> None:
    """Raise `InputError` unless `mask` is of bool and marks a voxel."""
    if mask.dtype != np.bool_:
        raise InputError(
            f"The {name} holds {mask.dtype}, not bool.",
            fix="Give the mask in its own place, as an array of bool.",
        )
    if not mask.any():
        raise InputError(
            f"The {name}, of shape {mask.shape}, marks no voxel.",
            fix="Look at how it was made; a score needs somewhere to look.",
        )


def require_shape(
    image: NDArray[np.generic], shape: tuple[int, ...], name: str
) -> None:
    """Raise `GridMismatchError` unless `image` has `shape`."""
    if image.shape != shape:
        raise GridMismatchError(
            f"The {name} is {image.shape}, the mask is {shape}.",
            fix="Bring one onto the other with `prepare.resample`.",
        )


def require_apart(one: Mask, other: Mask, names: str) -> None:
    """Raise `InputError` where two regions that cannot meet do."""
    shared = int((one & other).sum())
    if shared:
        raise InputError(
            f"The {names} share {shared} of {int(one.sum())} voxels.",
            fix="Take the one out of the other.",
        )


def require_number(value: float, name: str) -> None:
    """Raise `ImplausibleError` unless `value` is finite."""
    if not math.isfinite(value):
        raise ImplausibleError(
            f"The {name} is {value}.", fix="Look at the scan it was measured on."
        )


def divisor(value: float, name: str) -> float:
    """Return `value`, or raise `InputError` where it is too small to divide by."""
    if abs(value) < LEAST_CONTRAST:
        raise InputError(
            f"The {name} is {value:.3g}, which is nothing.",
            fix="Look at the regions and at the image; a share of nothing is no score.",
        )
    return value


def _require_image(image: NDArray[np.generic], name: str) -> None:
    if image.dtype == np.bool_:
        raise InputError(
            f"The {name} is a mask.", fix="Give intensities here and the mask last."
        )
    bad = image.size - int(np.isfinite(image).sum())
    if bad:
        raise ImplausibleError(
            f"{bad} of {image.size} values of the {name} are NaN or infinite.",
            fix="Look at the step that made them; no score can hold them.",
        )
