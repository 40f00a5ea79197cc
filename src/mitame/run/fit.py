"""Fit a model on scans on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version

from mitame.core.errors import InputError
from mitame.core.session import Session
from mitame.engines.named import engine_class
from mitame.io.digest import digest
from mitame.io.scan import Scan, read
from mitame.model import Model
from mitame.prepare.default import default_preparation
from mitame.run.fit_example import Example, example_of
from mitame.run.scans import known_sequence, listed, title_of

Progress = Callable[[str], None]
"""Is told what was done, in words a user reads."""


def fit_model(
    source: Sequence[Scan],
    target: Sequence[Scan],
    engine: str,
    *,
    progress: Progress = lambda _: None,
) -> Model:
    """Return a model that gives scans like `source` the look of `target`.

    Raises
    ------
    InputError
        If the engine is unknown, one scan is in both groups, the groups share no
        sequence, or a scan cannot be used.
    """
    engine_class(engine)  # a misspelt name is told before an hour of preparation
    for scan in (*source, *target):
        known_sequence(scan)
        if scan.problem is not None:
            raise scan.problem
    _require_fitting_groups(source, target)
    if engine_class(engine).needs_pairs:
        source, target = _paired(source, target)
    about = {
        "mitame": version("mitame"),
        "source": _group(source),
        "target": _group(target),
    }
    reading: list[Scan] = []
    try:
        return Model.fit(
            default_preparation(),
            engine,
            _sessions(source, "source", progress, reading),
            _sessions(target, "target", progress, reading),
            about=about,
        )
    except InputError as error:
        if not reading:  # the engine's own error
            raise
        raise _named(error, reading[-1]) from error


def fit_example(
    model: Model, source: Sequence[Scan], target: Sequence[Scan]
) -> Example:
    """Return what `model` does to the first scan it was fitted on.

    Parameters
    ----------
    model : Model
        What `fit_model` returned for these scans.
    source, target : sequence of Scan
        The groups.
    """
    if model.engine.needs_pairs:
        source, target = _paired(source, target)
    sequences = {str(scan.suffix) for scan in target}
    one = next(scan for scan in source if str(scan.suffix) in sequences)
    other = next(scan for scan in target if scan.suffix == one.suffix)
    return example_of(model, _session(one), _session(other))


def _require_fitting_groups(source: Sequence[Scan], target: Sequence[Scan]) -> None:
    both = {s.path.resolve() for s in source} & {s.path.resolve() for s in target}
    if both:
        raise InputError(
            f"{len(both)} scan{'s are' if len(both) > 1 else ' is'} source and target "
            f"at once, such as '{min(both).name}'.",
            fix="Give each scan to one group.",
        )
    sequences = [{str(scan.suffix) for scan in group} for group in (source, target)]
    if not sequences[0] & sequences[1]:
        raise InputError(
            f"The sources are {listed(sequences[0])}, the targets "
            f"{listed(sequences[1])}: no sequence is in both.",
            fix="Give scans of the same sequence to both groups.",
        )


def _paired(
    source: Sequence[Scan], target: Sequence[Scan]
) -> tuple[list[Scan], list[Scan]]:
    """Return the scans of subjects who are in both groups, in one order.

    Raises
    ------
    InputError
        If there are several sequences, nobody is in both groups, or somebody is in
        one of them twice.
    """
    sequences = {str(scan.suffix) for scan in (*source, *target)}
    if len(sequences) > 1:
        raise InputError(
            f"The scans are {listed(sequences)}; this engine learns from pairs of one.",
            fix="Choose one with --sequence T1w.",
        )
    groups = [_by_subject(group) for group in (source, target)]
    both = sorted(set(groups[0]) & set(groups[1]))
    if not both:
        raise InputError(
            "Nobody is in both groups, and this engine learns from pairs.",
            fix="Name scans by BIDS (sub-…), or choose an engine without pairs.",
        )
    return [groups[0][s] for s in both], [groups[1][s] for s in both]


def _by_subject(scans: Sequence[Scan]) -> dict[str, Scan]:
    found: dict[str, Scan] = {}
    for scan in scans:
        if scan.subject in found:
            raise InputError(
                f"Subject {scan.subject} has two scans in one group: "
                f"'{title_of(found[scan.subject])}' and '{title_of(scan)}'.",
                fix="Give one scan of each subject and scanner.",
            )
        if scan.subject is not None:
            found[scan.subject] = scan
    return found


def _named(error: InputError, scan: Scan) -> InputError:
    """Return the same error with the name of the scan, unless it says it."""
    if scan.path.name in error.what or str(scan.series) in error.what:
        return error
    return type(error)(f"'{title_of(scan)}': {error.what}", fix=error.fix)


def _sessions(
    scans: Sequence[Scan], group: str, progress: Progress, reading: list[Scan]
) -> Iterator[Session]:
    """Yield one session for each scan; the last of `reading` is being prepared."""
    for number, scan in enumerate(scans, start=1):
        reading.append(scan)
        yield _session(scan)
        progress(f"{group} {number}/{len(scans)} {title_of(scan)}")
    reading.clear()


def _session(scan: Scan) -> Session:
    return Session({known_sequence(scan): read(scan)}, scan.subject, scan.date)


def _group(scans: Sequence[Scan]) -> dict[str, object]:
    """Return what a model remembers of a group; names and paths are not kept."""
    scanners = sorted({str(scan.scanner) for scan in scans if scan.scanner})
    sequences = sorted({str(scan.suffix) for scan in scans})
    sources = sorted(digest(scan) for scan in scans)
    return {"sequences": sequences, "scanners": scanners, "sha256": sources}
