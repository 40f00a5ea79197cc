"""What label maps do not tell: fat in soft tissue, folia in the cerebellum.

Both are drawn by depth and chance. Nothing is measured on them: they are there so that
a head looks like one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from mitame.simulate.anatomy import OTHER, Anatomy
from mitame.simulate.random_field import random_field
from mitame.simulate.tissue import Tissue

FAT_MM = 3.5
"""Under the skin lies so much fat; muscle follows."""

ORBIT_MM = 14.0
"""Around an eye, soft tissue is fat as far as this."""

LEAF_DEGREES = 7.0
LEAF_MM = 8.0
"""From a leaf of the cerebellum to the next, around its apex and away from it."""

APEX_MM = (0.0, 10.0, 5.0)
"""From the middle of the fourth ventricle to where the leaves fan out from."""

EYE = 506
FOURTH_VENTRICLE = 15
CEREBELLAR_CORTEX = (8, 47)
CEREBELLAR_WHITE = (7, 46)

Shares = dict[Tissue, NDArray[np.float32]]


def unlabeled_shares(anatomy: Anatomy, rng: np.random.Generator) -> Shares:
    """Return how much of a tissue a voxel has more, or less, than its label says.

    Parameters
    ----------
    anatomy : Anatomy
        The labels.
    rng : numpy.random.Generator
        Where chance comes from.

    Returns
    -------
    dict of str to array of float32, shape (i, j, k)
        By tissue, -1 to 1; they sum to zero in every voxel.
    """
    fat = _fat(anatomy, rng)
    fluid, white = _folia(anatomy, rng)
    return {
        "fat": fat,
        "muscle": -fat,
        "csf": fluid,
        "white_matter": white,
        "cortex": -(fluid + white),
    }


def _fat(anatomy: Anatomy, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return how much of the soft tissue outside the skull is fat, 0 to 1.

    Beneath the skin and around the eyes is fat, with muscle further in, and sheets of
    fat in between.
    """
    soft = anatomy.labels == OTHER
    skin = np.isin(anatomy.labels, (0, 511))
    depth = ndimage.distance_transform_edt(~skin).astype(np.float32)
    ragged = random_field(anatomy.grid, 5.0, rng)
    under_skin = expit(-1.5 * (depth - FAT_MM - 1.5 * ragged))
    sheets = np.exp(-((random_field(anatomy.grid, 4.0, rng) / 0.25) ** 2))
    fat = np.maximum(under_skin, 0.7 * sheets)
    eye = anatomy.labels == EYE
    if eye.any():
        away = ndimage.distance_transform_edt(~eye).astype(np.float32)
        fat = np.maximum(fat, 0.9 * expit(ORBIT_MM - away))
    return np.asarray(soft * fat, np.float32)


def _folia(
    anatomy: Anatomy, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the fluid and the white matter between the leaves of the cerebellum.

    Leaves fan out behind the fourth ventricle and bend around it. Fissures are deep
    where the surface is near, white laminae thick where the white matter is.
    """
    fluid, white = np.zeros((2, *anatomy.labels.shape), np.float32)
    cortex = np.isin(anatomy.labels, CEREBELLAR_CORTEX)
    if not cortex.any() or not (anatomy.labels == FOURTH_VENTRICLE).any():
        return fluid, white  # an average head has one gray matter for all
    inside = cortex | np.isin(anatomy.labels, CEREBELLAR_WHITE)
    box = ndimage.find_objects(inside.astype(np.uint8))[0]
    phase = _leaves(anatomy, box, rng)
    depth = ndimage.distance_transform_edt(inside[box]).astype(np.float32)
    clear = expit(2 * random_field(anatomy.grid, 5.0, rng)[box])
    middle = np.abs(phase - np.rint(phase))  # 0 in a fissure, 1/2 in a lamina
    fissure = np.exp(-((middle / 0.13) ** 2)) * (0.1 + 0.6 * np.exp(-depth / 5))
    lamina = np.exp(-(((0.5 - middle) / 0.16) ** 2)) * (1 - np.exp(-depth / 4))
    fluid[box] = cortex[box] * fissure
    white[box] = cortex[box] * np.minimum(0.8 * clear * lamina, 1 - fissure)
    return fluid, white


def _leaves(
    anatomy: Anatomy, box: tuple[slice, ...], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a field that grows by one from each leaf of the cerebellum to the next."""
    ventricle = np.argwhere(anatomy.labels == FOURTH_VENTRICLE).mean(axis=0)
    apex = anatomy.affine[:3] @ [*ventricle, 1.0] + APEX_MM
    i, j, k = np.ogrid[box]
    right, ahead, above = (
        a * i + b * j + c * k + start - middle
        for (a, b, c, start), middle in zip(anatomy.affine[:3], apex, strict=True)
    )
    reach = np.hypot(0.8 * right, ahead)
    angle = np.rad2deg(np.arctan2(above, reach))
    bent = random_field(anatomy.grid, 8.0, rng)[box]
    return np.asarray(angle / LEAF_DEGREES + reach / LEAF_MM + 0.5 * bent, np.float32)
