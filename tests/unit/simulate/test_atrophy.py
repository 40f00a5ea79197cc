import numpy as np
import pytest

from mitame.simulate.anatomy import Anatomy
from mitame.simulate.atrophy import MEASURED, choose_atrophy, lost, volumes
from mitame.simulate.subject import Atrophy, make_subject


@pytest.fixture(scope="module")
def ball():
    """White matter in a shell of cortex, with ventricles and hippocampi inside."""
    index = np.indices((60, 60, 60)) - 30
    away = np.linalg.norm(index, axis=0)
    labels = np.where(away < 28, 24, 0)
    labels[away < 25] = np.where(index[0] < 0, 3, 42)[away < 25]
    labels[away < 21] = np.where(index[0] < 0, 2, 41)[away < 21]
    labels[away < 6] = 4
    for label, side in ((17, -1), (53, 1)):
        center = np.reshape((12 * side, 0, 0), (3, 1, 1, 1))
        labels[np.linalg.norm(index - center, axis=0) < 4] = label
    affine = np.diag([2.0, 2, 2, 1])
    return Anatomy("ball", labels.astype(np.int16), affine)


def at(ball, **loss):
    nothing = {"ventricles_mm": 0.0, "cortex_mm": 0.0, "hippocampus_mm": 0.0}
    rng = np.random.default_rng(0)
    return make_subject(
        "01", ball, spacing=3.0, rng=rng, loss=Atrophy(**(nothing | loss))
    )


def change(ball, **loss):
    before, after = volumes(at(ball)), volumes(at(ball, **loss))
    return {MEASURED[label]: after[label] / before[label] - 1 for label in before}


def test_nothing_lost_is_the_same_person(ball):
    one, other = (
        at(ball),
        make_subject("01", ball, spacing=3.0, rng=np.random.default_rng(0)),
    )
    assert one.shares.tobytes() == other.shares.tobytes()
    assert not lost(one, other).any()


def test_wider_ventricles_are_wider(ball):
    found = change(ball, ventricles_mm=1.0)
    assert (
        0.05 < found["left lateral ventricle"] < 0.6
    )  # 1 mm at a radius of 12 mm is 27 %
    assert found["left white matter"] < 0


def test_a_thinner_cortex_is_less_brain(ball):
    found = change(ball, cortex_mm=0.5)
    assert found["left cortex"] < -0.005
    assert found["right cortex"] < -0.005
    assert abs(found["left lateral ventricle"]) < 0.05  # of 7 ml


def test_a_hippocampus_shrinks_on_both_sides(ball):
    found = change(ball, hippocampus_mm=0.6)
    assert found["left hippocampus"] < -0.02
    assert found["right hippocampus"] < -0.02
    assert abs(found["left cortex"]) < 0.01


def test_more_is_lost_where_more_moved(ball):
    first = at(ball)
    little, much = (
        lost(first, at(ball, cortex_mm=mm)).sum() * np.prod(first.grid.spacing)
        for mm in (0.2, 0.6)
    )
    assert 0 < 2 * little < much


def test_texture_and_relaxation_are_the_persons_own(ball):
    before, after = at(ball), at(ball, cortex_mm=0.5)
    assert np.array_equal(before.texture, after.texture)
    assert all(
        (before.relaxation[t] == after.relaxation[t]).all() for t in before.tissues
    )


def test_a_random_loss_is_small_and_of_every_kind():
    for seed in range(20):
        loss = choose_atrophy(np.random.default_rng(seed))
        assert 0.2 <= loss.ventricles_mm <= 1
        assert 0.05 <= loss.cortex_mm <= 0.3
        assert 0.1 <= loss.hippocampus_mm <= 0.6
