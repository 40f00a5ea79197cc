"""Traveling subjects: everyone on every scanner, as a BIDS dataset with its truth."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from mitame.core.errors import OutputError
from mitame.core.progress import Progress
from mitame.io import bids
from mitame.io.staging import is_ours, staged
from mitame.simulate.anatomy import (
    Anatomy,
    builtin_anatomy,
    find_anatomies,
    read_anatomy,
)
from mitame.simulate.person import write_person
from mitame.simulate.study import Study

SETTINGS = "Simulation"
"""Field of the truth's description that holds what decided everything."""

_README = (
    "Simulated by mitame: every subject is scanned by every scanner, without moving, "
    "so that images of one subject match voxel by voxel. `derivatives/truth` holds "
    "labels, noise-free images, a second scan of each (rescan), and what was planted."
)


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
        write_person(study, out, name, anatomy, progress)
        yield name


def _heads(anatomy: str) -> list[Path | None]:
    """Return the label maps; None stands for the head inside nilearn's package."""
    if anatomy == "builtin":
        return [None]
    return list(find_anatomies(Path(anatomy).expanduser()))


def _anatomy(head: Path | None) -> Anatomy:
    return builtin_anatomy() if head is None else read_anatomy(head)


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
