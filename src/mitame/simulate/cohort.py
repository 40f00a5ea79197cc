"""Traveling subjects: everyone on every scanner, as a BIDS dataset with its truth."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError, OutputError
from mitame.core.session import Suffix
from mitame.core.volume import Volume
from mitame.io import bids, names
from mitame.io.staging import is_ours, staged
from mitame.simulate.acquire import Scanned, scan
from mitame.simulate.anatomy import (
    Anatomy,
    builtin_anatomy,
    find_anatomies,
    read_anatomy,
)
from mitame.simulate.catalog import SimulatedScanner
from mitame.simulate.dataset import protocol_fields, write_anatomy, write_image
from mitame.simulate.plant import (
    Lesion,
    choose_lesions,
    occipital_region,
    plant_lesions,
)
from mitame.simulate.subject import Subject, make_subject

Plant = Literal["occipital", "lesions"]
PLANTS: tuple[Plant, ...] = get_args(Plant)

OCCIPITAL_CONTRAST = 0.3
"""How much brighter the last scanner shows the occipital cortex, where planted."""

N_LESIONS = 6

SETTINGS = "Simulation"
"""Field of the truth's description that holds what decided everything."""

DERIVED = {"SkullStripped": False}
"""What BIDS asks of a derivative image."""

_README = (
    "Simulated by mitame: every subject is scanned by every scanner, without moving, "
    "so that images of one subject match voxel by voxel. `derivatives/truth` holds "
    "labels, noise-free images, a second scan of each (rescan), and what was planted."
)

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Study:
    """What shall be simulated.

    Parameters
    ----------
    anatomy : str
        Folder with label maps, or ``builtin``.
    n_subjects : int
        People; they take turns with the anatomies and differ all the same.
    scanners : tuple of SimulatedScanner
        Where everyone is scanned.
    sequences : tuple of str
        BIDS suffixes; every scanner has them.
    spacing : float
        Voxel edge of all scans, mm, 0.8 to 4.
    seed : int
        Same seed, same bytes.
    plants : tuple of str
        ``occipital``: the last scanner shows the occipital cortex too bright.
        ``lesions``: everyone has some.
    """

    anatomy: str
    n_subjects: int
    scanners: tuple[SimulatedScanner, ...]
    sequences: tuple[Suffix, ...]
    spacing: float
    seed: int
    plants: tuple[Plant, ...] = ()

    def __post_init__(self) -> None:
        if self.n_subjects < 1:
            raise InputError(
                f"{self.n_subjects} subjects were asked for.", fix="Give 1 or more."
            )
        if not 0.8 <= self.spacing <= 4:
            raise InputError(
                f"A resolution of {self.spacing:g} mm.", fix="Give 0.8 to 4 mm."
            )
        for scanner in self.scanners:
            missing = [s for s in self.sequences if s not in scanner.acquisitions]
            if missing:
                raise InputError(
                    f"Scanner '{scanner.name}' has no {', '.join(missing)}.",
                    fix=f"It has {', '.join(scanner.acquisitions)}.",
                )

    def settings(self) -> dict[str, Any]:
        """Return everything that decides what comes out, as plain values."""
        words = asdict(self)
        words["anatomy"] = Path(self.anatomy).name
        return json.loads(json.dumps(words))  # type: ignore[no-any-return]


def simulate(
    study: Study,
    out: Path,
    *,
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Iterator[str]:
    """Write a study into `out`, subject by subject; yield each that was made.

    A subject that an interrupted run has finished is kept.

    Raises
    ------
    InputError
        If an anatomy cannot be used.
    OutputError
        If `out` holds something else, or cannot be written.
    """
    heads = _heads(study.anatomy)
    people = [f"{number:03d}" for number in range(1, study.n_subjects + 1)]
    taken = [heads[number % len(heads)] for number in range(len(people))]
    _open_dataset(study, out, people, taken, force=force)
    for number, name in enumerate(people):
        if (out / f"sub-{name}").exists():
            continue
        anatomy = _anatomy(heads[number % len(heads)])
        _write_subject(study, out, name, anatomy, progress)
        yield name


def _heads(anatomy: str) -> list[Path | None]:
    """Return the label maps; None stands for the head inside nilearn's package."""
    if anatomy == "builtin":
        return [None]
    return list(find_anatomies(Path(anatomy).expanduser()))


def _anatomy(head: Path | None) -> Anatomy:
    return builtin_anatomy() if head is None else read_anatomy(head)


def _random(study: Study, *things: str) -> np.random.Generator:
    """Return the random numbers of one thing; others do not disturb them."""
    return np.random.default_rng(
        [study.seed, *(zlib.crc32(n.encode()) for n in things)]
    )


def _open_dataset(
    study: Study,
    out: Path,
    people: Sequence[str],
    heads: Sequence[Path | None],
    *,
    force: bool,
) -> None:
    """Make `out` a BIDS dataset of this study, unless it is one."""
    description = out / "derivatives" / "truth" / bids.DESCRIPTION
    if is_ours(out) and description.exists() and not force:
        if json.loads(description.read_bytes())[SETTINGS] == study.settings():
            return
        raise OutputError(
            f"'{out}' holds a simulation with other settings.",
            fix="Choose another folder, or replace it with --force.",
        )
    with staged(out, force=force) as folder:
        name = "Simulated traveling subjects"
        bids.write_raw_description(folder, name=name, readme=_README)
        rows = [
            {"participant_id": f"sub-{n}", "anatomy": h.name[:-7] if h else "mni152"}
            for n, h in zip(people, heads, strict=True)
        ]
        columns = {
            "participant_id": "Subject label",
            "anatomy": "The label map that the subject was deformed from",
        }
        bids.write_table(folder / "participants.tsv", rows, columns)
        truth = folder / "derivatives" / "truth"
        truth.mkdir(parents=True)
        bids.write_dataset_description(
            truth,
            name="Truth of simulated subjects",
            fields={SETTINGS: study.settings()},
        )


def _write_subject(
    study: Study, out: Path, name: str, anatomy: Anatomy, progress: Progress
) -> None:
    """Write truth, then scans: a subject whose scans are there is complete."""
    rng = _random(study, name, "subject")
    subject = make_subject(name, anatomy, spacing=study.spacing, rng=rng)
    lesions: tuple[Lesion, ...] = ()
    numbers = np.zeros(subject.labels.shape, np.int16)
    if "lesions" in study.plants:
        chance = _random(study, name, "lesions")
        lesions = choose_lesions(subject, N_LESIONS, chance)
        subject, numbers = plant_lesions(subject, lesions, chance)
    progress(f"sub-{name}: anatomy made")
    truth = out / "derivatives" / "truth" / f"sub-{name}"
    shutil.rmtree(truth, ignore_errors=True)  # of a run that was killed in between
    # The scans appear last.
    with staged(out / f"sub-{name}") as shown, staged(truth) as told:
        write_anatomy(told, subject, numbers, lesions, study.spacing)

        def one(scanner: SimulatedScanner, suffix: Suffix) -> None:
            _write_scans(study, subject, scanner, suffix, shown, told)
            progress(f"sub-{name}: {suffix} on {scanner.name}")

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
    shown: Path,
    told: Path,
) -> None:
    """Write a scan as raw data; rescan, noise-free image and mark as truth."""
    label = names.label(scanner.name)
    stem = f"sub-{subject.name}_ses-{label}"
    raw, truth = (part / f"ses-{label}" / "anat" for part in (shown, told))
    for folder in (raw, truth):
        folder.mkdir(parents=True, exist_ok=True)
    mark = _mark(study, subject, scanner)
    fields = protocol_fields(scanner.acquisitions[suffix])
    first, again = (
        _scanned(study, subject, scanner, suffix, mark, visit)
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
        plain = _scanned(study, subject, scanner, suffix, None, "scan").noise_free
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
    rng = _random(study, subject.name, scanner.name, suffix, visit)
    return scan(subject, scanner, suffix, spacing=study.spacing, rng=rng, planted=mark)


def _mark(
    study: Study, subject: Subject, scanner: SimulatedScanner
) -> NDArray[np.float32] | None:
    """Return what the signal is multiplied by on this scanner alone, if anything."""
    if "occipital" not in study.plants or scanner is not study.scanners[-1]:
        return None
    return 1 + np.float32(OCCIPITAL_CONTRAST) * occipital_region(subject)
