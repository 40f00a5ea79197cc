"""Numbers to gray and color: the window, the signed scale and the noise scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DIFFERENCE_LIMIT = 0.5
"""Ends of the signed scale, in white-matter medians; the same for every patient."""

NOISE_LIMIT = 0.25
"""End of the noise scale, in white-matter medians."""

WINDOW_PERCENTILES = (0.5, 99.9)
"""Black and white of a scan's window: percentiles inside the brain.

A few milliliters of FLAIR lesion are the brightest half percent of a brain; their
inside must not all be white.
"""

_BLUE, _ORANGE, _TEAL = 278.0, 52.0, 190.0
_LIGHT = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 88)
# As colorful as sRGB can show both blue and orange at that lightness, so none is cut.
_CHROMA = (0, 10, 18, 30, 38, 46, 54, 60, 47, 31, 19)
_D65 = np.array([0.9505, 1.0, 1.089])
_XYZ_TO_RGB = np.array(
    [
        [3.2406, -1.5372, -0.4986],
        [-0.9689, 1.8758, 0.0415],
        [0.0557, -0.2040, 1.0570],
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class ColorScale:
    """A straight scale from numbers to colors; beyond its ends the color stays.

    Parameters
    ----------
    low, high : float
        The numbers at the ends.
    table : array of uint8, shape (n, 3)
        Red, green and blue from `low` to `high`.
    """

    low: float
    high: float
    table: NDArray[np.uint8]

    def paint(self, values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the color of each value, shape (..., 3)."""
        steps = len(self.table) - 1
        share = (values - self.low) / max(self.high - self.low, 1e-9)
        place = np.round(np.clip(share, 0, 1) * steps).astype(int)
        return np.asarray(self.table[place])


def gray_scale(low: float, high: float) -> ColorScale:
    """Return black to white between two intensities."""
    ramp = np.arange(256, dtype=np.uint8)
    return ColorScale(low, high, np.stack([ramp, ramp, ramp], axis=1))


def signed_scale() -> ColorScale:
    """Return blue (darker today), black (no difference), orange (brighter today).

    Both sides gain lightness at one pace, so equal changes look equally strong.
    """
    rise = np.linspace(0, 1, 128)
    table = np.concatenate(
        [_ramp(_BLUE, rise)[::-1], [[0, 0, 0]], _ramp(_ORANGE, rise)]
    )
    return ColorScale(-DIFFERENCE_LIMIT, DIFFERENCE_LIMIT, table.astype(np.uint8))


def noise_scale() -> ColorScale:
    """Return black to bright teal from no noise to `NOISE_LIMIT`."""
    rise = np.linspace(0, 1, 256)
    return ColorScale(0, NOISE_LIMIT, _ramp(_TEAL, rise, strength=0.6))


def window_of(values: NDArray[np.float32]) -> tuple[float, float]:
    """Return the intensities shown black and white for the voxels `values`."""
    if not values.size:
        return 0.0, 1.0
    low, high = np.percentile(values, WINDOW_PERCENTILES)
    return float(low), float(max(high, low + 1e-6))


def _ramp(
    hue: float, rise: NDArray[np.float64], *, strength: float = 1
) -> NDArray[np.uint8]:
    """Return black to a light tint of `hue` (degrees in CIELAB)."""
    light = _LIGHT[-1] * rise
    chroma = strength * np.interp(light, _LIGHT, _CHROMA)
    angle = np.deg2rad(hue)
    return _rgb(light, chroma * np.cos(angle), chroma * np.sin(angle))


def _rgb(
    light: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """Return CIELAB colors as sRGB bytes; colors out of reach are cut."""
    y = (light + 16) / 116
    curve = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    linear_part = (curve - 16 / 116) / 7.787
    xyz = np.where(curve > 6 / 29, curve**3, linear_part) * _D65
    linear = np.clip(xyz @ _XYZ_TO_RGB.T, 0, 1)
    encoded = np.where(
        linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear
    )
    return np.asarray(np.round(255 * encoded), dtype=np.uint8)
