import numpy as np
import pytest

from mitame.core.volume import Volume
from mitame.present.view import AxialView, Frame, brain_frame

ORDERS = ["RAS", "LPS", "LAS", "PSR", "AIL", "SRP", "IPL"]
RIGHT_FRONT_TOP = np.array([25.0, 35.0, 10.0])


def marked(grid_of, axes, oblique=0.0, spacing=(2.0, 2.0, 2.0), shape=(56, 66, 48)):
    """A dark volume with one bright ball on the patient's right, front and top."""
    affine = grid_of(axes, spacing, shape, oblique)
    world = affine[:3, :3] @ np.indices(shape).reshape(3, -1) + affine[:3, 3:]
    near = ((world - RIGHT_FRONT_TOP[:, None]) ** 2).sum(axis=0) < 5**2
    return Volume(near.reshape(shape).astype(np.float32), affine)


@pytest.mark.parametrize("oblique", [0.0, 18.0])
@pytest.mark.parametrize("axes", ORDERS)
def test_the_patients_right_front_is_on_the_pictures_left_top(grid_of, axes, oblique):
    volume = marked(grid_of, axes, oblique)
    view = AxialView.of(volume)
    slab = view.arrange(volume.data)[:, :, view.nearest_slice(RIGHT_FRONT_TOP)]
    frame = Frame.around(view, (np.array(view.shape[:2]) - 1) / 2, (120, 120), 240)
    rows, columns = np.nonzero(frame.cut(slab) > 0.5)
    assert rows.size
    assert columns.max() < 120
    assert rows.max() < 120


@pytest.mark.parametrize("axes", ORDERS)
def test_every_axis_order_shows_the_same_picture(grid_of, axes):
    reference = marked(grid_of, "RAS")
    seen = AxialView.of(reference).arrange(reference.data)
    order = ["RL".find(a) >= 0 or 2 * ("SI".find(a) >= 0) for a in axes]
    shape = tuple({True: 56, 2: 48, 0: 66}[o] for o in order)
    volume = marked(grid_of, axes, shape=shape)
    np.testing.assert_array_equal(AxialView.of(volume).arrange(volume.data), seen)


@pytest.mark.parametrize("axes", ORDERS)
def test_slices_count_upward(grid_of, axes):
    view = AxialView.of(marked(grid_of, axes))
    assert view.nearest_slice((0, 0, 40)) > view.nearest_slice((0, 0, -40))


@pytest.mark.parametrize("oblique", [0.0, 18.0])
def test_a_voxel_and_its_world_position_agree(grid_of, oblique):
    volume = marked(grid_of, "PSR", oblique)
    view = AxialView.of(volume)
    row, column, level = np.unravel_index(
        np.argmax(view.arrange(volume.data)), view.shape
    )
    grid = np.unravel_index(0, volume.shape)
    assert view.arrange(volume.data)[row, column, level] == 1
    place = view.locate(view.world((row, column, level)))
    np.testing.assert_allclose(place, (row, column, level), atol=1e-9)
    stored = view.locate(volume.affine[:3, :3] @ grid + volume.affine[:3, 3])
    turned = view.arrange(np.arange(volume.data.size).reshape(volume.shape))
    assert turned[tuple(np.round(stored).astype(int))] == 0


def test_a_round_thing_is_round_with_unequal_pixels(grid_of):
    # Sagittal slices 5 mm thick: an axial picture has 5 mm columns and 1 mm rows.
    volume = marked(grid_of, "PSR", spacing=(1.0, 2.0, 5.0), shape=(120, 60, 24))
    affine = volume.affine
    world = np.einsum("ab,bijk->aijk", affine[:3, :3], np.indices(volume.shape))
    world += affine[:3, 3][:, None, None, None]
    disc = (np.hypot(world[0], world[1]) < 30).astype(np.float32)
    view = AxialView.of(volume)
    frame = Frame.around(view, view.locate((0, 0, 0)), (100, 100), 400)
    rows, columns = np.nonzero(frame.cut(view.arrange(disc)[:, :, 30]) > 0.5)
    tall, wide = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert frame.pixels == (400, 400)
    assert tall == pytest.approx(240, abs=8)
    assert wide == pytest.approx(240, abs=12)


def test_the_brain_fits_the_frame_with_its_margin(grid_of):
    volume = marked(grid_of, "LPS")
    view = AxialView.of(volume)
    frame = brain_frame(view, volume.data > 0, margin_mm=10, height=100)
    assert frame.size_mm == pytest.approx((30, 30), abs=4)
    x, y = frame.fraction(*view.locate(RIGHT_FRONT_TOP)[:2])
    assert (x, y) == pytest.approx((0.5, 0.5), abs=0.05)


def test_outside_the_slice_is_black(grid_of):
    view = AxialView.of(marked(grid_of, "LPS"))
    frame = Frame.around(view, (-40, -40), (20, 20), 50)
    assert not frame.cut(np.ones(view.shape[:2])).any()
