import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.evaluate.features import features
from mitame.evaluate.network import network_input
from mitame.prepare.place import in_place
from mitame.prepare.template import template_grid
from mitame.testing.phantom import head_grid, phantom_session

TONE = slice(0, 23)
TEXTURE = slice(23, 55)
CELLS = slice(55, 180)
TISSUES = slice(180, 191)


@pytest.fixture(scope="module")
def session():
    return phantom_session(head_grid(5.0), gain=1 / 800, noise=20.0)


def changed(session, change):
    data = {suffix: change(volume.data) for suffix, volume in session.items()}
    return session.with_data(data, Step("change"))


def test_the_networks_grid_is_around_the_brain_of_the_template():
    grid = template_grid(2.5)
    assert grid.shape == (64, 76, 64)
    middle = grid.affine @ [31.5, 37.5, 31.5, 1]
    assert middle[:3] == pytest.approx([0, -18, 8])


def test_a_session_is_read_where_its_way_to_the_template_says():
    grid = template_grid(8.0)
    x = (
        grid.affine
        @ np.stack([*np.indices(grid.shape), np.ones(grid.shape)]).reshape(4, -1)
    )[0].reshape(grid.shape)
    move = np.eye(4)
    move[0, 3] = 16.0
    brain = np.ones(grid.shape, bool)
    session = Session({"T1w": Volume(x, grid.affine)}, brain=brain, to_template=move)
    placed = in_place(session, 8.0)
    inside = placed.images["T1w"][3:-3]
    assert np.allclose(inside, x[3:-3] - 16, atol=1e-3)


def test_a_brain_far_from_the_template_is_refused(session):
    away = np.eye(4)
    away[:3, 3] = 500.0
    lost = Session(dict(session), subject="me", brain=session.brain, to_template=away)
    with pytest.raises(InputError, match="brain of me is not where"):
        in_place(lost, 5.0)


def test_every_sequence_adds_as_many_features(session):
    two = phantom_session(head_grid(5.0), suffixes=("T1w", "T2w"))
    assert features(session, spacing=4.0).shape == (191,)
    assert features(two, spacing=4.0).shape == (382,)


def test_the_order_of_the_sequences_does_not_matter():
    one = phantom_session(head_grid(6.0), suffixes=("T1w", "T2w"))
    turned = Session(
        {"T2w": one["T2w"], "T1w": one["T1w"]},
        brain=one.brain,
        to_template=one.to_template,
    )
    assert np.array_equal(features(one, spacing=5.0), features(turned, spacing=5.0))


def test_a_gain_scales_tone_place_and_tissues_and_keeps_the_shape_of_texture(session):
    plain = features(session, spacing=4.0)
    loud = features(changed(session, lambda data: 2 * data), spacing=4.0)
    assert loud[TONE] == pytest.approx(2 * plain[TONE], rel=1e-3)
    assert loud[CELLS] == pytest.approx(2 * plain[CELLS], rel=1e-3)
    assert loud[TISSUES][:9] == pytest.approx(2 * plain[TISSUES][:9], rel=1e-3)
    assert loud[TISSUES][9:] == pytest.approx(plain[TISSUES][9:], rel=1e-3)
    levels = np.arange(4) * 8
    expected = plain[TEXTURE].copy()
    expected[levels] += np.log(2)
    assert loud[TEXTURE] == pytest.approx(expected, rel=1e-2)


def test_noise_raises_every_level_of_texture(session):
    noisy = phantom_session(head_grid(5.0), gain=1 / 800, noise=80.0)
    levels = np.arange(4) * 8
    plain, rough = features(session, spacing=4.0), features(noisy, spacing=4.0)
    assert (rough[TEXTURE][levels] > plain[TEXTURE][levels]).all()


def test_only_the_brain_is_looked_at():
    """On the template's own grid nothing is read between brain and background."""
    grid = template_grid(5.0)
    session = phantom_session(grid, gain=1 / 800, noise=20.0)
    inside = session.brain
    outside = changed(session, lambda data: np.where(inside, data, 9.0))
    seen, other = features(session, spacing=5.0), features(outside, spacing=5.0)
    assert np.allclose(seen, other, rtol=1e-4, atol=1e-4)


def test_a_brighter_corner_shows_in_its_cell(session):
    def brighten(data):
        data = data.copy()
        data[:8] *= 2
        return data

    plain = features(session, spacing=4.0)[CELLS].reshape(5, 5, 5)
    bright = features(changed(session, brighten), spacing=4.0)[CELLS].reshape(5, 5, 5)
    ratio = bright / plain
    assert ratio[0, 2, 2] > 1.5
    assert ratio[3, 2, 2] == pytest.approx(1)


def test_a_flat_image_has_finite_features(session):
    flat = changed(session, np.zeros_like)
    assert np.isfinite(features(flat, spacing=5.0)).all()


def test_the_network_sees_image_detail_and_mask(session):
    seen = network_input(session, 5.0)
    placed = in_place(session, 5.0)
    assert seen.shape == (3, 32, 38, 32)
    assert seen.dtype == np.float32
    assert np.array_equal(seen[0], placed.images["T1w"])
    assert np.array_equal(seen[2] > 0, placed.brain)
    assert abs(seen[1, placed.brain].mean()) < 0.1 * seen[0, placed.brain].mean()
