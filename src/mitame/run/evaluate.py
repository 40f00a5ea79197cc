"""Scores of images on disk against the same subjects on the target scanner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.progress import Progress
from mitame.core.session import Session, Suffix
from mitame.evaluate.intervals import Interval, bootstrap, closed_share
from mitame.evaluate.metrics import against_truth, gap
from mitame.io.scan import Scan, read
from mitame.prepare.default import default_preparation
from mitame.prepare.orient import Orient
from mitame.prepare.scale import white_matter, white_matter_median
from mitame.run.scans import known_sequence, title_of

FAR = 2.0
"""A result whose white matter is so many times brighter or darker than the target's
is in other units."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A harmonized scan, and what it is held against.

    Parameters
    ----------
    result : Scan
        The harmonized scan.
    target : Scan
        The same subject on the target scanner, on the same grid.
    source, rescan : Scan, optional
        What was harmonized, and the target scanner's second scan; with both, the gap
        that was closed can be told.
    """

    result: Scan
    target: Scan
    source: Scan | None = None
    rescan: Scan | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """What one image scored.

    Parameters
    ----------
    pair : Pair
        Which one.
    values : dict of str to float
        By metric.
    gap : (float, float), optional
        How much of the error is gone, and how much could be; mean absolute errors.
    """

    pair: Pair
    values: dict[str, float]
    gap: tuple[float, float] | None


def pair_up(
    results: Sequence[Scan],
    targets: Sequence[Scan],
    sources: Sequence[Scan] = (),
    rescans: Sequence[Scan] = (),
) -> list[Pair]:
    """Return what belongs together: of one subject and sequence.

    One result and one of each other need no names.

    Raises
    ------
    InputError
        If something has no partner, or more than one, or only one of sources and
        rescans is given.
    """
    if bool(sources) != bool(rescans):
        raise InputError(
            "A gap needs both: the sources, and rescans on the target scanner.",
            fix="Give --source and --rescan together, or neither.",
        )
    alone = len(results) == 1
    return [
        Pair(
            result,
            partner(result, targets, "target", alone=alone),
            partner(result, sources, "source", alone=alone) if sources else None,
            partner(result, rescans, "rescan", alone=alone) if rescans else None,
        )
        for result in results
    ]


def partner(result: Scan, scans: Sequence[Scan], what: str, *, alone: bool) -> Scan:
    """Return the one scan of the subject and sequence of a result.

    Parameters
    ----------
    result : Scan
        The harmonized scan.
    scans : sequence of Scan
        Where its partner is looked for.
    what : str
        What they are, in words a user reads.
    alone : bool
        Whether there is one result: then one scan is its partner by any name.

    Raises
    ------
    InputError
        If there is none, or more than one.
    """
    if alone and len(scans) == 1:
        return scans[0]
    suffix = known_sequence(result)
    same = [s for s in scans if (s.subject, s.suffix) == (result.subject, suffix)]
    if len(same) != 1 or result.subject is None:
        raise InputError(
            f"'{title_of(result)}' has {len(same)} {what} scans of its subject and "
            f"sequence among {len(scans)}.",
            fix="Name the files by BIDS (sub-…_ses-…_T1w.nii.gz), or give one by one.",
        )
    return same[0]


def evaluate_pairs(
    pairs: Sequence[Pair], *, rescale: bool, progress: Progress = lambda _: None
) -> Iterator[Scores]:
    """Yield the scores of every pair.

    Target, source and rescan are prepared as for `Model.fit`; the result is taken as
    it is, in white-matter medians.

    Parameters
    ----------
    pairs : sequence of Pair
        What to score.
    rescale : bool
        Whether results are divided by their own white matter's median.
    progress : callable
        Called after each.

    Raises
    ------
    InputError
        If a scan cannot be used, or a result is in other units.
    GridMismatchError
        If a result and what it is held against are not on one grid.
    """
    for pair in pairs:
        target = prepared_scan(pair.target)
        others = [prepared_scan(s) if s else None for s in (pair.source, pair.rescan)]
        brain = target.require_brain()
        for other in others:
            if other is not None:
                _require_one_grid(pair.result, pair.target, other, target)
                brain = brain & other.require_brain()
        result = result_image(pair.result, pair.target, target, rescale=rescale)
        yield _scores(pair, result, target, others, brain)
        progress(f"{title_of(pair.result)} scored")


def prepared_scan(scan: Scan) -> Session:
    """Return one scan, prepared, on its grid turned to RAS+."""
    session = Session({known_sequence(scan): read(scan)}, scan.subject, scan.date)
    turned, _ = Orient().apply(session)
    prepared, restore = default_preparation().apply(turned)
    return restore(prepared)


def result_image(
    result: Scan, like: Scan, prepared: Session, *, rescale: bool
) -> NDArray[np.float32]:
    """Return a harmonized image on the grid of a scan, in white-matter medians.

    Parameters
    ----------
    result : Scan
        The harmonized scan.
    like : Scan
        One of the same head on the same grid.
    prepared : Session
        What `prepared_scan` returns for it.
    rescale : bool
        Whether the image is divided by its own white matter's median.

    Raises
    ------
    InputError
        If the image is in other units.
    GridMismatchError
        If the grids differ.
    """
    suffix = known_sequence(like)
    session, _ = Orient().apply(Session({suffix: read(result)}))
    _require_one_grid(result, like, session, prepared)
    volume = session[suffix]
    white = white_matter_median(volume, white_matter(prepared))
    if rescale:
        return volume.data / np.float32(white)
    if not 1 / FAR < white < FAR:
        raise InputError(
            f"The white matter of '{title_of(result)}' is at {white:.4g}; that of "
            f"'{title_of(like)}' is at 1 when prepared.",
            fix="Pass --rescale to divide results by their own white matter.",
        )
    return volume.data


def _require_one_grid(
    result: Scan, like: Scan, found: Session, reference: Session
) -> None:
    try:
        found.reference.require_same_grid(reference.reference)
    except GridMismatchError as error:
        raise GridMismatchError(
            f"'{title_of(result)}' and '{title_of(like)}' are not on one "
            f"grid: {error.what}",
            fix="Give scans on the grid of the result; scores never resample.",
        ) from error


def _scores(
    pair: Pair,
    result: NDArray[np.float32],
    target: Session,
    others: Sequence[Session | None],
    brain: NDArray[np.bool_],
) -> Scores:
    suffix = known_sequence(pair.target)
    truth = target[suffix].data
    values = against_truth(result, truth, brain)
    source, rescan = others
    if source is None or rescan is None:
        return Scores(pair, values, None)
    before, again = source[suffix].data, rescan[suffix].data
    return Scores(pair, values, gap(before, result, again, truth, brain))


def summary(found: Sequence[Scores], *, seed: int) -> dict[Suffix, dict[str, Interval]]:
    """Return every score of every sequence over all subjects, with its interval."""
    sequences = {known_sequence(scores.pair.target): None for scores in found}
    return {suffix: _of_sequence(suffix, found, seed) for suffix in sequences}


def _of_sequence(
    suffix: Suffix, found: Sequence[Scores], seed: int
) -> dict[str, Interval]:
    same = {
        scores.pair.result.subject or title_of(scores.pair.result): scores
        for scores in found
        if known_sequence(scores.pair.target) == suffix
    }
    metrics = next(iter(same.values())).values
    whole = {
        metric: bootstrap({who: s.values[metric] for who, s in same.items()}, seed=seed)
        for metric in metrics
    }
    gaps = {who: s.gap for who, s in same.items() if s.gap is not None}
    closed = closed_share(gaps, seed=seed) if gaps else None
    return whole if closed is None else {**whole, "gap_closed": closed}
