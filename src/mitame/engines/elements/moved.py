"""Elements given to a scan where the target has them, or taken where it has not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from mitame.engines.elements.additions import Noise, Stripes, plane
from mitame.engines.elements.element import Element, Field, Size
from mitame.engines.elements.filters import Blur, Ringing, frequencies
from mitame.engines.elements.ground import Ground, Image
from mitame.engines.noise import noise_level, noisier, quieted

MOST_SHARPER = 2.0
"""Of any frequency: what a blur has taken away comes back with noise."""

SHELLS = 64
"""Of k-space, equally wide, from its middle to its corners: signal is told in each."""


def moved(element: Element, image: Image, ground: Ground, size: Size) -> Image:
    """Return an image with so much more of an element, or, below zero, less.

    What scanners add at random, or lose, cannot be undone exactly: noise is averaged
    away where neighbors are alike, blur and the end of k-space are reverted as far as
    there is signal, stripes are fitted and subtracted.
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
    """Return the image with more of a filter, or with less; noise goes through too."""
    gives = size[0] * element.probe > 0
    response = element.response(ground, size if gives else -size)
    seen = fft.rfftn(image)
    if gives:
        seen *= response
    else:
        seen *= _sharper(seen, response, image, ground)
    return np.asarray(fft.irfftn(seen, s=image.shape), np.float32)


def _sharper(
    seen: NDArray[np.complexfloating], response: Image, image: Image, ground: Ground
) -> Image:
    """Return the gain of each frequency that undoes a filter as far as it is signal.

    Wiener's filter: over how much has passed, as much as is not noise; at least 1, for
    noise is another element's, and at most `MOST_SHARPER`.
    """
    away = np.sqrt(sum(k**2 for k in frequencies(ground)))
    shell = (away * (SHELLS / away.max())).astype(np.intp).ravel()
    noise = noise_level(image, ground.brain) ** 2 * image.size * np.bincount(shell)
    power = np.bincount(shell, np.abs(seen).ravel() ** 2)
    signal = 1 - np.divide(noise, power, out=np.ones_like(noise), where=power > noise)
    gain = signal[shell].reshape(seen.shape) / np.maximum(response, 1 / MOST_SHARPER)
    return np.asarray(np.maximum(gain, 1), np.float32)


def _without(element: Stripes, image: Image, ground: Ground) -> Image:
    """Return the image without the plane wave that it has in the brain."""
    phase = plane(element.wave, image.shape, ground.spacing)
    waves = np.stack([np.cos(phase), np.sin(phase)], axis=-1)
    inside = image[ground.brain] - image[ground.brain].mean()
    amplitude = 2 * (inside[:, None] * waves[ground.brain]).mean(axis=0)
    return np.asarray(image - waves @ amplitude.astype(np.float32), np.float32)
