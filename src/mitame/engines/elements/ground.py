"""What the elements of a scan stand on: its place in the head, not its brightness."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from mitame.core.errors import ImplausibleError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.engines.elements.around import cells_of
from mitame.engines.elements.fields import (
    N_FIELDS,
    field_over,
    fields_at,
    precision,
)
from mitame.engines.noise import smooth_part
from mitame.prepare.resample import resample
from mitame.prepare.template import (
    Tissue,
    template_coordinates,
    tissue_prior,
)

CORE: dict[Tissue, float] = {"wm": 0.9, "gm": 0.7, "csf": 0.7}
"""Shares of the template's tissue maps that leave a clear core of each."""

MOST_SAMPLED = 20_000
"""Voxels of white matter that a field is fitted to."""

FAR = 3.0
"""In median absolute deviations: farther off is something else than white matter."""

FITS = 5
"""Of a field, each without what was far off the one before."""

STIFF = 2e-5
"""Of a field's prior, in voxels' squared errors: far from white matter, a field goes on
gently."""

FAINT = 0.05
"""White-matter medians; no tissue is as dark."""

BLOCK_MM = 16.0
"""Edge of the blocks whose spectra are averaged."""

MOST_BLOCKS = 400

Image = NDArray[np.float32]


class Ground:
    """Where everything is on the grid of one prepared session.

    Parameters
    ----------
    session : Session
        With brain mask and place in the template.
    suffix : str
        Which of its images is meant.

    Raises
    ------
    InputError
        If brain mask or place are missing.
    """

    def __init__(self, session: Session, suffix: Suffix = "T1w") -> None:
        self.session, self.suffix = session, suffix
        self.brain = session.require_brain()
        self.spacing = session.reference.spacing
        self.block = tuple(
            max(4, 2 * round(BLOCK_MM / edge / 2)) for edge in self.spacing
        )
        self._places: dict[int, tuple[Volume, Image]] = {}
        self.waves: dict[tuple[float, ...], NDArray[np.float32]] = {}

    @cached_property
    def cores(self) -> dict[Tissue, NDArray[np.bool_]]:
        """Where the template nearly always has a tissue, in the brain."""
        return {t: self.brain & (tissue_prior(self.session, t) > CORE[t]) for t in CORE}

    @cached_property
    def cells(self) -> NDArray[np.intp]:
        """In which cell of the template's lattice each voxel of the brain is."""
        return cells_of(self.session)

    @cached_property
    def calm(self) -> NDArray[np.bool_]:
        """Where the session's image is smooth, and noise is told: `smooth_part`."""
        return smooth_part(self.session[self.suffix].data, self.brain)

    @cached_property
    def blocks(self) -> NDArray[np.intp]:
        """First voxels, (n, 3), of blocks of `block` in the brain."""
        return self.blocks_of(self.block)

    def blocks_of(self, shape: tuple[int, ...]) -> NDArray[np.intp]:
        """Return the first voxels, (n, 3), of blocks in the brain.

        They overlap by half; at most `MOST_BLOCKS` of them, evenly.
        """
        whole = minimum_filter(
            self.brain,
            size=shape,
            origin=[-(n // 2) for n in shape],
            mode="constant",
        )
        steps = np.zeros_like(self.brain)
        steps[tuple(slice(None, None, n // 2) for n in shape)] = True
        found = np.argwhere(whole & steps)
        return found[:: max(1, len(found) // MOST_BLOCKS)]

    @cached_property
    def design(self) -> NDArray[np.float64]:
        """One, and what fields are made of, at `sampled` voxels, (n, 1 + N_FIELDS)."""
        place = template_coordinates(self.session).reshape(-1, 3)[self.sampled]
        return np.column_stack([np.ones(len(place)), fields_at(place)])

    @cached_property
    def _products(self) -> NDArray[np.float64]:
        """Inner products of the columns of `design`."""
        return np.asarray(self.design.T @ self.design)

    @cached_property
    def sampled(self) -> NDArray[np.intp]:
        """Flat indices of some white matter."""
        where = np.flatnonzero(self.cores["wm"])
        return where[:: max(1, len(where) // MOST_SAMPLED)]

    def field(self, coefficients: NDArray[np.floating]) -> Image:
        """Return a sum of the functions of `design` at every voxel, (i, j, k)."""
        to_place = self.session.require_template() @ self.session.reference.affine
        return field_over(to_place, self.brain.shape, coefficients)

    def slow_part(self, image: Image) -> NDArray[np.float64]:
        """Return coefficients of the field without which white matter is most even.

        Of white matter alone: gray matter that is bright in one place is no field. Not
        numbers where hardly any of it is brighter than `FAINT`.
        """
        values = image.ravel()[self.sampled]
        some = values > FAINT
        if some.sum() <= N_FIELDS:
            return np.full(N_FIELDS, np.nan)
        design, whole = self.design, self._products
        wanted = np.log(values, where=some, out=np.zeros(len(values)))
        cost = np.zeros_like(whole)
        cost[1:, 1:] = STIFF * some.sum() * precision()
        keep, found = some, np.zeros(1 + N_FIELDS)
        for _ in range(FITS):
            dropped = design[~keep]  # few, so that the whole is made only once
            gram = whole - dropped.T @ dropped + cost
            found = np.linalg.solve(gram, design.T @ (wanted * keep))
            left = wanted - design @ found
            left -= np.median(left[some])
            keep = some & (np.abs(left) <= FAR * np.median(np.abs(left[some])))
        return found[1:]

    def there(self, place: Volume) -> Image:
        """Return how much of a place of the template is at every voxel, 0 to 1."""
        if id(place) not in self._places:
            transform = self.session.require_template()
            reference = self.session.reference
            at = resample(place, reference, transform=transform, interpolator="linear")
            self._places[id(place)] = place, at.data
        return self._places[id(place)][1]

    @cached_property
    def shading(self) -> Image:
        """The field of the session's image; its mean logarithm is 0 in the brain.

        Raises
        ------
        ImplausibleError
            If there is no white matter to tell it from.
        """
        found = self.slow_part(self.session[self.suffix].data)
        if not np.isfinite(found).all():
            raise ImplausibleError(
                f"Hardly any white matter of {self.session.subject} is brighter than "
                f"{FAINT} of its median.",
                fix="Prepare the scan: its scale, or its place in the template, is not "
                "what it is said to be.",
            )
        return np.exp(self.field(found))
