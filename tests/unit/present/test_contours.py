import numpy as np
import pytest

from mitame.core.volume import Volume
from mitame.present.contours import NUMBERED, contours_of
from mitame.present.view import AxialView, Frame

SHAPE = (60, 60)


def frame_of(center=(29.5, 29.5), size=60.0):
    view = AxialView.of(Volume(np.zeros((*SHAPE, 3), np.float32), np.eye(4)))
    return Frame.around(view, center, (size, size), 300)


def labels_with(*boxes):
    """Return a slice with mark n in the n-th box of rows and columns."""
    labels = np.zeros(SHAPE, np.int32)
    for number, (rows, columns) in enumerate(boxes, 1):
        labels[slice(*rows), slice(*columns)] = number
    return labels


def test_the_outline_runs_just_outside_the_voxels():
    (contour,) = contours_of(labels_with(((10, 20), (30, 50))), frame_of())
    points = 60 * np.array(contour.lines[0])
    assert points.min(axis=0) == pytest.approx((29.75, 9.75), abs=0.02)
    assert points.max(axis=0) == pytest.approx((50.25, 20.25), abs=0.02)
    assert contour.lines[0][0] == contour.lines[0][-1]


def test_a_single_voxel_still_has_an_outline():
    (contour,) = contours_of(labels_with(((10, 11), (30, 31))), frame_of())
    assert np.ptp(60 * np.array(contour.lines[0]), axis=0) == pytest.approx((1.5, 1.5))


def test_two_parts_of_a_mark_have_two_lines_and_one_number():
    labels = labels_with(((10, 20), (10, 20)))
    labels[40:45, 40:45] = 1
    (contour,) = contours_of(labels, frame_of(), letter=0.04)
    assert len(contour.lines) == 2
    assert contour.label is not None


def test_a_mark_at_the_edge_of_the_slice_is_closed():
    (contour,) = contours_of(labels_with(((0, 5), (0, 5))), frame_of())
    assert contour.lines[0][0] == contour.lines[0][-1]


def test_a_mark_outside_the_frame_is_left_out():
    labels = labels_with(((5, 8), (5, 8)), ((40, 45), (40, 45)))
    shown = contours_of(labels, frame_of((42, 42), 20), letter=0.04)
    assert [contour.number for contour in shown] == [2]


def test_numbers_do_not_stand_on_marks_or_on_each_other():
    labels = labels_with(
        ((20, 30), (20, 30)), ((20, 30), (31, 41)), ((31, 41), (20, 30))
    )
    letter = 0.05
    shown = contours_of(labels, frame_of(), letter=letter)
    places = np.array([contour.label for contour in shown])
    for n, (x, y) in enumerate(places):
        assert labels[int(60 * y), int(60 * x)] == 0
        away = np.abs(np.delete(places, n, axis=0) - (x, y)).max(axis=1)
        assert away.min() > 0.7 * letter


def test_a_number_stays_in_the_picture():
    (contour,) = contours_of(labels_with(((0, 9), (50, 60))), frame_of(), letter=0.05)
    assert 0.02 < min(contour.label) < max(contour.label) < 0.98


def test_only_the_listed_marks_are_numbered():
    labels = np.zeros(SHAPE, np.int32)
    labels[5:9, 5:9], labels[30:34, 30:34] = NUMBERED, NUMBERED + 1
    listed, unlisted = contours_of(labels, frame_of(), letter=0.04)
    assert listed.label is not None
    assert unlisted.label is None
    assert not any(c.label for c in contours_of(labels, frame_of()))
