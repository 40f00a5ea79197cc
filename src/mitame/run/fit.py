"""Fit a model on scans on disk."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from mitame.core.errors import InputError
from mitame.core.harmonizer import Harmonizer, Resumable, takes_visits
from mitame.core.progress import Progress
from mitame.core.session import Session
from mitame.engines.named import engine_class, new_engine
from mitame.io.digest import digest
from mitame.io.scan import Scan
from mitame.model import Model
from mitame.prepare.default import default_preparation
from mitame.run.fit_example import Example, example_of
from mitame.run.headers import told_by_headers
from mitame.run.scans import (
    Visit,
    listed,
    require_two_groups,
    sequences_of,
    sessions_of,
    title_of,
    visits_of,
)


@dataclass(frozen=True, slots=True)
class Training:
    """What stands beside a long training.

    Parameters
    ----------
    folder : Path
        Of checkpoints: the next run of the same training goes on from there.
    tell : callable
        Is told how far it is.
    """

    folder: Path
    tell: Progress


def only_helps() -> bool:
    """Return whether `torchrun` started this process to help another that writes."""
    return int(os.environ.get("RANK", "0")) > 0


def fit_model(
    source: Sequence[Scan],
    target: Sequence[Scan],
    engine: str,
    *,
    options: Mapping[str, Any] | None = None,
    training: Training | None = None,
    progress: Progress = lambda _: None,
) -> Model:
    """Return a model that gives scans like `source` the look of `target`.

    Parameters
    ----------
    source, target : sequence of Scan
        The groups.
    engine : str
        As in the entry point.
    options : mapping, optional
        Parameters of the engine.
    training : Training, optional
        Where a long training is kept; other engines need none.
    progress : callable
        Is told of each scan that is prepared.

    Raises
    ------
    InputError
        If the engine is unknown, one scan is in both groups, the groups share no
        sequence, or a scan cannot be used.
    """
    # A misspelt name is told before an hour of preparation.
    made = new_engine(engine, options or {})
    if training is not None and isinstance(made, Resumable):
        made.keep_in(training.folder, training.tell)
    require_two_groups(source, target)
    groups = _visits(engine_class(engine), source, target)
    about = {
        "mitame": version("mitame"),
        "source": _group(groups[0]),
        "target": _group(groups[1]),
    }
    reading: list[Visit] = []
    try:
        return Model.fit(
            default_preparation(),
            engine,
            _sessions(groups[0], "source", progress, reading),
            _sessions(groups[1], "target", progress, reading),
            engine=made,
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
    ours, theirs = _visits(type(model.engine), source, target)
    sequences = {sequences_of(visit) for visit in theirs}
    one = next(visit for visit in ours if sequences_of(visit) in sequences)
    other = next(visit for visit in theirs if sequences_of(visit) == sequences_of(one))
    return example_of(model, sessions_of(one), sessions_of(other))


def _visits(
    engine: type[Harmonizer], source: Sequence[Scan], target: Sequence[Scan]
) -> tuple[list[Visit], list[Visit]]:
    """Return what the engine takes for one: scans, or whole visits of pairs."""
    if engine.needs_pairs:
        return _paired(source, target)
    if takes_visits(engine):
        return _whole(source, target)
    return [(scan,) for scan in source], [(scan,) for scan in target]


def _whole(
    source: Sequence[Scan], target: Sequence[Scan]
) -> tuple[list[Visit], list[Visit]]:
    """Return the visits of both groups, each with one scan of every sequence.

    Raises
    ------
    InputError
        If a visit lacks a sequence that others have, or has two of one.
    """
    groups = visits_of(source), visits_of(target)
    every = set().union(*(sequences_of(visit) for group in groups for visit in group))
    for visit in (*groups[0], *groups[1]):
        if missing := every - sequences_of(visit):
            raise InputError(
                f"There is no {listed(missing)} beside '{title_of(visit[0])}', others "
                "have it, and this engine takes all sequences of a visit together.",
                fix="Leave the visit out, or choose one sequence with --sequence.",
            )
        if len(visit) > len(every):
            raise InputError(
                f"There are {len(visit)} scans beside '{title_of(visit[0])}' and "
                f"{len(every)} sequences: {listed(every)}.",
                fix="Give one scan of each sequence; name scans by BIDS (sub-…_ses-…).",
            )
    return groups


def _paired(
    source: Sequence[Scan], target: Sequence[Scan]
) -> tuple[list[Visit], list[Visit]]:
    """Return the visits of subjects who are in both groups, in one order.

    Raises
    ------
    InputError
        If nobody is in both groups, somebody is in one of them twice, or somebody
        lacks a sequence that others have.
    """
    groups = [_by_subject(group) for group in (source, target)]
    both = sorted(set(groups[0]) & set(groups[1]))
    if not both:
        raise InputError(
            "Nobody is in both groups, and this engine learns from pairs.",
            fix="Name scans by BIDS (sub-…), or choose an engine without pairs.",
        )
    visits = [(subject, group[subject]) for group in groups for subject in both]
    every = set().union(*(sequences_of(visit) for _, visit in visits))
    for subject, visit in visits:
        if missing := every - sequences_of(visit):
            raise InputError(
                f"Subject {subject} has no {listed(missing)} beside "
                f"'{title_of(visit[0])}', others have.",
                fix="Leave the subject out, or choose one sequence with --sequence.",
            )
    return [groups[0][s] for s in both], [groups[1][s] for s in both]


def _by_subject(scans: Sequence[Scan]) -> dict[str, Visit]:
    found: dict[str, Visit] = {}
    for scan in scans:
        if scan.subject is None:
            continue
        known = found.get(scan.subject, ())
        for other in known:
            if other.suffix == scan.suffix:
                raise InputError(
                    f"Subject {scan.subject} has two {scan.suffix} scans in one group: "
                    f"'{title_of(other)}' and '{title_of(scan)}'.",
                    fix="Give one scan of each subject and scanner.",
                )
        found[scan.subject] = (*known, scan)
    return found


def _named(error: InputError, visit: Visit) -> InputError:
    """Return the same error with the names of the scans, unless it says one."""
    if any(s.path.name in error.what or str(s.series) in error.what for s in visit):
        return error
    names = ", ".join(f"'{title_of(scan)}'" for scan in visit)
    return type(error)(f"{names}: {error.what}", fix=error.fix)


def _sessions(
    visits: Sequence[Visit], group: str, progress: Progress, reading: list[Visit]
) -> Iterator[list[Session]]:
    """Yield the sessions of each visit; the last of `reading` is being prepared."""
    done, total = 0, sum(len(visit) for visit in visits)
    for visit in visits:
        reading.append(visit)
        yield sessions_of(visit)
        for scan in visit:
            done += 1
            progress(f"{group} {done}/{total} {title_of(scan)}")
    reading.clear()


def _group(visits: Sequence[Visit]) -> dict[str, object]:
    """Return what a model remembers of a group; names and paths are not kept."""
    scans = [scan for visit in visits for scan in visit]
    sequences = sorted({str(scan.suffix) for scan in scans})
    sources = sorted(digest(scan) for scan in scans)
    return {"sequences": sequences, "sha256": sources, **told_by_headers(scans)}
