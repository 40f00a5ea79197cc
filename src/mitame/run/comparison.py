"""Compare two visits on disk and write what was found."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mitame.compare.comparison import Comparison, SequenceComparison
from mitame.compare.visits import compare, shared_sequences
from mitame.core.session import Suffix
from mitame.core.volume import Volume
from mitame.io import bids, nifti
from mitame.io.scan import Scan, Visit, find_visit, read

DESCRIPTIONS = {
    "harmonized": "The prior with the look of the current scan, on its grid.",
    "edit": "Harmonized minus prior: what harmonizing did, in harmonized units.",
    "change": "Current minus harmonized prior; positive is brighter today.",
    "noise": "Standard deviation the change map would have without any change.",
}


def find_pair(
    prior: str | Path,
    current: str | Path,
    *,
    sequence: Suffix | None = None,
    series: str | None = None,
) -> tuple[dict[Suffix, Scan], dict[Suffix, Scan]]:
    """Return the scans of two visits in the sequences that both have.

    Raises
    ------
    InputError
        If the visits share no sequence, or as `find_visit` does.
    """
    before, now = (
        find_visit(place, sequence=sequence, series=series)
        for place in (prior, current)
    )
    shared = shared_sequences(before, now)
    return {s: before[s] for s in shared}, {s: now[s] for s in shared}


def compare_visits(
    prior: dict[Suffix, Scan],
    current: dict[Suffix, Scan],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Visit, Visit, Comparison]:
    """Read two visits that `find_pair` found, and compare them; see `compare`."""
    before, now = _read(prior), _read(current)
    return before, now, compare(before, now, progress=progress)


def _read(scans: dict[Suffix, Scan]) -> Visit:
    first = next(iter(scans.values()))
    volumes = {suffix: read(scan) for suffix, scan in scans.items()}
    return Visit(volumes, scans, first.subject, first.date)


def write_comparison(
    folder: Path, comparison: Comparison, prior: Visit, current: Visit
) -> list[Path]:
    """Write the images of a comparison with their sidecars; return the images.

    Parameters
    ----------
    folder : Path
        Empty; becomes a BIDS derivative dataset.
    comparison : Comparison
        What was found.
    prior, current : Visit
        What it was found in; results are named after their scans.
    """
    bids.write_dataset_description(folder, name="mitame comparison")

    def write(suffix: Suffix) -> list[Path]:
        found = comparison.sequences[suffix]
        scans = prior.scans[suffix], current.scans[suffix]
        return _write_sequence(folder, suffix, found, *scans)

    with ThreadPoolExecutor(max_workers=2) as pool:  # packing leaves the GIL
        written = pool.map(write, comparison.sequences)
        return [path for paths in written for path in paths]


def _write_sequence(
    folder: Path,
    suffix: Suffix,
    found: SequenceComparison,
    prior: Scan,
    current: Scan,
) -> list[Path]:
    like = current.path if current.kind == "nifti" else None
    sources = [prior.path.name, current.path.name]

    def write(scan: Scan, desc: str, volume: Volume) -> Path:
        path = folder / bids.derivative_name(scan, desc, suffix)
        nifti.write(path, volume, like=like)
        bids.write_sidecar(
            path, volume, sources=sources, description=DESCRIPTIONS[desc]
        )
        return path

    mask = folder / bids.derivative_name(current, "brain", "mask")
    if mask.exists():  # sequences of one DICOM study may share a name but the suffix
        mask = folder / bids.derivative_name(current, f"brain{suffix}", "mask")
    nifti.write_mask(mask, found.brain, found.current, like=like)
    return [
        write(prior, "harmonized", found.harmonized),
        write(prior, "edit", found.edit),
        write(current, "change", found.change),
        write(current, "noise", found.noise),
        mask,
    ]
