"""Ridge regression from source patches to target patches."""

from __future__ import annotations

from typing import ClassVar

from mitame.engines.patchwise import Patchwise


class PatchRidge(Patchwise):
    """One linear map from patch to patch for the whole brain.

    What a code has to be better than: no code, no dictionary. The same patches, as
    many of them, and the same putting together as `Dictionary`.

    Parameters
    ----------
    radius, target_radius, shape, coordinates, samples, seed
        See `Patchwise`.
    """

    name: ClassVar[str] = "ridge"
