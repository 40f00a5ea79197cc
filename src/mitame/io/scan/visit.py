"""Every sequence of one visit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mitame.core.errors import InputError, MetadataError
from mitame.core.session import SUFFIXES, Suffix
from mitame.core.volume import Volume
from mitame.io.scan.find import find_scans, listing
from mitame.io.scan.scan import Scan, read


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """The scans of one subject and day, each on its own native grid.

    Parameters
    ----------
    volumes : dict of Suffix to Volume
        One volume for each sequence; their grids may differ.
    scans : dict of Suffix to Scan
        Where each came from.
    subject : str, optional
        BIDS subject label or Patient ID.
    date : datetime.date, optional
        Day of the visit.
    """

    volumes: dict[Suffix, Volume]
    scans: dict[Suffix, Scan]
    subject: str | None = None
    date: date | None = None


def read_visit(
    where: str | Path, *, sequence: Suffix | None = None, series: str | None = None
) -> Visit:
    """Read every sequence of the one visit at `where`; see `find_visit`."""
    scans = find_visit(where, sequence=sequence, series=series)
    first = next(iter(scans.values()))
    volumes = {suffix: read(scan) for suffix, scan in scans.items()}
    return Visit(volumes, scans, first.subject, first.date)


def find_visit(
    where: str | Path, *, sequence: Suffix | None = None, series: str | None = None
) -> dict[Suffix, Scan]:
    """Return one scan for each sequence of the one visit at `where`.

    Scans of unknown sequence are passed over when others are known.

    Parameters
    ----------
    where, sequence, series
        As for `find_scans`.

    Raises
    ------
    InputError
        If two scans are of one sequence, or of two subjects or visits.
    MetadataError
        If no sequence can be told.
    """
    found = find_scans(where, sequence=sequence, series=series)
    known = [scan for scan in found if scan.suffix is not None]
    if not known:
        raise MetadataError(
            f"The sequence cannot be told: {listing(found)}.",
            fix="Name the file by BIDS (…_T1w.nii.gz), or pass --sequence T1w.",
        )
    _require_one_visit(known)
    visit: dict[Suffix, Scan] = {}
    for suffix in SUFFIXES:
        same = [scan for scan in known if scan.suffix == suffix]
        if len(same) > 1:
            raise InputError(
                f"There are {len(same)} {suffix} scans: {listing(same)}.",
                fix=_how_to_choose(same),
            )
        if same:
            visit[suffix] = same[0]
    return visit


def _require_one_visit(scans: list[Scan]) -> None:
    for name in ("subject", "visit"):
        labels = sorted({str(getattr(s, name)) for s in scans if getattr(s, name)})
        if len(labels) > 1:
            raise InputError(
                f"The scans are of more than one {name}: {', '.join(labels[:8])}.",
                fix="Give the folder of one subject and visit.",
            )


def _how_to_choose(scans: list[Scan]) -> str:
    if all(scan.kind == "dicom" for scan in scans):
        return "Choose one with --series NUMBER, a UID or part of the description."
    return (
        "Give the file itself, a quoted pattern such as 'study1_*', or part of its "
        "name with --series."
    )
