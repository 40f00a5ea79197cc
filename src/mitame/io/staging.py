"""Results are written beside their name and renamed, so no half file is left."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mitame.core.errors import OutputError

MARKERS = ("dataset_description.json", "model.json")
"""Files that name their maker in ``GeneratedBy``; mitame replaces only its own."""
ATTEMPTS = 5
DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG}

_unfinished: set[Path] = set()
"""What this process is writing; like its process id, it has one such set."""


@contextmanager
def staged(out: Path, *, force: bool = False) -> Iterator[Path]:
    """Give a folder to write in, and move it to `out` when all went well.

    After any exception, Ctrl-C included, the folder is gone and what was in `out`
    before is untouched. What a killed process left behind is cleared away.

    Parameters
    ----------
    out : Path
        Folder of the finished result; missing or empty, unless `force`.
    force : bool
        Replace a result that mitame wrote (it holds a `MARKERS` file that says so).

    Yields
    ------
    Path
        Empty folder beside `out`, on the same disk.

    Raises
    ------
    OutputError
        If `out` may not be replaced or cannot be written.
    """
    target = out.expanduser().resolve()
    with _disk_errors_named(target):
        _clear_leftovers(target)
        _require_replaceable(target, force=force)
        target.parent.mkdir(parents=True, exist_ok=True)
        work = _beside(target, "partial")
        work.mkdir()
    with discarded(work):
        with _disk_errors_named(target, only=work):
            yield work
        with _disk_errors_named(target):
            _swap(work, target)


@contextmanager
def staged_file(path: Path) -> Iterator[Path]:
    """Give a name to write one file under; it becomes `path` when all went well.

    Raises
    ------
    OutputError
        If `path` exists or cannot be written.
    """
    if path.exists():
        raise OutputError(
            f"'{path}' is already there.", fix="Choose another name or remove it."
        )
    work = _beside(path, "partial")
    with discarded(work), _disk_errors_named(path):
        _clear_leftovers(path)
        yield work
        work.rename(path)


@contextmanager
def discarded(path: Path) -> Iterator[Path]:
    """Remove the file or folder `path` at the end, whatever happens.

    `discard_all` removes it, too, in a process that cannot unwind.
    """
    _unfinished.add(path)
    try:
        yield path
    finally:
        _remove(path)
        _unfinished.discard(path)


def discard_all() -> None:
    """Remove everything unfinished, for a process that must end at once."""
    for path in tuple(_unfinished):
        for _ in range(ATTEMPTS):  # another thread may be writing into it
            if not path.exists():
                break
            _remove(path)


def require_creatable(out: Path) -> None:
    """Raise `OutputError` if `staged(out)` could not begin; leave nothing there."""
    target = out.expanduser().resolve()
    nearest = next(parent for parent in target.parents if parent.exists())
    with _disk_errors_named(target):
        _clear_leftovers(target)
        _require_replaceable(target, force=False)
        probe = _beside(nearest / target.name, "partial")
        probe.mkdir()
        probe.rmdir()


def require_outside(out: Path, inputs: Iterable[Path]) -> None:
    """Raise `OutputError` if `out` is, holds, or lies in one of `inputs`."""
    target = out.expanduser().resolve()
    for given in inputs:
        source = given.expanduser().resolve()
        if target == source or target in source.parents or source in target.parents:
            raise OutputError(
                f"The output '{out}' and the input '{given}' overlap.",
                fix="Choose an output folder that neither holds nor lies in an input.",
            )


def is_ours(folder: Path) -> bool:
    """Whether mitame wrote the result in `folder`."""
    return any(_names_mitame(folder / marker) for marker in MARKERS)


def _names_mitame(marker: Path) -> bool:
    try:
        content = json.loads(marker.read_bytes())
    except (OSError, ValueError):
        return False
    makers = content.get("GeneratedBy") if isinstance(content, dict) else None
    if not isinstance(makers, list):
        return False
    return any(isinstance(one, dict) and one.get("Name") == "mitame" for one in makers)


def _require_replaceable(out: Path, *, force: bool) -> None:
    """Raise unless `out` is missing, empty, or an older result and `force` is set."""
    if not out.name or os.path.ismount(out):
        raise OutputError(
            f"'{out}' is the top of a disk.", fix="Name a new folder inside it."
        )
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"'{out}' is a file.", fix="Choose a folder name.")
    if not any(out.iterdir()):
        return
    if force or not is_ours(out):
        _require_ours(out)
        return
    raise OutputError(
        f"'{out}' is not empty: it holds an earlier result.",
        fix="Choose another folder, or replace the result with --force.",
    )


def _require_ours(out: Path) -> None:
    for place in (Path.home(), Path.cwd()):
        if out == place or out in place.parents:
            raise OutputError(
                f"'{out}' holds your current or home folder.",
                fix="Choose a folder of its own for the result.",
            )
    if not is_ours(out):
        raise OutputError(
            f"'{out}' is not empty and was not written by mitame; not even --force "
            "replaces it.",
            fix="Choose another folder, or remove this one yourself.",
        )


def _swap(work: Path, out: Path) -> None:
    """Put `work` in the place of `out`; the old result goes last."""
    old = _beside(out, "old")
    try:
        if out.exists():
            out.rename(old)
        work.rename(out)
    finally:  # Ctrl-C between the two renames must not lose the old result
        if old.exists() and not out.exists():
            old.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _beside(out: Path, role: str) -> Path:
    return out.with_name(f".{out.name}.{role}-{os.getpid()}")


def _clear_leftovers(out: Path) -> None:
    """Remove what dead processes left; bring back a result caught in mid-swap."""
    pattern = re.compile(rf"\.{re.escape(out.name)}\.(partial|old)-(\d+)")
    if not out.parent.is_dir():
        return
    for path in out.parent.iterdir():
        found = pattern.fullmatch(path.name)
        if not found or _is_running(int(found[2])):
            continue
        if found[1] == "old" and not out.exists():
            path.rename(out)
        else:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    """Whether another process has this id; this one cannot have left anything."""
    if pid == os.getpid():
        return False
    if os.name == "nt":  # there, os.kill(pid, 0) would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextmanager
def _disk_errors_named(out: Path, only: Path | None = None) -> Iterator[None]:
    """Turn an `OSError` of writing into an `OutputError` that names `out`.

    With `only`, errors that are about neither a full disk nor a file below `only`
    pass unchanged: they come from reading an input.
    """
    try:
        yield
    except OSError as error:
        name = str(error.filename or "")
        is_ours_to_name = only is None or name.startswith(str(only))
        if not is_ours_to_name and error.errno not in DISK_ERRORS:
            raise
        raise OutputError(
            f"'{out}' cannot be written: {error.strerror or error}.",
            fix="Free some space, or choose a folder you may write to.",
        ) from error
