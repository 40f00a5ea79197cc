"""The scans that a command is given, and what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from mitame.core.errors import InputError
from mitame.core.session import SUFFIXES, Session, Suffix
from mitame.core.volume import Volume
from mitame.io.scan import Scan, find_scans, read

Visit = tuple[Scan, ...]
"""The scans of one subject and day that are taken together."""


def collect(
    places: Iterable[str],
    *,
    sequence: Suffix | None = None,
    series: str | None = None,
) -> list[Scan]:
    """Return the scans at all `places`, each once.

    Of a DICOM study, series of unknown sequence are passed over when others are
    known: localizers, diffusion, maps.

    Parameters
    ----------
    places : iterable of str
        Files, folders, patterns.
    sequence, series
        As for `find_scans`; for every place.

    Raises
    ------
    InputError
        If a place has no scan.
    """
    found: dict[tuple[Path, str], Scan] = {}
    for place in places:
        scans = find_scans(place, sequence=sequence, series=series)
        any_known = any(scan.suffix for scan in scans)
        for scan in scans:
            if scan.suffix or scan.series is None or not any_known:
                uid = "" if scan.series is None else scan.series.uid
                found[scan.path.resolve(), uid] = scan
    return list(found.values())


def known_sequence(scan: Scan) -> Suffix:
    """Return the sequence of `scan`, or raise `InputError` where it cannot be told."""
    if scan.suffix is None:
        raise InputError(
            f"The sequence of '{title_of(scan)}' cannot be told.",
            fix="Name the file by BIDS (…_T1w.nii.gz), or pass --sequence T1w.",
        )
    return scan.suffix


def require_two_groups(source: Sequence[Scan], target: Sequence[Scan]) -> None:
    """Raise `InputError` unless two groups can be compared; nothing is read for it.

    Every scan can be used and its sequence is known, none is in both groups, and they
    have a sequence in common.
    """
    for scan in (*source, *target):
        known_sequence(scan)
        if scan.problem is not None:
            raise scan.problem
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


def sequences_of(visit: Visit) -> frozenset[str]:
    """Return the sequences of one visit."""
    return frozenset(str(scan.suffix) for scan in visit)


def visits_of(scans: Iterable[Scan]) -> list[Visit]:
    """Return scans by subject and day."""
    visits: dict[tuple[str, str], Visit] = {}
    for scan in scans:
        # Without a name nobody knows whose scan it is, but where it lies.
        whose = scan.subject or str(scan.path.parent)
        key = (whose, str(scan.visit))
        visits[key] = (*visits.get(key, ()), scan)
    return list(visits.values())


def sessions_of(scans: Visit) -> list[Session]:
    """Read the scans of one visit: a session for each grid, T1w's first.

    Raises
    ------
    InputError
        If a sequence cannot be told, or a scan cannot be read.
    """
    order = sorted(scans, key=lambda scan: SUFFIXES.index(known_sequence(scan)))
    grids: list[dict[Suffix, Volume]] = []
    for scan in order:
        volume = read(scan)
        for volumes in grids:
            if volume.same_grid(next(iter(volumes.values()))):
                volumes[known_sequence(scan)] = volume
                break
        else:
            grids.append({known_sequence(scan): volume})
    one = order[0]
    return [Session(volumes, one.subject, one.date) for volumes in grids]


def title_of(scan: Scan) -> str:
    """Return the file name, or the DICOM series in words."""
    return scan.path.name if scan.series is None else str(scan.series)


def listed(names: Iterable[str]) -> str:
    """Return names of sequences as one text."""
    return ", ".join(sorted(names)) or "no sequence"
