from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mitame.solve.gain import GainField, GainSettings, fit_gain

EDGE, SPACING = 28, 3.0
SETTINGS = GainSettings()


@dataclass(frozen=True)
class Pair:
    """A block of tissue as two scanners show it, and what takes one to the other."""

    place: NDArray[np.float64]
    source: NDArray[np.float64]
    target: NDArray[np.float64]
    gain: NDArray[np.float64]


def planted_gain(place, brightness):
    """Shading by a fifth over the block, times a tone curve."""
    x, y, _ = place.T / (EDGE * SPACING)
    return np.exp(0.2 * np.sin(2 * x) - 0.1 * y) * (brightness + 0.1) ** -0.2


def pair(*, noise=0.02, seed=0, gain=planted_gain):
    rng = np.random.default_rng(seed)
    place = SPACING * np.moveaxis(np.indices((EDGE, EDGE, EDGE)), 0, -1).reshape(-1, 3)
    folds = gaussian_filter(rng.normal(size=(EDGE, EDGE, EDGE)), 1.5)
    clean = np.interp(folds.ravel() / folds.std(), [-3, 0, 3], [0.2, 0.8, 1.4])
    wanted = gain(place, clean)
    source = clean + rng.normal(0, noise, clean.shape)
    target = wanted * clean + rng.normal(0, noise, clean.shape)
    return Pair(place.astype(np.float64), source, target, wanted)


def around(values):
    """What `coherence` does: the mean of each voxel's neighborhood."""
    block = np.reshape(values, (EDGE, EDGE, EDGE))
    return gaussian_filter(block, 1.0).ravel().astype(np.float32)


def lesions(n=10, radius_mm=9.0):
    """Balls that take about five percent of the block."""
    rng = np.random.default_rng(1)
    index = np.moveaxis(np.indices((EDGE, EDGE, EDGE)), 0, -1).reshape(-1, 3)
    centers = rng.uniform(4, EDGE - 4, (n, 3))
    away = np.linalg.norm(index[:, None] - centers, axis=-1) * SPACING
    return (away < radius_mm).any(axis=1)


def error(field, given):
    """Median relative error of the gain, and its largest over one percent of voxels."""
    found = field.at(given.place, given.source)
    off = np.abs(found / given.gain - 1)
    return float(np.median(off)), float(np.quantile(off, 0.99))


def pull(field, plain, where, given):
    """By how much a lesion moved the gain where it lies."""
    change = field.at(given.place, given.source) - plain.at(given.place, given.source)
    return float(np.abs(change[where]).mean())


def test_a_planted_gain_is_recovered_from_noisy_images():
    given = pair()
    field = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    typical, worst = error(field, given)
    assert typical < 0.01
    assert worst < 0.06


def test_equal_images_give_a_gain_of_one():
    given = pair()
    field = fit_gain(given.place, given.source, given.source, given.source, SETTINGS)
    np.testing.assert_allclose(field.gain, 1, atol=1e-6)


def test_one_gain_everywhere_is_recovered_everywhere():
    given = pair(noise=0.0, gain=lambda place, _: np.full(len(place), 1.7))
    field = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    np.testing.assert_allclose(field.at(given.place, given.source), 1.7, rtol=3e-3)


def test_zero_times_any_gain_is_zero():
    given = pair()
    field = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    dark = np.zeros(len(given.place))
    assert not (dark * field.at(given.place, dark)).any()


def test_beyond_the_brightest_and_outside_the_block_the_gain_stays():
    given = pair()
    field = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    top = (field.gain.shape[3] - 1) * field.tone_step
    middle = np.full((3, 3), EDGE * SPACING / 2)
    beyond = field.at(middle, np.array([top, 2 * top, 100 * top]))
    assert beyond[0] == beyond[1] == beyond[2]
    corner = np.array([[0.0, 0, 0], [-5, -9, 0], [-500, -500, -500]])
    outside = field.at(corner, np.full(3, 0.8))
    assert outside[0] == outside[1] == outside[2]


def test_brightening_never_darkens_within_the_planted_tones():
    given = pair()
    field = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    tones = np.linspace(0, 3, 60)
    for start in (0.2, 0.5, 0.8):
        place = np.full((60, 3), start * EDGE * SPACING)
        assert (np.diff(tones * field.at(place, tones)) > 0).all()


def test_a_twentieth_of_changed_tissue_does_not_pull_the_gain():
    given, sick = pair(), lesions()
    assert 0.03 < sick.mean() < 0.08
    target = given.target + 0.3 * sick
    plain = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    field = fit_gain(given.place, given.source, given.source, target, SETTINGS)
    assert error(field, given)[0] < 0.01
    assert pull(field, plain, sick, given) < 0.05 * 0.3


def test_least_squares_alone_would_be_pulled():
    given, sick = pair(), lesions()
    target = given.target + 0.3 * sick
    once = GainSettings(rounds=1)
    plain = fit_gain(given.place, given.source, given.source, given.target, once)
    field = fit_gain(given.place, given.source, given.source, target, once)
    assert pull(field, plain, sick, given) > 0.15 * 0.3


def test_a_faint_change_pulls_less_when_neighbors_are_heard_together():
    given, sick = pair(noise=0.06), lesions()
    target = given.target + 0.12 * sick  # about 1.5 spreads of the noise
    pulls = {}
    for name, coherence in (("alone", None), ("together", around)):
        fields = [
            fit_gain(
                given.place,
                given.source,
                given.source,
                t,
                SETTINGS,
                coherence=coherence,
            )
            for t in (given.target, target)
        ]
        pulls[name] = pull(fields[1], fields[0], sick, given)
    assert pulls["together"] < 0.7 * pulls["alone"]


def test_voxels_without_weight_are_not_listened_to():
    given, sick = pair(), lesions()
    weight = np.where(sick, 0, 1).astype(np.float32)
    fields = [
        fit_gain(
            given.place, given.source, given.source, target, SETTINGS, weight=weight
        )
        for target in (given.target, given.target + 50 * sick)
    ]
    np.testing.assert_array_equal(fields[0].gain, fields[1].gain)


def test_gain_and_place_have_no_favorite_origin():
    given = pair()
    shift = np.array([-300.0, 40.0, 7.0])
    here = fit_gain(given.place, given.source, given.source, given.target, SETTINGS)
    there = fit_gain(
        given.place + shift, given.source, given.source, given.target, SETTINGS
    )
    np.testing.assert_allclose(there.gain, here.gain, atol=1e-3)
    np.testing.assert_allclose(there.origin, here.origin + shift)


@pytest.mark.parametrize("unit", [1e-2, 1e2])
def test_the_nodes_are_counted_in_their_own_units(unit):
    gain = np.random.default_rng(0).normal(1, 0.1, (3, 3, 3, 4)).astype(np.float32)
    field = GainField(gain, np.zeros(3), 2.0 * unit, 0.5 * unit)
    node = np.array([[1.0, 2.0, 0.0]]) * 2.0 * unit
    assert field.at(node, np.array([1.5 * unit]))[0] == pytest.approx(gain[1, 2, 0, 3])
