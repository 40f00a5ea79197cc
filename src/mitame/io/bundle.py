"""A fitted model on disk: words in ``model.json``, numbers in ``arrays.npz``."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ModelError
from mitame.io.staging import staged_file

FORMAT = 1
WORDS, NUMBERS = "model.json", "arrays.npz"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip entry can have: equal models are equal bytes."""


def write(
    folder: Path, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write one bundle; the folder is made if it is missing.

    Parameters
    ----------
    folder : Path
        Holds no bundle yet.
    meta : mapping
        Plain values that JSON can hold.
    arrays : mapping of str to array
        No object arrays.

    Raises
    ------
    OutputError
        If a bundle is there, or the disk refuses.
    """
    packed = _pack(arrays)
    words = {
        "GeneratedBy": [{"Name": "mitame", "Version": version("mitame")}],
        "format": FORMAT,
        "arrays_sha256": hashlib.sha256(packed).hexdigest(),
        "meta": dict(meta),
    }
    text = json.dumps(words, indent=2, ensure_ascii=False, allow_nan=False)
    folder.mkdir(parents=True, exist_ok=True)
    with staged_file(folder / NUMBERS) as temporary:
        temporary.write_bytes(packed)
    with staged_file(folder / WORDS) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the meta and arrays of one bundle; never runs code from the file.

    Raises
    ------
    ModelError
        If it is no bundle, damaged, or written by another version.
    """
    words = _words(folder)
    packed = _bytes(folder / NUMBERS)
    if hashlib.sha256(packed).hexdigest() != words.get("arrays_sha256"):
        raise _damaged(folder, f"{NUMBERS} is not what {WORDS} was written with")
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged(folder, str(error)) from error
    return words["meta"], arrays


def _pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return an .npz whose bytes depend on the arrays alone."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(arrays):
            entry = zipfile.ZipInfo(f"{name}.npy", EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, arrays[name], allow_pickle=False)
    return buffer.getvalue()


def _words(folder: Path) -> dict[str, Any]:
    try:
        words = json.loads(_bytes(folder / WORDS))
    except ValueError as error:
        raise _damaged(folder, f"{WORDS}: {error}") from error
    if not isinstance(words, dict) or not isinstance(words.get("meta"), dict):
        raise _damaged(folder, f"{WORDS} holds no mitame model")
    if words.get("format") != FORMAT:
        raise ModelError(
            f"The model in '{folder}' has format {words.get('format')}; this version "
            f"reads format {FORMAT}.",
            fix="Fit it again with this version of mitame.",
        )
    return words


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"There is no readable '{path}'.", fix="Give a folder that `fit` wrote."
        ) from error


def _damaged(folder: Path, reason: str) -> ModelError:
    return ModelError(
        f"The model in '{folder}' is damaged: {reason}.",
        fix="Copy it again, or fit it again.",
    )
