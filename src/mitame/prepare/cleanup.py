"""From how sure the networks are to one clean, solid mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import (
    binary_closing,
    binary_dilation,
    binary_erosion,
    binary_fill_holes,
    label,
)

# Thinner than this is meninges, a nerve or a vessel, not brain.
THIN_MM = 2.0
# Fat and skin lie in this shell around the brain, unless somebody cut them away.
SHELL_MM = (4.0, 10.0)
SHELL_DARK = 0.95
# Share of the brain's median below which a voxel shows no tissue.
DARK = 0.02
# Sulci and fissures narrower than twice this belong to a stripped brain.
SULCUS_MM = 3


def largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest connected part of `mask`; an empty one stays empty."""
    labels, count = label(mask)
    if not count:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def solid(mask: NDArray[np.bool_], spacing: float) -> NDArray[np.bool_]:
    """Return the largest part of `mask` without thin bits and without holes.

    Parameters
    ----------
    mask : array of bool, shape (i, j, k)
    spacing : float
        Voxel edge, mm; the voxels are cubes.
    """
    thin = max(1, round(THIN_MM / spacing))
    # The edge of the image is no border of the brain: a cut brain goes on there.
    core = largest(binary_erosion(mask, iterations=thin, border_value=1))
    regrown = binary_dilation(core, iterations=thin) & mask
    return np.asarray(binary_fill_holes(regrown))


def without_empty_rim(
    mask: NDArray[np.bool_], data: NDArray[np.float32], spacing: float
) -> NDArray[np.bool_]:
    """Return `mask` cut to the tissue where the head was stripped off beforehand.

    The networks know whole heads; around a brain cut out by another tool their
    outline bulges into the emptiness. A whole head is left as it is.

    Parameters
    ----------
    mask : array of bool, shape (i, j, k)
    data : array, shape (i, j, k)
        The image `mask` was found on.
    spacing : float
        Voxel edge, mm; the voxels are cubes.
    """
    dark = data < DARK * float(np.median(data[mask])) if mask.any() else ~mask
    if not _is_stripped(mask, dark, spacing):
        return mask
    size = max(1, round(SULCUS_MM / spacing))
    tissue = np.pad(~dark, size)  # closing must not see the edge of the image
    closed = binary_closing(tissue, iterations=size)
    inner = tuple(slice(size, -size) for _ in range(3))
    return np.asarray(largest(mask & binary_fill_holes(closed[inner])))


def _is_stripped(
    mask: NDArray[np.bool_], dark: NDArray[np.bool_], spacing: float
) -> bool:
    """Whether there is nothing where skull and skin should be."""
    near, far = (round(edge / spacing) for edge in SHELL_MM)
    inner = binary_dilation(mask, iterations=max(1, near))
    shell = binary_dilation(inner, iterations=max(1, far - near)) & ~inner
    return bool(shell.any()) and float(dark[shell].mean()) >= SHELL_DARK
