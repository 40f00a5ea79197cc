import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from matplotlib.image import imread
from scipy import ndimage

from mitame.core.errors import ImplausibleError, InputError, ModelError
from mitame.core.volume import Step
from mitame.engines.cyclegan import CycleGAN
from mitame.engines.cyclegan.export import to_onnx
from mitame.engines.cyclegan.infer import Generated, edit_of
from mitame.engines.cyclegan.kept import restored, weights_of
from mitame.engines.cyclegan.losses import adversarial, apart, unsteady
from mitame.engines.cyclegan.networks import (
    Discriminator,
    Generator,
    Networks,
)
from mitame.engines.cyclegan.pool import SIZE, Pool
from mitame.engines.cyclegan.settings import SIZES, Settings
from mitame.engines.cyclegan.slices import (
    Deck,
    Head,
    cut,
    n_place,
    noise_of,
    place_channels,
    tops_of,
)
from mitame.engines.cyclegan.squares import Squares
from mitame.engines.cyclegan.state import State
from mitame.engines.cyclegan.step import Batch, Haze, _losses
from mitame.engines.cyclegan.team import CPU, Team
from mitame.engines.cyclegan.train import _require_sound, more_noise, train
from mitame.engines.cyclegan.watch import SAMPLE, WHITE, Folder, Watch
from mitame.engines.named import new_engine, variant_of
from mitame.prepare.template import template_coordinates
from mitame.testing.harmonizer import check_harmonizer
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
NONE = np.zeros(1, np.float32), np.zeros(1, np.float32)
"""Noise of both groups."""

FEW = {"size": "tiny", "steps": 5}


def scan(seed, suffixes=("T1w",)):
    session = phantom_session(
        GRID, suffixes=suffixes, gain=1 / 800, noise=20, seed=seed
    )
    return replace(session, subject=f"{seed:02d}")


def head(seed=0, suffixes=("T1w",)):
    return Head.of(scan(seed, suffixes), suffixes)


def test_it_keeps_the_promises_of_an_engine():
    check_harmonizer(lambda: CycleGAN(**FEW))


def test_there_and_back_before_training_is_where_it_began():
    source, target = ([scan(n), scan(n + 2)] for n in (0, 5))
    bright = [
        one.with_data({"T1w": one["T1w"].data * np.float32(1.2)}, Step("look"))
        for one in target
    ]
    engine = CycleGAN(steps=1).fit(source, bright)
    there = engine.transform(source[0])
    back = engine.transform_back(there)["T1w"].data
    brain = source[0].brain
    given = source[0]["T1w"].data
    assert np.median(np.abs(there["T1w"].data - given)[brain]) > 0.1
    assert np.median(np.abs(back - given)[brain]) < 0.02


@pytest.fixture(scope="module")
def fitted():
    return CycleGAN(size="tiny", steps=30).fit(*groups())


def test_networks_are_kept_and_are_those_that_are_used(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    again = CycleGAN.load(tmp_path / "model")
    generator, _ = restored(again.weights_, again.settings)
    images, place = torch.rand(2, 1, 16, 12), torch.randn(2, 15, 8, 6)
    with torch.inference_mode():
        made = generator(images, place).numpy()
    used = again.generator_.run(images.numpy(), place.numpy())
    assert np.abs(used - images.numpy()).max() > 1e-4
    np.testing.assert_allclose(made, used, atol=1e-5)


def test_the_generator_to_the_target_and_its_discriminator_are_restored():
    settings = Settings(width=8, judge_width=8)
    networks = Networks((1.5, 2.0), settings)
    torch.nn.init.normal_(networks.there_average.last.weight, std=0.1)
    images, place = torch.rand(2, 2, 16, 12), torch.randn(2, 15, 8, 6)
    weights = weights_of(networks)
    before = torch.get_rng_state()
    found = restored(weights, settings)
    assert torch.equal(torch.get_rng_state(), before)
    kept = networks.there_average, networks.there_judge
    with torch.inference_mode():
        for one, other in zip(found, kept, strict=True):
            torch.testing.assert_close(one(images, place), other(images, place))


def test_a_model_of_before_networks_were_kept_harmonizes_as_it_did(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    shutil.rmtree(tmp_path / "model" / "networks")
    again = CycleGAN.load(tmp_path / "model")
    assert again.weights_ is None
    made, known = (one.transform(scan(5))["T1w"].data for one in (again, fitted))
    assert np.array_equal(made, known)
    again.save(tmp_path / "copy")
    assert not (tmp_path / "copy" / "networks").exists()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_slice_is_cut_where_it_lies(axis):
    whole = head(suffixes=("T1w", "T2w"))
    found = cut(whole, axis, slice(2, 5), 1.0)
    for n, index in enumerate((2, 3, 4)):
        assert np.array_equal(
            found.images[n], np.take(whole.images, index, axis=axis + 1)
        )
        assert np.array_equal(
            found.inside[n, 0], np.take(whole.inside, index, axis=axis)
        )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_places_are_those_of_the_template(axis):
    session = scan(0)
    shift = np.eye(4)
    shift[:3, 3] = (8, -16, 24)
    session = replace(session, to_template=shift @ session.require_template())
    whole = Head.of(session, ("T1w",))
    found = cut(whole, axis, slice(4, 5), 0.3).place[0]
    brain = np.argwhere(session.require_brain())
    first = np.maximum(brain.min(axis=0) - 4, 0)
    box = tuple(slice(a, a + n) for a, n in zip(first, whole.inside.shape, strict=True))
    places = (template_coordinates(session)[box] - (0, -18, 8)) / 80
    expected = np.take(places, 4, axis=axis)[::2, ::2]
    assert len(found) == n_place(0.3) == 15
    for direction in range(3):
        here = expected[..., direction]
        channels = found[5 * direction : 5 * direction + 5] / 0.3
        waves = [np.sin(np.pi * here), np.cos(np.pi * here)]
        waves += [np.sin(2 * np.pi * here), np.cos(2 * np.pi * here)]
        np.testing.assert_allclose(channels, [here, *waves], atol=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_of_one_place_are_drawn_from_both_scanners(axis):
    """A head that lies elsewhere in its grid, and a scanner with other slices."""
    one, other = head(0), head(1)
    flipped = replace(
        other,
        images=np.flip(other.images, axis + 1).copy(),
        inside=np.flip(other.inside, axis).copy(),
        to_place=other.to_place.copy(),
    )
    flipped.to_place[:, 3] += other.to_place[:, axis] * (other.inside.shape[axis] - 1)
    flipped.to_place[:, axis] *= -1
    decks = Deck([one], 0.3), Deck([flipped], 0.3)
    places = np.linspace(*decks[0].span(axis), 5)
    drawn = [deck.draw(axis, places, np.random.default_rng(0)) for deck in decks]
    cuts = [d.cut(axis, some) for d, some in zip(decks, drawn, strict=True)]
    channel = 5 * axis
    assert [at for _, at in drawn[0]] != [at for _, at in drawn[1]]
    np.testing.assert_allclose(
        cuts[0].place[:, channel].mean((1, 2)),
        cuts[1].place[:, channel].mean((1, 2)),
        atol=0.3 * 8 / 80 + 1e-5,  # a voxel: where two are as near, any is drawn
    )


def test_heads_are_drawn_at_random_and_slices_nearest():
    deck = Deck([head(0), head(1), head(2)], 0.3)
    low, high = deck.span(2)
    drawn = deck.draw(2, np.full(60, (low + high) / 2), np.random.default_rng(0))
    assert {who for who, _ in drawn} == {0, 1, 2}
    assert len({at for _, at in drawn}) <= 3


def test_a_pool_mixes_results_of_now_and_before():
    pool, rng = Pool(), np.random.default_rng(0)
    first = torch.arange(4.0).reshape(4, 1, 1, 1)
    shown, which = pool.mixed(1, first, [(0, n) for n in range(4)], rng)
    assert torch.equal(shown, first)
    again, of = pool.mixed(1, first + 10, [(1, n) for n in range(4)], rng)
    assert which == [(0, n) for n in range(4)]
    assert of[:2] == [(1, 2), (1, 3)]
    assert {who for who, _ in of[2:]} == {0}
    assert [float(i) for i in again] == [n + 10 * who for who, n in of]
    assert not pool.kept[0]
    for _ in range(SIZE):
        pool.mixed(1, first, which, rng)
    assert len(pool.kept[1]) == SIZE


def test_a_pool_is_kept_and_read_back():
    pool, rng = Pool(), np.random.default_rng(0)
    pool.mixed(2, torch.randn(4, 1, 3, 3), [(0, n) for n in range(4)], rng)
    again = Pool()
    again.restore(pool.tensors())
    assert [which for _, which in again.kept[2]] == [(0, 0), (0, 1)]
    assert all(
        torch.equal(image, other)
        for (image, _), (other, _) in zip(again.kept[2], pool.kept[2], strict=True)
    )


def test_without_coordinates_there_are_no_channels():
    assert n_place(0.0) == 0
    voxels = [np.zeros((2, 1)), np.zeros((1, 3)), np.zeros((1, 1))]
    assert place_channels(np.eye(3, 4), voxels, 0.0).shape == (0, 2, 3)


def test_a_voxel_is_the_mean_of_the_slices_it_lies_in():
    whole = head()
    sizes = whole.inside.shape
    assert any(n % 2 for n in sizes)

    def run(images, place):
        """Add the number of voxels of a slice: each axis has another."""
        assert images.shape[2] % 2 == images.shape[3] % 2 == 0
        return images + images.shape[2] * images.shape[3]

    even = [n + n % 2 for n in sizes]
    area = sum(np.prod(even) / n for n in even) / 3
    found = edit_of(whole, run, 0.3)
    assert found.shape == (1, *sizes)
    np.testing.assert_allclose(found, area, rtol=1e-5)


def test_a_generator_begins_with_what_it_is_given():
    images = torch.randn(2, 3, 16, 12)
    place = torch.randn(2, 15, 8, 6)
    made = Generator((1.0, 1.5, 2.0), 15, 8, 2, tones=4)(images, place)
    assert torch.equal(made, images)


def test_a_discriminator_scores_pieces():
    score = Discriminator((1.5,), 15, 8, tones=4)(
        torch.randn(2, 1, 32, 24), torch.randn(2, 15, 16, 12)
    )
    assert score.shape == (2, 1, 4, 3)


@pytest.mark.parametrize(("tones", "layers"), [(0, "far"), (0, "full"), (4, "local")])
@pytest.mark.parametrize("places", [0, 15])
def test_onnx_gives_what_torch_gives(places, tones, layers):
    generator = Generator((1.5, 2.0), places, 8, 2, tones, layers)
    torch.nn.init.normal_(generator.last.weight, std=0.1)
    images, place = torch.randn(3, 2, 20, 16), torch.randn(3, places, 10, 8)
    found = Generated(to_onnx(generator)).run(images.numpy(), place.numpy())
    with torch.inference_mode():
        edit = generator(images, place) - images
    scale = float(edit.abs().max())
    assert scale > 0.01
    assert np.abs(found - images.numpy() - edit.numpy()).max() < 1e-5 * scale


def seen_from(network, place):
    """Return from how far a change is seen in the middle of a slice, voxels."""
    images = torch.zeros(1, 1, 64, 64, requires_grad=True)
    network(images, place)[0, 0, 32, 32].backward()
    return np.abs(np.argwhere(images.grad[0, 0].numpy() != 0) - 32).max()


def test_layers_reach_as_far_as_they_say():
    torch.manual_seed(0)
    reach = {}
    for layers in ("local", "far", "full"):
        generator = Generator((1.5,), 0, 8, 1, 4, layers)
        torch.nn.init.normal_(generator.last.weight, std=0.1)
        reach[layers] = seen_from(generator, torch.zeros(1, 0, 32, 32))
    assert reach["local"] < 12
    assert 20 < reach["far"] < 30
    assert reach["full"] == 32


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_pieces_are_cut_from_slices_where_there_is_brain(axis):
    deck = Deck([head(0), head(1)], 0.3, patch=8)
    rng = np.random.default_rng(0)
    some = deck.draw(axis, np.linspace(*deck.span(axis), 12), rng)
    pieces, whole = deck.cut(axis, some), deck.cut(axis, [one[:2] for one in some])
    assert pieces.images.shape == (12, 1, 8, 8)
    assert pieces.place.shape == (12, 15, 4, 4)
    assert pieces.inside.any(axis=(1, 2, 3)).all()
    assert len({one[2:] for one in some}) > 3
    for n, (_, _, i, j) in enumerate(some):
        assert i % 2 == j % 2 == 0
        square = whole.images[n, :, i : i + 8, j : j + 8]
        assert np.array_equal(pieces.images[n], square)
        places = whole.place[n, :, i // 2 : i // 2 + 4, j // 2 : j // 2 + 4]
        assert np.array_equal(pieces.place[n], places)


@pytest.mark.parametrize("variant", ["blind", "far", "full", "patches"])
def test_a_variant_of_the_study_is_fitted_and_kept(variant, tmp_path):
    engine = new_engine(variant_of("cyclegan", variant), {"steps": 3})
    assert n_place(engine.settings.place) == 0
    made = engine.fit(*groups()).transform(scan(5))["T1w"].data
    engine.save(tmp_path / "kept")
    again = type(engine).load(tmp_path / "kept").transform(scan(5))["T1w"].data
    assert np.array_equal(made, again)


def test_pieces_of_odd_sizes_are_refused():
    with pytest.raises(InputError, match="30 voxels an edge"):
        CycleGAN(patch=30)


def test_scores_are_asked_to_be_one_or_zero_where_there_is_brain():
    scores = torch.tensor([[[[0.0, 0.5, 9.0]]]])
    inside = torch.tensor([[[[1.0, 1.0, 1.0, 0.0, 0.0, 0.0]] * 2]])  # 1, .5, 0 a piece
    up = (1 + 0.5 * 0.25) / 1.5
    down = 0.5 * 0.25 / 1.5
    assert float(adversarial(scores, True, inside)) == pytest.approx(up)
    assert float(adversarial(scores, False, inside)) == pytest.approx(down)


def blurred(images):
    """Return what a blur of 1, 2, 1 along both directions gives."""
    kernel = np.array([[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    return ndimage.convolve(images, kernel, mode="constant")


def batch(seed):
    rng = torch.Generator().manual_seed(seed)
    images = torch.rand(6, 2, 16, 12, generator=rng)
    return Batch(images, torch.zeros(6, 0, 8, 6), torch.ones(6, 1, 16, 12))


def haze(level, there=0.0, back=0.0):
    lacks = tuple(torch.full((1, 2, 1, 1), one) for one in (there, back))
    return Haze(level, lacks, torch.Generator().manual_seed(0))


def test_losses_are_of_there_and_back_of_what_stays_and_of_noise():
    """Generators that are each other's way back, and change whatever they are given."""
    a, b = batch(0), batch(1)
    nets = SimpleNamespace(
        there=lambda images, _: 1.5 * images,
        back=lambda images, _: images / 1.5,
        there_judge=lambda images, _: torch.zeros(len(images), 1, 2, 2),
        back_judge=lambda images, _: torch.ones(len(images), 1, 2, 2),
    )
    settings = Settings()
    found, (made_b, made_a) = _losses(nets, a, b, settings, haze(0.05))
    torch.testing.assert_close(made_b, 1.5 * a.images)
    torch.testing.assert_close(made_a, b.images / 1.5)
    assert float(found["adversarial"]) == pytest.approx(1)  # one of two is fooled
    assert float(found["cycle"]) < 1e-6
    stays = 0.5 * b.images[1::2].mean() + a.images[1::2].mean() / 3
    assert float(found["identity"]) == pytest.approx(float(stays), rel=1e-5)
    assert float(found["steady"]) == pytest.approx(0.25 + 1 / 9, rel=0.1)


def test_results_are_judged_with_the_noise_that_they_lack():
    images, inside = torch.ones(40, 2, 16, 12), torch.ones(40, 1, 16, 12)
    seen = haze(0.03, there=0.04, back=0.0)
    for found, expected in (
        (seen.over(images, inside), 0.03),
        (seen.over_made(images, 0, inside), 0.05),
        (seen.over_made(images, 1, inside), 0.03),
    ):
        assert float(found.std()) == pytest.approx(expected, rel=0.03)
        assert float(found.mean()) == pytest.approx(1, abs=0.003)
    assert not seen.over_made(images, 0, 0 * inside).any()


def test_a_square_is_shown_softened_and_its_voxels_by_their_detail():
    images = np.random.default_rng(0).normal(size=(2, 10, 8))
    squares = Squares((1.0, 1.0), 4)
    given = torch.from_numpy(images[None].astype(np.float32))
    soft, detail = squares.softened(given)[0], squares.detail(given)[0]
    for n, image in enumerate(images):
        once = blurred(image)
        means = once.reshape(5, 2, 4, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(soft[n], means, atol=1e-6)
        fine = 3 * (once - blurred(once))
        for at, (i, j) in enumerate([(0, 0), (0, 1), (1, 0), (1, 1)]):
            found = detail[4 * n + at, 1:-1, 1:-1]
            np.testing.assert_allclose(found, fine[i::2, j::2][1:-1, 1:-1], atol=1e-6)


def test_tones_are_told_in_whole_precision():
    images, squares = torch.rand(1, 2, 8, 8), Squares((1.0, 1.0), 4)
    expected = squares.tones(squares.softened(images))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(squares.tones(squares.softened(images)), expected)


def test_a_square_between_two_tones_is_of_both():
    values = torch.tensor([0.0, 0.25, 1.0, 1.1, 2.0, 3.0])
    soft = torch.stack([values, values / 2])[None, :, None]  # (1, 2, 1, 6)
    found = Squares((2.0, 1.0), 4).tones(soft)
    expected = torch.tensor(
        [
            [0, 0.5, 0, 0, 0, 0],
            [0, 0, 1, 0.8, 0, 0],
            [0, 0, 0, 0.2, 0, 0],
            [0, 0, 0, 0, 1, 0],
        ]
    )
    for first in (0, 4):  # the second one's are half of the first one's
        torch.testing.assert_close(found[0, first : first + 4, 0], expected)


def test_the_brightest_tone_is_that_of_the_brain():
    one, other = head(0, ("T1w", "T2w")), head(1, ("T1w", "T2w"))
    outside = one.inside == 0
    one.images[:, outside] = 99
    found = tops_of([one, other])
    brains = [one.images[:, one.inside > 0], other.images[:, other.inside > 0]]
    expected = np.mean([np.percentile(b, 99.5, axis=1) for b in brains], axis=0)
    assert found == pytest.approx(expected)
    assert 0.5 < found[0] < 3


def test_noise_that_a_scanner_has_more_of_is_not_asked_for():
    quiet, noisy = [head(0)], [head(0)]
    rng = np.random.default_rng(1)
    more = rng.normal(0, 0.2, noisy[0].images.shape).astype(np.float32)
    noisy = [replace(noisy[0], images=noisy[0].images + more)]
    there, back = more_noise(noise_of(quiet), noise_of(noisy), CPU)
    assert float(there) == pytest.approx(0.2, rel=0.2)
    assert float(back) == 0


def test_what_is_outside_the_brain_does_not_count():
    one = torch.zeros(1, 2, 2, 2)
    other = torch.tensor([[[1.0, 5], [5, 5]], [[3.0, 5], [5, 5]]])[None]
    inside = torch.tensor([[[[1.0, 0], [0, 0]]]])
    assert float(apart(one, other, inside)) == 2


def test_an_edit_is_steady_if_noise_does_not_change_it():
    noise = 0.05 * torch.randn(2, 1, 64, 64, generator=torch.manual_seed(0))
    inside = torch.ones(2, 1, 64, 64)
    assert unsteady(0 * noise, 0.05, inside) == 0
    # Twice the noise in the edit is four times its power.
    assert float(unsteady(noise, 0.05, inside)) == pytest.approx(1, abs=0.05)
    assert float(unsteady(2 * noise, 0.05, inside)) == pytest.approx(4, abs=0.2)
    inside[:, :, :, :32] = 0
    noise[:, :, :, 32:] = 0
    assert unsteady(noise, 0.05, inside) == 0


def test_rates_stay_and_then_fall():
    settings = Settings(steps=100)
    assert [settings.share_of_rate(n) for n in (0, 49, 75, 100)] == [1, 1, 0.5, 0]


@pytest.mark.parametrize(("people", "steps"), [(2, 334), (12, 2000), (30, 4000)])
def test_few_people_are_not_shown_more_often(people, steps):
    assert Settings(steps=4000).for_people(people).steps == steps


def test_a_training_of_few_people_is_short_unless_steps_are_given(monkeypatch):
    monkeypatch.setitem(SIZES, "tiny", Settings(steps=48, batch=2))
    taken = []

    class Counts(Watch):
        def log(self, *told):
            taken.append(told[1])

    for given in (None, 3):
        engine = CycleGAN(steps=given)
        engine.watch = Counts()
        # Two people of one scanner, one of them twice, and three of the other.
        engine.fit([scan(0), scan(1), scan(1)], [scan(2), scan(3), scan(4)])
    assert taken == [4] * 4 + [3] * 3


def test_sizes_grow():
    widths = [SIZES[size].width for size in ("tiny", "small", "base")]
    assert widths == sorted(set(widths))


@pytest.mark.parametrize(
    "wrong", [{"size": "huge"}, {"base": "nyul"}, {"layers": "x"}, {"noise": "more"}]
)
def test_what_there_is_not_is_refused(wrong):
    (value,) = wrong.values()
    with pytest.raises(InputError, match=value):
        CycleGAN(**wrong).fit([scan(0)], [scan(1)])


class Broken(Folder):
    """Stop in the middle of a training."""

    def log(self, step, *_):
        if step == 107:
            raise KeyboardInterrupt


def groups():
    return [scan(seed) for seed in (0, 1)], [scan(seed) for seed in (2, 3)]


def test_a_training_that_was_interrupted_goes_on_as_if_it_had_not_been(tmp_path):
    options = {"size": "tiny", "steps": 112}
    unbroken = CycleGAN(**options).fit(*groups())
    engine = CycleGAN(**options)
    engine.watch = Broken(tmp_path / "kept", print)
    with pytest.raises(KeyboardInterrupt):
        engine.fit(*groups())
    told = []
    again = CycleGAN(**options)
    again.keep_in(tmp_path / "kept", told.append)
    again.fit(*groups())
    assert told[0] == "going on from step 100"
    assert "step 112 of 112: adversarial" in told[-1]
    assert again.generator_.onnx == unbroken.generator_.onnx


TOGETHER = """
import sys
from pathlib import Path
import torch
from torch import nn
from mitame.engines.cyclegan.team import gathered
from mitame.engines.cyclegan.watch import Folder
from test_cyclegan import quietly_trained

team = gathered()
weight = nn.Parameter(torch.zeros(3))
weight.grad = torch.arange(3.0) * (team.rank + 1)
team.average_gradients([weight, nn.Parameter(torch.zeros(2))])
assert weight.grad.tolist() == [0, 1.5, 3.0]
assert team.averages({"a": team.rank, "b": 2.0}) == {"a": 0.5, "b": 2.0}
assert list(team.share(range(6))) == list(range(team.rank, 6, 2))
folder = Path(sys.argv[1])
made = quietly_trained(Folder(folder / "kept", print))
(folder / f"{team.rank}.onnx").write_bytes(made)
"""


def quietly_trained(watch):
    """Train without noise, which every process draws for itself."""
    dark = head(0).padded((24, 32, 24))
    bright = replace(dark, images=dark.images + np.float32(0.2) * dark.inside)
    settings = Settings(steps=20, ahead=0.2, rate=2e-4, haze=0, steady=0)
    return to_onnx(train([dark], [bright], NONE, settings, 0, watch).there_average)


def test_two_processes_train_one_model(tmp_path):
    script = tmp_path / "together.py"
    script.write_text(TOGETHER)
    torchrun = Path(sys.executable).with_name("torchrun")
    done = subprocess.run(
        [torchrun, "--standalone", "--nproc-per-node", "2", script, tmp_path],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    one, other = ((tmp_path / f"{n}.onnx").read_bytes() for n in range(2))
    assert one == other
    assert done.stdout.count("step 20 of 20") == 1  # one process tells
    alone = quietly_trained(Watch())
    together, expected = (
        edit_of(head(), Generated(found).run, 0.3).ravel() for found in (one, alone)
    )
    # Each takes the mean over its own slices: the same but for how much brain is there.
    assert np.corrcoef(together, expected)[0, 1] > 0.9
    assert together.std() == pytest.approx(expected.std(), rel=0.3)


def test_processes_that_cannot_share_a_step_are_told():
    with pytest.raises(InputError, match="3 processes cannot share 4 pairs of slices"):
        Team(size=3).require_even(4)


def test_a_sample_is_drawn(checkpoint):
    picture = imread(checkpoint / SAMPLE)
    rows, columns = picture.shape[:2]
    assert columns % 3 == 0
    assert rows < columns
    added = picture[:, -columns // 3 :, 0]
    assert added[0, 0] == pytest.approx(0.5 / WHITE, abs=0.01)  # nothing, outside


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    engine = CycleGAN(size="tiny", steps=101)
    engine.keep_in(folder, lambda _: None)
    engine.fit(*groups())
    return folder


def test_a_checkpoint_of_another_training_is_told(checkpoint):
    engine = CycleGAN(size="tiny", steps=101, seed=5)
    engine.keep_in(checkpoint, lambda _: None)
    with pytest.raises(ModelError, match="is of another training"):
        engine.fit(*groups())


def test_a_damaged_checkpoint_is_told(checkpoint, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(checkpoint, folder)
    (weights,) = folder.glob("*.safetensors")
    numbers = bytearray(weights.read_bytes())
    numbers[-5] ^= 1
    weights.write_bytes(numbers)
    engine = CycleGAN(size="tiny", steps=101)
    engine.keep_in(folder, lambda _: None)
    with pytest.raises(ModelError, match="is damaged"):
        engine.fit(*groups())


def test_a_training_that_diverges_is_stopped():
    heads = [head(seed).padded((32, 32, 32)) for seed in (0, 1)]
    settings = Settings(steps=50, rate=1e12, judge_rate=1e12)
    with pytest.raises(ImplausibleError, match="diverged at step"):
        train(heads[:1], heads[1:], NONE, settings, 0, Watch())


def test_discriminators_that_tell_everything_are_told():
    state = State.new((1.5,), Settings(), 0)
    state.caught = 0.01
    with pytest.raises(ImplausibleError, match="tell every result at step 0"):
        _require_sound({"cycle": 1.0}, state)
