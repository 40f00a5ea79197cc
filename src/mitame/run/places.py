"""Where results may go: never among the scans they are made from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from mitame.core.errors import OutputError
from mitame.io import bids
from mitame.io.scan import Scan
from mitame.io.staging import is_ours, require_creatable, require_outside, staged

DERIVATIVES = "derivatives"
"""BIDS keeps results inside the dataset, in this folder; no scan is read there."""


def require_apart(out: Path, places: Iterable[str], scans: Iterable[Scan]) -> None:
    """Raise `OutputError` if results in `out` would lie among what was given.

    Parameters
    ----------
    out : Path
        Where results are to go.
    places : iterable of str
        What the user named: files, folders or patterns.
    scans : iterable of Scan
        What was found there.
    """
    folders = [Path(place).expanduser() for place in places]
    given = [folder for folder in folders if folder.is_dir()]
    given += [scan.path for scan in scans]
    require_outside(out, [path for path in given if not _is_derivative(out, path)])


def require_usable(out: Path) -> None:
    """Raise `OutputError` unless `out` is new, empty, or holds results of mitame."""
    if (out / "model.json").exists():
        raise OutputError(
            f"'{out}' holds a model.", fix="Choose another folder for the results."
        )
    if not is_ours(out):
        require_creatable(out)


def open_dataset(out: Path, name: str) -> None:
    """Make `out` a BIDS derivative dataset called `name`, unless it is one."""
    if not is_ours(out):
        with staged(out) as folder:
            bids.write_dataset_description(folder, name=name)


def _is_derivative(out: Path, dataset: Path) -> bool:
    target, source = (path.expanduser().resolve() for path in (out, dataset))
    if not target.is_relative_to(source):
        return False
    inside = target.relative_to(source).parts
    return len(inside) > 1 and inside[0] == DERIVATIVES
