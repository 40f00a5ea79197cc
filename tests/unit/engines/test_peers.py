"""The peers are what their packages do, and keep the promises of an engine."""

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from mitame.core.errors import ImplausibleError, InputError
from mitame.core.harmonizer import Harmonizer
from mitame.core.volume import Step
from mitame.engines.named import engine_class
from mitame.engines.peers.combat import ComBat, gain_and_shift
from mitame.engines.peers.fcm import FuzzyCMeans
from mitame.engines.peers.matching import SkimageHistogram
from mitame.engines.peers.whitestripe import WhiteStripe
from mitame.prepare.template import template_grid
from mitame.testing.harmonizer import check_harmonizer
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
PEERS = {
    "whitestripe": (WhiteStripe, "intensity_normalization"),
    "fcm": (FuzzyCMeans, "intensity_normalization"),
    "skimage-histogram": (SkimageHistogram, "skimage.exposure"),
    "combat": (ComBat, "neuroCombat.neuroCombat"),
}
NAMES = pytest.mark.parametrize("name", PEERS)
SUFFIXES = ("T1w", "T2w", "FLAIR", "PDw")


def visit(seed, *, tone=lambda x: x, suffixes=("T1w",), grid=GRID):
    """Return a prepared visit; `tone` maps what the scanner saw to what it shows."""
    plain = phantom_session(grid, suffixes=suffixes, gain=1 / 800, noise=15, seed=seed)
    air = plain[suffixes[0]].data < 0.05
    data = {s: np.where(air, 0, tone(plain[s].data)) for s in suffixes}
    return plain.with_data(data, Step("tone"))


def bright(x):
    return 0.3 + 1.2 * x


def groups(n=3):
    return [visit(k) for k in range(n)], [
        visit(k, tone=bright) for k in range(n, 2 * n)
    ]


def in_brain(session, suffix="T1w"):
    return session[suffix].data[session.brain]


@NAMES
def test_a_peer_keeps_its_promises(name):
    engine, _ = PEERS[name]
    assert engine_class(name) is engine
    assert isinstance(engine(), Harmonizer)
    check_harmonizer(engine)


@NAMES
def test_a_peer_comes_nearer_to_the_target(name):
    engine = PEERS[name][0]().fit(*groups())
    unseen, truth = visit(9), visit(9, tone=bright)
    after = engine.transform(unseen)
    before = np.median(np.abs(in_brain(unseen) - in_brain(truth)))
    assert np.median(np.abs(in_brain(after) - in_brain(truth))) < 0.5 * before


@NAMES
def test_what_a_peer_did_is_written_down_under_its_name(name):
    engine = PEERS[name][0]().fit(*groups())
    step = engine.transform(visit(9))["T1w"].history[-1]
    assert step.name == name
    assert step.params


@pytest.mark.parametrize("name", ["whitestripe", "fcm", "combat"])
def test_a_missing_package_is_told_when_the_engine_is_named(name, monkeypatch):
    engine, package = PEERS[name]
    monkeypatch.delitem(sys.modules, engine.__module__)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=package.split(".")[0]) as error:
        engine_class(name)
    assert "pip install 'mitame[bench]'" in error.value.fix


@NAMES
def test_settings_are_saved_with_the_rest(name, tmp_path):
    given = {
        "whitestripe": {"width": 0.1},
        "fcm": {"seed": 5},
        "skimage-histogram": {"samples": 100},
        "combat": {"spacing": 9.0},
    }[name]
    engine = PEERS[name][0](**given).fit(*groups())
    engine.save(tmp_path / "engine")
    back = type(engine).load(tmp_path / "engine")
    assert {key: getattr(back, key) for key in given} == given
    moved = [in_brain(e.transform(visit(9))) for e in (engine, back)]
    assert np.array_equal(*moved)


@pytest.mark.parametrize("name", ["whitestripe", "fcm", "skimage-histogram"])
def test_a_peer_of_single_images_needs_no_source(name):
    engine = PEERS[name][0]()
    _, target = groups()
    one, other = (engine.fit(s, target).transform(visit(9)) for s in ([], [visit(1)]))
    assert np.array_equal(one["T1w"].data, other["T1w"].data)


def test_whitestripe_is_the_packages_and_then_the_targets_stripe():
    from intensity_normalization import normalize_image

    _, target = groups()
    engine = WhiteStripe().fit([], target)
    scan = visit(9)
    scores = normalize_image(
        scan["T1w"].data, "whitestripe", mask=scan.brain, modality="t1"
    ).get_data()
    mean, spread = engine.target_["T1w"]
    expected = np.where(scan["T1w"].data == 0, 0, scores * spread + mean)
    after = engine.transform(scan)["T1w"].data
    np.testing.assert_allclose(after, expected, atol=1e-5)
    white = visit(9, tone=bright)["T1w"].data[scan["T1w"].data > 0.95]
    assert mean == pytest.approx(np.median(white), rel=0.03)


def test_whitestripe_refuses_a_brain_without_contrast():
    flat = visit(1, tone=np.ones_like)
    with pytest.raises(ImplausibleError, match="T1w") as error:
        WhiteStripe().fit([], [flat])
    assert "brain mask" in error.value.fix


def test_fcm_is_the_packages_and_then_the_targets_white_matter():
    from intensity_normalization import normalize_image

    _, target = groups()
    engine = FuzzyCMeans().fit([], target)
    scan = visit(9)
    ones = normalize_image(scan["T1w"].data, "fcm", mask=scan.brain).get_data()
    after = engine.transform(scan)["T1w"].data
    # The package starts its clusters at random, and stops when they hardly move.
    np.testing.assert_allclose(after, ones * engine.target_["T1w"], rtol=2e-3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("engine", [WhiteStripe, FuzzyCMeans])
def test_white_matter_is_found_in_every_sequence(engine, suffix):
    target = [visit(n, tone=lambda x: 1.5 * x, suffixes=SUFFIXES) for n in range(2)]
    scan = visit(9, suffixes=SUFFIXES)
    after = engine().fit([], target).transform(scan)
    white = scan.brain & (scan["T1w"].data > 0.95)
    ratio = after[suffix].data[white].mean() / scan[suffix].data[white].mean()
    assert ratio == pytest.approx(1.5, rel=0.05)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_mean_that_fcm_learns_is_white_matter(suffix):
    scan = visit(1, suffixes=SUFFIXES)
    white = scan.brain & (scan["T1w"].data > 0.95)
    mean = FuzzyCMeans().fit([], [scan]).target_[suffix]
    assert mean == pytest.approx(np.median(scan[suffix].data[white]), rel=0.1)


def test_fcm_leaves_the_global_randomness_as_it_was():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    FuzzyCMeans().fit([], [visit(1)])
    assert np.array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_histogram_matching_is_the_packages_in_the_brain():
    from skimage.exposure import match_histograms

    _, target = groups()
    engine = SkimageHistogram().fit([], target)
    scan = visit(9)
    expected = match_histograms(in_brain(scan), engine.target_["T1w"])
    np.testing.assert_allclose(in_brain(engine.transform(scan)), expected, atol=1e-6)
    assert engine.target_["T1w"].shape == (3 * 4096,)


def test_histogram_matching_goes_on_in_order_outside_the_brain():
    engine = SkimageHistogram().fit(*groups())
    scan = visit(9)
    data = scan["T1w"].data.copy()
    outside = np.argwhere(~scan.brain)[:: len(np.argwhere(~scan.brain)) // 50]
    values = np.linspace(-0.1, 3, len(outside))
    data[tuple(outside.T)] = values
    after = engine.transform(scan.with_data({"T1w": data}, Step("ramp")))["T1w"].data
    moved = after[tuple(outside.T)]
    assert (np.diff(moved) >= 0).all()
    top, reached = in_brain(scan).max(), engine.target_["T1w"].max()
    np.testing.assert_allclose(moved[-1], reached + 3 - top, atol=1e-5)


def features(seed, n=4):
    rng = np.random.default_rng(seed)
    source = rng.normal(1, 0.1, (n, 200))
    return source, 1.4 * rng.normal(1, 0.1, (n + 1, 200)) + rng.normal(0, 0.2, 200)


def test_gain_and_shift_are_those_of_combat_with_a_reference_batch(monkeypatch, capsys):
    from neuroCombat import neuroCombat

    # What neuroCombat's reference batch needs, and NumPy has no more.
    monkeypatch.setattr(np, "int", int, raising=False)
    source, target = features(0)
    batch = pd.DataFrame({"batch": ["a"] * len(source) + ["b"] * len(target)})
    both = np.concatenate([source, target]).T
    with np.errstate(all="ignore"):
        theirs = neuroCombat(both, batch, "batch", ref_batch="b")["data"]
    gain, shift = gain_and_shift(source, target)
    np.testing.assert_allclose(gain * source + shift, theirs[:, : len(source)].T)
    capsys.readouterr()


def test_combat_reads_its_maps_at_the_place_of_each_voxel():
    # The session lies on the template's grid, so nothing is between the voxels.
    grid = template_grid(8.0)
    source = [visit(n, grid=grid) for n in range(3)]
    target = [visit(n, grid=grid, tone=bright) for n in range(3, 6)]
    engine = ComBat(spacing=8.0).fit(source, target)
    scan = visit(9, grid=grid)
    gain, shift = gain_and_shift(
        *(np.array([in_brain(s) for s in g]) for g in (source, target))
    )
    expected = gain * in_brain(scan) + shift
    np.testing.assert_allclose(in_brain(engine.transform(scan)), expected, atol=1e-5)


def test_combat_follows_the_template_and_not_the_grid():
    engine = ComBat(spacing=8.0).fit(*groups())
    scan = visit(9)
    shift = np.eye(4)
    shift[:3, 3] = (5, -3, 2)
    moved_volume = replace(scan["T1w"], affine=np.linalg.inv(shift) @ GRID.affine)
    moved = replace(scan, volumes={"T1w": moved_volume}, to_template=shift)
    one, other = (in_brain(engine.transform(s)) for s in (scan, moved))
    np.testing.assert_allclose(one, other, atol=1e-4)


def test_combat_leaves_what_is_outside_the_brain():
    engine = ComBat(spacing=8.0).fit(*groups())
    scan = visit(9)
    after = engine.transform(scan)["T1w"].data
    assert np.array_equal(after[~scan.brain], scan["T1w"].data[~scan.brain])


@pytest.mark.parametrize(("n_source", "n_target"), [(2, 3), (3, 2)])
def test_combat_needs_three_scans_of_each_scanner(n_source, n_target):
    source, target = groups()
    with pytest.raises(InputError, match=f"{n_source} source and {n_target} target"):
        ComBat().fit(source[:n_source], target[:n_target])


def test_combat_needs_a_sequence_in_common():
    other = [visit(n, suffixes=("FLAIR",)) for n in range(3)]
    with pytest.raises(InputError, match="no sequence in common"):
        ComBat().fit(groups()[0], other)


def test_combat_needs_brains_in_one_place():
    away = np.eye(4)
    away[0, 3] = 500
    source, target = groups()
    lost = [replace(session, to_template=away) for session in target]
    with pytest.raises(InputError, match="nowhere in one place") as error:
        ComBat(spacing=8.0).fit(source, lost)
    assert "FindTemplate" in error.value.fix
