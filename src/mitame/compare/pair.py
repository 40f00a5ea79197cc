"""Compare one sequence of two visits: align, harmonize, find what changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mitame.compare.change import find_marks, standardized
from mitame.compare.comparison import SequenceComparison
from mitame.compare.distortion import Distortion, fit_distortion, none_at
from mitame.compare.guarded import held_against, limited_prior, unheld
from mitame.compare.limits import noise_level
from mitame.compare.prepared import Prepared
from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.bilateral import Bilateral
from mitame.prepare.agreement import require_same_head
from mitame.prepare.align import align, motion_size
from mitame.prepare.brain import volume_ml
from mitame.prepare.crop import crop_to_brain
from mitame.prepare.resample import resample_mask
from mitame.prepare.warp import warp

DISTORTION_ROUNDS = 2
"""The brightness equation is linear; a second look takes what the first left."""


def compare_pair(
    suffix: Suffix,
    prior: Prepared,
    current: Prepared,
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> SequenceComparison:
    """Return what changed in one sequence, on the current scan's native grid.

    Parameters
    ----------
    suffix : str
        The sequence.
    prior, current : Prepared
        Its scans at both visits.
    progress : callable
        Called with a phrase after each step.

    Raises
    ------
    ImplausibleError
        If the scans do not show the same head.
    """
    before, now = prior.session, current.session
    motion = align(
        before[suffix],
        before.require_brain(),
        now[suffix],
        now.require_brain(),
        start=np.linalg.inv(before.require_template()) @ now.require_template(),
    )
    progress("visits aligned")
    moved, harmonized = harmonize_pair(suffix, before, now, motion)
    progress("prior given the look of the current scan")

    def back(session: Session) -> Volume:
        return current.restore(now.with_volumes({suffix: session[suffix]}))[suffix]

    seen = back(moved), back(now), back(harmonized)
    native_brain = current.restore(moved).require_brain()
    found = judge(prior.native, *seen, native_brain)
    progress("change set against its noise")
    try:
        limited = back(limited_prior(suffix, moved, harmonized))
    except ImplausibleError as error:
        found = replace(found, verdict=unheld(error))
    else:
        found = held(found, limited)
    progress("marks held against the limited mode")
    return replace(found, numbers=found.numbers | motion_size(motion, now[suffix]))


def harmonize_pair(
    suffix: Suffix, before: Session, now: Session, motion: NDArray[np.float64]
) -> tuple[Session, Session]:
    """Return the prior on the current grid, as it is and harmonized.

    A first fit makes the tones alike, so that the small distortion that is left
    between the scanners can be seen and taken out; the last fit starts without it.

    Parameters
    ----------
    suffix : str
        The sequence.
    before, now : Session
        Prepared.
    motion : array, shape (4, 4)
        World of the current scan to world of the prior, RAS+ mm.
    """
    distortion = _distortion_left(suffix, before, crop_to_brain(now), motion)
    moved = _moved(suffix, before, now, motion, distortion)
    return moved, Bilateral().fit_pair(moved, now).transform(moved)


def _distortion_left(
    suffix: Suffix, before: Session, near: Session, motion: NDArray[np.float64]
) -> Distortion:
    """Return what the motion leaves between the visits; `near` is the current brain."""
    distortion = none_at(near[suffix])
    moved = _moved(suffix, before, near, motion, distortion)
    require_same_head(moved[suffix], near[suffix], moved.require_brain())
    engine = Bilateral().fit_pair(moved, near)
    for left_to_do in reversed(range(DISTORTION_ROUNDS)):
        harmonized = engine.transform(moved)[suffix]
        left = fit_distortion(harmonized, near[suffix], moved.require_brain())
        distortion = distortion + left
        if left_to_do:
            moved = _moved(suffix, before, near, motion, distortion)
    return distortion


def judge(
    prior_native: Volume,
    prior: Volume,
    current: Volume,
    harmonized: Volume,
    brain: NDArray[np.bool_],
) -> SequenceComparison:
    """Return the change, its noise, the marks and the numbers of one pair.

    Parameters
    ----------
    prior_native : Volume
        The prior as it was scanned.
    prior, current, harmonized : Volume
        On one grid; see `SequenceComparison`.
    brain : array of bool, shape (i, j, k)
        Where both visits show brain.
    """
    change = current.data - harmonized.data
    noise = noise_level(change, harmonized, current, brain)
    z = standardized(change, noise, brain, current.spacing)
    marks, labels = find_marks(z, change, brain, current)
    numbers = _numbers(prior, current, harmonized, noise, brain)
    numbers |= {
        "n_marks": float(len(marks)),
        "changed_ml": float(sum(mark.volume_ml for mark in marks)),
    }
    return SequenceComparison(
        prior_native,
        prior,
        current,
        harmonized,
        current.with_data(change, Step("change", {"minus": "harmonized prior"})),
        current.with_data(noise, Step("noise_level")),
        brain,
        marks,
        labels,
        numbers,
    )


def held(found: SequenceComparison, limited: Volume) -> SequenceComparison:
    """Return a comparison whose marks were held against the limited mode.

    Parameters
    ----------
    found : SequenceComparison
        From `judge`.
    limited : Volume
        The prior on the same grid: see `limited_prior`.
    """
    current, brain = found.current, found.brain
    z = standardized(found.change.data, found.noise.data, brain, current.spacing)
    other = current.data - limited.data
    noise = noise_level(other, limited, current, brain)
    z_limited = standardized(other, noise, brain, current.spacing)
    marks, verdict = held_against(
        (found.marks, found.mark_labels),
        find_marks(z_limited, other, brain, current),
        z,
        z_limited,
    )
    return replace(found, marks=marks, verdict=verdict)


def _moved(
    suffix: Suffix,
    before: Session,
    now: Session,
    motion: NDArray[np.float64],
    distortion: Distortion,
) -> Session:
    """Return the prepared prior on the current grid, brain where both have it."""
    onto = now[suffix]
    displacement = distortion.over(onto)
    largest = float(np.linalg.norm(displacement[now.require_brain()], axis=-1).max())
    params = {"transform": motion.tolist(), "largest_distortion_mm": largest}
    volume, covered = warp(
        before[suffix],
        onto,
        transform=motion,
        displacement=displacement,
        params=params,
    )
    seen = resample_mask(before.require_brain(), before[suffix], onto, transform=motion)
    brain = seen & now.require_brain() & covered
    return replace(
        before,
        volumes={suffix: volume},
        brain=brain,
        to_template=now.require_template(),
    )


def _numbers(
    prior: Volume,
    current: Volume,
    harmonized: Volume,
    noise: NDArray[np.float32],
    brain: NDArray[np.bool_],
) -> dict[str, float]:
    source, target, result = (
        volume.data[brain] for volume in (prior, current, harmonized)
    )
    steps = reversed(harmonized.history)
    gain = next(step.params for step in steps if step.name == "bilateral")
    return {
        "noise_level": float(np.median(noise[brain])),
        "difference_before": float(np.median(np.abs(target - source))),
        "difference_after": float(np.median(np.abs(target - result))),
        "correlation_before": float(np.corrcoef(source, target)[0, 1]),
        "correlation_after": float(np.corrcoef(result, target)[0, 1]),
        "edit_median": float(np.median(np.abs(result - source))),
        "brain_ml": volume_ml(brain, current),
        "gain_low": gain["gain_low"],
        "gain_high": gain["gain_high"],
    }
