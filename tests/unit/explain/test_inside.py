"""What drives the networks of a CycleGAN: hand-made ones, whose answers are known."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from mitame.engines.cyclegan import CycleGAN
from mitame.engines.cyclegan.infer import Generated
from mitame.engines.cyclegan.networks import Generator
from mitame.engines.cyclegan.slices import MIDDLE_MM
from mitame.engines.elements.giving import Scan
from mitame.engines.elements.ground import Ground
from mitame.engines.identity import Identity
from mitame.explain.inside.bands import Added, Band, Taken, bands_of
from mitame.explain.inside.channels import carried
from mitame.explain.inside.look import NOT_KEPT, Inside, look_inside
from mitame.explain.inside.opened import Opened
from mitame.explain.inside.places import where
from mitame.explain.inside.probes import probes_of
from mitame.explain.inside.responses import (
    Between,
    Person,
    Response,
    Responses,
    between,
    respond,
)
from mitame.prepare.crop import crop_to_brain
from mitame.prepare.regions import region_map
from mitame.present.explain_report import write_explain_report
from mitame.present.inside_section import inside_part
from mitame.present.words import words_in
from mitame.run.explain import inside_in_words
from mitame.testing.people import people

PLACE = 0.3
BEHIND = 5
"""The coordinate channel that rises from back to front."""

NOTHING = torch.zeros(1, 1, 1, 1)


def same(images, place):
    """Give what is given."""
    return images


def halved(images, place):
    """Halve how far everything is from white matter."""
    return 1 + 0.5 * (images - 1)


def smooth(images, place):
    """Give means of 5 voxels an edge."""
    return nn.functional.avg_pool2d(images, 5, stride=1, padding=2)


def doubled_behind(images, place):
    """Double what is behind the middle of the brain."""
    behind = nn.functional.interpolate(place[:, [BEHIND]], scale_factor=2) < 0
    return torch.where(behind, 2 * images, images)


def brightness(images, place):
    """Judge by the mean brightness, the higher the better."""
    return nn.functional.avg_pool2d(images, 8, ceil_mode=True)


def blind(images, place):
    """Judge everything alike."""
    return 0 * brightness(images, place) + 0.5


@pytest.fixture(scope="module")
def sessions():
    return [crop_to_brain(one) for one in people(5, seed=1)]


@pytest.fixture(scope="module")
def scans(sessions):
    return [Scan(one["T1w"].data, Ground(one, "T1w")) for one in sessions]


def opened(generator, judge=blind):
    return Opened(("T1w",), PLACE, generator, judge, 0.0, (NOTHING, NOTHING))


def asked(networks, sessions, scans):
    """Return the responses to all probes, by kind and name."""
    everyone = [
        Person(str(n), *one) for n, one in enumerate(zip(sessions, scans, strict=True))
    ]
    found = respond(
        networks, everyone, "T1w", probes_of(scans), seed=0, progress=lambda _: None
    )
    return {(one.kind, one.name): one for one in found.given}, found


def test_all_is_given_in_stated_sizes(scans):
    given = {(one.kind, one.name): one for one in probes_of(scans)}
    kinds = [kind for kind, _ in given]
    assert [kinds.count(k) for k in ("tissue", "look", "place", "added", "taken")] == [
        3,
        5,
        6,
        5,
        5,
    ]
    assert given["tissue", "gray matter"].amount == pytest.approx(5)
    assert given["look", "tone curve"].amount == pytest.approx(np.exp(0.08))
    assert given["look", "bias field"].amount == pytest.approx(10)
    assert given["place", "occipital cortex"].unit == "% brighter"


def test_bands_reach_to_the_limit_of_the_grid():
    bands = bands_of((2.0, 1.0, 2.0))
    assert (bands[0].low, bands[-1].high) == (0, 0.25)
    assert all(a.high == b.low for a, b in pairwise(bands))


def test_what_is_added_and_taken_is_of_one_band(scans):
    ground, image = scans[0].ground, scans[0].image
    band = Band(0.05, 0.1)
    noise = Added(band, "").apply(image, ground, np.array([0.03])) - image
    assert noise[ground.brain].std() == pytest.approx(0.03, rel=1e-3)
    power = np.abs(np.fft.fftn(noise)) ** 2
    sides = zip(image.shape, ground.spacing, strict=True)
    along = [np.fft.fftfreq(n, edge) for n, edge in sides]
    away = np.sqrt(sum(k**2 for k in np.meshgrid(*along, indexing="ij")))
    inside = (away >= 0.05) & (away < 0.1)
    assert power[inside].sum() > 0.999 * power.sum()
    own = np.fft.ifftn(np.fft.fftn(image) * inside).real
    level = own[ground.brain].std()
    for size, share in ((level / 2, 0.5), (3 * level, 1)):
        lost = image - Taken(band, "").apply(image, ground, np.array([size]))
        np.testing.assert_allclose(lost, share * own, atol=1e-4)


def test_a_generator_that_changes_nothing_passes_everything_on(sessions, scans):
    given, found = asked(opened(same), sessions, scans)
    assert len(given) == 24
    for one in given.values():
        shown = [one.passed.value, one.passed.low, one.passed.high]
        assert shown == pytest.approx([1, 1, 1], abs=1e-4)
        assert one.moved.value == 0  # a blind discriminator
    assert found.results == found.scans


def test_what_a_generator_halves_is_half_left(sessions, scans):
    given, _ = asked(opened(halved), sessions, scans)
    shares = [one.passed.value for one in given.values()]
    assert shares == pytest.approx([0.5] * 24, abs=1e-3)


def test_a_generator_that_smooths_takes_back_fast_noise_alone(sessions, scans):
    given, _ = asked(opened(smooth), sessions, scans)
    slow, *_, fast = (one for one in given.values() if one.kind == "added")
    assert slow.passed.value > 0.6
    assert abs(fast.passed.value) < 0.1


def test_a_generator_that_doubles_one_part_is_found_out_by_places(sessions, scans):
    given, _ = asked(opened(doubled_behind), sessions, scans)
    assert given["place", "occipital cortex"].passed.value == pytest.approx(2, abs=0.05)
    assert given["place", "frontal cortex"].passed.value == pytest.approx(1, abs=0.15)


def test_a_discriminator_of_brightness_is_moved_by_tissue_not_by_detail(
    sessions, scans
):
    given, found = asked(opened(halved, brightness), sessions, scans)
    white = given["tissue", "white matter"].moved
    assert white.value > 1
    assert white.low > 0
    assert given["look", "tone curve"].moved.high < 0  # darker, but for white matter
    fast = [one for one in given.values() if one.kind == "added"][-1]
    assert abs(fast.moved.value) < 0.02 * white.value
    # Half as far from 1: brighter.
    assert found.results.low > found.scans.high


def test_people_are_drawn_not_scans(sessions, scans):
    """Everybody was scanned twice: the interval is not narrower by that."""
    probes = [one for one in probes_of(scans) if one.name == "white matter"]

    def moved(twice):
        everyone = [
            Person(str(n), *one)
            for n, one in enumerate(zip(sessions, scans, strict=True))
            for _ in range(1 + twice)
        ]
        networks = opened(same, brightness)
        found = respond(
            networks, everyone, "T1w", probes, seed=0, progress=lambda _: None
        )
        return found.given[0].moved

    assert moved(twice=True) == moved(twice=False)


def test_an_interval_is_around_the_mean_of_people():
    values = np.random.default_rng(0).normal(3, 1, 100)
    found = between(values, 0)
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.low == pytest.approx(
        4 * 0.98 * values.std() / 10, rel=0.1
    )


def hand_made(weights, width=4):
    """Return a generator that adds means of squares, channel n times weights[n]."""
    generator = Generator((1.5,), 0, width, 1)
    for parameter in generator.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        generator.first.seen.weight[:, :4, 1, 1] = 0.25
        for channel, weight in weights.items():
            generator.last.weight[:, channel, 1, 1] = weight
    return generator


@pytest.fixture
def slices(sessions):
    networks = Opened(("T1w",), 0.0, same, blind, 0.0, (NOTHING, NOTHING))
    return [one for s in sessions[:2] for one in networks.slices(s)]


@pytest.mark.parametrize("layer", ["first", "block 1"])
def test_the_one_channel_that_does_everything_is_named(slices, layer):
    found = carried(hand_made({2: 0.1}), layer, slices)
    assert found.width == 4
    (one,) = found.carriers
    assert one.channel == 2
    assert one.share == pytest.approx(1, abs=1e-3)
    assert one.together == pytest.approx(1, abs=1e-3)
    assert 0.7 < found.even < 1  # the mean of the channel adds more than its scatter
    # A tenth of how much means of squares vary.
    assert 0.01 < found.effect < 0.05


def test_channels_are_as_few_as_carry_most(slices):
    found = carried(hand_made({0: 0.01, 1: 0.08, 3: 0.08}), "block 1", slices)
    assert [one.channel for one in found.carriers] == [1, 3]
    alone, both = (one.together for one in found.carriers)
    assert alone < 0.8 <= both < 1


def test_a_generator_that_does_nothing_has_no_channels_that_work(slices):
    found = carried(hand_made({}), "first", slices)
    assert found.carriers == ()
    assert found.even == 0


def test_what_is_added_everywhere_alike_is_no_channels_work(slices):
    generator = hand_made({})
    nn.init.constant_(generator.last.bias, 0.1)
    found = carried(generator, "first", slices)
    assert found.carriers == ()
    assert found.even == pytest.approx(1)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_channel_responds_where_its_place_is(sessions, axis):
    generator = Generator((1.5,), 15, 3, 0)
    for parameter in generator.parameters():
        nn.init.zeros_(parameter)
    with torch.no_grad():
        generator.first.placed.weight[1, 5 * axis] = -1.0
    (found,) = where(opened(generator), "first", [1], sessions)
    assert found.channel == 1
    inside = region_map(found.map) > 0
    place = np.argwhere(inside) @ found.map.affine[:3, :3] + found.map.affine[:3, 3]
    expected = -(place[:, axis] - MIDDLE_MM[axis])
    expected = np.where(expected > 0, expected, 0.1 * expected)
    seen = found.map.data[inside]
    assert np.corrcoef(seen, expected)[0, 1] > 0.98
    assert seen.std() == pytest.approx(1, abs=0.15)
    said = found.regions[0]
    assert said.effect > 0.9
    assert ("left", "occipital", "cerebellum")[axis] in said.name


def fitted(weights):
    """Return an engine that knows its networks' weights, or does not."""
    engine = CycleGAN(base="identity", steps=1)
    engine.suffixes_, engine.spacing_ = ("T1w",), 4.0
    engine.base_, engine.generator_ = Identity(), Generated(b"")
    engine.weights_ = weights
    return engine


def test_a_model_without_networks_says_so(tmp_path):
    found = look_inside(fitted(None), people(5, seed=1), seed=0)
    assert found is NOT_KEPT
    assert inside_in_words(found)["responses"] == {}
    for lang, said in (("en", "Fit it again"), ("ja", "もう一度学習する")):
        path = tmp_path / f"{lang}.html"
        write_explain_report(path, {}, (5, 5), lang, unexplained={}, inside=found)
        assert said in path.read_text(encoding="utf-8")


def test_what_was_found_is_on_the_page_and_in_plain_words(
    sessions, scans, slices, tmp_path
):
    _, responses = asked(opened(halved, brightness), sessions[:2], scans[:2])
    layer = carried(hand_made({2: 0.1}), "block 1", slices)
    generator = Generator((1.5,), 15, 4, 1)
    places = where(opened(generator), "block 1", [2], sessions[:2])
    found = Inside({"T1w": responses}, (layer,), "block 1", places)
    words = json.loads(json.dumps(inside_in_words(found), allow_nan=False))
    assert words["layers"][0]["carriers"][0]["channel"] == 2
    assert len(words["responses"]["T1w"]["given"]) == 24
    assert words["places"]["layer"] == "block 1"
    assert "map" not in words["places"]["channels"][0]
    for lang, said in (("en", "1 of 4 carry 100 %"), ("ja", "4 のうち 1 で 100%")):
        path = tmp_path / f"{lang}.html"
        write_explain_report(path, {}, (2, 2), lang, unexplained={}, inside=found)
        page = path.read_text(encoding="utf-8")
        assert said in page
        assert page.count("data:image/png") == 1
    english = (tmp_path / "en.html").read_text(encoding="utf-8")
    assert "leaves least in of: " in english
    assert "0.50" in english


def test_what_is_sure_but_next_to_nothing_is_not_told():
    def one(name, moved, passed):
        sure = [
            Between(value, value - 0.001, value + 0.001) for value in (moved, passed)
        ]
        return Response("look", name, 1.0, "% brighter", *sure)

    given = one("tone curve", 0.05, 0.99), one("noise", -0.5, 0.7)
    level = Between(0.5, 0.4, 0.6)
    responses = Responses(level, level, 0.1, given)
    part = inside_part(Inside({"T1w": responses}, (), "", ()), words_in("en"))
    (sequence,) = part.sequences
    tone, noise = sequence.groups[0].rows
    assert (tone.moves, tone.changes, noise.moves, noise.changes) == (0, 0, 1, 1)
    assert "noise (-0.5 SD)" in sequence.said[1]
    assert "noise (0.70)" in sequence.said[2]
    assert not any("tone" in said for said in sequence.said)
