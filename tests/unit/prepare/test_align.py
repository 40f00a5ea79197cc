import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mitame.core.volume import Step, Volume
from mitame.prepare.align import align, closest_motion, halfway, inverse, motion_size
from mitame.testing.phantom import CENTER, HALF_AXES

EDGE_MM = max(HALF_AXES)


def motion(degrees, shift):
    """Return a turn about the middle of the head, then a shift."""
    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    matrix[:3, :3] = turn
    matrix[:3, 3] = np.array(CENTER) - turn @ CENTER + shift
    return matrix


TRUTH = motion((4, -3, 6), (5, -4, 3))
"""Current world to prior world."""

# Two affine maps to the template make the start, so it has scales, and is a bit off.
START = TRUTH @ motion((2, 1, 0), (2, 0, -1)) @ np.diag([1.05, 0.97, 1.02, 1])


def aligned(prior, current, start):
    return align(prior["T1w"], prior.brain, current["T1w"], current.brain, start=start)


def error_mm(found, truth=TRUTH):
    """Return by how much a motion is off at the edge of the brain, mm."""
    ends = np.vstack([np.array(CENTER) + EDGE_MM * np.eye(3), CENTER])
    points = np.column_stack([ends, np.ones(4)])
    return np.linalg.norm(points @ (found - truth).T, axis=1).max()


def error_deg(found, truth=TRUTH):
    around = Volume(np.zeros((2, 2, 2)), np.eye(4))
    return motion_size(inverse(truth) @ found, around)["rotation_deg"]


@pytest.fixture(scope="module")
def visits(real_head):
    """A prior, and the head lying otherwise in a scanner with other voxels."""
    return real_head((2.5, 2.5, 3), seed=1), real_head(
        (3, 2, 2.5), (5, 0, -8), truth=TRUTH, seed=2
    )


@pytest.fixture(scope="module")
def there(visits):
    return aligned(*visits, START)


def test_a_planted_motion_is_recovered(there):
    assert error_mm(START) > 3
    assert error_mm(there) < 0.1
    assert error_deg(there) < 0.1


def test_swapping_the_visits_gives_the_inverse(visits, there):
    back = aligned(*visits[::-1], inverse(START))
    np.testing.assert_allclose(back @ there, np.eye(4), atol=1e-6)


def test_the_result_is_a_rigid_motion(there):
    turn = there[:3, :3]
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert there[3].tolist() == [0, 0, 0, 1]


def test_another_contrast_and_a_new_lesion_do_not_move_the_head(real_head):
    prior = real_head((3, 3, 4), seed=1)
    current = real_head((3, 3, 3), (5, 0, -8), truth=TRUTH, seed=2)
    volume = current["T1w"]
    place = np.moveaxis(np.indices(volume.shape), 0, -1) @ volume.affine[:3, :3].T
    away = np.linalg.norm(place + volume.affine[:3, 3] - (25, 0, 20), axis=-1)
    sick = np.maximum(volume.data, 0) * np.where(away < 10, 0.4, 1)
    shown = volume.with_data(90 * sick**0.6, Step("look"))
    found = aligned(prior, current.with_volumes({"T1w": shown}), START)
    assert error_mm(found) < 0.1


def test_the_middle_of_two_motions_is_as_far_from_both():
    one, other = motion((10, 0, 5), (4, 0, 0)), motion((-20, 30, 5), (0, 9, -2))
    middle = halfway(one, other)
    np.testing.assert_allclose(
        inverse(one) @ middle, inverse(middle) @ other, atol=1e-9
    )
    np.testing.assert_allclose(halfway(other, one), middle, atol=1e-9)
    np.testing.assert_allclose(halfway(one, one), one, atol=1e-9)


def test_scales_are_no_motion():
    turn = motion((10, -20, 5), (4, 0, 7))
    np.testing.assert_allclose(closest_motion(turn), turn, atol=1e-12)
    scaled = turn @ np.diag([1.1, 1.1, 1.1, 1])
    np.testing.assert_allclose(closest_motion(scaled), turn, atol=1e-12)


def test_a_motion_in_words():
    here = np.eye(4)
    here[:3, 3] = CENTER
    size = motion_size(motion((0, 0, 7), (3, 4, 0)), Volume(np.zeros((1, 1, 1)), here))
    assert size["rotation_deg"] == pytest.approx(7)
    assert size["translation_mm"] == pytest.approx(5)
