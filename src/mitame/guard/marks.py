"""Marks: what an engine does at one place in nearly everybody, learned from a group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.guard.cells import TONE, Cells, calm, filled
from mitame.guard.tissue import TissueTones
from mitame.solve.lattice import Lattice

PLACE_MM = 8.0
"""Distance of the places at which marks are told."""

COMMON = 0.8
"""Share of people who must have a tone at a place. Only tones of white and gray matter
are asked for: these are there in everybody, and lesions of such a tone in few. Those of
fluid are in everybody, too, at its border, and a lesion may have them."""

PEOPLE = 8
"""Fewer tell no marks: what is common to few may be their lesions."""

WIDE = 0.2
"""Share of the brain's places that a tone must be common at to be told what is done to
it everywhere; a mark is smaller."""

SURE = 4.0
"""Standard errors, over people, by which a mark is more than nothing."""

LEAST = 0.1
"""White-matter medians; less is no mark. What an engine does to tissue beside its slow
part reaches .06 in T2w, where no scanner has a mark."""

SE = 1.858
"""Standard error of a median, times the root of the number, over the median absolute
deviation: that of a normal distribution."""

Numbers = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """What is added to a brightness at a place, beside what varies slowly.

    Parameters
    ----------
    shift : array, shape (i, j, k, n_tones)
        White-matter medians, in `Cells` of `PLACE_MM`; 0 where there is no mark, and
        at the first tone: air stays air.
    """

    shift: Lattice

    @classmethod
    def of(cls, suffix: Suffix, people: Sequence[tuple[Session, Session]]) -> Self:
        """Return the marks of an engine.

        Parameters
        ----------
        suffix : str
            Which sequence.
        people : sequence of (Session, Session)
            Of each the limited result without marks, and the engine's own. Of fewer
            than `PEOPLE` there is no mark.
        """
        tones = [calm(limited[suffix]) for limited, _ in people]
        most = max(float(tone.max()) for tone in tones)
        cells = Cells(PLACE_MM, int(np.ceil(most / TONE)) + 2)
        each = [
            _of_tissue(
                TissueTones.of(limited, suffix),
                cells.means(limited, tone, result[suffix].data - limited[suffix].data),
            )
            for (limited, result), tone in zip(people, tones, strict=True)
        ]
        return cls(_everybodys(np.stack(each)))

    def added(self, session: Session, suffix: Suffix) -> Volume:
        """Return one sequence of a session with the marks."""
        volume = session[suffix]
        cells = Cells(PLACE_MM, self.shift.shape[-1])
        shift = cells.over(self.shift, session, calm(volume))
        return volume.with_data(volume.data + shift, Step("known marks"))


def _of_tissue(tissue: TissueTones, means: Numbers) -> Numbers:
    """Return the means of cells, not a number where no white or gray matter is."""
    tone = np.arange(means.shape[-1]) * TONE
    return np.where(tissue.is_usual(tone, TONE), means, np.float32(np.nan))


def _everybodys(each: Numbers) -> Lattice:
    """Return what nearly everybody has, (n_people, i, j, k, n_tones) to (i, j, k, n).

    What is done to a tone all over the brain is a tone curve, and no mark. A tone
    that few have at a place is shifted like the nearest one that is common there: a
    lesion keeps its contrast with tissue that is marked.
    """
    known = np.isfinite(each)
    common = known.mean(axis=0) >= COMMON
    middle, spread = (np.zeros(each.shape[1:], np.float32) for _ in range(2))
    some = each[:, common]
    middle[common] = np.nanmedian(some, axis=0)
    places = common.any(axis=-1).sum()
    for tone in np.flatnonzero(common.sum(axis=(0, 1, 2)) > WIDE * places):
        here = common[..., tone]
        middle[here, tone] -= np.median(middle[here, tone])
    spread[common] = np.nanmedian(np.abs(some - middle[common]), axis=0)
    error = SE * spread / np.sqrt(np.maximum(known.sum(axis=0), 1))
    there = common & (np.abs(middle) >= np.maximum(SURE * error, LEAST))
    shift = filled(np.where(there & (len(each) >= PEOPLE), middle, 0), common)
    shift[..., 0] = 0
    return shift
