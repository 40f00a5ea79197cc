"""Whether classifiers still tell harmonized scans on disk from the target's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from mitame.core.errors import InputError
from mitame.core.progress import Progress
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.evaluate.site import SiteAccuracy, crossed_accuracy
from mitame.io.scan import Scan
from mitame.run.evaluate import partner, prepared_scan, result_image
from mitame.run.scans import known_sequence, listed, title_of

FOLDS = 3
"""Every classifier is trained so many times; each subject is unseen once."""


@dataclass(frozen=True, slots=True)
class Sites:
    """How well two groups of scans are told apart, before and after.

    Parameters
    ----------
    suffix : str
        The sequence.
    before, after : SiteAccuracy
        Of the sources and of the results, each against the target's scans.
    n_sources, n_targets : int
        Subjects.
    """

    suffix: Suffix
    before: SiteAccuracy
    after: SiteAccuracy
    n_sources: int
    n_targets: int


def count_site_steps(results: Sequence[Scan], targets: Sequence[Scan]) -> int:
    """Return how often `evaluate_sites` tells of progress."""
    sequences = {known_sequence(scan) for scan in results}
    read = sum(known_sequence(scan) in sequences for scan in (*results, *targets))
    return read + 2 * len(sequences)


def evaluate_sites(
    results: Sequence[Scan],
    targets: Sequence[Scan],
    sources: Sequence[Scan],
    *,
    rescale: bool,
    seed: int,
    progress: Progress = lambda _: None,
) -> Iterator[Sites]:
    """Yield the site accuracies of every sequence of the results.

    Parameters
    ----------
    results : sequence of Scan
        Harmonized scans, taken as they are.
    targets : sequence of Scan
        Of the target scanner, of anybody.
    sources : sequence of Scan
        What was harmonized, on the grids of the results.
    rescale : bool
        Whether results are divided by their own white matter's median.
    seed : int
        Of folds and classifiers.
    progress : callable
        Told after each scan and each classifier.

    Raises
    ------
    InputError
        If a scan cannot be used, has no partner, or a group is too small.
    """
    for suffix in {known_sequence(scan): None for scan in results}:
        ours = [scan for scan in results if scan.suffix == suffix]
        theirs = _targets_of(suffix, targets)
        before, after = [], []
        for scan in ours:
            source = partner(scan, sources, "source", alone=False)
            before.append(prepared_scan(source))
            after.append(_harmonized(scan, source, before[-1], rescale=rescale))
            progress(f"{title_of(scan)} read")
        there = []
        for scan in theirs:
            there.append(prepared_scan(scan))
            progress(f"{title_of(scan)} read")
        found = []
        for name, group in (("before", before), ("after", after)):
            found.append(crossed_accuracy((group, there), n_folds=FOLDS, seed=seed))
            progress(f"{suffix} {name}: classifiers trained")
        people = [len({one.subject for one in group}) for group in (before, there)]
        yield Sites(suffix, found[0], found[1], people[0], people[1])


def _targets_of(suffix: Suffix, targets: Sequence[Scan]) -> list[Scan]:
    found = [scan for scan in targets if scan.suffix == suffix]
    if not found:
        kinds = listed({str(scan.suffix) for scan in targets})
        raise InputError(
            f"The results have {suffix}, the target scans are {kinds}.",
            fix="Give target scans of the same sequence.",
        )
    return found


def _harmonized(
    result: Scan, source: Scan, prepared: Session, *, rescale: bool
) -> Session:
    """Return the prepared source with the image of the result."""
    suffix = known_sequence(source)
    image = result_image(result, source, prepared, rescale=rescale)
    step = Step("harmonized", {})
    volume = prepared[suffix].with_data(image, step)
    return replace(prepared, volumes={suffix: volume})
