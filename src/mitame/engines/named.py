"""Engines by name; ours and other people's come through the same door."""

from __future__ import annotations

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points

from mitame.core.errors import InputError
from mitame.core.harmonizer import Harmonizer

GROUP = "mitame.engines"


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


def _entry(name: str) -> EntryPoint:
    known = entry_points(group=GROUP)
    if name not in known.names:
        near = get_close_matches(name, engine_names(), n=1)
        hint = f"Did you mean {near[0]}? " if near else ""
        raise InputError(
            f"There is no engine '{name}'.",
            fix=f"{hint}Use one of {', '.join(engine_names())}.",
        )
    return known[name]
