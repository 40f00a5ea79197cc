"""A tone curve at every place, and what of it keeps every lesion's contrast."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError
from mitame.guard.tissue import TissueTones
from mitame.solve.lattice import Lattice, sample_grid

UNEVEN = 0.03
"""Share by which contrast between two tones of tissue may differ from what it is
between white and gray matter."""

SHADING = 2.0
"""Most by which a place may be brighter or darker than the mean of the brain."""

DARKEST = 0.05
"""Share of white matter that nothing with a contrast becomes darker than: a strong
contrast would take dark tissue below nothing."""

BEYOND = 0.1
"""White-matter medians by which the range between white and gray matter is widened
before its contrast is measured: in FLAIR they are nearly alike."""


@dataclass(frozen=True, slots=True, eq=False)
class ToneField:
    """Brightness to brightness at every place: target ≈ tone(place, source).

    Multilinear on a lattice of three places and one brightness; in place it goes on as
    a constant, in brightness as a straight line.

    Parameters
    ----------
    tone : array, shape (i, j, k, n_tones)
        At the nodes; the first tone is 0 and stays 0.
    weight : array, shape (i, j, k)
        How much of the brain is at each place.
    origin : array, shape (3,)
        Place of the first node, mm.
    spacing : float
        Distance of neighboring nodes, mm.
    step : float
        Brightness between neighboring nodes, 1 / n of white matter.
    """

    tone: Lattice
    weight: NDArray[np.float64]
    origin: NDArray[np.float64]
    spacing: float
    step: float

    @property
    def brightness(self) -> NDArray[np.float64]:
        """Of the nodes, (n_tones,)."""
        return np.asarray(np.arange(self.tone.shape[-1]) * self.step)

    @property
    def mean(self) -> NDArray[np.float64]:
        """The curve of the whole brain, (n_tones,)."""
        share = self.weight / self.weight.sum()
        mean = np.einsum("ijk,ijkn->n", share, self.tone)
        return np.asarray(mean, np.float64)

    def contrast(self, tissue: TissueTones) -> float:
        """Return by how much white and gray matter are further apart, 1 being none."""
        low = min(1.0, tissue.gray) - BEYOND
        high = max(1.0, tissue.gray) + BEYOND
        at = np.linspace(low, high, 9)
        return float(np.polyfit(at, np.interp(at, self.brightness, self.mean), 1)[0])

    def keeping(self, tissue: TissueTones) -> ToneField:
        """Return the nearest tones that keep contrasts of lesions.

        White matter becomes what it became, to `SHADING`. Between two tones of tissue,
        and up to bright fluid, contrast grows as between white and gray matter, to
        `UNEVEN`, times the gain of the place. What is darker than lesions has the
        brain's mean curve. So tones of tissue rise everywhere: no lesion can
        vanish or come up.

        Raises
        ------
        ImplausibleError
            If white and gray matter lose their contrast, or change places.
        """
        contrast = self.contrast(tissue)
        if contrast <= 0:
            raise ImplausibleError(
                f"White and gray matter change places: contrast × {contrast:.2f}.",
                fix="Look at the model's edit: it was given another sequence, or the "
                "model is not usable.",
            )
        usual, white = self.mean, round(1 / self.step)
        low, high = usual[white] / SHADING, usual[white] * SHADING
        level = np.clip(self.tone[..., white], low, high)
        slope = contrast * level / usual[white]
        steps = np.clip(
            np.diff(self.tone, axis=-1) / self.step,
            slope[..., None] * (1 - UNEVEN),
            slope[..., None] * (1 + UNEVEN),
        )
        risen = np.cumsum(steps, axis=-1) * self.step
        tone = np.concatenate([np.zeros_like(risen[..., :1]), risen], axis=-1)
        tone += (level - tone[..., white])[..., None]
        steepest = (1 + UNEVEN) * contrast / usual[white]
        lowest = max(tissue.lowest, 1 - (1 - DARKEST) / steepest)
        dark = int(np.ceil(lowest / self.step))
        tone[..., :dark] = tone[..., dark : dark + 1] * usual[:dark] / usual[dark]
        return replace(self, tone=tone.astype(np.float32))

    def over(
        self, to_place: NDArray[np.floating], image: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return an image with these tones.

        Parameters
        ----------
        to_place : array, shape (4, 4)
            From voxels to places, mm.
        image : array, shape (i, j, k)
            White-matter medians.
        """
        first = int(np.floor(min(image.min() / self.step, 0)))
        last = int(np.ceil(max(image.max() / self.step, self.tone.shape[-1])))
        tone = _longer(self.tone, -first, last + 1 - self.tone.shape[-1])
        to_node = np.array(to_place[:3], np.float64) / self.spacing
        to_node[:, 3] -= self.origin / self.spacing
        at = image / np.float32(self.step) - np.float32(first)
        return sample_grid(tone, to_node, at)


def _longer(tone: Lattice, before: int, after: int) -> Lattice:
    """Return tones with more nodes, on the straight lines of the first and the last."""
    first, last = tone[..., 1] - tone[..., 0], tone[..., -1] - tone[..., -2]
    down = tone[..., :1] - first[..., None] * np.arange(before, 0, -1)
    up = tone[..., -1:] + last[..., None] * np.arange(1, after + 1)
    return np.concatenate([down, tone, up], axis=-1).astype(np.float32)
