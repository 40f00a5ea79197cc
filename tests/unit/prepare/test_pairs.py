from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mitame.core.errors import ImplausibleError, InputError
from mitame.core.volume import Step, Volume
from mitame.prepare.pairs import aligned_pairs, onto
from mitame.testing.phantom import CENTER


def motion(degrees, shift):
    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
    matrix[:3, :3] = turn
    matrix[:3, 3] = np.array(CENTER) - turn @ CENTER + shift
    return matrix


def other_look(session):
    data = 1.2 * np.abs(session["T1w"].data) ** np.float32(0.8)
    return session.with_data({"T1w": data}, Step("look"))


@pytest.fixture(scope="module")
def pair(real_head):
    """One head on a scanner, and turned and with finer voxels on another."""
    source = replace(real_head((3, 3, 3), seed=1), subject="07")
    moved = real_head((2.5, 3, 3.5), truth=motion((3, -2, 4), (4, -3, 2)), seed=2)
    return source, replace(other_look(moved), subject="07")


def test_the_target_comes_to_lie_on_the_source(pair):
    source, target = pair
    moved = onto(source, target)
    moved["T1w"].require_same_grid(source["T1w"])
    inside = moved.require_brain()
    assert inside.sum() > 0.9 * source.require_brain().sum()
    looks_alike = np.corrcoef(moved["T1w"].data[inside], source["T1w"].data[inside])
    assert looks_alike[0, 1] > 0.95
    assert np.array_equal(moved.to_template, source.to_template)


def test_who_lay_still_on_one_grid_is_not_resampled(real_head):
    source = real_head((3, 3, 3), seed=1)
    target = other_look(real_head((3, 3, 3), seed=2))
    assert onto(source, target) is target


def test_every_sequence_of_a_visit_moves_with_the_first(pair):
    source, target = pair
    target = replace(target, volumes={"T1w": target["T1w"], "T2w": target["T1w"]})
    moved = onto(source, target)
    assert np.array_equal(moved["T1w"].data, moved["T2w"].data)


def test_another_head_is_refused_by_name(pair, real_head):
    source, _ = pair
    data = np.roll(real_head((3, 3, 3))["T1w"].data[:, ::-1], 5, axis=0)
    stranger = replace(source, volumes={"T1w": Volume(data, source["T1w"].affine)})
    with pytest.raises(ImplausibleError, match=r"subject 07 are no pair.*agree"):
        onto(source, stranger)


def test_no_shared_sequence_is_refused_by_name(pair):
    source, target = pair
    other = replace(target, volumes={"T2w": target["T1w"]})
    with pytest.raises(InputError, match="subject 07 share no sequence"):
        onto(source, other)


def test_unequal_groups_are_no_pairs(pair):
    with pytest.raises(InputError, match="1 sources and 0 targets"):
        aligned_pairs([pair[0]], [])
