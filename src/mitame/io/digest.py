"""What was read, as a SHA-256: equal digests are equal scans."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from mitame.io.scan import Scan


def digest(scan: Scan) -> str:
    """Return the SHA-256 of the files of `scan`, hexadecimal."""
    files = [scan.path] if scan.series is None else sorted(scan.series.files)
    return digest_files(files)


def digest_folder(folder: Path) -> str:
    """Return the SHA-256 of all files in `folder`, in the order of their names."""
    return digest_files(sorted(path for path in folder.rglob("*") if path.is_file()))


def digest_files(files: Iterable[Path]) -> str:
    """Return the SHA-256 of `files`, one after another."""
    total = hashlib.sha256()
    for file in files:
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()
