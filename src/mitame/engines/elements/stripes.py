"""A plane wave that one group's scans have and the other's have not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.ndimage import uniform_filter

from mitame.engines.elements.additions import plane
from mitame.engines.elements.ground import Ground, Image
from mitame.solve.smooth import gaussian

BOX_MM = 256.0
"""Waves are looked for at multiples of one cycle in this."""

SHORTEST_MM, LONGEST_MM = 5.0, 20.0
"""Of waves that are looked for; folds of the brain are waves of 20 mm and more."""

SLOW_MM = 40.0
"""Of waves that are taken from an image before: shading leaks from the brain's rim into
all others."""

POOL = 3
"""Neighboring waves along each axis, of which the strongest counts: a brain is smaller
than the box, and scans do not all have one field of view."""

NEARBY = 7
"""Pools along each axis that a wave is compared with."""

OFFSETS = np.linspace(-0.5, 0.5, 5) / BOX_MM
"""From a wave of the lattice, along each axis, cycles/mm."""

SPLITS = 200

FALSE_ALARMS = 0.01

LEAST_SCATTER = 0.1
"""Of the logarithm of a power between people: some scatter little by chance."""

Group = Sequence[tuple[Image, Ground]]
"""Scans of one scanner."""

LEAST_POWER = 1e-12
"""Keeps the logarithm of a perfectly dark wave finite."""

Wave = tuple[float, float, float]


def powers(image: Image, ground: Ground) -> NDArray[np.float32]:
    """Return the squared amplitudes of plane waves in the brain, on a lattice."""
    fine = _fine(image, ground)
    shape = [round(BOX_MM / edge) for edge in ground.spacing]
    spectrum = fft.rfftn(fine, s=shape)
    most = round(BOX_MM / SHORTEST_MM)
    both = np.r_[0 : most + 1, -most:0]
    found = np.zeros((len(both), len(both), most + 1), np.float32)
    # Of coarse scans the fastest waves are not known, and stay zero.
    lattice = both, both, np.arange(most + 1)
    known = [np.abs(w) <= (n - 1) // 2 for w, n in zip(lattice, shape, strict=True)]
    waves = [w[k] for w, k in zip(lattice, known, strict=True)]
    found[np.ix_(*known)] = np.abs(spectrum[np.ix_(*waves)])
    return np.asarray((2 * found / ground.brain.sum()) ** 2, np.float32)


def _fine(image: Image, ground: Ground) -> Image:
    """Return the brain without what is slow; 0 around it."""
    fine = np.where(ground.brain, image - gaussian(image, _sigma(ground)), 0)
    return np.asarray(fine, np.float32)


def power(image: Image, ground: Ground, wave: Wave) -> float:
    """Return the squared amplitude of one plane wave in the brain."""
    found = _against(ground, wave) @ image.ravel()
    return float((2 / ground.brain.sum()) ** 2 * (found @ found))


def _against(ground: Ground, wave: Wave) -> NDArray[np.float32]:
    """Return what the parts of a wave are told by, (2, voxels): kept by the ground.

    What is slow is taken from the wave, once, and not from each image; that is the
    same, since smoothing is symmetric.
    """
    if wave not in ground.waves:
        phase = plane(wave, ground.brain.shape, ground.spacing)
        parts = [np.where(ground.brain, f(phase), 0) for f in (np.cos, np.sin)]
        fine = [part - gaussian(part, _sigma(ground)) for part in parts]
        ground.waves[wave] = np.stack([part.ravel() for part in fine])
    return ground.waves[wave]


def _sigma(ground: Ground) -> NDArray[np.float64]:
    """Return the width that hides what is slower than any stripe, voxels."""
    return SLOW_MM / 4 / np.array(ground.spacing)


def find_wave(source: Group, target: Group, seed: int) -> Wave | None:
    """Return the plane wave that tells two groups apart best, if one does.

    Parameters
    ----------
    source, target : sequence of (image, Ground)
        Images without their bias fields.
    seed : int
        Of the splits that tell what chance does.
    """
    lattices = [[powers(*one) for one in group] for group in (source, target)]
    n0 = len(source)
    pooled = np.stack([_pooled(one) for group in lattices for one in group])
    everyone = np.stack([_above_others(one) for one in pooled])
    everyone[:, (pooled == 0).any(axis=0)] = 0  # not everyone's scan shows it
    seen = np.abs(_apart(everyone, n0))
    rng = np.random.default_rng(seed)
    # What the groups differ in is not chance.
    means = everyone[:n0].mean(axis=0), everyone[n0:].mean(axis=0)
    left = np.concatenate([everyone[:n0] - means[0], everyone[n0:] - means[1]])
    chance = [
        np.abs(_apart(left[rng.permutation(len(left))], n0)).max()
        for _ in range(SPLITS)
    ]
    if seen.max() <= np.quantile(chance, 1 - FALSE_ALARMS):
        return None
    cell = np.unravel_index(int(seen.argmax()), seen.shape)
    apart = np.mean(lattices[1], axis=0) - np.mean(lattices[0], axis=0)
    return _between(_finest(np.abs(apart), cell), source, target)


def _between(wave: Wave, source: Group, target: Group) -> Wave:
    """Return the wave near one of the lattice whose power differs most.

    A brain is shorter than the lattice's box, but not by so much that a wave halfway
    between two of them does not lose a third of its power to both.
    """
    ours, theirs = (
        np.mean([_near(wave, *one) for one in group], axis=0)
        for group in (source, target)
    )
    best = np.unravel_index(int(np.abs(theirs - ours).argmax()), ours.shape)
    i, j, k = (w + OFFSETS[n] for w, n in zip(wave, best, strict=True))
    return float(i), float(j), float(k)


def _near(wave: Wave, image: Image, ground: Ground) -> NDArray[np.float64]:
    """Return the squared amplitudes of waves beside one, by `OFFSETS` of each axis."""
    found: NDArray[Any] = _fine(image, ground)
    for w, edge in zip(wave, ground.spacing, strict=True):  # each axis goes to the end
        turns = np.outer(np.arange(found.shape[0]) * edge, w + OFFSETS)
        found = np.tensordot(found, np.exp(-2j * np.pi * turns), axes=(0, 0))
    return np.asarray((2 * np.abs(found) / ground.brain.sum()) ** 2)


def _above_others(pooled: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log powers over those of waves nearby.

    Tone, blur and noise change all waves of about one length; stripes are one wave.
    """
    log = np.log(pooled + LEAST_POWER)
    return np.asarray(log - uniform_filter(log, NEARBY))


def _apart(everyone: NDArray[np.float32], n0: int) -> NDArray[np.float32]:
    """Return how many standard errors the groups' means are apart."""
    groups = everyone[:n0], everyone[n0:]
    variance = sum(((g - g.mean(axis=0)) ** 2).sum(axis=0) for g in groups)
    scatter = np.sqrt(variance / (len(everyone) - 2))
    error = np.maximum(scatter, LEAST_SCATTER) * np.sqrt(
        sum(1 / len(g) for g in groups)
    )
    return np.asarray((groups[1].mean(axis=0) - groups[0].mean(axis=0)) / error)


def _index(n: int, half: bool) -> NDArray[np.intp]:
    return np.arange(n) if half else np.r_[0 : n // 2 + 1, -(n // 2) : 0]


def _pooled(one: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strongest of each `POOL` neighbors; anatomy's waves are 0."""
    rolled = np.fft.fftshift(one * _allowed(one.shape), axes=(0, 1))
    whole = [n // POOL * POOL for n in rolled.shape]
    rolled = rolled[tuple(slice(n) for n in whole)]
    for axis in range(3):
        shape = (*rolled.shape[:axis], -1, POOL, *rolled.shape[axis + 1 :])
        rolled = rolled.reshape(shape).max(axis=axis + 1)
    return np.asarray(rolled)


def _allowed(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    length = _length(shape)
    return (length >= 1 / LONGEST_MM) & (length <= 1 / SHORTEST_MM)


def _length(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the cycles/mm of each wave of the lattice."""
    i, j, k = (_index(n, axis == 2) / BOX_MM for axis, n in enumerate(shape))
    return np.asarray(np.sqrt(i[:, None, None] ** 2 + j[:, None] ** 2 + k**2))


def _finest(mean: NDArray[np.float32], cell: tuple[np.intp, ...]) -> Wave:
    """Return the wave in a pooled cell whose power differs most."""
    rolled = np.fft.fftshift(mean * _allowed(mean.shape), axes=(0, 1))
    box = tuple(slice(POOL * int(c), POOL * int(c) + POOL) for c in cell)
    inside = np.unravel_index(int(rolled[box].argmax()), (POOL, POOL, POOL))
    found = [POOL * int(c) + int(i) for c, i in zip(cell, inside, strict=True)]
    middle = [mean.shape[0] // 2, mean.shape[1] // 2, 0]
    i, j, k = ((f - m) / BOX_MM for f, m in zip(found, middle, strict=True))
    return float(i), float(j), float(k)
