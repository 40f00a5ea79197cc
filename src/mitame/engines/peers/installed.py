"""The packages of the peers, which only those who compare have installed."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from mitame.core.errors import InputError


def peer(module: str) -> ModuleType:
    """Return a module of a peer's package.

    An engine's module is imported when the engine is named, and asks for its package
    then: a missing one is told before any scan is prepared.

    Raises
    ------
    InputError
        If the package, or one that it needs, is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"This engine is the work of another package, and {error.name} is missing.",
            fix="Run `pip install 'mitame[bench]'`.",
        ) from error
