import numpy as np

from mitame.core.volume import Volume
from mitame.prepare.resample import resample
from mitame.prepare.warp import warp
from mitame.testing.phantom import head_grid, phantom

TURN = np.array([[0.98, -0.2, 0, 3], [0.2, 0.98, 0, -4], [0, 0, 1, 2], [0, 0, 0, 1.0]])


def moved(volume, onto, transform=None, shift=(0, 0, 0)):
    displacement = np.broadcast_to(np.array(shift, float), (*onto.shape, 3))
    way = np.eye(4) if transform is None else transform
    return warp(volume, onto, transform=way, displacement=displacement, params={})


def test_without_displacement_it_is_a_cubic_resample():
    head, onto = phantom(), head_grid(7.0)
    result, seen = moved(head, onto, TURN)
    expected = resample(head, onto, transform=TURN, interpolator="cubic")
    np.testing.assert_allclose(result.data[seen], expected.data[seen], atol=0.5)


def test_a_displacement_is_added_before_the_transform():
    head, onto = phantom(), head_grid(7.0)
    shift = np.eye(4)
    shift[:3, 3] = (5, -3, 2)
    one, _ = moved(head, onto, TURN, shift=(5, -3, 2))
    other, _ = moved(head, onto, TURN @ shift)
    np.testing.assert_allclose(one.data, other.data, atol=1e-2)


def test_seen_ends_at_the_outermost_voxel_centers_and_follows_the_displacement():
    volume = Volume(np.ones((3, 4, 5)), np.eye(4))
    onto = Volume(np.zeros((61, 4, 5)), np.diag([0.1, 1, 1, 1]) + 0.0)
    _, seen = moved(volume, onto)
    at = 0.1 * np.arange(61)
    assert np.array_equal(seen[:, 0, 0], at <= 2 + 1e-9)
    _, seen = moved(volume, onto, shift=(1.05, 0, 0))
    assert np.array_equal(seen[:, 0, 0], at + 1.05 <= 2 + 1e-9)


def test_what_is_not_seen_is_zero_and_nothing_seen_is_dark():
    volume = Volume(np.full((5, 5, 5), 7.0), np.eye(4))
    onto = Volume(np.zeros((40, 5, 5)), np.diag([0.2, 1, 1, 1]))
    result, seen = moved(volume, onto)
    assert not result.data[~seen].any()
    np.testing.assert_allclose(result.data[seen], 7.0, rtol=1e-5)
