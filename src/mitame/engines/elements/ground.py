"""What the elements of a scan stand on: its place in the head, not its brightness."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter

from mitame.core.session import Session, Suffix
from mitame.engines.elements.fields import field_over, fields_at
from mitame.prepare.regions import REGIONS, region_labels
from mitame.prepare.template import (
    Tissue,
    template_coordinates,
    tissue_prior,
)

CORE: dict[Tissue, float] = {"wm": 0.9, "gm": 0.7, "csf": 0.7}
"""Shares of the template's tissue maps that leave a clear core of each."""

SOME_GRAY = 0.3
"""Share of people who have gray matter there; which voxels do, the image tells."""

GRAY = ("cortex", "cerebellum", "deep gray")
"""How the names of regions with gray matter end."""

FAR = 3.0
"""In median absolute deviations: farther off is something else than the tissue."""

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

    @cached_property
    def cores(self) -> dict[Tissue, NDArray[np.bool_]]:
        """Where the template nearly always has a tissue, in the brain."""
        return {t: self.brain & (tissue_prior(self.session, t) > CORE[t]) for t in CORE}

    @cached_property
    def grays(self) -> list[NDArray[np.intp]]:
        """Flat indices of where there may be gray matter, by region of the template."""
        some = self.brain & (tissue_prior(self.session, "gm") > SOME_GRAY)
        where = np.flatnonzero(some)
        place = template_coordinates(self.session).reshape(-1, 3)[where]
        label = region_labels(place)
        grays = [n for n, r in enumerate(REGIONS, 1) if r.endswith(GRAY)]
        return [where[label == n] for n in grays]

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

    @cached_property
    def fields(self) -> NDArray[np.float64]:
        """The functions that fields are made of, at `sampled` voxels, (n, N_FIELDS)."""
        place = template_coordinates(self.session).reshape(-1, 3)[self.sampled]
        return fields_at(place)

    @cached_property
    def sampled(self) -> NDArray[np.intp]:
        """Flat indices of some white and gray matter."""
        where = np.flatnonzero(self.cores["wm"] | self.cores["gm"])
        return where[:: max(1, len(where) // 40_000)]

    def field(self, coefficients: NDArray[np.floating]) -> Image:
        """Return a sum of the functions of `fields` at every voxel, (i, j, k)."""
        to_place = self.session.require_template() @ self.session.reference.affine
        return field_over(to_place, self.brain.shape, coefficients)

    def slow_part(self, image: Image) -> NDArray[np.float64]:
        """Return coefficients of the field without which two tissues are most even."""
        values = image.ravel()[self.sampled]
        white = self.cores["wm"].ravel()[self.sampled]
        some = values > FAINT
        values, white = values[some], white[some]
        design = np.column_stack([white, ~white, self.fields[some]])
        wanted = np.log(values).astype(np.float64)
        keep = np.ones(len(values), bool)
        found = np.zeros(design.shape[1])
        for _ in range(3):
            used = design[keep]
            ridge = 1e-6 * len(used) * np.eye(design.shape[1])
            found = np.linalg.solve(used.T @ used + ridge, used.T @ wanted[keep])
            left = np.abs(wanted - design @ found)
            # Each tissue has a spread of its own.
            most = [np.median(left[~white]), np.median(left[white])]
            keep = left <= FAR * np.array(most)[white.astype(int)]
        return found[2:]

    @cached_property
    def shading(self) -> Image:
        """The field of the session's image; its mean logarithm is 0 in the brain."""
        return np.exp(self.field(self.slow_part(self.session[self.suffix].data)))
