"""Things planted on purpose, so that their truth is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.special import expit

from mitame.core.volume import Volume
from mitame.prepare.warp import slab_positions
from mitame.simulate.anatomy import VENTRICLES
from mitame.simulate.random_field import random_field
from mitame.simulate.subject import Subject
from mitame.simulate.tissue import Tissue

Kind = Literal["ms", "infarct", "tumor"]

_TISSUE: dict[Kind, Tissue] = {"ms": "lesion", "infarct": "infarct", "tumor": "tumor"}

REGIONS: dict[str, tuple[int, ...]] = {
    "left white matter": (2,),
    "right white matter": (41,),
    "left cortex": (3,),
    "right cortex": (42,),
    "left cerebellum": (7, 8),
    "right cerebellum": (46, 47),
    "left thalamus": (10,),
    "right thalamus": (49,),
    "left basal ganglia": (11, 12, 13),
    "right basal ganglia": (50, 51, 52),
    "left hippocampus": (17, 18),
    "right hippocampus": (53, 54),
    "brain stem": (16,),
}
"""Where a lesion can be, as FreeSurfer labels."""

PERIVENTRICULAR = "periventricular white matter"
NEAR_MM = 6.0

OCCIPITAL_SHARE = 0.17
"""How much of the brain's length, from its back, counts as occipital here."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One planted lesion.

    Parameters
    ----------
    kind : {"ms", "infarct", "tumor"}
        Which tissue replaces the healthy one.
    region : str
        One of `regions()`.
    center : tuple of float
        World position, mm, RAS+.
    diameter_mm : float
        Of the ball of the same size, 2 to 15.
    strength : float
        Share of the healthy tissue that is replaced in its middle, 0 to 1; what
        contrast that gives depends on scanner and sequence.
    """

    kind: Kind
    region: str
    center: tuple[float, float, float]
    diameter_mm: float
    strength: float


def regions() -> tuple[str, ...]:
    """Return every region that a lesion can be planted in."""
    return (*REGIONS, PERIVENTRICULAR)


def choose_lesions(
    subject: Subject, n: int, rng: np.random.Generator
) -> tuple[Lesion, ...]:
    """Return random lesions, half of them like those of multiple sclerosis.

    Sizes are spread evenly on a logarithmic scale from 2 to 15 mm, strengths from
    0.15 to 1. No two touch, and only regions that the labels name have one.
    """
    places = {region: np.argwhere(_inside(subject, region)) for region in regions()}
    known = [region for region in places if len(places[region])]
    found: list[Lesion] = []
    for _ in range(20 * n):
        if len(found) == n:
            break
        region = str(rng.choice(known))
        index = rng.choice(places[region])
        x, y, z = subject.affine[:3] @ [*index, 1.0]
        lesion = Lesion(
            rng.choice(["ms", "ms", "infarct", "tumor"]).item(),
            region,
            (float(x), float(y), float(z)),
            float(np.exp(rng.uniform(np.log(2), np.log(15)))),
            float(rng.uniform(0.15, 1)),
        )
        if all(_apart(lesion, other) for other in found):
            found.append(lesion)
    return tuple(found)


def plant_lesions(
    subject: Subject, lesions: Sequence[Lesion], rng: np.random.Generator
) -> tuple[Subject, NDArray[np.int16]]:
    """Return the subject with lesions, and the voxels of each, numbered from 1.

    A lesion is a ball with a bumpy surface. Skull, fluid and air keep their place.
    """
    labels = np.zeros(subject.labels.shape, np.int16)
    tissue = np.isin(subject.labels, [v for group in REGIONS.values() for v in group])
    for number, lesion in enumerate(lesions, start=1):
        shape = _bumpy_ball(subject, lesion, rng) * tissue
        subject = subject.with_share(_TISSUE[lesion.kind], lesion.strength * shape)
        labels[shape > 0.5] = number
    return subject, labels


def occipital_region(subject: Subject) -> NDArray[np.float32]:
    """Return the occipital cortex of both sides, 0 to 1, with a soft border.

    What the original study planted on one scanner: a cortex that is too bright there.
    """
    cortex = np.isin(subject.labels, (3, 42))
    place = np.argwhere(cortex)
    back = place[:, 1].min()
    length = place[:, 1].max() - back
    behind = np.arange(cortex.shape[1]) < back + OCCIPITAL_SHARE * length
    region = (cortex & behind[None, :, None]).astype(np.float32)
    width = 1.5 / np.array(subject.grid.spacing)
    return np.asarray(ndimage.gaussian_filter(region, width), np.float32)


def _inside(subject: Subject, region: str) -> NDArray[np.bool_]:
    """Return the voxels of a region."""
    if region != PERIVENTRICULAR:
        return np.isin(subject.labels, REGIONS[region])
    reach = round(NEAR_MM / subject.grid.spacing[0])
    wall = np.isin(subject.labels, VENTRICLES)
    near = ndimage.binary_dilation(wall, iterations=reach)
    return np.asarray(near & np.isin(subject.labels, (2, 41)))


def _apart(one: Lesion, other: Lesion) -> bool:
    away = np.linalg.norm(np.subtract(one.center, other.center))
    return bool(away > 0.75 * (one.diameter_mm + other.diameter_mm))


def _bumpy_ball(
    subject: Subject, lesion: Lesion, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return where a lesion is, 0 to 1; its border is half a millimeter soft."""
    box, near = _around(subject.grid, lesion.center, lesion.diameter_mm + 3)
    bumps = random_field(near, max(lesion.diameter_mm / 3, 1.0), rng)
    radius = lesion.diameter_mm / 2 * (1 + 0.15 * bumps)
    places = [slab_positions(near, i) for i in range(near.shape[0])]
    away = np.linalg.norm(np.stack(places) - lesion.center, axis=-1)
    ball = np.zeros(subject.grid.shape, np.float32)
    ball[box] = expit(-4 * (away - radius))
    return ball


def _around(
    grid: Volume, center: tuple[float, float, float], reach_mm: float
) -> tuple[tuple[slice, ...], Volume]:
    """Return the voxels within a reach of a place, and their own grid."""
    middle = np.linalg.solve(grid.affine, [*center, 1.0])[:3]
    reach = reach_mm / np.array(grid.spacing)
    first = np.maximum(np.floor(middle - reach), 0).astype(int)
    last = np.minimum(np.ceil(middle + reach) + 1, grid.shape).astype(int)
    affine = grid.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    box = tuple(slice(a, b) for a, b in zip(first, last, strict=True))
    return box, Volume(np.zeros(last - first, np.float32), affine)
