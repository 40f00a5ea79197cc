"""Broken results: what a guard must find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.evaluate.painted import CONTRASTS, SIZES_MM, ball, places_of

Image = NDArray[np.float32]
Rng = np.random.Generator

FWHM_TO_SD = 2.3548


@dataclass(frozen=True, slots=True, eq=False)
class Edited:
    """A session before an engine, and a result that is to be broken.

    Parameters
    ----------
    source, result : Session
        Prepared, of one visit.
    suffix : str
        The sequence that is broken.
    """

    source: Session
    result: Session
    suffix: Suffix

    @property
    def image(self) -> Image:
        """The result, to be changed."""
        return np.array(self.result[self.suffix].data)

    @property
    def spacing(self) -> NDArray[np.float64]:
        """Voxel edges, mm."""
        return np.array(self.source.reference.spacing)

    def broken(self, image: Image, lesion: Image | float = 0.0) -> Edited:
        """Return the same with another result, and a lesion in the source."""
        step = Step("fault")
        before, after = self.source[self.suffix], self.result[self.suffix]
        ill = {self.suffix: before.with_data(before.data + lesion, step)}
        other = {self.suffix: after.with_data(image, step)}
        return replace(
            self,
            source=self.source.with_volumes({**self.source, **ill}),
            result=self.result.with_volumes({**self.result, **other}),
        )


def lesion_deleted(given: Edited, rng: Rng) -> Edited:
    """Give the source a lesion that the result has not."""
    (lesion,) = _lesions(given, rng, 1)
    return given.broken(given.image, lesion)


def lesion_added(given: Edited, rng: Rng) -> Edited:
    """Give the result a lesion that the source has not."""
    (lesion,) = _lesions(given, rng, 1)
    return given.broken(given.image + lesion)


def lesion_moved(given: Edited, rng: Rng) -> Edited:
    """Give the source a lesion that is elsewhere in the result."""
    lesion, moved = _lesions(given, rng, 2)
    return given.broken(given.image + moved, lesion)


def blurred(given: Edited, rng: Rng) -> Edited:
    """Make the result softer, by a Gaussian of 2 to 4 mm (FWHM)."""
    width = rng.uniform(2, 4) / FWHM_TO_SD / given.spacing
    return given.broken(ndimage.gaussian_filter(given.image, width))


def flipped(given: Edited, _: Rng) -> Edited:
    """Exchange left and right."""
    axis = int(np.argmax(np.abs(given.source.reference.affine[0, :3])))
    return given.broken(np.flip(given.image, axis))


def other_sequence(given: Edited, rng: Rng) -> Edited:
    """Show another sequence of the visit; if there is none, a negative."""
    others = [s for s in given.result if s != given.suffix]
    if others:
        return given.broken(given.result[others[rng.integers(len(others))]].data)
    return given.broken(np.maximum(1.6 - given.image, 0))


def half_scaled(given: Edited, rng: Rng) -> Edited:
    """Make half of the head brighter or darker, by 10 to 30 %."""
    axis, image = int(rng.integers(3)), given.image
    brain = np.argwhere(given.source.require_brain())
    middle = int(np.median(brain[:, axis]))
    halves = slice(0, middle), slice(middle, None)
    half = np.moveaxis(image, axis, 0)[halves[rng.integers(2)]]
    half *= rng.uniform(1.1, 1.3) ** rng.choice([-1, 1])
    return given.broken(image)


def slice_lost(given: Edited, rng: Rng) -> Edited:
    """Empty a slice of the brain, or repeat the next one there."""
    axis, image = int(rng.integers(3)), given.image
    brain = np.argwhere(given.source.require_brain())[:, axis]
    low, high = np.quantile(brain, [0.05, 0.95]).astype(int)
    slices, which = np.moveaxis(image, axis, 0), int(rng.integers(low, high))
    slices[which] = slices[which + 1] if rng.integers(2) else 0
    return given.broken(image)


def checkered(given: Edited, rng: Rng) -> Edited:
    """Add a pattern of one or two voxels, 3 to 10 % of white matter."""
    image, step = given.image, int(rng.integers(1, 3))
    odd = (np.indices(image.shape) // step).sum(axis=0) % 2
    sign = np.where(odd == 1, 1, -1) * (image > 0.1)
    return given.broken(image + (rng.uniform(0.03, 0.1) * sign).astype(np.float32))


def misplaced(given: Edited, rng: Rng) -> Edited:
    """Move the result by 1 to 4 mm, by its header or in its content."""
    away = rng.normal(size=3)
    away *= rng.uniform(1, 4) / np.linalg.norm(away)
    if rng.integers(2):
        moved = ndimage.shift(
            given.image, away / given.spacing, order=1, mode="nearest"
        )
        return given.broken(moved)
    affine = given.result.reference.affine.copy()
    affine[:3, 3] += away
    volumes = {
        suffix: volume.with_grid(volume.data, affine, Step("fault"))
        for suffix, volume in given.result.items()
    }
    return replace(given, result=given.result.with_volumes(volumes))


Fault = Callable[[Edited, Rng], Edited]

FAULTS: dict[str, Fault] = {
    "lesion_deleted": lesion_deleted,
    "lesion_added": lesion_added,
    "lesion_moved": lesion_moved,
    "blur": blurred,
    "flip": flipped,
    "other_sequence": other_sequence,
    "half_scaled": half_scaled,
    "slice_lost": slice_lost,
    "checkerboard": checkered,
    "misplaced": misplaced,
}


def _lesions(given: Edited, rng: Rng, n: int) -> list[Image]:
    """Return one lesion at `n` places of white matter, which do not overlap."""
    alone = given.source.with_volumes({given.suffix: given.source[given.suffix]})
    low, high = np.log(SIZES_MM)
    diameter = float(np.exp(rng.uniform(low, high)))
    contrast = np.float32(rng.uniform(*CONTRASTS[given.suffix]))
    return [
        contrast * ball(alone, place, diameter)
        for place in places_of(alone, np.full(n, diameter), rng)
    ]
