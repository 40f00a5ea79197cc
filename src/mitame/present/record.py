"""How the images came about: steps, software versions and settings, as plain text."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np

from mitame.core.volume import Step
from mitame.present.words import Words

PACKAGES = ("mitame", "numpy", "scipy", "SimpleITK", "torch", "nibabel")

LONGEST_LIST = 16
"""Values of a list that are written out: a 4 x 4 matrix still is."""


@dataclass(frozen=True, slots=True)
class Line:
    """A name and what it stands for."""

    name: str
    text: str


def steps_as_lines(history: Sequence[Step], words: Words) -> list[Line]:
    """Return a history as lines: the step, then its parameters."""
    return [Line(step.name, params_as_text(step.params, words)) for step in history]


def settings_as_lines(settings: Mapping[str, object], words: Words) -> list[Line]:
    """Return settings as lines; a path shows only its last part."""
    return [
        Line(str(name), _text(value, words))
        for name, value in settings.items()
        if not _is_personal(str(name))
    ]


def params_as_text(params: Mapping[str, Any], words: Words) -> str:
    """Return parameters as ``name = value``, without folders and patient data."""
    return "; ".join(
        f"{name} = {_text(value, words)}"
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


def _text(value: object, words: Words) -> str:
    """Return a parameter as a person would write it."""
    if isinstance(value, Mapping):
        return "{" + params_as_text(value, words) + "}"
    if isinstance(value, np.ndarray):
        return _text(value.tolist(), words)
    if isinstance(value, list | tuple):
        return _list_text(value, words)
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    return _without_folders(str(value))


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
