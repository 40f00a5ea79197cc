"""Fit a model on scans on disk, and apply it to others."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mitame.core.errors import InputError, MitameError, OutputError
from mitame.core.session import Session
from mitame.engines.named import engine_class
from mitame.io import bids, nifti
from mitame.io.digest import digest, digest_folder
from mitame.io.scan import Scan, find_scans, read
from mitame.model import Harmonized, Model
from mitame.prepare.default import default_preparation

Progress = Callable[[str], None]
"""Is told what was done, in words a user reads."""


def collect(places: Iterable[str]) -> list[Scan]:
    """Return the scans at all `places` whose sequence is known, each once.

    Raises
    ------
    InputError
        If a place has no scan, or a scan there cannot be read or named.
    """
    found = {scan.path: scan for place in places for scan in find_scans(place)}
    for scan in found.values():
        if scan.problem is not None:
            raise scan.problem
        if scan.suffix is None:
            raise InputError(
                f"The sequence of '{scan.path.name}' cannot be told.",
                fix="Name the file by BIDS (…_T1w.nii.gz).",
            )
    return list(found.values())


def fit_model(
    source: Sequence[Scan],
    target: Sequence[Scan],
    engine: str,
    *,
    progress: Progress = lambda _: None,
) -> Model:
    """Return a model that gives scans like `source` the look of `target`.

    Raises
    ------
    InputError
        If the engine is unknown, or one scan is in both groups.
    """
    engine_class(engine)  # a misspelt name is told before an hour of preparation
    both = {scan.path for scan in source} & {scan.path for scan in target}
    if both:
        raise InputError(
            f"{len(both)} scans are source and target at once, such as "
            f"'{min(both).name}'.",
            fix="Give each scan to one group.",
        )
    about = {
        "mitame": version("mitame"),
        "source": _group(source),
        "target": _group(target),
    }
    return Model.fit(
        default_preparation(),
        engine,
        _sessions(source, "source", progress),
        _sessions(target, "target", progress),
        about=about,
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scan: its files, or why there are none.

    Parameters
    ----------
    scan : str
        File name.
    state : {"done", "done before", "failed"}
        What became of it.
    files : tuple of Path
        What was written.
    error : MitameError, optional
        Why it failed.
    """

    scan: str
    state: str
    files: tuple[Path, ...] = ()
    error: MitameError | None = None


def apply_model(
    folder: Path, scans: Sequence[Scan], out: Path, *, force: bool = False
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

    Raises
    ------
    ModelError
        If `folder` holds no model.
    """
    model, made_by = Model.load(folder), digest_folder(folder)
    for scan in scans:
        try:
            yield _apply_one(model, made_by, scan, out, force=force)
        except MitameError as error:
            yield Outcome(scan.path.name, "failed", error=error)


def _apply_one(
    model: Model, made_by: str, scan: Scan, out: Path, *, force: bool
) -> Outcome:
    suffix = scan.suffix
    assert suffix is not None  # noqa: S101 - `collect` lets no other through
    image = out / bids.derivative_name(scan, "harmonized", suffix)
    edit = out / bids.derivative_name(scan, "edit", suffix)
    origin = {"ModelSHA256": made_by, "SourceSHA256": digest(scan)}
    files = [file for path in (image, edit) for file in (path, sidecar_of(path))]
    if all(file.exists() for file in files) and _origin(image) == origin:
        return Outcome(scan.path.name, "done before", tuple(files))
    _make_room(files, force=force)
    found = model.harmonize(Session({suffix: read(scan)}, scan.subject, scan.date))
    out.mkdir(parents=True, exist_ok=True)
    if not (out / "dataset_description.json").exists():
        bids.write_dataset_description(out, name="mitame harmonized scans")
    _write(image, edit, found[suffix], scan, origin)
    return Outcome(scan.path.name, "done", tuple(files))


def sidecar_of(image: Path) -> Path:
    """Return the JSON beside an image."""
    return image.with_name(image.name.removesuffix(".nii.gz") + ".json")


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


def _origin(image: Path) -> dict[str, str]:
    fields = json.loads(sidecar_of(image).read_text(encoding="utf-8"))
    return {key: fields.get(key, "") for key in ("ModelSHA256", "SourceSHA256")}


def _make_room(files: Sequence[Path], *, force: bool) -> None:
    """Remove what an unfinished run left; what is finished only with `force`."""
    there = [file for file in files if file.exists()]
    if len(there) == len(files) and not force:
        raise OutputError(
            f"'{files[0]}' is there, made from another scan or by another model.",
            fix="Choose another folder, or pass --force.",
        )
    for file in there:
        file.unlink()


def _sessions(
    scans: Sequence[Scan], group: str, progress: Progress
) -> Iterator[Session]:
    for number, scan in enumerate(scans, start=1):
        assert scan.suffix is not None  # noqa: S101 - `collect` lets no other through
        yield Session({scan.suffix: read(scan)}, scan.subject, scan.date)
        progress(f"{group} {number}/{len(scans)}: {scan.path.name}")


def _group(scans: Sequence[Scan]) -> dict[str, object]:
    """Return what a model remembers of a group; names and paths are not kept."""
    scanners = sorted({str(scan.scanner) for scan in scans if scan.scanner})
    sequences = sorted({str(scan.suffix) for scan in scans})
    sources = sorted(digest(scan) for scan in scans)
    return {"sequences": sequences, "scanners": scanners, "sha256": sources}
