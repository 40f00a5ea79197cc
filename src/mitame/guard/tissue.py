"""From which brightness on a scan shows tissue, and lesions in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.prepare.template import Tissue, tissue_prior

CORE = 0.7
"""Share of a tissue in the template above which a voxel is taken for it."""

FEWEST = 50
"""Voxels that a level is told from."""


@dataclass(frozen=True, slots=True)
class TissueTones:
    """Brightness of gray matter and fluid, and which tones are whose.

    White matter is near 1. Tissue begins halfway from its darkest to fluid; where fluid
    is not dark, at half of that tissue. Lesions begin at half of it anyway, for they
    may be as dark as fluid: darker are air, bone and flowing blood.

    Parameters
    ----------
    gray, fluid : float
        Medians, in white-matter medians.
    """

    gray: float
    fluid: float

    @classmethod
    def of(cls, session: Session, suffix: Suffix) -> Self:
        """Return the tones of one sequence of a prepared session.

        Raises
        ------
        ImplausibleError
            If there is no gray matter or no fluid where the template has it.
        """
        data, brain = session[suffix].data, session.require_brain()
        levels = {}
        kinds: tuple[Tissue, ...] = ("gm", "csf")
        for kind in kinds:
            there = data[brain & (tissue_prior(session, kind) > CORE)]
            if there.size < FEWEST:
                raise ImplausibleError(
                    f"The {suffix} scan shows {there.size} voxels where the template "
                    f"has {'gray matter' if kind == 'gm' else 'fluid'}.",
                    fix="Look at its brain mask, its place in the template and its "
                    "field of view.",
                )
            levels[kind] = float(np.median(there))
        return cls(levels["gm"], levels["csf"])

    @property
    def low(self) -> float:
        """The brightness from which on tissue is."""
        dark = min(1.0, self.gray)
        return (self.fluid + dark) / 2 if self.fluid < dark else dark / 2

    @property
    def lowest(self) -> float:
        """The brightness from which on lesions are."""
        return min(1.0, self.gray) / 2

    def is_tissue(self, tone: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which tones are nearer to tissue than to fluid, and those beyond it.

        Beyond: on the other side of tissue than fluid is.
        """
        bright = max(1.0, self.gray)
        if self.fluid > bright:
            return np.asarray((tone >= self.low) & (tone < (bright + self.fluid) / 2))
        return np.asarray(tone >= self.low)

    def is_usual(self, tone: NDArray[np.floating], reach: float) -> NDArray[np.bool_]:
        """Return which tones white and gray matter have, and those between.

        Parameters
        ----------
        tone : array
            White-matter medians.
        reach : float
            How far beyond the medians.
        """
        dark, bright = min(1.0, self.gray), max(1.0, self.gray)
        return np.asarray((tone >= dark - reach) & (tone <= bright + reach))
