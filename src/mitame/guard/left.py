"""What is left of an edit when all that scanners do is taken out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median

from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.guard.cells import calm
from mitame.guard.limit import contrast_of
from mitame.guard.tissue import TissueTones
from mitame.solve.robust import redescending_weights, spread
from mitame.solve.smooth import gaussian

BANDS_MM = (0.8, 1.6, 3.2)
"""Widths (SD) between which sharpness is told: three bands of detail."""

MOST = 60_000
"""Voxels that sharpness is fitted to."""

TONE_STEP = 0.05
"""Distance of the tones of the whole brain's own curve, white-matter medians."""

STRETCH = (-0.5, 1.0)
"""What that curve takes from a contrast or adds to it at most, of the contrast."""

FEWEST = 50
"""Voxels that a tone must have."""

TUNING = 3.0
"""Spreads at which a voxel counts a quarter when sharpness is fitted."""

Image = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """An edit of one sequence, and the part of it that is no scanner's doing.

    Parameters
    ----------
    suffix : str
        Which sequence.
    source : Session
        Before the engine.
    limited, result : array, shape (i, j, k)
        The source with the slow part of the edit and its known marks, and what the
        engine made of it.
    image : array, shape (i, j, k)
        The part that is left, white-matter medians; 0 outside the brain.
    detail : array, shape (3,)
        Spread (SD) of each band of detail in `limited`, in the brain.
    calm : array, shape (i, j, k)
        Brightness of every voxel of `limited`, without noise.
    is_tissue : array of bool, shape (i, j, k)
        Where the source is not like fluid.
    """

    suffix: Suffix
    source: Session
    limited: Image
    result: Image
    image: Image
    detail: NDArray[np.float64]
    calm: Image
    is_tissue: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        suffix: Suffix,
        source: Session,
        limited: Volume,
        result: Volume,
        tissue: TissueTones,
    ) -> Self:
        """Return what is left of an edit of one sequence.

        Parameters
        ----------
        suffix : str
            Which sequence.
        source : Session
            Prepared.
        limited, result : Volume
            Of that sequence, on its grid.
        tissue : TissueTones
            Of the source.
        """
        still, brain = calm(limited), source.require_brain()
        apart = np.where(brain, result.data - limited.data, 0)
        before = calm(source[suffix])
        apart -= own_tone(
            before[brain],
            apart[brain],
            source[suffix].data,
            tissue,
            contrast_of(limited),
        )
        bands = bands_of(limited.data, limited.spacing)
        for band, part in zip(bands, _shares(bands, apart, brain), strict=True):
            apart = apart - np.float32(part) * band
        image = np.where(brain, apart, 0).astype(np.float32)
        spreads = np.array([float(np.std(band[brain])) for band in bands])
        return cls(
            suffix,
            source,
            limited.data,
            result.data,
            image,
            spreads,
            still,
            tissue.is_tissue(before),
        )

    @property
    def brain(self) -> NDArray[np.bool_]:
        """Where an edit is looked at."""
        return self.source.require_brain()

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Voxel edges, mm."""
        return self.source.reference.spacing

    def smoothed(self, width_mm: float) -> Image:
        """Return the mean of what is left over a neighborhood, (i, j, k)."""
        return gaussian(self.image, width_mm / np.array(self.spacing))


def own_tone(
    tone: Image, apart: Image, image: Image, tissue: TissueTones, contrast: float
) -> Image:
    """Return what a tone curve of the whole brain adds to the slow part of an edit.

    The slow part keeps contrasts of tissue in proportion; scanners need not. The curve
    here changes a contrast of tissue by `STRETCH` at most: what takes more from a
    lesion is left. Of fluid it may do anything.

    Parameters
    ----------
    tone, apart : array, shape (n,)
        Brightness of voxels of the brain without noise, and what is left there.
    image : array, shape (i, j, k)
        The source, where the curve is asked for.
    tissue : TissueTones
        Of the source.
    contrast : float
        By how much the slow part sets white and gray matter apart.
    """
    level = np.rint(np.maximum(tone, 0) / TONE_STEP).astype(int)
    index = np.arange(level.max() + 1)
    enough = np.bincount(level) >= FEWEST
    if enough.sum() < 2:
        return np.zeros_like(image)
    known = median(apart, level, index[enough])
    curve = np.interp(index, index[enough], known)
    white = min(round(1 / TONE_STEP), len(curve) - 1)
    slope = np.diff(curve)
    is_tissue = tissue.is_tissue(index[:-1] * TONE_STEP)
    bounds = contrast * TONE_STEP * np.array(STRETCH)
    slope[is_tissue] = np.clip(slope[is_tissue], *bounds)
    risen = np.concatenate([[0], np.cumsum(slope)])
    risen += curve[white] - risen[white]
    added: Image = np.interp(image, index * TONE_STEP, risen).astype(np.float32)
    return added


def bands_of(image: Image, spacing: tuple[float, float, float]) -> list[Image]:
    """Return bands of detail, from fine to coarse."""
    softer = [gaussian(image, width / np.array(spacing)) for width in BANDS_MM]
    sharper = [image, *softer[:-1]]
    return [fine - soft for fine, soft in zip(sharper, softer, strict=True)]


def _shares(
    bands: list[Image], apart: Image, brain: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return how much of each band is in a difference; odd voxels count for little."""
    some = np.flatnonzero(brain)
    some = some[:: max(1, len(some) // MOST)]
    design = np.stack([band.ravel()[some] for band in bands], axis=1).astype(float)
    wanted = apart.ravel()[some].astype(float)
    share = np.zeros(len(bands))
    for _ in range(4):
        left = wanted - design @ share
        trust = redescending_weights(left, spread(left), tuning=TUNING)
        weighted = design * trust[:, None]
        share = np.linalg.lstsq(weighted.T @ design, weighted.T @ wanted, rcond=None)[0]
    return share
