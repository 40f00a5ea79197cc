"""A prepared session on the one grid that all classifiers look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix
from mitame.prepare.resample import resample, resample_mask
from mitame.prepare.template import template_grid


@dataclass(frozen=True, slots=True, eq=False)
class InPlace:
    """The images of one visit and its brain mask, on a `template_grid`."""

    images: dict[Suffix, NDArray[np.float32]]
    brain: NDArray[np.bool_]


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
