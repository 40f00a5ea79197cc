"""A scanner with one thing changed: single effects whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

from mitame.core.errors import InputError
from mitame.simulate.acquisition import Acquisition
from mitame.simulate.catalog import SimulatedScanner, scanner_named

Effect = Literal["tone", "noise", "blur", "bias", "stripes", "ringing"]
EFFECTS: tuple[Effect, ...] = get_args(Effect)

TONE = 1.2
"""Factor of the exponent of the tone curve."""

NOISE = 2.0
"""Factor of the noise."""

BLUR_MM = 1.5
"""Added in quadrature to the width of the point spread."""

SHADING = 0.2
"""Added to the spread of the receive field."""

STRIPES = 0.1
"""Amplitude, relative to white matter."""

_CHANGES: dict[Effect, Callable[[Acquisition], Acquisition]] = {
    "noise": lambda runs: replace(runs, snr=runs.snr / NOISE),
    "blur": lambda runs: replace(runs, blur_mm=(runs.blur_mm**2 + BLUR_MM**2) ** 0.5),
    "stripes": lambda runs: replace(runs, stripes=STRIPES),
    "ringing": lambda runs: replace(runs, ringing=1.0),
}


def scanner_in_words(words: str, extra: Path | None = None) -> SimulatedScanner:
    """Return a scanner of the catalog, with effects after plus signs.

    Parameters
    ----------
    words : str
        Such as ``prisma`` or ``prisma+noise+stripes``.
    extra : Path, optional
        As for `catalog.scanners`.

    Raises
    ------
    InputError
        If there is no such scanner or effect.

    Examples
    --------
    >>> scanner_in_words("prisma+stripes").acquisitions["T1w"].stripes
    0.1
    """
    name, *effects = words.split("+")
    scanner = scanner_named(name, extra)
    for effect in effects:
        scanner = with_effect(scanner, effect)
    return scanner


def with_effect(scanner: SimulatedScanner, effect: str) -> SimulatedScanner:
    """Return the scanner with one thing changed in all its sequences.

    It is another machine: name and serial number say so.

    Raises
    ------
    InputError
        If there is no such effect.
    """
    if effect not in EFFECTS:
        raise InputError(
            f"No effect is called '{effect}'.", fix=f"Use one of {', '.join(EFFECTS)}."
        )
    name = f"{scanner.name}+{effect}"
    other = replace(scanner, name=name, scanner=replace(scanner.scanner, serial=name))
    if effect == "tone":
        return replace(other, tone=scanner.tone * TONE)
    if effect == "bias":
        return replace(other, receive_shading=scanner.receive_shading + SHADING)
    change = _CHANGES[effect]
    runs = {suffix: change(a) for suffix, a in scanner.acquisitions.items()}
    return replace(other, acquisitions=runs)
