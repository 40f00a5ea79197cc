"""A real head without data: the template nilearn carries, wherever it is wanted."""

from collections.abc import Callable
from functools import partial
from inspect import signature

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.engines.named import engine_class
from mitame.prepare.resample import resample
from mitame.prepare.template import template
from mitame.testing.phantom import CENTER

NEAR_MM = 55.0
"""Only so much of the brain is looked at: a third of the time, and hard enough."""


def turned(spacing: ArrayLike, degrees: ArrayLike = (0, 0, 0)) -> Volume:
    """Return an empty grid around the brain."""
    edges = np.asarray(spacing, dtype=float)
    shape = np.ceil(np.array([150, 190, 160]) / edges).astype(int)
    affine = np.eye(4)
    axes = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    affine[:3, :3] = axes * edges
    affine[:3, 3] = CENTER - affine[:3, :3] @ ((shape - 1) / 2)
    return Volume(np.zeros(shape, np.float32), affine)


@pytest.fixture(scope="session")
def real_head() -> Callable[..., Session]:
    """Return a function that draws the head; `truth` leads from its world to MNI's."""

    def draw(
        spacing: ArrayLike,
        degrees: ArrayLike = (0, 0, 0),
        *,
        truth: ArrayLike | None = None,
        noise: float = 0.02,
        seed: int = 0,
    ) -> Session:
        grid = turned(spacing, degrees)
        truth = np.eye(4) if truth is None else np.asarray(truth)
        seen = resample(template("t1"), grid, transform=truth)
        rng = np.random.default_rng(seed)
        data = seen.data + rng.normal(0, noise, grid.shape) * (seen.data > 0)
        inside = resample(
            template("mask"), grid, transform=truth, interpolator="nearest"
        )
        place = np.moveaxis(np.indices(grid.shape), 0, -1)
        to_template = truth @ grid.affine
        there = place @ to_template[:3, :3].T + to_template[:3, 3]
        near = np.linalg.norm(there - CENTER, axis=-1) < NEAR_MM
        brain = (inside.data > 0.5) & near
        volume = Volume(data.astype(np.float32), grid.affine)
        return Session({"T1w": volume}, brain=brain, to_template=truth)

    return draw


@pytest.fixture
def quick() -> Callable[[str], Callable[[], Harmonizer]]:
    """Return a function that makes a maker of an engine; a training is of few steps."""

    def make(name: str) -> Callable[[], Harmonizer]:
        kind = engine_class(name)
        few = {"steps": 5} if "steps" in signature(kind).parameters else {}
        return partial(kind, **few)

    return make
