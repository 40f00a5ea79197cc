"""Whether marks depend on how the prior was harmonized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.compare.comparison import Mark
from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.guard.limit import slow_part
from mitame.guard.tissue import TissueTones
from mitame.guard.verdict import Focus, Reason, Verdict

HALF = 0.5
"""A mark holds if what answers to it is at least so strong beside it."""

Marks = tuple[tuple[Mark, ...], NDArray[np.int32]]
"""Marks and their labels: see `find_marks`."""


def limited_prior(suffix: Suffix, moved: Session, harmonized: Session) -> Session:
    """Return the prior with as much of the current scan's look as any lesion survives.

    Parameters
    ----------
    suffix : str
        Which sequence.
    moved, harmonized : Session
        The prior on the current grid, before and after it was harmonized.

    Raises
    ------
    ImplausibleError
        If the scan shows no gray matter or no fluid, or lost its contrast.
    """
    tissue = TissueTones.of(moved, suffix)
    limited = slow_part(suffix, moved, harmonized, tissue)
    return harmonized.with_volumes({suffix: limited})


def held_against(
    full: Marks, limited: Marks, z_full: NDArray[np.float32], z: NDArray[np.float32]
) -> tuple[tuple[Mark, ...], Verdict]:
    """Return which marks the limited mode has, too, and what is to be said.

    No lesion can vanish or come up in the limited mode. A mark that is not half as
    strong in it may be harmonizing's own; a place that only it shows may have been
    harmonized away.

    Parameters
    ----------
    full, limited : (marks, labels)
        Found with the harmonized prior, and with that of the limited mode.
    z_full, z : array, shape (i, j, k)
        The changes they were found in, over their noise.
    """
    holds = _answered(*full, z_full, z)
    seen = _answered(*limited, z, z_full)
    hidden = [mark for mark, one in zip(limited[0], seen, strict=True) if not one]
    marks = tuple(
        replace(mark, holds=held) for mark, held in zip(full[0], holds, strict=True)
    )
    alone = [mark for mark in marks if not mark.holds]
    reasons = []
    if alone:
        told = f"{len(alone)} of {len(marks)}"
        reasons.append(Reason("look", "marks: harmonizing's own", told=told))
    if hidden:
        told = f"{len(hidden)} more"
        reasons.append(Reason("look", "marks: harmonized away", told=told))
    foci = [
        Focus(mark.center, abs(mark.peak_z), mark.mean_change)
        for mark in (*alone, *hidden)
    ]
    return marks, Verdict(tuple(reasons), tuple(foci))


def unheld(error: ImplausibleError) -> Verdict:
    """Return what is to be said if there is no limited mode of a scan."""
    return Verdict((Reason("look", "marks: not held", told=str(error)),))


def _answered(
    marks: Sequence[Mark],
    labels: NDArray[np.int32],
    own: NDArray[np.float32],
    other: NDArray[np.float32],
) -> list[bool]:
    """Return of each mark whether another map has half of its change at least."""
    numbers = np.arange(1, len(marks) + 1)
    before, after = (ndimage.mean(z, labels, numbers) for z in (own, other))
    share = np.divide(after, before)
    return [bool(one >= HALF) for one in np.atleast_1d(share)[: len(marks)]]
