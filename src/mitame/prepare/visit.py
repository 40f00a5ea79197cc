"""Sequences of one visit that lie on grids of their own, as one session and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.align import align, inverse
from mitame.prepare.pairs import moved
from mitame.prepare.resample import resample

Back = Callable[[Session], list[Session]]
"""Brings a result on the first grid to the sessions it was laid together from."""


def together(sessions: Sequence[Session]) -> tuple[Session, Back]:
    """Return one visit on the grid of its first session, and the way back.

    Only what was changed comes back, interpolated; it is added to the session on its
    own grid, where zeros stay zero.

    Parameters
    ----------
    sessions : sequence of Session
        Prepared, of one subject and visit; each has other sequences.
    """
    first, *others = sessions
    if not others:
        return first, lambda result: [result]
    motions = [_motion(first, other) for other in others]
    laid = [
        moved(first, other, motion)
        for other, motion in zip(others, motions, strict=True)
    ]
    brain = first.require_brain().copy()
    volumes = dict(first.volumes)
    for session in laid:
        brain &= session.require_brain()
        volumes |= session.volumes
    whole = replace(first, volumes=volumes, brain=brain)

    def back(result: Session) -> list[Session]:
        own = first.with_volumes({suffix: result[suffix] for suffix in first})
        return [
            own,
            *(
                _changed(other, whole, result, inverse(motion))
                for other, motion in zip(others, motions, strict=True)
            ),
        ]

    return whole, back


def _motion(first: Session, other: Session) -> NDArray[np.float64]:
    """Return the rigid map from the world of `first` to that of `other`."""
    return align(
        other.reference,
        other.require_brain(),
        first.reference,
        first.require_brain(),
        start=np.linalg.inv(other.require_template()) @ first.require_template(),
    )


def _changed(
    own: Session, whole: Session, result: Session, motion: NDArray[np.float64]
) -> Session:
    """Return `own` with what was changed from `whole` to `result`."""
    volumes = {}
    for suffix, volume in own.items():
        edit = Volume(result[suffix].data - whole[suffix].data, whole.reference.affine)
        there = resample(edit, volume, transform=motion, interpolator="linear")
        done = result[suffix].history[len(whole[suffix].history) :]
        step = Step("edit laid back", {"transform": motion.tolist()})
        volumes[suffix] = replace(
            volume,
            data=volume.data + np.where(volume.data == 0, 0, there.data),
            history=(*volume.history, *done, step),
        )
    return own.with_volumes(volumes)
