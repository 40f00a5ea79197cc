"""One person of a study: made, scanned everywhere, written with the truth."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitame.core.progress import Progress
from mitame.core.session import Suffix
from mitame.core.volume import Volume
from mitame.io import names
from mitame.io.staging import staged
from mitame.simulate.acquire import Scanned, scan
from mitame.simulate.anatomy import Anatomy
from mitame.simulate.atrophy import choose_atrophy
from mitame.simulate.catalog import SimulatedScanner
from mitame.simulate.dataset import (
    LATER,
    protocol_fields,
    write_anatomy,
    write_atrophy,
    write_image,
)
from mitame.simulate.plant import (
    Lesion,
    choose_lesions,
    occipital_region,
    plant_lesions,
)
from mitame.simulate.study import Study
from mitame.simulate.subject import Atrophy, Subject, make_subject

OCCIPITAL_CONTRAST = 0.3
"""How much brighter the last scanner shows the occipital cortex, where planted."""

N_LESIONS = 6

DERIVED = {"SkullStripped": False}
"""What BIDS asks of a derivative image."""


def write_person(
    study: Study, out: Path, name: str, anatomy: Anatomy, progress: Progress
) -> None:
    """Write truth, then scans: a subject whose scans are there is complete."""
    truth = out / "derivatives" / "truth" / f"sub-{name}"
    shutil.rmtree(truth, ignore_errors=True)  # of a run that was killed in between
    # The scans appear last.
    with staged(out / f"sub-{name}") as shown, staged(truth) as told:
        first = _healthy(study, name, anatomy, None)
        subject, lesions, numbers = _with_lesions(study, first, first)
        write_anatomy(told, subject, numbers, lesions, study.spacing)
        progress(f"sub-{name}: anatomy made")
        _scan_everywhere(study, subject, "", (shown, told), progress)
        if "atrophy" in study.plants:
            loss = choose_atrophy(study.random(name, "atrophy"))
            later = _healthy(study, name, anatomy, loss)
            write_atrophy(told, first, later, study.spacing)
            subject, _, _ = _with_lesions(study, later, first)
            _scan_everywhere(study, subject, LATER, (shown, told), progress)


def _healthy(
    study: Study, name: str, anatomy: Anatomy, loss: Atrophy | None
) -> Subject:
    """Return somebody of a study without lesions: the same random numbers each time."""
    rng = study.random(name, "subject")
    return make_subject(name, anatomy, spacing=study.spacing, rng=rng, loss=loss)


def _with_lesions(
    study: Study, subject: Subject, first: Subject
) -> tuple[Subject, tuple[Lesion, ...], NDArray[np.int16]]:
    """Return a subject with the lesions that were chosen for the first date."""
    chance = study.random(first.name, "lesions")
    n = N_LESIONS if "lesions" in study.plants else 0
    lesions = choose_lesions(first, n, chance)
    sick, numbers = plant_lesions(subject, lesions, chance)
    return sick, lesions, numbers


def _scan_everywhere(
    study: Study,
    subject: Subject,
    date: str,
    places: tuple[Path, Path],
    progress: Progress,
) -> None:
    """Write every sequence of every scanner on one date."""

    def one(scanner: SimulatedScanner, suffix: Suffix) -> None:
        _write_scans(study, subject, scanner, suffix, date, places)
        progress(f"sub-{subject.name}: {suffix} on {scanner.name} {date}".rstrip())

    with ThreadPoolExecutor(max_workers=2) as pool:  # SciPy leaves the GIL
        jobs = [
            pool.submit(one, scanner, suffix)
            for scanner in study.scanners
            for suffix in study.sequences
        ]
        for job in jobs:
            job.result()


def _write_scans(
    study: Study,
    subject: Subject,
    scanner: SimulatedScanner,
    suffix: Suffix,
    date: str,
    places: tuple[Path, Path],
) -> None:
    """Write a scan as raw data; rescan, noise-free image and mark as truth."""
    label = names.label(scanner.name) + date
    stem = f"sub-{subject.name}_ses-{label}"
    raw, truth = (part / f"ses-{label}" / "anat" for part in places)
    for folder in (raw, truth):
        folder.mkdir(parents=True, exist_ok=True)
    mark = _mark(study, subject, scanner)
    fields = protocol_fields(scanner.acquisitions[suffix])
    first, again = (
        _scanned(study, subject, scanner, suffix, mark, date + visit)
        for visit in ("scan", "rescan")
    )
    write_image(raw / f"{stem}_{suffix}.nii.gz", first.image, fields, "A scan.")
    for desc, volume, words in (
        ("rescan", again.image, "The same subject on the same scanner once more."),
        ("noisefree", first.noise_free, "The scan without noise, stripes and storage."),
    ):
        path = truth / f"{stem}_desc-{desc}_{suffix}.nii.gz"
        write_image(path, volume, fields | DERIVED, words)
    if mark is not None:
        plain = _scanned(
            study, subject, scanner, suffix, None, date + "scan"
        ).noise_free
        planted = first.noise_free.data - plain.data
        path = truth / f"{stem}_desc-planted_{suffix}.nii.gz"
        words = "What was planted on this scanner alone, in stored units."
        mark_there = Volume(planted, plain.affine, plain.scanner)
        write_image(path, mark_there, fields | DERIVED, words)


def _scanned(
    study: Study,
    subject: Subject,
    scanner: SimulatedScanner,
    suffix: Suffix,
    mark: NDArray[np.float32] | None,
    visit: str,
) -> Scanned:
    rng = study.random(subject.name, scanner.name, suffix, visit)
    return scan(subject, scanner, suffix, spacing=study.spacing, rng=rng, planted=mark)


def _mark(
    study: Study, subject: Subject, scanner: SimulatedScanner
) -> NDArray[np.float32] | None:
    """Return what the signal is multiplied by on this scanner alone, if anything."""
    if "occipital" not in study.plants or scanner is not study.scanners[-1]:
        return None
    return 1 + np.float32(OCCIPITAL_CONTRAST) * occipital_region(subject)
