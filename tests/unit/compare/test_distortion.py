import numpy as np
import pytest

from mitame.compare.distortion import (
    DEGREE,
    REACH_MM,
    Distortion,
    fit_distortion,
    none_at,
)
from mitame.core.volume import Step
from mitame.prepare.warp import warp

ROUNDS = 2
"""As often as `pair` looks."""


def cubic(place):
    """A smooth displacement of up to about a millimeter; place in world mm."""
    x, y, z = np.moveaxis(place, -1, 0) / REACH_MM
    return 2 * np.stack(
        [0.4 * x**3 - 0.3 * y * z, 0.5 * y**2 - 0.2, 0.5 * z * x**2 + 0.2 * z], axis=-1
    )


def places(grid):
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    return index @ grid.affine[:3, :3].T + grid.affine[:3, 3]


def displaced(volume, displacement):
    moved, _ = warp(
        volume, volume, transform=np.eye(4), displacement=displacement, params={}
    )
    return moved


def recovered(prior, current, brain):
    """Return the displacement found in as many rounds as `pair` takes."""
    found = none_at(current)
    for _ in range(ROUNDS):
        moved = displaced(prior, found.over(current))
        found = found + fit_distortion(moved, current, brain)
    return found


def rms(found, truth, brain):
    return float(np.sqrt(((found - truth)[brain] ** 2).sum(axis=-1).mean()))


@pytest.fixture(scope="module")
def pair(real_head):
    """A head, and the same one that another scanner's gradients have bent."""
    clean = real_head((2.5, 2.5, 4), (4, 0, -6), noise=0.0)
    prior = clean["T1w"]
    truth = cubic(places(prior)).astype(np.float32)
    current = displaced(prior, truth)
    rng = np.random.default_rng(1)
    prior, current = (
        v.with_data(v.data + rng.normal(0, 0.02, v.shape), Step("noise"))
        for v in (prior, current)
    )
    return prior, current, clean.brain, truth


@pytest.fixture(scope="module")
def found(pair):
    prior, current, brain, _ = pair
    return recovered(prior, current, brain).over(current)


def test_a_planted_distortion_is_recovered(pair, found):
    _, _, brain, truth = pair
    largest = np.linalg.norm(truth, axis=-1)[brain].max()
    assert 0.3 < largest <= 1
    assert rms(0 * truth, truth, brain) > 0.2
    assert rms(found, truth, brain) < 0.1


def test_a_lesion_does_not_bend_the_head(pair, found):
    prior, current, brain, truth = pair
    away = np.linalg.norm(places(current) - (22, -20, 25), axis=-1)
    sick = current.with_data(current.data * np.where(away < 8, 0.5, 1), Step("sick"))
    bent = recovered(prior, sick, brain).over(current)
    assert rms(bent, truth, brain) < 0.1
    assert np.abs(bent - found)[brain].max() < 0.1


def test_equal_heads_are_not_bent(pair):
    prior, _, brain, _ = pair
    found = fit_distortion(prior, prior, brain)
    np.testing.assert_allclose(found.coefficients, 0, atol=1e-9)


def test_nothing_is_displaced_by_none(pair):
    prior = pair[0]
    assert not none_at(prior).over(prior).any()


def test_two_distortions_add_up(pair):
    prior = pair[0]
    rng = np.random.default_rng(0)
    n_terms = len(none_at(prior).coefficients)
    assert n_terms == (DEGREE + 1) * (DEGREE + 2) * (DEGREE + 3) // 6
    one, two = (
        Distortion(rng.normal(size=(n_terms, 3)), none_at(prior).center) for _ in "ab"
    )
    np.testing.assert_allclose(
        (one + two).over(prior), one.over(prior) + two.over(prior), atol=1e-4
    )


def test_over_a_grid_is_at_its_places(pair):
    prior = pair[0]
    rng = np.random.default_rng(0)
    nothing = none_at(prior)
    bend = Distortion(rng.normal(size=nothing.coefficients.shape), nothing.center)
    np.testing.assert_allclose(bend.over(prior), bend.at(places(prior)), atol=1e-4)
