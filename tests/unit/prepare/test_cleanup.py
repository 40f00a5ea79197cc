import numpy as np

from mitame.prepare.cleanup import largest, solid, without_empty_rim


def ball(shape=(60, 60, 60), center=(30, 30, 30), radius=20):
    where = np.indices(shape) - np.reshape(center, (3, 1, 1, 1))
    return (where**2).sum(axis=0) <= radius**2


def test_only_the_largest_part_stays():
    both = ball() | ball(center=(5, 5, 5), radius=3)
    assert np.array_equal(largest(both), ball())


def test_an_empty_mask_stays_empty():
    empty = np.zeros((8, 8, 8), bool)
    assert not largest(empty).any()
    assert not solid(empty, 1.0).any()


def test_thin_sheets_and_holes_go():
    mask = ball() & ~ball(radius=3)
    mask[30, 30, 30:60] = True
    cleaned = solid(mask, 1.0)
    assert cleaned[30, 30, 30]
    assert not cleaned[30, 30, 55]


def test_a_brain_cut_by_the_edge_of_the_image_stays_whole():
    mask = ball(center=(30, 30, 0))
    assert solid(mask, 1.0)[30, 30, 0]
    assert solid(mask, 1.0).sum() > 0.98 * mask.sum()


def test_the_bulge_around_a_stripped_brain_goes():
    brain, found = ball(radius=20), ball(radius=22)
    data = np.where(brain, 100, 0).astype(np.float32)
    assert np.array_equal(without_empty_rim(found, data, 1.0), brain)


def test_dark_csf_inside_a_stripped_brain_stays():
    brain, ventricle = ball(radius=20), ball(radius=6)
    data = np.where(brain & ~ventricle, 100, 0).astype(np.float32)
    assert without_empty_rim(brain, data, 1.0)[30, 30, 30]


def test_a_whole_head_is_left_as_it_is():
    found = ball(radius=18)
    data = np.where(ball(radius=17), 100, 0).astype(np.float32)
    data[ball(radius=28) & ~ball(radius=22)] = 80
    assert np.array_equal(without_empty_rim(found, data, 1.0), found)
