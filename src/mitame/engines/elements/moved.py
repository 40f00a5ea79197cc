"""Elements given to a scan where the target has them, or taken where it has not."""

from __future__ import annotations

import numpy as np
from scipy import fft

from mitame.engines.elements.additions import Noise, Stripes, plane
from mitame.engines.elements.element import Element, Field, Size
from mitame.engines.elements.filters import Blur, Ringing
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.noise import noise_level, noisier, quieted

MOST_SHARPER = 2.0
"""Of any frequency: what a blur has taken away comes back with noise."""


def moved(element: Element, image: Image, ground: Ground, size: Size) -> Image:
    """Return an image with so much more of an element, or, below zero, less.

    What scanners add at random, or lose, cannot be undone exactly: noise is averaged
    away where neighbors are alike, blur and the end of k-space are reverted up to
    `MOST_SHARPER`, stripes are fitted and subtracted.
    """
    if isinstance(element, Noise):
        level = np.sqrt(max(noise_level(image, ground.brain) ** 2 + size[0], 0.0))
        if size[0] < 0:
            return quieted(image, ground.brain, float(level))
        return noisier(image, ground.brain, float(level), 0)
    if isinstance(element, Blur | Ringing):
        return _filtered(element, image, ground, size)
    if isinstance(element, Field):
        return np.asarray(image * np.exp(ground.field(size)), np.float32)
    if isinstance(element, Stripes) and size[0] < 0:
        return _without(element, image, ground)
    return element.apply(image, ground, size)


def _filtered(
    element: Blur | Ringing, image: Image, ground: Ground, size: Size
) -> Image:
    """Return the image through a filter along each axis; noise goes through it too."""
    for axis, edge in enumerate(ground.spacing):
        n = image.shape[axis]
        k = fft.rfftfreq(n, edge)
        if isinstance(element, Blur):
            factor = np.exp(-2 * np.pi**2 * size[0] / (8 * np.log(2)) * k**2)
        else:
            faded = element.transfer(2 * edge * k, -abs(size[0]))
            factor = faded if size[0] < 0 else 1 / np.maximum(faded, 1 / MOST_SHARPER)
        factor = np.minimum(factor, MOST_SHARPER ** (1 / 3)).astype(np.float32)
        shape = [-1 if axis == a else 1 for a in range(3)]
        through = fft.rfft(image, axis=axis) * factor.reshape(shape)
        image = np.asarray(fft.irfft(through, n=n, axis=axis), np.float32)
    return image


def _without(element: Stripes, image: Image, ground: Ground) -> Image:
    """Return the image without the plane wave that it has in the brain."""
    phase = plane(element.wave, image.shape, ground.spacing)
    waves = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    inside = image[ground.brain] - image[ground.brain].mean()
    amplitude = 2 * (inside[:, None] * waves[ground.brain]).mean(axis=0)
    return np.asarray(image - waves @ amplitude.astype(np.float32), np.float32)
