"""Engines by name; ours and other people's come through the same door."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from inspect import signature
from typing import Any

from mitame.core.errors import InputError
from mitame.core.harmonizer import Harmonizer

GROUP = "mitame.engines"

VARIANTS = "mitame.variants"
"""Engines that are there to be studied, as ``<engine>-<variant>``; they may break the
promises of an engine, so they are not offered with the others."""


def engine_names() -> list[str]:
    """Return the name of every installed engine; imports none of them."""
    return sorted(entry_points(group=GROUP).names)


def engine_class(name: str) -> type[Harmonizer]:
    """Return the class of the engine `name`.

    Raises
    ------
    InputError
        If no installed package has an engine of that name.

    Examples
    --------
    >>> engine_class("nyul").__name__
    'Nyul'
    """
    found: type[Harmonizer] = _entry(name).load()
    return found


def new_engine(name: str, options: Mapping[str, Any]) -> Harmonizer:
    """Return a new engine with some of its parameters, the others as they are.

    Raises
    ------
    InputError
        If there is no such engine, or it has no such parameter.

    Examples
    --------
    >>> new_engine("dictionary", {"seed": 3}).seed
    3
    """
    kind = engine_class(name)
    known = signature(kind).parameters
    for option in options:
        if option not in known:
            raise InputError(
                f"The engine '{name}' has no --{option}.", fix=f"Leave --{option} out."
            )
    return kind(**options)


def variant_names(engine: str) -> list[str]:
    """Return the variants of an engine."""
    start = f"{engine}-"
    names = entry_points(group=VARIANTS).names
    return sorted(name.removeprefix(start) for name in names if name.startswith(start))


def variant_of(engine: str, variant: str) -> str:
    """Return the name of the variant of an engine.

    Raises
    ------
    InputError
        If the engine has none of that name.

    Examples
    --------
    >>> variant_of("dictionary", "plain")
    'dictionary-plain'
    """
    known = variant_names(engine)
    if variant not in known:
        raise InputError(
            f"The engine '{engine}' has no variant '{variant}'.",
            fix=f"Use one of {', '.join(known)}." if known else "Give no --variant.",
        )
    return f"{engine}-{variant}"


def _entry(name: str) -> EntryPoint:
    known = entry_points(group=GROUP)
    variants = entry_points(group=VARIANTS)
    if name in variants.names:
        return variants[name]
    if name not in known.names:
        near = get_close_matches(name, engine_names(), n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise InputError(
            f"There is no engine '{name}'.",
            fix=f"{hint}Use one of {', '.join(engine_names())}.",
        )
    return known[name]
