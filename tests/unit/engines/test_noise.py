"""Noise is told, taken away and added; edges and tissue stay."""

from dataclasses import replace

import numpy as np
import pytest

from mitame.core.volume import Step
from mitame.engines.cyclegan import CycleGAN
from mitame.engines.noise import noise_level, noisier, quieted
from mitame.solve.smooth import gaussian
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(3.0)
QUIET = phantom_session(GRID, gain=1 / 800, noise=0, seed=0)
BRAIN = QUIET.require_brain()


def image(level, seed=0):
    noise = np.random.default_rng(seed).normal(0, level, GRID.shape)
    return (QUIET["T1w"].data + noise).astype(np.float32)


@pytest.mark.parametrize("level", [0.02, 0.1])
def test_noise_is_told_beside_anatomy(level):
    assert noise_level(image(level), BRAIN) == pytest.approx(level, rel=0.1)


@pytest.mark.parametrize("wanted", [0.03, 0.05])
def test_noise_is_taken_away_until_so_much_is_left(wanted):
    given = image(0.07)
    made = quieted(given, BRAIN, wanted)
    assert noise_level(made, BRAIN) == pytest.approx(wanted, rel=0.03)
    truth = QUIET["T1w"].data

    def error(one):
        return float(np.sqrt(np.mean((one - truth)[BRAIN] ** 2)))

    assert error(made) < 1.3 * wanted < error(given)


@pytest.mark.parametrize(("contrast", "kept"), [(0.2, 0.75), (0.4, 0.95)])
def test_two_voxels_that_are_bright_stay_when_noise_goes(contrast, kept):
    """Of what stands out by four times the noise some is lost, by eight nearly none."""
    truth = QUIET["T1w"].data.copy()
    i, j, k = np.argwhere(BRAIN).mean(axis=0).astype(int)
    lesion = (slice(i, i + 2), slice(j + 4, j + 6), slice(k, k + 2))
    truth[lesion] += contrast
    noise = np.random.default_rng(3).normal(0, 0.05, truth.shape)
    given = (truth + noise).astype(np.float32)
    made = quieted(given, BRAIN, 0.03)
    before, after = (
        float((one - QUIET["T1w"].data)[lesion].mean()) for one in (given, made)
    )
    assert after > kept * before


def test_an_image_with_little_noise_stays_as_it_is():
    little, much = image(0.02), image(0.07)
    assert quieted(little, BRAIN, 0.05) is little
    assert noisier(much, BRAIN, 0.05, 0) is much


def test_means_stay_when_noise_goes():
    given = image(0.07)
    change = quieted(given, BRAIN, 0.03) - given
    assert np.abs(change[BRAIN]).mean() > 0.03
    assert np.abs(gaussian(change, 3)[BRAIN]).mean() < 2e-4


def test_no_noise_can_be_wanted():
    made = quieted(image(0.05), BRAIN, 0.0)
    assert noise_level(made, BRAIN) < 0.02


def test_noise_is_added_until_there_is_so_much():
    given = image(0.02)
    made = noisier(given, BRAIN, 0.06, 0)
    assert noise_level(made, BRAIN) == pytest.approx(0.06, rel=0.05)
    assert np.array_equal(made, noisier(given, BRAIN, 0.06, 0))


def test_two_scans_and_two_seeds_have_their_own_noise():
    """The same noise in all results would tell them from other scans."""
    one, other = image(0.02, seed=1), image(0.02, seed=2)
    added = [
        noisier(given, BRAIN, 0.06, seed) - given
        for given, seed in ((one, 0), (other, 0), (one, 1))
    ]
    for a, b in ((0, 1), (0, 2)):
        assert abs(np.corrcoef(added[a].ravel(), added[b].ravel())[0, 1]) < 0.02


def scans(level, first):
    found = []
    for seed in range(first, first + 3):
        plain = replace(QUIET, subject=f"{seed:02d}")
        found.append(plain.with_data({"T1w": image(level, seed)}, Step("noise")))
    return found


@pytest.mark.parametrize(
    ("noise", "there", "back"),
    [("keep", 0.02, 0.06), ("less", 0.02, 0.02), ("match", 0.06, 0.02)],
)
def test_an_engine_gives_what_it_makes_the_noise_it_is_asked_for(
    tmp_path, noise, there, back
):
    """There has more noise; what is made has that, or as little as it had."""
    engine = CycleGAN(base="identity", steps=1, noise=noise)
    source, target = scans(0.02, 0), scans(0.06, 5)
    engine.fit(source, target).save(tmp_path / "engine")
    engine = CycleGAN.load(tmp_path / "engine")
    for scan, transform, level in (
        (source[0], engine.transform, there),
        (target[0], engine.transform_back, back),
    ):
        made = transform(scan)["T1w"].data
        assert noise_level(made, BRAIN) == pytest.approx(level, rel=0.1)


def test_a_training_is_told_which_scanner_has_which_noise(monkeypatch):
    told = []

    def stopped(source, target, noise, *_):
        told.extend(noise)
        raise KeyboardInterrupt

    monkeypatch.setattr("mitame.engines.cyclegan.train.train", stopped)
    with pytest.raises(KeyboardInterrupt):
        CycleGAN(base="identity").fit(scans(0.02, 0), scans(0.06, 5))
    assert [float(one[0]) for one in told] == pytest.approx([0.02, 0.06], rel=0.1)
