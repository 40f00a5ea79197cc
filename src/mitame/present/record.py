"""How the images came about: steps, software versions and settings, as plain text."""

from __future__ import annotations

import math
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitame.core.volume import Step
from mitame.present.words import Words

PACKAGES = ("mitame", "numpy", "scipy", "SimpleITK", "torch", "nibabel")

LONGEST_LIST = 8
"""Values of a list that are written out."""

RIGID = 0.01
"""A matrix whose determinant is this close to 1 keeps volumes."""

UNITS = {"_mm": " mm", "_ml": " ml", "_deg": "°"}
"""Ends of a parameter's name that tell its unit."""


@dataclass(frozen=True, slots=True)
class Line:
    """A name and what it stands for."""

    name: str
    text: str


def steps_as_lines(
    history: Sequence[Step], words: Words, *, middle: ArrayLike | None = None
) -> list[Line]:
    """Return a history as lines: the step, then its parameters.

    Parameters
    ----------
    history : sequence of Step
        First step first.
    words : Words
        The reader's language.
    middle : array_like, shape (3,), optional
        A point of the current scan, world mm; how far a ``transform`` moves it
        is told. A matrix by itself shifts every point differently.
    """
    return [
        Line(words.step(step.name), params_as_text(step.params, words, middle=middle))
        for step in history
    ]


def settings_as_lines(settings: Mapping[str, object], words: Words) -> list[Line]:
    """Return settings as lines; a path shows only its last part."""
    return [
        Line(str(name), _text(value, words))
        for name, value in settings.items()
        if not _is_personal(str(name))
    ]


def params_as_text(
    params: Mapping[str, Any], words: Words, *, middle: ArrayLike | None = None
) -> str:
    """Return parameters as ``name = value``, without folders and patient data."""
    return "; ".join(
        f"{words.param(name)} = {_param_text(name, value, words, middle)}"
        for name, value in params.items()
        if not _is_personal(str(name))
    )


def versions() -> list[Line]:
    """Return Python and the packages behind the numbers, with their versions."""
    return [
        Line("Python", platform.python_version()),
        *(Line(name, version_of(name)) for name in PACKAGES),
    ]


def version_of(package: str) -> str:
    """Return the installed version, or a dash where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "\N{EN DASH}"


def _param_text(
    name: str, value: object, words: Words, middle: ArrayLike | None
) -> str:
    """Return a value with the unit its name tells; a matrix as the motion it is."""
    if _is_matrix(value):
        matrix = np.asarray(value, dtype=np.float64)
        return _matrix_text(matrix, words, middle if name == "transform" else None)
    unit = next((u for end, u in UNITS.items() if name.endswith(end)), "")
    return f"{_text(value, words)}{unit}"


def _is_matrix(value: object) -> bool:
    rows = value.tolist() if isinstance(value, np.ndarray) else value
    return (
        isinstance(rows, list | tuple)
        and len(rows) == 4
        and all(isinstance(row, list | tuple) and len(row) == 4 for row in rows)
    )


def _matrix_text(
    matrix: NDArray[np.float64], words: Words, middle: ArrayLike | None
) -> str:
    """Return by how much a matrix turns, shifts `middle`, and changes volumes."""
    # The turn in a map that also stretches is its polar factor.
    left, _, right = np.linalg.svd(matrix[:3, :3])
    cosine = np.clip((np.trace(left @ right) - 1) / 2, -1, 1)
    told = [words.say("motion_turn", degrees=f"{np.degrees(np.arccos(cosine)):.1f}")]
    if middle is not None:
        point = np.append(np.asarray(middle, dtype=np.float64), 1)
        shift = np.linalg.norm((matrix @ point - point)[:3])
        told.append(words.say("motion_shift", mm=f"{shift:.1f}"))
    ratio = abs(float(np.linalg.det(matrix[:3, :3])))
    if abs(ratio - 1) > RIGID:
        told.append(words.say("motion_volume", ratio=f"{ratio:.2f}"))
    return words["joiner"].join(told)


def _text(value: object, words: Words) -> str:
    """Return a parameter as a person would write it."""
    if isinstance(value, Mapping):
        return "{" + params_as_text(value, words) + "}"
    if isinstance(value, np.ndarray):
        return _text(value.tolist(), words)
    if isinstance(value, list | tuple):
        return _list_text(value, words)
    if isinstance(value, float | np.floating):
        return _rounded(float(value))
    return _without_folders(str(value))


def _rounded(value: float) -> str:
    """Return three digits that count, all before the point, no needless zeros."""
    if not math.isfinite(value) or 0 < abs(value) < 1e-4:
        return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")
    before = math.floor(math.log10(abs(value))) if value else 0
    text = f"{value:.{max(2 - before, 0)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", "\N{MINUS SIGN}")


def _list_text(values: Sequence[object], words: Words) -> str:
    """Return a list, shortened in the middle of nowhere if it is very long."""
    if np.asarray(values, dtype=object).size <= LONGEST_LIST:
        return "[" + ", ".join(_text(value, words) for value in values) + "]"
    shown = ", ".join(_text(value, words) for value in values[:3])
    return f"[{shown}, {words.say('more', n=len(values))}]"


def _without_folders(text: str) -> str:
    """Return the last part of anything that looks like a path."""
    return (
        re.split(r"[\\/]", text.rstrip("\\/"))[-1]
        if re.search(r"[\\/]", text)
        else text
    )


def _is_personal(name: str) -> bool:
    """Whether a parameter's name says that it tells who the patient is."""
    return "patient" in name.lower() or "birth" in name.lower()
