"""What the elements of a scan stand on: its place in the head, not its brightness."""

from __future__ import annotations

from functools import cache, cached_property
from itertools import product

import numpy as np
from numpy.polynomial.legendre import leg2poly, legval
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from mitame.core.session import Session
from mitame.prepare.regions import GRAY_PARTS, gray_part
from mitame.prepare.template import (
    FIELD_MM,
    MIDDLE_MM,
    Tissue,
    template,
    template_coordinates,
    tissue_prior,
)
from mitame.solve.polynomial import over_grid

DEGREE = 3
"""Of the polynomials that a bias field is made of."""

OUTERMOST = 1.2
"""In half brains: farther out, a field goes on as it is there."""

CORE: dict[Tissue, float] = {"wm": 0.9, "gm": 0.7, "csf": 0.7}
"""Shares of the template's tissue maps that leave a clear core of each."""

BLOCK_MM = 16.0
"""Edge of the blocks whose spectra are averaged."""

MOST_BLOCKS = 400

DEGREES = sorted(
    (d for d in product(range(DEGREE + 1), repeat=3) if 0 < sum(d) <= DEGREE), key=sum
)
"""Of the polynomials along the three axes."""

N_FIELDS = len(DEGREES)

Image = NDArray[np.float32]


class Ground:
    """Where everything is on the grid of one prepared session.

    Parameters
    ----------
    session : Session
        With brain mask and place in the template.

    Raises
    ------
    InputError
        If brain mask or place are missing.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.brain = session.require_brain()
        self.spacing = session.reference.spacing
        self.block = tuple(
            max(4, 2 * round(BLOCK_MM / edge / 2)) for edge in self.spacing
        )

    @cached_property
    def cores(self) -> dict[Tissue, NDArray[np.bool_]]:
        """Where the template nearly always has a tissue, in the brain."""
        return {t: self.brain & (tissue_prior(self.session, t) > CORE[t]) for t in CORE}

    @cached_property
    def region_cores(self) -> dict[str, NDArray[np.intp]]:
        """Flat indices of each region's gray matter."""
        gray = self.cores["gm"]
        return {
            name: np.flatnonzero(gray & (self.region(name) > 0.5))
            for name in GRAY_PARTS
        }

    @cached_property
    def blocks(self) -> NDArray[np.intp]:
        """First voxels, (n, 3), of blocks in the brain that overlap by half."""
        whole = minimum_filter(
            self.brain,
            size=self.block,
            origin=[-(n // 2) for n in self.block],
            mode="constant",
        )
        steps = np.zeros_like(self.brain)
        steps[tuple(slice(None, None, n // 2) for n in self.block)] = True
        found = np.argwhere(whole & steps)
        return found[:: max(1, len(found) // MOST_BLOCKS)]

    def region(self, name: str) -> Image:
        """Return the share of a region, 0 to 1, with a soft border."""
        if name not in self._regions:
            self._regions[name] = gray_part(self.session, name)
        return self._regions[name]

    @cached_property
    def _regions(self) -> dict[str, Image]:
        return {}

    @cached_property
    def fields(self) -> NDArray[np.float64]:
        """The functions that fields are made of, at `sampled` voxels, (n, N_FIELDS)."""
        place = template_coordinates(self.session).reshape(-1, 3)[self.sampled]
        return fields_at(_normal(place))

    @cached_property
    def sampled(self) -> NDArray[np.intp]:
        """Flat indices of some white and gray matter."""
        where = np.flatnonzero(self.cores["wm"] | self.cores["gm"])
        return where[:: max(1, len(where) // 40_000)]

    def field(self, coefficients: NDArray[np.floating]) -> Image:
        """Return a sum of the functions of `fields` at every voxel, (i, j, k)."""
        to_place = self.session.require_template() @ self.session.reference.affine
        half = np.array(FIELD_MM) / 2
        normal = to_place[:3] / half[:, None]
        normal[:, 3] -= np.array(MIDDLE_MM) / half
        return over_grid(_powers(coefficients), normal, self.brain.shape, OUTERMOST)


def _powers(coefficients: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the coefficients of a field's powers of x, y and z."""
    mean, mix = _orthonormal()
    plain = mix @ coefficients
    tensor = np.zeros((DEGREE + 1,) * 3)
    for degree, c in zip(DEGREES, plain, strict=True):
        tensor[degree] = c
    tensor[0, 0, 0] = -mean @ plain
    to_powers = np.zeros((DEGREE + 1, DEGREE + 1))
    for n in range(DEGREE + 1):
        to_powers[: n + 1, n] = leg2poly(np.eye(DEGREE + 1)[n])[: n + 1]
    found = np.einsum("abc,ia,jb,kc->ijk", tensor, to_powers, to_powers, to_powers)
    return np.asarray(found)


def fields_at(place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return smooth functions, orthonormal over the template's brain: (n, N_FIELDS).

    A field's standard deviation there is the length of its coefficients.
    """
    mean, mix = _orthonormal()
    return np.asarray((_plain(place) - mean) @ mix)


def _normal(place: NDArray[np.floating]) -> Image:
    half = np.array(FIELD_MM, np.float32) / 2
    away = (place - np.array(MIDDLE_MM, np.float32)) / half
    return np.asarray(np.clip(away, -OUTERMOST, OUTERMOST), np.float32)


def _plain(place: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the products of Legendre polynomials of `DEGREES`."""
    along = [
        [legval(place[:, axis], np.eye(DEGREE + 1)[n]) for n in range(DEGREE + 1)]
        for axis in range(3)
    ]
    return np.stack([along[0][a] * along[1][b] * along[2][c] for a, b, c in DEGREES], 1)


@cache
def _orthonormal() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the means over the template's brain, and what makes them orthonormal."""
    mask = template("mask")
    index = np.argwhere(mask.data > 0.5)[::7]
    plain = _plain(_normal(index @ mask.affine[:3, :3].T + mask.affine[:3, 3]))
    mean = plain.mean(axis=0)
    _, upper = np.linalg.qr((plain - mean) / len(plain) ** 0.5)
    return mean, np.linalg.inv(upper)
