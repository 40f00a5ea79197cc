import numpy as np
import pytest
import torch

from mitame.evaluate import network
from mitame.evaluate.network import Training, train

QUICK = Training(epochs=10)
GROUP = np.repeat([0, 1], 8)


def noises(level, *, seed):
    """Eight brains full of noise, as `network_input` would give them."""
    rng = np.random.default_rng(seed)
    brain = np.zeros((24, 28, 24), np.float32)
    brain[4:20, 4:24, 4:20] = 1
    image = 1 + level * rng.normal(size=(8, 2, *brain.shape))
    image = image.astype(np.float32)
    return [np.concatenate([channels, brain[None]]) for channels in image]


@pytest.fixture(scope="module")
def inputs():
    return noises(0.1, seed=0) + noises(0.13, seed=1)


def test_a_network_names_the_scans_it_learned_after_few_steps(inputs):
    found = train(inputs, GROUP, training=QUICK, seed=0).predict(inputs)
    assert (found == GROUP).mean() >= 0.9


def test_a_network_names_scans_it_has_never_seen(inputs):
    unseen = noises(0.1, seed=2) + noises(0.13, seed=3)
    found = train(inputs, GROUP, training=QUICK, seed=0).predict(unseen)
    assert (found == GROUP).mean() >= 0.9


def test_the_seed_alone_decides_the_weights(inputs):
    torch.manual_seed(1)
    one = train(inputs, GROUP, training=QUICK, seed=3).parts.state_dict()
    torch.manual_seed(2)
    same = train(inputs, GROUP, training=QUICK, seed=3).parts.state_dict()
    other = train(inputs, GROUP, training=QUICK, seed=4).parts.state_dict()
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["head.2.weight"], other["head.2.weight"])


def test_training_leaves_the_random_numbers_of_torch_alone(inputs):
    state = torch.get_rng_state()
    train(inputs, GROUP, training=QUICK, seed=3)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_lies_outside_the_brain_is_not_seen(inputs):
    trained = train(inputs, GROUP, training=QUICK, seed=0)
    dark = [np.where(scan[-1] > 0, scan, np.float32(0)) for scan in inputs]
    bright = [np.concatenate([s[:-1] + 50 * (1 - s[-1]), s[-1:]]) for s in dark]
    again = train(bright, GROUP, training=QUICK, seed=0)
    for name, value in trained.parts.state_dict().items():
        assert torch.allclose(value, again.parts.state_dict()[name]), name


def test_a_scan_of_a_smaller_group_counts_for_more(inputs, monkeypatch):
    weights = []

    class Spy(torch.nn.BCEWithLogitsLoss):
        def __init__(self, *, pos_weight):
            weights.append(float(pos_weight))
            super().__init__(pos_weight=pos_weight)

    monkeypatch.setattr(torch.nn, "BCEWithLogitsLoss", Spy)
    once = Training(epochs=1)
    train(inputs[:10], np.repeat([0, 1], [8, 2]), training=once, seed=0)
    assert weights == [4.0]


def test_the_pooled_features_end_on_the_scale_of_all_scans(inputs):
    trained = train(inputs, GROUP, training=QUICK, seed=0)
    scans = np.stack([network._scaled(s, trained.mean, trained.std) for s in inputs])
    seen = []
    norm = trained.parts["head"][0]
    norm.register_forward_hook(lambda _part, _given, after: seen.append(after))
    network._answer(trained.parts, torch.from_numpy(scans))
    after = (seen[0] - norm.bias) / norm.weight
    assert after.mean(0).abs().max() < 0.02


def test_a_scan_keeps_its_tone_on_the_common_scale(inputs):
    mean, std = network._scale(inputs)
    assert mean == pytest.approx(1, abs=0.01)
    assert std == pytest.approx(np.sqrt((0.1**2 + 0.13**2) / 2), rel=0.02)
    loud = np.concatenate([2 * inputs[0][:-1], inputs[0][-1:]])
    scaled = network._scaled(loud, mean, std)
    inside = loud[-1] > 0
    assert scaled[0, inside].mean() == pytest.approx(1 / std[0], rel=0.05)
    assert (scaled[:-1, ~inside] == 0).all()
    assert np.array_equal(scaled[-1], loud[-1])
