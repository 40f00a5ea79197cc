"""Explain what two groups of scans on disk differ in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from mitame.core.errors import InputError
from mitame.core.progress import Progress
from mitame.core.session import Session, Suffix
from mitame.explain.groups import Explanation, explain, require_enough
from mitame.io.scan import Scan, read
from mitame.prepare.default import default_preparation
from mitame.run.scans import known_sequence, require_two_groups, title_of


def explain_scans(
    source: Sequence[Scan],
    target: Sequence[Scan],
    *,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> dict[Suffix, Explanation]:
    """Return what two groups differ in, by sequence.

    Scans are prepared as for a model, but their bias fields stay: they are a part of
    what differs.

    Parameters
    ----------
    source, target : sequence of Scan
        The groups; one scan is in one of them.
    seed : int
        Of the splits that tell what chance does.
    progress : callable
        Is told of each scan that is prepared.

    Raises
    ------
    InputError
        If a scan cannot be used, or the groups share no sequence.
    """
    require_two_groups(source, target)
    for suffix in sorted({known_sequence(scan) for scan in (*source, *target)}):
        counts = [sum(s.suffix == suffix for s in group) for group in (source, target)]
        if all(counts):
            require_enough(suffix, *counts)
    groups = [
        [_prepared(scan, progress) for scan in group] for group in (source, target)
    ]
    return explain(*groups, seed=seed, progress=progress)


def _prepared(scan: Scan, progress: Progress) -> Session:
    native = Session({known_sequence(scan): read(scan)}, scan.subject)
    try:
        found, _ = default_preparation(bias=False).apply(native)
    except InputError as error:
        named = f"'{title_of(scan)}': {error.what}"
        raise type(error)(named, fix=error.fix) from error
    progress(f"{title_of(scan)} prepared")
    return found


def in_words(found: dict[Suffix, Explanation]) -> dict[str, Any]:
    """Return explanations as plain values, for `explanation.json`."""
    return {
        str(suffix): {
            "elements": [asdict(one) for one in told.named],
            "unexplained": told.left,
            "regions": [asdict(r) for place in told.places for r in place.regions],
            "zero": list(told.zero),
        }
        for suffix, told in found.items()
    }
