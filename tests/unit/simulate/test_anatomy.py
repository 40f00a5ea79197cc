import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.core.volume import Volume
from mitame.io import nifti
from mitame.simulate.anatomy import (
    BELOW_BRAIN_MM,
    MARGIN_MM,
    find_anatomies,
    labeled_tissues,
    read_anatomy,
)


def write(folder, labels, name="head.nii.gz", spacing=1.0):
    affine = np.diag([-spacing, 1, 1, 1])  # stored from right to left
    nifti.write(folder / name, Volume(np.asarray(labels, np.float32), affine))
    return folder / name


@pytest.fixture
def labels():
    """A skin ball with a brain in it, and a neck below."""
    index = np.indices((90, 90, 150)) - np.reshape((45, 45, 100), (3, 1, 1, 1))
    away = np.linalg.norm(index, axis=0)
    head = np.where(away < 40, 511, 0)
    head[(np.hypot(*index[:2]) < 20) & (index[2] < 0)] = 507
    head[away < 30] = 2
    return head


def test_every_label_is_one_tissue(coarse_head):
    counts = sum(coarse_head.tissue(t).astype(int) for t in labeled_tissues())
    assert (counts == 1).all()


def test_a_head_is_cut_to_what_a_brain_scan_shows(tmp_path, labels):
    head = read_anatomy(write(tmp_path, labels))
    inside = np.argwhere(head.labels > 0)
    room = np.minimum(inside.min(axis=0), head.labels.shape - inside.max(axis=0) - 1)
    assert room[:2].tolist() == [MARGIN_MM, MARGIN_MM]
    bottom = np.argwhere(head.brain())[:, 2].min()
    assert bottom == BELOW_BRAIN_MM  # the neck goes on below, as on a scan
    assert head.labels[:, :, 0].any()


def test_a_label_stays_where_it_is_in_the_world(tmp_path, labels):
    labels[60, 45, 100] = 17
    head = read_anatomy(write(tmp_path, labels))
    (place,) = np.argwhere(head.labels == 17)
    assert (head.affine @ [*place, 1])[:3].tolist() == [-60, 45, 100]


def test_a_speck_in_the_air_is_taken_away(tmp_path, labels):
    labels[2, 2, 140] = 515
    assert not (read_anatomy(write(tmp_path, labels)).labels == 515).any()


@pytest.mark.parametrize("strange", [9999, 2.5])
def test_values_that_are_no_label_are_refused(tmp_path, labels, strange):
    wrong = labels.astype(np.float32)
    wrong[45, 45, 100] = strange
    with pytest.raises(InputError, match="no label known") as error:
        read_anatomy(write(tmp_path, wrong))
    assert "FreeSurfer" in error.value.fix


def test_voxels_that_are_not_a_millimeter_are_refused(tmp_path, labels):
    with pytest.raises(InputError, match=r"0\.8 × 1 × 1 mm"):
        read_anatomy(write(tmp_path, labels, spacing=0.8))


@pytest.mark.parametrize(
    ("label", "tissue"),
    [
        (31, "choroid_plexus"),
        (509, "mucosa"),
        (77, "white_matter"),
        (253, "white_matter"),
    ],
)
def test_labels_of_a_plain_segmentation_are_known(tmp_path, labels, label, tissue):
    labels[45, 45, 100] = label
    head = read_anatomy(write(tmp_path, labels))
    assert head.tissue(tissue)[head.labels == label].all()


def test_the_builtin_head_has_two_sides(coarse_head):
    for left, right in ((2, 41), (3, 42)):
        left_x, right_x = (world_x(coarse_head, label) for label in (left, right))
        assert left_x.max() <= 0 < right_x.min()
        assert 0.8 < len(left_x) / len(right_x) < 1.25


def world_x(head, label):
    places = np.argwhere(head.labels == label)
    return places @ head.affine[0, :3] + head.affine[0, 3]


def test_a_folder_without_maps_is_refused(tmp_path):
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError, match="no label map"):
            find_anatomies(folder)


def test_the_builtin_head_has_skin_around_skull_around_brain(coarse_head):
    middle = np.argwhere(coarse_head.brain()).mean(axis=0).round().astype(int)
    ray = coarse_head.labels[middle[0] :, middle[1], middle[2]]
    order = list(dict.fromkeys(ray.tolist()))
    assert order[-3:] == [507, 511, 0]
    assert set(order) >= {24, 515, 507, 511, 0}
