"""Lesions painted into prepared scans, real ones too, so that their truth is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.prepare.template import tissue_prior

SIZES_MM = (3.5, 12.0)
"""Diameters, on a logarithmic scale."""

CONTRASTS: dict[Suffix, tuple[float, float]] = {
    "T1w": (-0.35, -0.1),
    "T2w": (0.2, 1.0),
    "FLAIR": (0.15, 0.8),
    "PDw": (0.1, 0.4),
}
"""Of lesions in white matter, white-matter medians: from faint to plain."""

APART_MM = 8.0
"""Between the borders of two lesions, so that each has a surround of its own."""

WHITE = 0.7
"""Probability of white matter where a lesion can be."""

USUAL = 0.3
"""White-matter medians by which the place of a lesion may differ from white matter."""


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """Balls with a soft border at places of white matter.

    Parameters
    ----------
    share : array, shape (n, i, j, k)
        Of each lesion, how much of a voxel is its, 0 to 1.
    strength : array, shape (n,)
        From 0, faint, to 1, plain; see `CONTRASTS`.
    """

    share: NDArray[np.float32]
    strength: NDArray[np.float64]

    @classmethod
    def of(cls, session: Session, n: int, rng: np.random.Generator) -> Self:
        """Return `n` lesions that a person might have, or as many as find a place.

        Parameters
        ----------
        session : Session
            Prepared.
        n : int
            How many.
        rng : numpy.random.Generator
            Where chance comes from.
        """
        low, high = np.log(SIZES_MM)
        diameter = np.sort(np.exp(rng.uniform(low, high, n)))[::-1]
        places = places_of(session, diameter, rng)
        balls = [ball(session, *one) for one in zip(places, diameter, strict=False)]
        share = np.array(balls, np.float32).reshape(-1, *session.reference.shape)
        return cls(share, rng.uniform(0, 1, len(balls)))

    def on(self, session: Session) -> Session:
        """Return a scan of the same person with these lesions in every sequence."""
        images = {
            suffix: volume.data + self.image(suffix)
            for suffix, volume in session.items()
        }
        return session.with_data(images, Step("lesions", {"n": len(self.share)}))

    def image(self, suffix: Suffix) -> NDArray[np.float32]:
        """Return what is added to one sequence, (i, j, k)."""
        faint, plain = sorted(CONTRASTS[suffix], key=abs)
        contrast = (faint + (plain - faint) * self.strength).astype(np.float32)
        return np.tensordot(contrast, self.share, axes=1)

    @property
    def labels(self) -> NDArray[np.int16]:
        """Return n where lesion n is, from 1 on, and 0 elsewhere, (i, j, k)."""
        found = np.zeros(self.share.shape[1:], np.int16)
        for number, share in enumerate(self.share, start=1):
            found[share > 0.5] = number
        return found


def places_of(
    session: Session, diameter: NDArray[np.float64], rng: np.random.Generator
) -> Iterator[NDArray[np.intp]]:
    """Yield a voxel for each lesion, none near another, while there is one.

    Parameters
    ----------
    session : Session
        Prepared.
    diameter : array, shape (n,)
        Of the lesions, mm.
    rng : numpy.random.Generator
        Where chance comes from.
    """
    white = (tissue_prior(session, "wm") > WHITE) & session.require_brain()
    for volume in session.values():
        white &= np.abs(volume.data - 1) < USUAL
    spacing = np.array(session.reference.spacing)
    places = rng.permutation(np.argwhere(white))
    for size, next_size in zip(diameter, [*diameter[1:], 0.0], strict=True):
        if not len(places):
            return
        yield places[0]
        away = np.linalg.norm((places - places[0]) * spacing, axis=1)
        places = places[away > (size + next_size) / 2 + APART_MM]


def ball(
    session: Session, place: NDArray[np.intp], diameter: float
) -> NDArray[np.float32]:
    """Return a ball with a soft border around a voxel, 0 to 1."""
    offsets = np.ogrid[tuple(slice(n) for n in session.reference.shape)]
    square = sum(
        ((one - at) * edge) ** 2
        for one, at, edge in zip(offsets, place, session.reference.spacing, strict=True)
    )
    return np.asarray(expit(3 * (diameter / 2 - np.sqrt(square))), np.float32)
