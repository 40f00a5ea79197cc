"""Prepared scans of made-up people, all with the template's brain: for quick tests."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.resample import resample
from mitame.prepare.template import template, template_grid

NOISE = 0.03
"""Standard deviation of everyone's noise, in white-matter medians."""


def people(n: int, *, seed: int, spacing: float = 4.0) -> list[Session]:
    """Return T1w scans of `n` people, in white-matter medians and template space.

    Each has folds, contrast and a bias field a little of their own.

    Parameters
    ----------
    n : int
        How many.
    seed : int
        Of what is their own.
    spacing : float
        Voxel edge, mm.
    """
    grid = template_grid(spacing)
    head, brain = (
        resample(template(what), grid, interpolator="linear").data
        for what in ("t1", "mask")
    )
    inside = brain > 0.5
    white = np.median(head[resample(template("wm"), grid).data > 0.9])
    return [
        _person(head / white, inside, grid, np.random.default_rng([seed, number]))
        for number in range(n)
    ]


def _person(
    head: np.ndarray, brain: np.ndarray, grid: Volume, rng: np.random.Generator
) -> Session:
    def bumps(width_mm: float) -> np.ndarray:
        field = gaussian_filter(
            rng.standard_normal(head.shape), width_mm / grid.spacing[0]
        )
        return np.asarray(field / field.std())

    own = np.maximum(head + 0.03 * bumps(8), 0) ** np.exp(0.03 * rng.standard_normal())
    own = own * np.exp(0.03 * bumps(30)) + NOISE * rng.standard_normal(head.shape)
    volume = grid.with_data(np.abs(own), Step("people", {}))
    return Session({"T1w": volume}, brain=brain, to_template=np.eye(4))
