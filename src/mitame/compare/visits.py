"""Compare a prior visit with the current one, sequence by sequence."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from mitame.compare.comparison import Comparison, SequenceComparison
from mitame.compare.pair import compare_pair
from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix
from mitame.io.scan import Visit

Progress = Callable[[str], None]
"""Is told what was done, in words a user reads."""


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
    shared = _shared_sequences(prior, current)

    def one(suffix: Suffix) -> SequenceComparison:
        return compare_pair(
            suffix,
            Session({suffix: prior.volumes[suffix]}, prior.subject, prior.date),
            Session({suffix: current.volumes[suffix]}, current.subject, current.date),
            progress=lambda what: progress(f"{suffix}: {what}"),
        )

    # Two at a time: one sequence's registration is a single thread.
    pool = ThreadPoolExecutor(max_workers=2)
    try:
        jobs = {suffix: pool.submit(one, suffix) for suffix in shared}
        # The first failure is told at once; the other sequence is not waited for.
        wait(jobs.values(), return_when=FIRST_EXCEPTION)
        for job in jobs.values():
            if job.done():
                job.result()  # raises what failed
        found = {suffix: job.result() for suffix, job in jobs.items()}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Comparison(
        found,
        subject=current.subject,
        prior_date=prior.date,
        current_date=current.date,
    )


def _require_one_subject(prior: Visit, current: Visit) -> None:
    named = prior.subject and current.subject
    if named and prior.subject != current.subject:
        raise InputError(
            f"The prior is of subject {prior.subject}, "
            f"the current scan of subject {current.subject}.",
            fix="Give two visits of one subject; mend the header if it is wrong.",
        )


def _shared_sequences(prior: Visit, current: Visit) -> list[Suffix]:
    shared = [suffix for suffix in current.volumes if suffix in prior.volumes]
    if not shared:
        raise InputError(
            f"The prior has {', '.join(prior.volumes)}, the current visit has "
            f"{', '.join(current.volumes)}: no sequence is in both.",
            fix="Give scans of the same sequence from both visits.",
        )
    return shared
