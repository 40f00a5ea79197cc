"""Compact places where an edit does what no scanner does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, maximum_filter

from mitame.guard.cells import TONE, Cells, filled
from mitame.guard.left import Left
from mitame.solve.lattice import Lattice

WIDTHS_MM = (1.3, 3.0)
"""Neighborhoods (SD) that are looked at: of foci of 3 mm, and of larger ones."""

BORDER_MM = 2.0
"""So near the border of the brain, where two masks differ, is no focus."""

KINDS = tuple(product(WIDTHS_MM, ("tissue", "fluid")))
"""Of peaks, in the order in which they come."""

PLACE_MM = 16.0
"""Distance of the places at which the usual is told."""

LEAST = 0.007
"""White-matter medians; less is not told apart. A ball of 3 mm with a contrast of .1
leaves .03 at the smaller width, about four times this."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """How much is usually left of an edit, at each place and brightness.

    Parameters
    ----------
    spread : array, shape (n_widths, i, j, k, n_tones)
        White-matter medians, in `Cells` of `PLACE_MM`.
    """

    spread: NDArray[np.float32]

    @classmethod
    def of(cls, people: Sequence[Left]) -> Self:
        """Return what is usual in a group."""
        most = max(float(left.calm[left.brain].max()) for left in people)
        cells = Cells(PLACE_MM, int(np.ceil(most / TONE)) + 2)
        found = []
        for width in WIDTHS_MM:
            each = [
                cells.means(left.source, left.calm, left.smoothed(width) ** 2)
                for left in people
            ]
            found.append(_middle(np.stack(each)))
        return cls(np.sqrt(np.stack(found)))

    def against(self, left: Left) -> list[Image]:
        """Return what is left in usual amounts, at each width, (i, j, k)."""
        cells = Cells(PLACE_MM, self.spread.shape[-1])
        found = []
        for width, lattice in zip(WIDTHS_MM, self.spread, strict=True):
            usual = np.maximum(cells.over(lattice, left.source, left.calm), LEAST)
            found.append(np.where(left.brain, left.smoothed(width) / usual, 0))
        return found


def _middle(each: NDArray[np.float32]) -> Lattice:
    """Return the median over people, (n_people, ...); unknown cells like near ones."""
    known = np.isfinite(each)
    seen = known.mean(axis=0) >= 0.5
    middle = np.zeros(each.shape[1:], np.float32)
    middle[seen] = np.nanmedian(each[:, seen], axis=0)
    anywhere = float(np.median(middle[seen])) if seen.any() else 0.0
    full = filled(middle, seen)
    return np.where(seen.any(axis=-1, keepdims=True), full, anywhere).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """Where evidence is strongest among neighbors.

    Parameters
    ----------
    voxel : array of int, shape (n, 3)
        Places, the strongest first.
    strength : array, shape (n,)
        How many times the usual is left.
    """

    voxel: NDArray[np.intp]
    strength: NDArray[np.float32]


def peaks(left: Left, evidence: Sequence[Image]) -> list[Peak]:
    """Return the peaks at each of `KINDS`: of each width, in tissue and in fluid.

    In fluid, flow and a curve's end leave much that is nobody's lesion.
    """
    found = []
    depth = max(1, round(BORDER_MM / min(left.spacing)))
    core = binary_erosion(left.brain, iterations=depth)
    for one in evidence:
        strength = np.abs(one)
        top = core & (strength == maximum_filter(strength, 3)) & (strength > 0)
        for here in (top & left.is_tissue, top & ~left.is_tissue):
            order = np.argsort(-strength[here])
            found.append(Peak(np.argwhere(here)[order], strength[here][order]))
    return found
