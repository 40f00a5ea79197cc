"""The same head on two scanners, laid onto one grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.session import Session
from mitame.prepare.agreement import require_same_head
from mitame.prepare.align import align, motion_size
from mitame.prepare.resample import resample_mask
from mitame.prepare.warp import warp

STILL_MM, STILL_DEG = 0.1, 0.1
"""A pair on one grid that moved by less is left as it is: resampling costs more."""


def aligned_pairs(
    source: Sequence[Session], target: Sequence[Session]
) -> list[Session]:
    """Return each target session on the grid of its source session.

    Parameters
    ----------
    source, target : sequence of Session
        Prepared; source[n] and target[n] are one subject.

    Raises
    ------
    InputError
        If there are not as many of both, two share no sequence, or they do not show
        one head; the error says whose they are.
    """
    if len(source) != len(target):
        raise InputError(
            f"{len(source)} sources and {len(target)} targets are no pairs.",
            fix="Give every subject on both scanners.",
        )
    return [onto(one, other) for one, other in zip(source, target, strict=True)]


def onto(source: Session, target: Session) -> Session:
    """Return `target` on the grid of `source`, brain where both have it.

    Raises
    ------
    InputError
        As for `aligned_pairs`.
    """
    shared = [suffix for suffix in source if suffix in target]
    if not shared:
        raise InputError(
            f"The scans of subject {source.subject} share no sequence.",
            fix="Give scans of one sequence from both scanners.",
        )
    one, other = source[shared[0]], target[shared[0]]
    motion = align(
        other,
        target.require_brain(),
        one,
        source.require_brain(),
        start=np.linalg.inv(target.require_template()) @ source.require_template(),
    )
    laid = target if _still(source, target, motion) else moved(source, target, motion)
    try:
        require_same_head(one, laid[shared[0]], laid.require_brain())
    except InputError as error:
        what = f"The scans of subject {source.subject} are no pair. {error.what}"
        raise type(error)(what, fix=error.fix) from error
    return laid


def _still(source: Session, target: Session, motion: NDArray[np.float64]) -> bool:
    size = motion_size(motion, source.reference)
    return (
        source.reference.shape == target.reference.shape
        and np.allclose(source.reference.affine, target.reference.affine, atol=1e-4)
        and size["translation_mm"] < STILL_MM
        and size["rotation_deg"] < STILL_DEG
    )


def moved(source: Session, target: Session, motion: NDArray[np.float64]) -> Session:
    """Return every volume of `target` on the grid of `source`, interpolated once.

    Parameters
    ----------
    source, target : Session
        Prepared, of one head.
    motion : array, shape (4, 4)
        World millimeters of `source` to world millimeters of `target`, RAS+.
    """
    grid = source.reference
    nowhere = np.zeros((*grid.shape, 3), np.float32)
    params = {"transform": motion.tolist()}
    volumes, covered = {}, source.require_brain()
    for suffix, volume in target.items():
        volumes[suffix], seen = warp(
            volume, grid, transform=motion, displacement=nowhere, params=params
        )
        covered = covered & seen
    brain = resample_mask(
        target.require_brain(), target.reference, grid, transform=motion
    )
    return replace(
        target,
        volumes=volumes,
        brain=brain & covered,
        to_template=source.require_template(),
    )
