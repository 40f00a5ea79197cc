import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mitame.compare.change import SMALLEST_MM, find_marks, standardized
from mitame.core.volume import Volume

SHAPE = (56, 48, 40)
SD = 0.04


def grid(spacing=(1.5, 1.5, 1.5), turn=(10, -20, 30)):
    affine = np.eye(4)
    axes = Rotation.from_euler("xyz", turn, degrees=True).as_matrix()
    affine[:3, :3] = axes * np.array(spacing)
    affine[:3, 3] = (-50, -30, 20)
    return Volume(np.zeros(SHAPE, np.float32), affine)


def brain():
    middle = (np.array(SHAPE) - 1) / 2
    away = (np.moveaxis(np.indices(SHAPE), 0, -1) - middle) / middle
    return np.linalg.norm(away, axis=-1) < 0.95


def center(on):
    """A place inside the brain that is no voxel's center, world mm."""
    i, j, k = (0.42, 0.55, 0.5) * np.array(SHAPE)
    return (on.affine @ [i, j, k, 1])[:3]


def ball(on, diameter_mm, where=None):
    where = center(on) if where is None else where
    index = np.moveaxis(np.indices(SHAPE), 0, -1)
    place = index @ on.affine[:3, :3].T + on.affine[:3, 3]
    return np.linalg.norm(place - where, axis=-1) <= diameter_mm / 2


def marks_of(change, on, noise=None):
    change = change.astype(np.float32)
    noise = np.full(SHAPE, SD, np.float32) if noise is None else noise
    z = standardized(change, noise, brain(), on.spacing)
    return find_marks(z, change, brain(), on)


def quiet(seed):
    return np.random.default_rng(seed).normal(0, SD, SHAPE)


@pytest.mark.parametrize("seed", range(5))
def test_there_is_no_mark_in_pure_noise(seed):
    marks, labels = marks_of(quiet(seed), grid())
    assert marks == ()
    assert not labels.any()


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("spacing", [(1.5, 1.5, 1.5), (1.0, 1.2, 3.0)])
def test_a_ball_of_six_millimeters_is_found_where_it_is(sign, spacing):
    on = grid(spacing)
    change = quiet(0) + sign * 0.16 * ball(on, 6.0)
    marks, _ = marks_of(change, on)
    assert len(marks) == 1
    assert np.linalg.norm(np.array(marks[0].center) - center(on)) < 1.0
    assert marks[0].diameter_mm == pytest.approx(6.0, abs=2.0)
    assert np.sign(marks[0].peak_z) == np.sign(marks[0].mean_change) == sign
    assert abs(marks[0].mean_change) > 0.08


def test_volume_and_diameter_are_of_one_ball():
    on = grid((1.0, 1.2, 3.0))
    marks, labels = marks_of(quiet(0) + 0.4 * ball(on, 10.0), on)
    voxels = (labels == 1).sum()
    assert marks[0].volume_ml == pytest.approx(voxels * 3.6 / 1000)
    assert marks[0].diameter_mm ** 3 * np.pi / 6000 == pytest.approx(marks[0].volume_ml)


def test_marks_come_largest_first_and_are_numbered_so():
    on = grid()
    other = (on.affine @ [36, 20, 20, 1])[:3]
    change = quiet(0) + 0.4 * ball(on, 6.0) - 0.4 * ball(on, 12.0, other)
    marks, labels = marks_of(change, on)
    assert len(marks) == 2
    assert marks[0].volume_ml > marks[1].volume_ml
    assert [m.mean_change < 0 for m in marks] == [True, False]
    for number, mark in enumerate(marks, start=1):
        place = np.argwhere(labels == number).mean(axis=0)
        np.testing.assert_allclose(
            mark.center, (on.affine @ [*place, 1])[:3], atol=0.01
        )


def test_two_signs_that_touch_are_two_marks():
    on = grid()
    left = np.arange(SHAPE[0])[:, None, None] < 0.42 * SHAPE[0]
    change = quiet(0) + np.where(left, 0.5, -0.5) * ball(on, 14.0)
    marks, _ = marks_of(change, on)
    assert sorted(np.sign(m.mean_change) for m in marks) == [-1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_nothing_smaller_than_the_smallest_is_shown(seed):
    on = grid((0.5, 0.5, 0.5))
    change = np.zeros(SHAPE) + 0.02 * np.random.default_rng(seed).normal(size=SHAPE)
    change += 0.2 * ball(on, 1.0)
    marks, _ = marks_of(change, on, np.full(SHAPE, 0.02, np.float32))
    assert all(mark.diameter_mm >= SMALLEST_MM for mark in marks)
    z = np.zeros(SHAPE, np.float32)
    z[28:31, 24:27, 20:23] = 50  # 27 voxels of 0.125 mm^3: a ball of 1.9 mm
    assert find_marks(z, z, brain(), on)[0] == ()
    z[26:34, 22:30, 18:26] = 50  # a ball of 5 mm
    assert len(find_marks(z, z, brain(), on)[0]) == 1


def test_what_lies_off_the_brain_is_no_mark():
    on = grid()
    change = quiet(0) + np.where(brain(), 0.0, 5.0)
    assert marks_of(change, on)[0] == ()


def test_the_spread_of_the_standardized_change_is_one():
    noise = np.linspace(0.01, 0.2, SHAPE[0])[:, None, None] * np.ones(SHAPE)
    change = np.random.default_rng(0).normal(0, noise)
    z = standardized(
        *(a.astype(np.float32) for a in (change, noise)), brain(), (1, 1, 1)
    )
    assert np.std(z[brain()]) == pytest.approx(1, abs=0.03)
    assert not z[~brain()].any()


def test_a_loud_place_must_speak_up_more():
    on = grid()
    noise = np.full(SHAPE, SD, np.float32)
    noise[:, :24] *= 10
    change = np.random.default_rng(0).normal(0, noise)
    loud, still = ((on.affine @ [28, j, 20, 1])[:3] for j in (12, 36))
    change += 0.4 * (ball(on, 6.0, loud) + ball(on, 6.0, still))
    marks, _ = marks_of(change, on, noise)
    assert len(marks) == 1
    assert np.linalg.norm(np.array(marks[0].center) - still) < 1.5


def test_two_equal_images_have_no_mark():
    marks, _ = marks_of(np.zeros(SHAPE), grid())
    assert marks == ()
