"""What engines add to a scan: found on the grid they were trained on, in the brain."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.prepare.resample import at_spacing, resample, resample_mask
from mitame.solve.smooth import gaussian

SAME_SPACING = 0.05
"""Relative; a grid so near to the one that was trained on is used as it is."""

EDGE_VOXELS = 2
"""What is added reaches so far beyond the brain mask, and fades out."""

FADE_VOXELS = 8
"""So far beyond the brain, nothing is left of it."""

Edit = dict[Suffix, NDArray[np.float32]]
"""What is added to each sequence, shape (i, j, k)."""


def added(
    session: Session,
    based: Session,
    edit: Mapping[Suffix, NDArray[np.float32]],
    step: Step,
) -> Session:
    """Return `based` with an edit, but where `session` is zero.

    Parameters
    ----------
    session, based : Session
        What was given, and what came first.
    edit : mapping of str to array of float32, shape (i, j, k)
        Of every sequence.
    step : Step
        For the history, in place of what came first.
    """
    return session.with_volumes(
        {
            suffix: volume.with_data(
                based[suffix].data
                + np.where(volume.data == 0, np.float32(0), edit[suffix]),
                step,
            )
            for suffix, volume in session.items()
        }
    )


def edited_at(
    spacing: float,
    session: Session,
    based: Session,
    edit: Callable[[Session, Session], Edit],
) -> Edit:
    """Return an edit that is found with voxels of another size, on the session's grid.

    Parameters
    ----------
    spacing : float
        Voxel edge that the engine was trained on, mm.
    session, based : Session
        What was given, and what came first.
    edit : callable
        From both with such voxels to the edit there.
    """
    fine = at_spacing_of(session, spacing), at_spacing_of(based, spacing)
    if fine[0] is session:
        return edit(session, based)
    affine, grid = fine[0].reference.affine, session.reference
    return {
        suffix: resample(Volume(data, affine), grid, interpolator="linear").data
        for suffix, data in edit(*fine).items()
    }


def fading(
    brain: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
    """Return where an edit is wanted, and how much of it: less beyond the brain."""
    near, fade = np.zeros_like(brain), np.zeros(brain.shape, np.float32)
    around = tuple(
        _reached(np.asarray(brain.any(axis=others)))
        for others in ((1, 2), (0, 2), (0, 1))
    )
    near[around] = binary_dilation(brain[around], iterations=EDGE_VOXELS)
    fade[around] = gaussian(near[around].astype(np.float32), 1)
    return near, np.maximum(brain, fade)


def _reached(inside: NDArray[np.bool_]) -> slice:
    """Return what of an axis is not too far from the brain."""
    first, last = np.flatnonzero(inside)[[0, -1]]
    return slice(max(0, first - FADE_VOXELS), last + FADE_VOXELS + 1)


def at_spacing_of(session: Session, spacing: float) -> Session:
    """Return a session with cubic voxels; the same one if it has nearly these."""
    edges = np.array(session.reference.spacing)
    if np.abs(edges / spacing - 1).max() <= SAME_SPACING:
        return session
    volumes = {
        suffix: at_spacing(volume, spacing) for suffix, volume in session.items()
    }
    grid = next(iter(volumes.values()))
    brain = resample_mask(session.require_brain(), session.reference, grid)
    return Session(
        volumes, session.subject, brain=brain, to_template=session.to_template
    )
