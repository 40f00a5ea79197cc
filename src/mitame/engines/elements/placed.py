"""An element of one or more places: a tissue that is brighter there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mitame.core.volume import Volume
from mitame.engines.elements.element import Level, Size
from mitame.engines.elements.ground import Ground, Image


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """How much brighter a tissue is in each of some places, as a share of itself.

    Parameters
    ----------
    name : str
        Of the element.
    level : Level
        Which tissue.
    places : tuple of Volume
        0 to 1, in the millimeters of the template.
    """

    name: str
    level: Level
    places: tuple[Volume, ...]
    probe: ClassVar[float] = 0.1
    most: ClassVar[float] = 1.0

    @property
    def n(self) -> int:
        """See `Element`."""
        return len(self.places)

    def apply(self, image: Image, ground: Ground, size: Size) -> Image:
        """See `Element`."""
        found = image
        for place, one in zip(self.places, size, strict=True):
            if one:
                edit = self.level.apply(image, ground, np.array([one])) - image
                found = found + ground.there(place) * edit
        return np.asarray(found, np.float32)
