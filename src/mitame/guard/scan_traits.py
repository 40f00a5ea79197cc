"""A scan in a few numbers, by which it is like those a model learned from or not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.guard.cells import Cells, calm
from mitame.guard.tissue import TissueTones
from mitame.guard.traits import Traits
from mitame.prepare.template import template

LIKENESS_MM = 8.0
"""Boxes in which scans are compared."""

BRIGHTEST = 0.999
"""Quantile of the brain's brightness that a contrast agent raises."""

SHARED = 0.25
"""Share of the mean's boxes that a scan must have to be compared at all."""

DARK = 1e-3
"""White-matter medians; nothing is darker where a logarithm is taken."""

Image = NDArray[np.float32]


def scan_traits(
    session: Session, suffix: Suffix, mean: Image, tissue: TissueTones
) -> Traits:
    """Return the numbers of one sequence of a prepared session.

    Parameters
    ----------
    session : Session
        Before the engine.
    suffix : str
        Which sequence.
    mean : array, shape (i, j, k)
        `boxes` of the training scans, their mean.
    tissue : TissueTones
        Of that sequence.
    """
    volume, brain = session[suffix], session.require_brain()
    still = calm(volume)
    noise = np.median(np.abs(volume.data - still)[brain])
    affine = session.require_template()
    return {
        "scan: likeness": -likeness(boxes(session, suffix), mean),
        "scan: gray": float(np.log(max(tissue.gray, DARK))),
        "scan: fluid": float(np.log(max(tissue.fluid, DARK))),
        "scan: brightest": float(np.log(np.quantile(still[brain], BRIGHTEST))),
        "scan: noise": float(np.log(noise + DARK)),
        "scan: voxel": float(np.log(max(volume.spacing))),
        "scan: view": -_in_view(session),
        "scan: size": float(np.log(abs(np.linalg.det(affine[:3, :3])))),
    }


def boxes(session: Session, suffix: Suffix) -> Image:
    """Return the mean brightness of the brain in boxes of the template."""
    cells = Cells(LIKENESS_MM, 1)
    nothing = np.zeros_like(session[suffix].data)
    return cells.means(session, nothing, session[suffix].data)[..., 0]


def mean_of(each: Sequence[Image]) -> Image:
    """Return the mean of boxes over people, where at least half have brain."""
    stack = np.stack(each)
    seen = np.isfinite(stack).mean(axis=0) >= 0.5
    mean = np.full(stack.shape[1:], np.nan, np.float32)
    mean[seen] = np.nanmean(stack[:, seen], axis=0)
    return mean


def without_each(each: Sequence[Image]) -> list[Image]:
    """Return, for each, the mean of all others: nobody is compared with themselves.

    Of one alone it is that one.
    """
    if len(each) == 1:
        return list(each)
    return [mean_of([*each[:n], *each[n + 1 :]]) for n in range(len(each))]


def likeness(one: Image, mean: Image) -> float:
    """Return the correlation of two scans where both have brain; 0 if hardly any."""
    both = np.isfinite(one) & np.isfinite(mean)
    if both.sum() < SHARED * np.isfinite(mean).sum():
        return 0.0
    return float(np.corrcoef(one[both], mean[both])[0, 1])


def _in_view(session: Session) -> float:
    """Return which share of the template's brain is inside the volume."""
    mask = template("mask")
    inside = np.argwhere(mask.data > 0.5)[::50]
    place = inside @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    to_voxel = np.linalg.inv(session.require_template() @ session.reference.affine)
    voxel = place @ to_voxel[:3, :3].T + to_voxel[:3, 3]
    shape = np.array(session.reference.shape)
    return float(((voxel > -0.5) & (voxel < shape - 0.5)).all(axis=1).mean())
