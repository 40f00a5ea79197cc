from itertools import permutations, product

import numpy as np
import pytest
from nibabel.orientations import aff2axcodes

from mitame.core.errors import GridMismatchError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.orient import Orient, closest_ras

ORIENTATIONS = [
    (order, signs)
    for order in permutations(range(3))
    for signs in product((1, -1), repeat=3)
]


def scan(order=(1, 2, 0), signs=(-1, 1, 1)):
    rng = np.random.default_rng(0)
    affine = np.eye(4)
    affine[:3, :3] = (np.diag(signs) * (1.0, 1.5, 4.0))[:, order]
    affine[:3, 3] = (10, -20, 30)
    return Volume(rng.normal(size=(4, 5, 6)), affine)


@pytest.mark.parametrize(("order", "signs"), ORIENTATIONS)
def test_every_orientation_becomes_ras_and_comes_back_exactly(order, signs):
    native = scan(order, signs)
    brain = native.data > 0
    turned, undo = Orient().apply(Session({"T1w": native}, brain=brain))
    assert aff2axcodes(turned["T1w"].affine) == ("R", "A", "S")
    back = undo(turned)
    assert np.array_equal(back["T1w"].data, native.data)
    assert np.array_equal(back["T1w"].affine, native.affine)
    assert np.array_equal(back.brain, brain)


def test_the_brightest_voxel_stays_where_it_is_in_the_world():
    def brightest(volume):
        index = np.unravel_index(volume.data.argmax(), volume.shape)
        return volume.affine @ [*index, 1.0]

    native = scan()
    np.testing.assert_allclose(brightest(closest_ras(native)), brightest(native))


def test_the_mask_turns_with_the_image():
    native = scan()
    brain = native.data > 0.5
    turned, _ = Orient().apply(Session({"T1w": native}, brain=brain))
    assert np.array_equal(turned.brain, turned["T1w"].data > 0.5)


def test_the_way_back_keeps_what_was_done_in_between():
    turned, undo = Orient().apply(Session({"T1w": scan()}))
    doubled = turned.with_data({"T1w": turned["T1w"].data * 2}, Step("double"))
    back = undo(doubled)["T1w"]
    assert np.array_equal(back.data, scan().data * 2)
    assert [step.name for step in back.history] == ["orient", "double", "unorient"]


def test_a_result_on_another_grid_is_refused():
    _, undo = Orient().apply(Session({"T1w": scan()}))
    with pytest.raises(GridMismatchError):
        undo(Session({"T1w": Volume(np.zeros((2, 2, 2)), np.eye(4))}))
