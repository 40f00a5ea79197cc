"""Lesions painted into scans: where, how many, how bright."""

from __future__ import annotations

import numpy as np
import pytest

from mitame.core.volume import Step
from mitame.evaluate.painted import APART_MM, CONTRASTS, SIZES_MM, Painted, ball
from mitame.prepare.template import tissue_prior
from mitame.testing.people import people

N = 6


@pytest.fixture(scope="module")
def somebody():
    return people(1, seed=3, spacing=2.0)[0]


@pytest.fixture(scope="module")
def painted(somebody):
    return Painted.of(somebody, N, np.random.default_rng(1))


def test_a_ball_has_its_diameter(somebody):
    middle = np.array(somebody.reference.shape) // 2
    voxel = np.prod(somebody.reference.spacing)
    found = ball(somebody, middle, 10.0)
    assert found.max() == pytest.approx(1, abs=1e-5)
    soft = 1 + (np.pi / 3 / 5) ** 2  # Sommerfeld: a logistic border of 1/3 mm
    assert found.sum() * voxel == pytest.approx(np.pi / 6 * 10**3 * soft, rel=0.03)


def test_lesions_are_in_white_matter_and_apart(somebody, painted):
    labels = painted.labels
    assert set(np.unique(labels)) == set(range(N + 1))
    centers = [np.argwhere(labels == n).mean(axis=0) for n in range(1, N + 1)]
    prior = tissue_prior(somebody, "wm")
    assert all(prior[tuple(np.rint(center).astype(int))] > 0.6 for center in centers)
    world = np.array(centers) * somebody.reference.spacing
    away = np.linalg.norm(world[:, None] - world, axis=-1)
    away[np.diag_indices(N)] = np.inf
    assert away.min() > APART_MM + SIZES_MM[0] - 2  # to half a voxel each


def test_what_is_added_is_told(somebody, painted):
    ill = painted.on(somebody)
    added = ill["T1w"].data - somebody["T1w"].data
    assert np.abs(added - painted.image("T1w")).max() < 1e-6
    plain, faint = CONTRASTS["T1w"]
    for share, strength in zip(painted.share, painted.strength, strict=True):
        core = share > 0.99 * share.max()
        wanted = (faint + (plain - faint) * strength) * share[core].mean()
        assert added[core].mean() == pytest.approx(wanted, rel=0.02)


def test_lesions_are_dark_on_t1w_and_bright_on_t2w(painted):
    assert painted.image("T1w").max() <= 0
    assert painted.image("T2w").min() >= 0


def test_where_there_is_no_white_matter_there_is_no_lesion(somebody):
    nobody = somebody.with_volumes(
        {"T1w": somebody["T1w"].with_data(somebody["T1w"].data * 0, Step("dark"))}
    )
    none = Painted.of(nobody, N, np.random.default_rng(1))
    assert none.share.shape == (0, *somebody.reference.shape)
    assert not none.labels.any()
    assert not none.image("T1w").any()
