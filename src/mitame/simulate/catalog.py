"""The simulated scanners by name: ours, and those of a file of yours."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from math import radians
from pathlib import Path
from typing import Any

from mitame.core.errors import InputError
from mitame.core.scanner import Scanner
from mitame.core.session import SUFFIXES, Suffix
from mitame.simulate.acquisition import Acquisition
from mitame.simulate.tissue import FIELD_STRENGTHS

TEXTS = ("manufacturer", "model")

RANGES: dict[str, tuple[float, float]] = {
    "receive_shading": (0.0, 0.8),
    "center_brightening": (0.0, 0.6),
    "gradient_nonlinearity_mm": (-10.0, 10.0),
    "tone": (0.5, 2.0),
    "scale": (1.0, 4095.0),
}
"""The numbers of a scanner, with the least and the most that make sense."""

UNITS: dict[str, float] = {
    "tr_ms": 1e-3,
    "te_ms": 1e-3,
    "ti_ms": 1e-3,
    "echo_spacing_ms": 1e-3,
    "flip_angle_deg": radians(1.0),
}
"""Keys of a sequence whose unit is in their name, and what it is in SI."""

SEQUENCE_KEYS = (
    "kind",
    *UNITS,
    "n_excitations",
    "slice_thickness_mm",
    "blur_mm",
    "ringing",
    "snr",
    "stripes",
    "fat",
)

REQUIRED_OF_SEQUENCE = ("kind", "tr_ms", "te_ms", "snr")


@dataclass(frozen=True, slots=True)
class SimulatedScanner:
    """One machine: what it is, what it runs, and how it colors what it sees.

    Parameters
    ----------
    name : str
        Its key in the catalog.
    scanner : Scanner
        As its images shall name it; the serial number is the name.
    acquisitions : mapping of str to Acquisition
        By BIDS suffix.
    receive_shading : float
        For `fields.receive_field`: standard deviation of its logarithm.
    center_brightening : float
        For `fields.transmit_field`.
    gradient_nonlinearity_mm : float
        For `distortion.gradient_displacement`; 0 for a scanner that corrects it.
    tone : float
        Exponent of the vendor's intensity processing; white matter stays as it is.
    scale : float
        What white matter is in stored (12-bit) units.
    """

    name: str
    scanner: Scanner
    acquisitions: Mapping[Suffix, Acquisition]
    receive_shading: float
    center_brightening: float
    gradient_nonlinearity_mm: float
    tone: float
    scale: float


def scanners(extra: Path | None = None) -> dict[str, SimulatedScanner]:
    """Return all simulated scanners by name, in the order of the files.

    Parameters
    ----------
    extra : Path, optional
        A TOML file with more of them, in the form of `scanners.toml`.

    Raises
    ------
    InputError
        If the file cannot be read, lacks or misspells a key, gives a number out of its
        range, or takes a name that is taken.
    """
    ours = files("mitame.simulate").joinpath("scanners.toml").read_text("utf-8")
    found = _parsed(ours, "scanners.toml")
    if extra is None:
        return found
    more = _parsed(_text(extra), str(extra))
    taken = sorted(found.keys() & more.keys())
    if taken:
        raise InputError(
            f"{extra} describes {', '.join(taken)}, which we have already.",
            fix="Choose another name.",
        )
    return found | more


def scanner_named(name: str, extra: Path | None = None) -> SimulatedScanner:
    """Return one simulated scanner.

    Parameters
    ----------
    name : str
        Its key, such as `avanto`.
    extra : Path, optional
        As for `scanners`.

    Raises
    ------
    InputError
        If there is no such scanner, or as `scanners` does.

    Examples
    --------
    >>> print(scanner_named("prisma").scanner)
    SIEMENS Prisma 3 T
    """
    known = scanners(extra)
    if name not in known:
        raise InputError(
            f"No simulated scanner is called {name!r}.", fix=_nearest(name, known)
        )
    return known[name]


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} cannot be read: {error}.", fix="Give a TOML file of scanners."
        ) from error


def _parsed(text: str, source: str) -> dict[str, SimulatedScanner]:
    try:
        blocks = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(
            f"{source} is not TOML: {error}.", fix="Repair that line."
        ) from error
    return {name: _scanner(name, block, source) for name, block in blocks.items()}


def _scanner(name: str, block: object, source: str) -> SimulatedScanner:
    where = f"[{name}] in {source}"
    keys = (*TEXTS, "field_strength", *RANGES)
    block = _checked(block, where, known=(*keys, *SUFFIXES), required=keys)
    strength = _number(block, "field_strength", where)
    if strength not in FIELD_STRENGTHS:
        raise InputError(
            f"field_strength = {strength:g} of {where}.",
            fix=f"Tissues are known at {' and '.join(map(str, FIELD_STRENGTHS))} T.",
        )
    sequences = {
        suffix: _acquisition(block[suffix], f"[{name}.{suffix}] in {source}")
        for suffix in SUFFIXES
        if suffix in block
    }
    if not sequences:
        raise InputError(
            f"{where} has no sequence.", fix=f"Add one of {', '.join(SUFFIXES)}."
        )
    machine = Scanner(str(block["manufacturer"]), str(block["model"]), name, strength)
    numbers = {key: _number_in_range(block, key, where) for key in RANGES}
    return SimulatedScanner(name, machine, sequences, **numbers)


def _acquisition(block: object, where: str) -> Acquisition:
    block = _checked(block, where, known=SEQUENCE_KEYS, required=REQUIRED_OF_SEQUENCE)
    values: dict[str, Any] = {"kind": block["kind"]}
    for key in block.keys() - {"kind"}:
        number = _number(block, key, where)
        if key in UNITS:
            values[key.rsplit("_", 1)[0]] = number * UNITS[key]
        else:
            values[key] = number
    try:
        return Acquisition(**values)
    except InputError as error:
        raise InputError(f"{where}: {error.what}", fix=error.fix) from error


def _checked(
    block: object, where: str, *, known: Collection[str], required: Collection[str]
) -> dict[str, Any]:
    """Return `block` if it is a table that has what it must and nothing unknown."""
    if not isinstance(block, dict):
        raise InputError(f"{where} is not a table.", fix="Give it keys and values.")
    for key in block:
        if key not in known:
            raise InputError(
                f"{where} has an unknown key {key!r}.", fix=_nearest(key, known)
            )
    missing = [key for key in required if key not in block]
    if missing:
        raise InputError(f"{where} lacks {', '.join(missing)}.", fix="Add it.")
    return block


def _number(block: Mapping[str, Any], key: str, where: str) -> float:
    value = block[key]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{key} = {value!r} of {where}.", fix="Give a number.")
    return value


def _number_in_range(block: Mapping[str, Any], key: str, where: str) -> float:
    value = _number(block, key, where)
    least, most = RANGES[key]
    if not least <= value <= most:
        raise InputError(
            f"{key} = {value:g} of {where}.", fix=f"Give {least:g} to {most:g}."
        )
    return value


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"Did you mean {near[0]!r}?" if near else f"Use one of {', '.join(known)}."
