from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, ImplausibleError, InputError
from mitame.core.scanner import Scanner
from mitame.core.volume import Step, Volume

OBLIQUE = np.array([[0, -1.2, 0.1, 9], [1, 0, 0, -8], [0, 0.1, 2, 5], [0, 0, 0, 1.0]])


def volume(**change):
    given = {
        "data": np.arange(24.0).reshape(2, 3, 4),
        "affine": OBLIQUE,
        "scanner": Scanner("Maker", "Model"),
        "history": (Step("read"),),
    }
    return Volume(**(given | change))


def test_intensities_are_float32_and_places_float64():
    made = volume(data=np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    assert made.data.dtype == np.float32
    assert made.affine.dtype == np.float64


def test_nothing_in_a_volume_can_be_changed():
    made = volume()
    with pytest.raises(ValueError, match="read-only"):
        made.data[0, 0, 0] = 1
    with pytest.raises(ValueError, match="read-only"):
        made.affine[0, 0] = 1
    with pytest.raises(FrozenInstanceError):
        made.scanner = None


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_array_that_was_given_stays_the_callers(kind):
    data = np.zeros((2, 3, 4), kind)
    made = volume(data=data)
    data += 1
    assert not made.data.any()


def test_a_view_of_a_writable_array_is_copied():
    data = np.zeros((2, 3, 4), np.float32)
    view = data[:]
    view.setflags(write=False)
    made = volume(data=view)
    data += 1
    assert not made.data.any()


def test_new_intensities_keep_place_scanner_and_history():
    made = volume()
    new = made.with_data(2 * made.data, Step("double"))
    assert np.array_equal(new.data, 2 * made.data)
    assert np.array_equal(new.affine, made.affine)
    assert new.scanner == made.scanner
    assert new.history == (Step("read"), Step("double"))
    assert made.history == (Step("read"),)


def test_intensities_of_another_shape_are_refused():
    with pytest.raises(GridMismatchError, match=r"\(2, 3, 5\)") as error:
        volume().with_data(np.zeros((2, 3, 5)), Step("crop"))
    assert "resample" in error.value.fix


def test_a_new_place_keeps_scanner_and_history():
    moved = volume().with_grid(np.zeros((5, 5, 5)), np.eye(4), Step("resample"))
    assert moved.shape == (5, 5, 5)
    assert np.array_equal(moved.affine, np.eye(4))
    assert moved.scanner == Scanner("Maker", "Model")
    assert [step.name for step in moved.history] == ["read", "resample"]


def test_spacing_is_the_length_of_the_voxel_edges():
    turned = np.diag([1.0, 1, 1, 1])
    turned[:3, :3] = [[0, -2.0, 0], [1.5, 0, 0], [0, 0, -3.0]]
    assert volume(affine=turned).spacing == (1.5, 2.0, 3.0)


def test_volumes_on_one_grid_go_together():
    one = volume()
    one.require_same_grid(volume(data=np.ones((2, 3, 4))))
    one.require_same_grid(volume(affine=OBLIQUE + 1e-5))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"data": np.zeros((2, 3, 5))}, "shapes"),
        ({"affine": OBLIQUE + np.diag([0, 0, 0.01, 0])}, "0.01"),
    ],
)
def test_volumes_on_two_grids_do_not(change, said):
    with pytest.raises(GridMismatchError, match=said) as error:
        volume().require_same_grid(volume(**change))
    assert "resample" in error.value.fix


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_intensities_that_are_not_numbers_are_refused_and_counted(bad):
    data = np.zeros((2, 3, 4))
    data[0, 0, :3] = bad
    with pytest.raises(ImplausibleError, match="3 of 24"):
        volume(data=data)


@pytest.mark.parametrize(
    "affine",
    [
        np.diag([1.0, 0, 1, 1]),
        np.array([[1.0, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        np.full((4, 4), np.nan),
    ],
)
def test_an_affine_that_flattens_space_is_refused(affine):
    with pytest.raises(ImplausibleError, match="singular"):
        volume(affine=affine)


@pytest.mark.parametrize("edge", [1e-4, 1e4])
def test_small_and_large_voxels_are_no_singularity(edge):
    assert volume(affine=np.diag([edge, edge, edge, 1])).spacing[0] == edge


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4, 5), ()])
def test_only_three_dimensions_make_a_volume(shape):
    with pytest.raises(InputError, match="affine"):
        volume(data=np.zeros(shape))
