import numpy as np
import pytest

from mitame.core.errors import ImplausibleError, ModelError
from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.prepare import brain as module
from mitame.prepare import network
from mitame.prepare.brain import FindBrain, brain_mask, volume_ml
from mitame.testing.phantom import head_grid, phantom, phantom_session


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


@pytest.mark.slow
def test_the_brain_of_a_real_head_is_found(known_head):
    found = brain_mask(known_head.volume)
    assert dice(found, known_head.brain) > 0.95


@pytest.mark.slow
def test_noise_has_no_brain():
    noise = np.random.default_rng(0).normal(100, 10, (40, 40, 40))
    with pytest.raises(ImplausibleError, match="ml"):
        brain_mask(Volume(noise, np.diag([2.0, 2, 2, 1])))


@pytest.fixture
def sure_inside(monkeypatch):
    """Networks that are sure of whatever is bright."""
    monkeypatch.setattr(
        module, "brain_probability", lambda data: (data > 50).astype(np.float32)
    )


def ball(radius, spacing=4.0):
    grid = head_grid(spacing)
    index = np.indices(grid.shape) - np.reshape(grid.shape, (3, 1, 1, 1)) / 2
    inside = (index**2).sum(axis=0) * spacing**2 < radius**2
    return Volume(100 * inside, grid.affine)


@pytest.mark.parametrize("radius", [30, 85])
def test_no_adult_has_a_brain_of_that_size(sure_inside, radius):
    with pytest.raises(ImplausibleError, match="adults have") as error:
        brain_mask(ball(radius))
    assert "mask of your own" in error.value.fix


def test_an_empty_image_has_no_brain(sure_inside):
    with pytest.raises(ImplausibleError, match="0 ml"):
        brain_mask(Volume(np.zeros((20, 20, 20)), np.diag([8.0, 8, 8, 1])))


def test_the_mask_lies_on_the_native_grid(sure_inside):
    volume = ball(70)
    flipped = Volume(volume.data[::-1], volume.affine @ np.diag([-1, 1, 1, 1.0]))
    mask = brain_mask(flipped)
    assert dice(mask, flipped.data > 50) > 0.97


def test_the_step_prefers_t1w_and_writes_the_volume_down(sure_inside):
    volumes = {"FLAIR": Volume(np.zeros(ball(70).shape), ball(70).affine)}
    found, undo = FindBrain().apply(Session({**volumes, "T1w": ball(70)}))
    params = found["FLAIR"].history[-1].params
    assert params["from"] == "T1w"
    assert params["volume_ml"] == pytest.approx(1437, rel=0.05)
    assert undo(found) is found


def test_a_mask_of_your_own_is_kept():
    session = phantom_session()
    found, _ = FindBrain().apply(session)
    assert found.brain is session.brain
    assert found["T1w"].history[-1].params["from"] == "given"


def test_volume_counts_millilitres():
    assert volume_ml(np.ones((10, 10, 10), bool), phantom()) == pytest.approx(216)


def test_missing_weights_say_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(network, "_weights", lambda: tmp_path)
    network._network.cache_clear()
    with pytest.raises(ModelError, match="weights") as error:
        network._network("model")
    assert "pip install" in error.value.fix
