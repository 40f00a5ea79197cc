"""A cohort of traveling subjects on disk, prepared once and kept."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.session import SUFFIXES, Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.io import bundle, names, nifti
from mitame.prepare.default import default_preparation
from mitame.simulate.dataset import LATER

Kind = Literal["scan", "rescan", "noisefree"]
"""The scan itself, the same scanner's second one, or the scan without noise."""

TRUTH = Path("derivatives") / "truth"


@dataclass(frozen=True, slots=True)
class Cohort:
    """Subjects who were each scanned on several scanners, on one grid.

    Parameters
    ----------
    folder : Path
        A raw BIDS dataset; ``ses`` names the scanner.
    subjects, scanners : tuple of str
        BIDS labels; every subject was on every scanner.
    sequences : tuple of str
        What every subject has on every scanner.
    has_rescans : bool
        Whether rescans and noise-free images are there, as `mitame simulate` writes.
    """

    folder: Path
    subjects: tuple[str, ...]
    scanners: tuple[str, ...]
    sequences: tuple[Suffix, ...]
    has_rescans: bool

    def file(self, subject: str, scanner: str, suffix: str, desc: str = "scan") -> Path:
        """Return where an image is; ``desc`` is a `Kind`, or ``planted``."""
        place = Path(f"sub-{subject}", f"ses-{scanner}", "anat")
        if desc == "scan":
            stem = f"sub-{subject}_ses-{scanner}_{suffix}.nii.gz"
            return self.folder / place / stem
        stem = f"sub-{subject}_ses-{scanner}_desc-{desc}_{suffix}.nii.gz"
        return self.folder / TRUTH / place / stem

    def digest(self) -> str:
        """Return a SHA-256 of all scans, their names included."""
        every = hashlib.sha256()
        for subject, scanner, suffix in product(
            self.subjects, self.scanners, self.sequences
        ):
            path = self.file(subject, scanner, suffix)
            every.update(path.name.encode())
            every.update(hashlib.sha256(path.read_bytes()).digest())
        return every.hexdigest()

    def native(self, subject: str, scanner: str, kind: Kind) -> Session:
        """Return the images of one visit as they are stored."""
        volumes = {
            suffix: nifti.read(self.file(subject, scanner, suffix, kind))
            for suffix in self.sequences
        }
        return Session(volumes, subject)

    def planted(
        self, subject: str, scanner: str, suffix: str
    ) -> NDArray[np.float32] | None:
        """Return the mark a scanner adds, in stored units; None if it adds none."""
        path = self.file(subject, scanner, suffix, "planted")
        return nifti.read(path).data if path.exists() else None

    def labels(self, subject: str) -> NDArray[np.int16]:
        """Return FreeSurfer's labels of a subject; the truth has them."""
        return _labels(self._truth(subject, "labels"))

    def lesions(self, subject: str) -> NDArray[np.int16] | None:
        """Return n where lesion n of a subject is; None if nothing was planted."""
        path = self._truth(subject, "lesions")
        return _labels(path) if path.exists() else None

    def _truth(self, subject: str, desc: str) -> Path:
        name = f"sub-{subject}_desc-{desc}_dseg.nii.gz"
        return self.folder / TRUTH / f"sub-{subject}" / "anat" / name


def _labels(path: Path) -> NDArray[np.int16]:
    return nifti.read(path).data.astype(np.int16)


def find_cohort(folder: Path) -> Cohort:
    """Return the traveling subjects of a BIDS dataset.

    Subjects and sequences that are not on every scanner are left out, and so are
    visits of a second date (`dataset.LATER`).

    Raises
    ------
    InputError
        If there are no two scanners with a common subject and sequence.
    """
    seen: dict[str, dict[str, set[Suffix]]] = defaultdict(dict)
    for path in sorted(folder.glob("sub-*/ses-*/anat/sub-*.nii.gz")):
        name = names.parse(path)
        if name.is_scan and name.suffix and set(name.entities) == {"sub", "ses"}:
            subject, scanner = name.entities["sub"], name.entities["ses"]
            if not scanner.endswith(LATER):
                seen[subject].setdefault(scanner, set()).add(name.suffix)
    scanners = sorted({scanner for visits in seen.values() for scanner in visits})
    subjects = [s for s, visits in seen.items() if set(visits) == set(scanners)]
    everywhere = [seen[s][scanner] for s in subjects for scanner in scanners]
    shared = set.intersection(*everywhere) if everywhere else set()
    if len(scanners) < 2 or not shared:
        raise InputError(
            f"'{folder}' has {len(scanners)} scanners (ses-…) and {len(subjects)} "
            "subjects who were on all of them with one sequence in common.",
            fix="Give a BIDS dataset of traveling subjects, as `mitame simulate` "
            "writes: sub-…/ses-SCANNER/anat/….",
        )
    found = Cohort(
        folder,
        tuple(sorted(subjects)),
        tuple(scanners),
        tuple(suffix for suffix in SUFFIXES if suffix in shared),
        has_rescans=False,
    )
    first = found.file(found.subjects[0], scanners[0], found.sequences[0], "rescan")
    return replace(found, has_rescans=first.exists())


@dataclass(frozen=True, slots=True)
class Prepared:
    """The prepared images of a cohort; what was prepared once is read back.

    Parameters
    ----------
    cohort : Cohort
        What to prepare.
    cache : Path
        Folder where prepared images are kept.
    """

    cohort: Cohort
    cache: Path

    def session(self, subject: str, scanner: str, kind: Kind = "scan") -> Session:
        """Return one visit, prepared as for `Model.fit`.

        Truth is prepared with the brain mask and the place of the scan it belongs to:
        the same voxels are compared. What is the scan without its noise is multiplied
        by what preparing multiplied the scan by: the bias field N4 finds depends on
        noise, and the two would differ by more than noise.
        """
        place = self.cache / f"sub-{subject}_ses-{scanner}_{kind}"
        if (place / bundle.WORDS).exists():
            return _read(place, subject)
        native = self.cohort.native(subject, scanner, kind)
        if kind == "noisefree":
            scan = self.cohort.native(subject, scanner, "scan")
            found = _multiplied_like(self.session(subject, scanner), scan, native)
        else:
            if kind == "rescan":
                native = _placed_like(self.session(subject, scanner), native)
            prepared, restore = default_preparation().apply(native)
            found = restore(prepared)
        _write(place, found)
        return found

    def sessions(
        self, subjects: Sequence[str], scanner: str, kind: Kind = "scan"
    ) -> list[Session]:
        """Return the visits of several subjects to one scanner."""
        return [self.session(subject, scanner, kind) for subject in subjects]


def _placed_like(known: Session, native: Session) -> Session:
    """Return `native` with the brain mask and the template place of `known`."""
    native.reference.require_same_grid(known.reference)
    return replace(native, brain=known.brain, to_template=known.to_template)


def _multiplied_like(prepared: Session, scan: Session, native: Session) -> Session:
    """Return `native` times what made `scan` the `prepared` one.

    Where the scan is 0 nothing is known of its field, and 0 stays.
    """
    volumes = {}
    for suffix, volume in native.items():
        before, after = scan[suffix], prepared[suffix]
        before.require_same_grid(volume)
        factor = np.divide(
            after.data,
            before.data,
            out=np.zeros_like(after.data),
            where=before.data != 0,
        )
        step = Step("scale", {"gain": gain_of(after)})
        volumes[suffix] = volume.with_data(volume.data * factor, step)
    return _placed_like(prepared, native.with_volumes(volumes))


def _write(place: Path, session: Session) -> None:
    arrays: dict[str, NDArray[Any]] = {s: session[s].data for s in session}
    arrays["brain"] = session.require_brain()
    arrays["affine"] = session.reference.affine
    arrays["to_template"] = session.require_template()
    scales = {suffix: gain_of(volume) for suffix, volume in session.items()}
    bundle.write(place, {"gain": scales}, arrays)


def _read(place: Path, subject: str) -> Session:
    words, arrays = bundle.read(place)
    gains: Mapping[str, float] = words["gain"]
    volumes = {
        suffix: Volume(
            arrays[suffix],
            arrays["affine"],
            history=(Step("scale", {"gain": gains[suffix]}),),
        )
        for suffix in SUFFIXES
        if suffix in arrays
    }
    brain = arrays["brain"].astype(np.bool_)
    return Session(volumes, subject, brain=brain, to_template=arrays["to_template"])


def gain_of(volume: Volume) -> float:
    """Return what preparing multiplied an image by, to put its white matter at 1."""
    steps = (step for step in reversed(volume.history) if step.name == "scale")
    return float(next(steps).params["gain"])
