import numpy as np
import pytest

from mitame.core.volume import Volume
from mitame.simulate.random_field import random_field


def grid(spacing, extent=120.0):
    shape = (round(extent / spacing),) * 3
    return Volume(np.zeros(shape, np.float32), np.diag([spacing] * 3 + [1.0]))


@pytest.mark.parametrize("width", [2.0, 5.0, 12.0])
def test_a_field_has_mean_zero_and_spread_one(width):
    fields = [
        random_field(grid(3.0), width, np.random.default_rng(n)) for n in range(4)
    ]
    assert np.mean(fields) == pytest.approx(0, abs=0.15)
    assert np.std(fields) == pytest.approx(1, abs=0.15)


def test_a_wide_field_is_smooth():
    narrow, wide = (
        random_field(grid(3.0), width, np.random.default_rng(0))
        for width in (3.0, 12.0)
    )
    assert (
        np.abs(np.diff(wide, axis=0)).mean()
        < 0.4 * np.abs(np.diff(narrow, axis=0)).mean()
    )


def test_one_seed_is_one_field_on_any_grid():
    coarse, fine = (
        random_field(grid(edge), 12.0, np.random.default_rng(1)) for edge in (4.0, 2.0)
    )
    assert np.corrcoef(coarse.ravel(), fine[::2, ::2, ::2].ravel())[0, 1] > 0.99
