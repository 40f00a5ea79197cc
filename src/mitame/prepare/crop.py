"""Only the part of a grid that is looked at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mitame.core.session import Session
from mitame.core.volume import Step

MARGIN_MM = 10.0
"""Kept around the brain: more than any filter reaches."""


def crop_to_brain(session: Session) -> Session:
    """Return `session` on the part of its grid that holds the brain and a margin.

    Parameters
    ----------
    session : Session
        With its brain mask.
    """
    brain, grid = session.require_brain(), session.reference
    inside = np.argwhere(brain)
    margin = np.ceil(MARGIN_MM / np.array(grid.spacing)).astype(int)
    first = np.maximum(inside.min(axis=0) - margin, 0)
    last = np.minimum(inside.max(axis=0) + margin + 1, grid.shape)
    box = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    step = Step("crop", {"first": first.tolist(), "last": last.tolist()})
    volumes = {
        suffix: volume.with_grid(volume.data[box], affine, step)
        for suffix, volume in session.items()
    }
    return replace(session, volumes=volumes, brain=np.ascontiguousarray(brain[box]))
