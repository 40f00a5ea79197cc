"""A prepared session on the one grid that all classifiers look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.prepare.resample import resample, resample_mask

MIDDLE_MM = (0.0, -18.0, 8.0)
"""Of the brain in MNI152."""

FIELD_MM = (160.0, 190.0, 160.0)
"""The brain of MNI152 is 146, 182 and 154 mm long."""


@dataclass(frozen=True, slots=True, eq=False)
class InPlace:
    """The images of one visit and its brain mask, on `template_grid`."""

    images: dict[Suffix, NDArray[np.float32]]
    brain: NDArray[np.bool_]


def template_grid(spacing: float) -> Volume:
    """Return an empty RAS+ grid around the brain of MNI152.

    Parameters
    ----------
    spacing : float
        Voxel edge, mm; 2.5 gives (64, 76, 64) voxels.
    """
    shape = np.round(np.asarray(FIELD_MM) / spacing).astype(int)
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = MIDDLE_MM - spacing * (shape - 1) / 2
    return Volume(np.zeros(shape, np.float32), affine)


def in_place(session: Session, spacing: float) -> InPlace:
    """Return the session where the template's brain is, affinely.

    Nothing is smoothed before a finer image is sampled: the noise and the texture of
    the scanner shall stay.

    Raises
    ------
    InputError
        If brain mask or place are missing, or the brain is not where they say.
    """
    onto = template_grid(spacing)
    back = np.linalg.inv(session.require_template())
    grid = session.reference
    brain = resample_mask(session.require_brain(), grid, onto, transform=back)
    if not brain.any():
        raise InputError(
            f"The brain of {session.subject} is not where the template's is.",
            fix="Find its place again with `prepare.template.FindTemplate`.",
        )
    images = {
        suffix: resample(
            session[suffix], onto, transform=back, interpolator="linear"
        ).data
        for suffix in sorted(session)
    }
    return InPlace(images, brain)
