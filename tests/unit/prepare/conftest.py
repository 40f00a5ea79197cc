"""A real head without data: the template nilearn carries, moved by a known map."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mitame.core.volume import Volume
from mitame.prepare.resample import resample, resample_mask
from mitame.prepare.template import template


@dataclass(frozen=True)
class KnownHead:
    """A head, its brain, and the true map into the template."""

    volume: Volume
    brain: NDArray[np.bool_]
    to_template: NDArray[np.float64]


@pytest.fixture(scope="session")
def known_head() -> KnownHead:
    """The template nodded by 14 degrees, shrunk and shifted, on thick slices."""
    truth = np.eye(4)
    truth[:3, :3] = (
        1.1 * Rotation.from_euler("xyz", (-14, 4, 6), degrees=True).as_matrix()
    )
    truth[:3, 3] = (5, -20, 12)
    affine = np.diag([-1.5, -1.5, 4.0, 1.0])
    affine[:3, 3] = (90, 110, -80)
    grid = Volume(np.zeros((120, 140, 42), np.float32), affine)
    head = resample(template("t1"), grid, transform=truth, interpolator="linear")
    inside = template("mask").data > 0.5
    brain = resample_mask(inside, template("mask"), grid, transform=truth)
    return KnownHead(Volume(head.data, affine), brain, truth)
