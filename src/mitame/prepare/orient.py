"""Axes in the order right, anterior, superior: flips and swaps only, exact."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from nibabel.orientations import (
    apply_orientation,
    inv_ornt_aff,
    io_orientation,
    ornt_transform,
)
from numpy.typing import NDArray

from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.pipeline import Undo

_RAS = np.array([[0, 1], [1, 1], [2, 1]])


@dataclass(frozen=True, slots=True)
class Orient:
    """Turn the axes to the closest right-anterior-superior order.

    No intensity is interpolated and no voxel moves in the world; an oblique grid
    stays oblique.
    """

    name: ClassVar[str] = "orient"

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the turned session, and the way back to the native axes."""
        native = session.reference
        there = io_orientation(native.affine)
        back = ornt_transform(_RAS, there)
        params = {"axes": there[:, 0].tolist(), "flips": there[:, 1].tolist()}
        affine = native.affine @ inv_ornt_aff(there, native.shape)
        turned = _turn(session, there, affine, Step(self.name, params))

        def undo(result: Session) -> Session:
            turned.reference.require_same_grid(result.reference)
            return _turn(result, back, native.affine, Step("unorient", params))

        return turned, undo


def closest_ras(volume: Volume) -> Volume:
    """Return `volume` with its axes turned to the closest RAS+ order."""
    session, _ = Orient().apply(Session({"T1w": volume}))
    return session["T1w"]


def _turn(
    session: Session,
    turn: NDArray[np.float64],
    affine: NDArray[np.float64],
    step: Step,
) -> Session:
    """Return `session` with its axes turned, on the grid that `affine` names."""
    volumes = {
        suffix: volume.with_grid(apply_orientation(volume.data, turn), affine, step)
        for suffix, volume in session.items()
    }
    brain = session.brain
    if brain is not None:
        brain = np.ascontiguousarray(apply_orientation(brain, turn))
    return replace(session, volumes=volumes, brain=brain)
