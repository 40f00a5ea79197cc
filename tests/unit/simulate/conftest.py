"""A coarse head for tests: the average one, every third label."""

import numpy as np
import pytest

from mitame.simulate.anatomy import Anatomy, builtin_anatomy
from mitame.simulate.subject import Subject, make_subject


@pytest.fixture(scope="session")
def coarse_head() -> Anatomy:
    head = builtin_anatomy()
    labels = np.ascontiguousarray(head.labels[::3, ::3, ::3])
    return Anatomy("coarse", labels, head.affine @ np.diag([3.0, 3, 3, 1]))


@pytest.fixture(scope="session")
def person(coarse_head) -> Subject:
    rng = np.random.default_rng(3)
    return make_subject("01", coarse_head, spacing=4.0, rng=rng)
