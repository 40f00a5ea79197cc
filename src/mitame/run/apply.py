"""Apply a model to scans on disk; what an interrupted run has finished is kept."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mitame.core.errors import InputError, MitameError, OutputError
from mitame.core.session import Session, Suffix
from mitame.io import bids, nifti
from mitame.io.digest import digest, digest_folder
from mitame.io.scan import Scan, read
from mitame.model import Harmonized, Model
from mitame.run.places import open_dataset, require_usable
from mitame.run.scans import known_sequence, listed, title_of

Progress = Callable[[str], None]
"""Is told what is being done, in words a user reads."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scan: its files, or why there are none.

    Parameters
    ----------
    scan : Scan
        Which one.
    state : {"done", "done before", "failed"}
        What became of it.
    seconds : float
        How long it took.
    sha256 : str
        Of the scan; empty if it could not be read.
    files : tuple of Path
        What was written.
    error : MitameError, optional
        Why it failed.
    """

    scan: Scan
    state: str
    seconds: float
    sha256: str = ""
    files: tuple[Path, ...] = ()
    error: MitameError | None = None

    @property
    def name(self) -> str:
        """File name, or the DICOM series in words."""
        return title_of(self.scan)


def apply_model(
    folder: Path,
    scans: Sequence[Scan],
    out: Path,
    *,
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Iterator[Outcome]:
    """Harmonize scans one by one; yield what became of each.

    A scan that cannot be used fails alone. What an interrupted run has finished is
    kept: a result made from the same scan by the same model is not made again.

    Parameters
    ----------
    folder : Path
        Where the model is.
    scans : sequence of Scan
        What to harmonize.
    out : Path
        A new folder, or one of an earlier run.
    force : bool
        Replace results that another model or another scan left there.
    progress : callable
        Called before each scan.

    Raises
    ------
    ModelError
        If `folder` holds no model.
    InputError
        If two scans would have results of one name.
    OutputError
        If `out` cannot be written, or is not for results of `apply`.
    """
    model, made_by = Model.load(folder), digest_folder(folder)
    _require_different_names(scans)
    require_usable(out)
    for number, scan in enumerate(scans, start=1):
        progress(f"{number}/{len(scans)} {title_of(scan)}")
        start = time.perf_counter()
        try:
            state, sha256, files = _apply_one(model, made_by, scan, out, force=force)
            taken = time.perf_counter() - start
            yield Outcome(scan, state, round(taken, 1), sha256, files)
        except MitameError as error:
            if isinstance(error.__cause__, OSError) and isinstance(error, OutputError):
                raise  # a full disk is full for the next scan, too
            taken = time.perf_counter() - start
            yield Outcome(scan, "failed", round(taken, 1), error=error)


def sidecar_of(image: Path) -> Path:
    """Return the JSON beside an image."""
    return image.with_name(image.name.removesuffix(".nii.gz") + ".json")


def _apply_one(
    model: Model, made_by: str, scan: Scan, out: Path, *, force: bool
) -> tuple[str, str, tuple[Path, ...]]:
    """Return state, SHA-256 of the scan, and files written."""
    suffix = known_sequence(scan)
    _require_known_to(model, scan, suffix)
    if scan.problem is not None:
        raise scan.problem
    image, edit = _results(scan, suffix, out)
    origin = {"ModelSHA256": made_by, "SourceSHA256": digest(scan)}
    files = (image, sidecar_of(image), edit, sidecar_of(edit))
    if all(file.exists() for file in files) and _origin(image) == origin:
        return "done before", origin["SourceSHA256"], files
    _require_replaceable((image, edit), origin, force=force)
    found = model.harmonize(Session({suffix: read(scan)}, scan.subject, scan.date))
    open_dataset(out, "mitame harmonized scans")
    for file in files:
        file.unlink(missing_ok=True)
    try:
        _write(image, edit, found[suffix], scan, origin)
    except BaseException:  # Ctrl-C, too: all four files or none
        for file in files:
            file.unlink(missing_ok=True)
        raise
    return "done", origin["SourceSHA256"], files


def _write(
    image: Path, edit: Path, found: Harmonized, scan: Scan, origin: dict[str, str]
) -> None:
    """Write the edit first and the image last: what is complete has an image."""
    like = scan.path if scan.kind == "nifti" else None
    for path, volume, words in (
        (edit, found.edit, "Harmonized minus source, in the harmonized scale."),
        (image, found.result, "The scan as the target scanner would have shown it."),
    ):
        bids.write_sidecar(
            path, volume, sources=[scan.path.name], description=words, fields=origin
        )
        nifti.write(path, volume, like=like)


def _results(scan: Scan, suffix: str, out: Path) -> tuple[Path, Path]:
    """Return where the harmonized image and the edit map go."""
    image, edit = (
        out / bids.derivative_name(scan, desc, suffix)
        for desc in ("harmonized", "edit")
    )
    return image, edit


def _origin(image: Path) -> dict[str, str]:
    """Return from what and by what `image` was made, as far as it says."""
    try:
        fields = json.loads(sidecar_of(image).read_bytes())
    except (OSError, ValueError):
        return {}
    keys = ("ModelSHA256", "SourceSHA256")
    return (
        {key: fields.get(key, "") for key in keys} if isinstance(fields, dict) else {}
    )


def _require_replaceable(
    images: Sequence[Path], origin: dict[str, str], *, force: bool
) -> None:
    """Raise unless what is there is an unfinished result of the same scan and model."""
    sidecars = [sidecar_of(image) for image in images]
    there = [file for file in (*images, *sidecars) if file.exists()]
    told = [_origin(image) for image in images if sidecar_of(image).exists()]
    is_unfinished = bool(told) and all(one == origin for one in told)
    if there and not is_unfinished and not force:
        raise OutputError(
            f"'{there[0]}' is there, made from another scan or by another model.",
            fix="Choose another folder, or replace it with --force.",
        )


def _require_different_names(scans: Iterable[Scan]) -> None:
    named: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        named[bids.derivative_name(scan, "harmonized", str(scan.suffix))].append(scan)
    for name, same in named.items():
        if len(same) > 1:
            raise InputError(
                f"'{same[0].path}' and '{same[1].path}' would both become '{name}'.",
                fix="Give them in two runs with a folder each, or name them by BIDS.",
            )


def _require_known_to(model: Model, scan: Scan, suffix: Suffix) -> None:
    """Raise before a long preparation if the model has not seen the sequence."""
    groups = [model.about.get(name) for name in ("source", "target")]
    known = [set(g["sequences"]) for g in groups if isinstance(g, dict)]
    both = set.intersection(*known) if known else {suffix}
    if suffix not in both:
        raise InputError(
            f"'{scan.path.name}' is {suffix}; the model knows {listed(both)}.",
            fix=f"Fit a model with {suffix} scans in both groups.",
        )
