"""Compare a prior visit with the current one, sequence by sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TypeVar

from mitame.compare.comparison import Comparison, SequenceComparison
from mitame.compare.pair import compare_pair
from mitame.compare.prepared import Prepared, prepare_visit
from mitame.core.errors import InputError
from mitame.core.progress import Progress
from mitame.core.session import Suffix
from mitame.io.scan import Visit

T = TypeVar("T")


def compare(
    prior: Visit, current: Visit, *, progress: Progress = lambda _: None
) -> Comparison:
    """Return what changed from `prior` to `current`; nothing need be trained.

    Every sequence both visits have is aligned, the prior is given the look of the
    current scan, and what then still differs is set against its noise.

    Parameters
    ----------
    prior, current : Visit
        Two visits of one subject, on any scanners and grids.
    progress : callable
        Called with a sentence after each step.

    Raises
    ------
    InputError
        If the visits are of different subjects, or share no sequence.
    ImplausibleError
        If two scans cannot be laid onto each other.
    """
    _require_one_subject(prior, current)
    shared = shared_sequences(prior.volumes, current.volumes)

    def say(suffix: Suffix, what: str) -> None:
        progress(f"{suffix}: {what}")

    def prepare(name: str, visit: Visit) -> dict[Suffix, Prepared]:
        return prepare_visit(name, visit, shared, progress=say)

    def one(suffix: Suffix) -> SequenceComparison:
        pair = before[suffix], now[suffix]
        return compare_pair(suffix, *pair, progress=partial(say, suffix))

    # Registration and most of SciPy are a single thread each, so two run at a time.
    pool = ThreadPoolExecutor(max_workers=2)
    try:
        before, now = _results(
            [
                pool.submit(prepare, name, visit)
                for name, visit in (("prior", prior), ("current scan", current))
            ]
        )
        # The largest first: whatever runs alone at the end is the smallest.
        order = sorted(shared, key=lambda suffix: -now[suffix].native.data.size)
        jobs = {suffix: pool.submit(one, suffix) for suffix in order}
        _results(list(jobs.values()))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Comparison(
        {suffix: jobs[suffix].result() for suffix in shared},
        subject=current.subject,
        prior_date=prior.date,
        current_date=current.date,
    )


def _results(jobs: Sequence[Future[T]]) -> list[T]:
    """Return what the jobs give; the first failure is told at once."""
    wait(jobs, return_when=FIRST_EXCEPTION)
    for job in jobs:
        if job.done():
            job.result()  # raises what failed
    return [job.result() for job in jobs]


def _require_one_subject(prior: Visit, current: Visit) -> None:
    named = prior.subject and current.subject
    if named and prior.subject != current.subject:
        raise InputError(
            f"The prior is of subject {prior.subject}, "
            f"the current scan of subject {current.subject}.",
            fix="Give two visits of one subject; mend the header if it is wrong.",
        )


def shared_sequences(
    prior: Iterable[Suffix], current: Iterable[Suffix]
) -> list[Suffix]:
    """Return the sequences of the current visit that the prior has too.

    Raises
    ------
    InputError
        If there is none.
    """
    before, now = list(prior), list(current)
    shared = [suffix for suffix in now if suffix in before]
    if not shared:
        raise InputError(
            f"The prior has {', '.join(before)}, the current visit has "
            f"{', '.join(now)}: no sequence is in both.",
            fix="Give scans of the same sequence from both visits.",
        )
    return shared
