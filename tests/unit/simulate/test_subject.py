from dataclasses import replace

import numpy as np
import pytest

from mitame.simulate.subject import Variety, make_subject

STILL = Variety(0, 0, 0, 0, 0, 0)


def make(head, seed=0, **changes):
    variety = replace(STILL, **changes)
    rng = np.random.default_rng(seed)
    return make_subject("01", head, spacing=4.0, rng=rng, variety=variety)


def volume_of(subject, *tissues):
    return float(subject.share(*tissues).sum() * subject.grid.spacing[0] ** 3)


def test_shares_fill_every_voxel(person):
    total = person.shares.sum(axis=0, dtype=int)
    inside = total[3:-3, 3:-3, 3:-3]
    assert np.abs(inside - 255).max() <= len(person.tissues) // 2


def test_without_variety_the_anatomy_comes_back(coarse_head):
    still = make(coarse_head)
    voxel = abs(np.linalg.det(coarse_head.affine))
    for tissue in ("white_matter", "cortex", "bone"):
        truth = float(coarse_head.tissue(tissue).sum() * voxel)
        assert volume_of(still, tissue) == pytest.approx(truth, rel=0.03)
    assert not still.texture.any()
    assert all((own == 1).all() for own in still.relaxation.values())


def test_every_seed_is_another_person_and_the_same_one_again(coarse_head, person):
    again, other = (
        make_subject("01", coarse_head, spacing=4.0, rng=np.random.default_rng(seed))
        for seed in (3, 4)
    )
    assert again.shares.tobytes() == person.shares.tobytes()
    assert again.texture.tobytes() == person.texture.tobytes()
    moved = np.abs(other.share("cortex") - person.share("cortex")) > 0.5
    assert moved.sum() > 0.02 * (person.share("cortex") > 0.5).sum()


def test_the_cortex_grows_or_shrinks(coarse_head):
    sizes = [
        volume_of(make(coarse_head, seed, cortex_mm=2.0), "cortex") for seed in range(6)
    ]
    still = volume_of(make(coarse_head), "cortex")
    assert min(sizes) < 0.98 * still < 1.02 * still < max(sizes)


def test_a_tissue_grows_into_the_others(person):
    ball = np.zeros(person.labels.shape)
    where = np.argwhere(person.share("white_matter") > 0.9)[0]
    ball[tuple(where)] = 0.5
    sick = person.with_share("lesion", ball)
    assert sick.share("lesion")[tuple(where)] == pytest.approx(0.5, abs=0.01)
    before, after = (s.share("white_matter")[tuple(where)] for s in (person, sick))
    assert after == pytest.approx(before / 2, abs=0.01)
    assert sick.shares.sum(axis=0, dtype=int)[tuple(where)] == pytest.approx(255, abs=4)
    assert "lesion" not in person.tissues


def test_scan_voxels_fill_the_grid(person):
    shape = np.array(person.labels.shape)
    assert (shape % 3 == 0).all()  # 1.5 fine voxels a scan voxel, an even number
    assert person.grid.spacing == pytest.approx([4 / 1.5] * 3)
