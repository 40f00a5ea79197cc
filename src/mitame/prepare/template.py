"""Where every voxel lies in the MNI152 template."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.affine import match_brains
from mitame.prepare.brain import preferred
from mitame.prepare.pipeline import Undo, keep, noted
from mitame.prepare.resample import resample

Tissue = Literal["wm", "gm", "csf"]

PLAUSIBLE_SCALE = (0.7, 1.4)

LEAST_OVERLAP = 0.85
"""Dice of a brain with the template's, once it is laid there: heads give over 0.9."""


MIDDLE_MM = (0.0, -18.0, 8.0)
"""Of the brain in MNI152."""

FIELD_MM = (160.0, 190.0, 160.0)
"""The brain of MNI152 is 146, 182 and 154 mm long."""


@dataclass(frozen=True, slots=True)
class FindTemplate:
    """Find the affine map from the session's world to the MNI152 template.

    Needs the brain mask. A map that is already there is kept. The intensities stay
    as they are.
    """

    name: ClassVar[str] = "template"

    def apply(self, session: Session) -> tuple[Session, Undo]:
        """Return the session with `to_template`."""
        if session.to_template is None:
            brain = session.require_brain()
            source: str = preferred(session)
            affine = to_template(session[preferred(session)], brain)
        else:
            source, affine = "given", session.to_template
        found = replace(session, to_template=affine)
        params = {"from": source, "affine": affine.tolist()}
        return noted(found, Step(self.name, params)), keep


def to_template(volume: Volume, brain: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the affine from world millimetres to MNI152 millimetres, RAS+.

    Parameters
    ----------
    volume : Volume
        Any sequence.
    brain : array of bool, shape (i, j, k)
        Its brain mask.

    Raises
    ------
    ImplausibleError
        If no head is deformed like the map found.
    """
    inside = template("mask").data > 0.5
    affine = match_brains(volume, brain, template("t1"), inside)
    _require_plausible(affine)
    return affine


def lies_in_template(session: Session) -> bool:
    """Return whether the brain is where `to_template` says a brain is."""
    transform = session.require_template()
    there = resample(
        template("mask"), session.reference, transform=transform, interpolator="linear"
    )
    inside, brain = there.data > 0.5, session.require_brain()
    overlap = 2 * (inside & brain).sum() / (inside.sum() + brain.sum())
    return bool(overlap >= LEAST_OVERLAP)


def template_coordinates(session: Session) -> NDArray[np.float32]:
    """Return the MNI152 position of every voxel, mm; shape (i, j, k, 3)."""
    to_mni = session.require_template() @ session.reference.affine
    i, j, k = np.ogrid[tuple(slice(size) for size in session.reference.shape)]
    position = np.empty((*session.reference.shape, 3), np.float32)
    for axis, (a, b, c, start) in enumerate(to_mni[:3]):
        position[..., axis] = a * i + b * j + c * k + start
    return position


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


def tissue_prior(session: Session, tissue: Tissue) -> NDArray[np.float32]:
    """Return how often a voxel is `tissue` in the template, 0 to 1.

    Parameters
    ----------
    session : Session
        With `to_template`.
    tissue : {"wm", "gm", "csf"}
        White matter, grey matter, or the rest of the inside of the skull.
    """
    transform = session.require_template()
    there = resample(
        template(tissue),
        session.reference,
        transform=transform,
        interpolator="linear",
    )
    return there.data


@cache
def template(what: Literal["t1", "mask"] | Tissue) -> Volume:
    """Return a map of the MNI152 template at 2 mm, from inside nilearn's package."""
    # nilearn takes a second to import; commands that never get here need not wait.
    from nilearn import datasets

    load = {
        "t1": datasets.load_mni152_template,
        "mask": datasets.load_mni152_brain_mask,
        "gm": datasets.load_mni152_gm_template,
        "wm": datasets.load_mni152_wm_template,
    }
    if what == "csf":
        rest = template("mask").data - template("gm").data - template("wm").data
        return Volume(np.maximum(rest, 0), template("mask").affine)
    image = load[what](resolution=2)
    return Volume(image.get_fdata(dtype=np.float32), image.affine)


def _require_plausible(affine: NDArray[np.float64]) -> None:
    scales = np.linalg.svd(affine[:3, :3], compute_uv=False)
    low, high = PLAUSIBLE_SCALE
    if np.linalg.det(affine[:3, :3]) <= 0 or scales.min() < low or scales.max() > high:
        raise ImplausibleError(
            f"The brain fits the template only with scales {np.round(scales, 2)}; "
            f"heads have {low:g} to {high:g}.",
            fix="Look at the brain mask and at the orientation in the header.",
        )
