from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.core.volume import Step
from mitame.engines.patchwise.features import Features, Window, places
from mitame.engines.peers.aplus import APlus, _map_around
from mitame.engines.peers.ridge import PatchRidge
from mitame.solve.patches import take, together
from mitame.testing.harmonizer import check_harmonizer
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
SMALL = {"samples": 3000}


def pair(seed, look):
    subject = f"{seed:02d}"
    source = phantom_session(GRID, suffixes=("T1w",), gain=1 / 800, noise=20, seed=seed)
    data = look(source["T1w"].data).astype(np.float32)
    target = source.with_data({"T1w": data}, Step("look"))
    return replace(source, subject=subject), replace(target, subject=subject)


def error(engine, look):
    pairs = [pair(seed, look) for seed in range(3)]
    engine.fit(*(list(group) for group in zip(*pairs, strict=True)))
    source, target = pair(9, look)
    brain = source.require_brain()
    result = engine.transform(source)["T1w"].data
    return np.abs(result - target["T1w"].data)[brain].mean()


def scaled(data):
    return 0.7 * data


@pytest.mark.parametrize(
    "make", [lambda: PatchRidge(**SMALL), lambda: APlus(n_anchors=16, **SMALL)]
)
def test_they_keep_the_promises_of_an_engine(make):
    check_harmonizer(make)


def test_ridge_learns_what_is_linear():
    assert error(PatchRidge(**SMALL), scaled) < 0.003


def shaded(session):
    """The same scan, brighter to the front of the template."""
    world = np.tensordot(GRID.affine[1, :3], np.indices(GRID.shape), 1)
    data = session["T1w"].data + (world + GRID.affine[1, 3]).astype(np.float32) / 300
    return session.with_data({"T1w": data}, Step("shade"))


@pytest.mark.parametrize(
    ("coordinates", "least", "most"), [(True, 0, 0.02), (False, 0.04, 1)]
)
def test_with_coordinates_a_patch_knows_where_it_is(coordinates, least, most):
    sources = [pair(seed, scaled)[0] for seed in range(4)]
    engine = PatchRidge(coordinates=coordinates, **SMALL)
    engine.fit(sources[:3], [shaded(one) for one in sources[:3]])
    brain = sources[3].require_brain()
    result, wanted = engine.transform(sources[3]), shaded(sources[3])
    left = np.abs(result["T1w"].data - wanted["T1w"].data)[brain].mean()
    assert least < left < most


def test_places_are_those_of_the_template():
    session = phantom_session(GRID, suffixes=("T1w",))
    shift = np.eye(4)
    shift[:3, 3] = (8, -16, 24)
    moved = replace(session, to_template=shift @ session.require_template())
    center = np.array([[3, 4, 5]])
    here, there = (places(one, center) for one in (session, moved))
    assert there - here == pytest.approx(np.array([[0.1, -0.2, 0.3]]), abs=1e-5)
    world = GRID.affine @ (3, 4, 5, 1)
    assert here[0] * 80 + (0, -18, 8) == pytest.approx(world[:3], abs=1e-3)


@pytest.mark.parametrize("shape", ["2d", "2.5d", "3d"])
@pytest.mark.parametrize("spacing", [0.5, 1.0, 2.0, 4.0])
@pytest.mark.parametrize("radius", [0, 1, 2])
def test_no_voxel_is_left_out_however_far_apart_centers_are(shape, spacing, radius):
    window = Window(("T1w",), spacing, 3, radius, shape=shape)
    inside = np.ones((12, 11, 10), bool)
    i, j, k = window.strides(2.0)
    centers = np.argwhere(inside[::i, ::j, ::k]) * (i, j, k)
    rows = np.ones((len(centers), len(window.target)), np.float32)
    found = together(rows, centers, window.target, inside.shape)
    assert (found[0, :-i, :-j, : 10 - k] == 1).all()


def test_what_a_target_patch_covers_is_the_middle_of_a_source_patch():
    for shape in ("2d", "2.5d", "3d"):
        window = Window(("T1w", "T2w"), 1.0, 2, 1, shape=shape)
        volumes = np.random.default_rng(0).normal(size=(2, 9, 9, 9)).astype(np.float32)
        center = np.array([[4, 4, 4]])
        inner = window.inner(take(volumes, center, window.source))
        assert np.array_equal(inner, take(volumes, center, window.target))
        (boxes,) = window.boxes(inner, window.target)
        around = (
            volumes[:, 3:6, 3:6, 3:6] if shape != "2d" else volumes[:, 3:6, 3:6, 4:5]
        )
        assert np.array_equal(boxes[boxes != 0], around[boxes != 0])
        assert (boxes != 0).sum() == inner.size


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"shape": "4d"}, "cannot be '4d'"),
        ({"target_radius": 3}, "reach 3 voxels, source patches 2"),
        ({"target_radius": -1}, "reach -1 voxels"),
    ],
)
def test_a_patch_that_cannot_be_is_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        PatchRidge(**SMALL, **wrong).fit(*([one] for one in pair(0, scaled)))


def test_a_patch_takes_the_map_of_the_anchor_it_is_most_like_in_either_sign():
    engine = APlus(n_anchors=2, radius=1, target_radius=0)
    rows = np.concatenate([np.eye(28, dtype=np.float32)[[3, 8]], [[0] * 28]])
    rows = np.concatenate([rows, -rows[:1]]).astype(np.float32)
    window, nothing = Window(("T1w",), 8.0, 1, 0), np.zeros((29, 1), np.float32)
    engine.features_ = Features(window, 1.0, np.ones(1, np.float32), nothing)
    rows = np.concatenate([rows, np.ones((4, 1), np.float32)], axis=1)
    given = engine.features_.patches(rows)
    engine.anchors_ = given[:2] / np.linalg.norm(given[:2], axis=1, keepdims=True)
    engine.maps_ = np.stack([engine.anchors_[0], 5 * engine.anchors_[1]])[..., None]
    length = np.linalg.norm(given[0])
    np.testing.assert_allclose(
        engine.found(rows)[:, 0], length * np.array([1, 5, 0, -1]), atol=1e-5
    )


def test_each_anchor_learns_from_the_patches_most_like_it():
    rng = np.random.default_rng(0)
    first, second = np.eye(4, dtype=np.float32)[:2]
    like_first = first + 0.05 * rng.normal(size=(3000, 4))
    like_second = second + 0.05 * rng.normal(size=(3000, 4))
    given = np.concatenate([like_first, -like_second]).astype(np.float32)
    given /= np.linalg.norm(given, axis=1, keepdims=True)
    gains = np.repeat([2.0, 3.0], 3000)[:, None]
    wanted = (gains * given[:, :1] + gains * given[:, 1:2]).astype(np.float32)
    for anchor, gain in ((first, 2), (second, 3)):
        found = anchor @ _map_around(anchor, given, wanted)
        np.testing.assert_allclose(found, gain, rtol=0.01)
