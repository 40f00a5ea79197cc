import numpy as np
import pytest
from scipy import ndimage

from mitame.evaluate.planted import kept_of_lesions

SPACING = (2.0, 2.0, 2.0)
SHAPE = (24, 24, 24)


@pytest.fixture
def scene():
    """White matter with grey beside it, and two lesions in the white."""
    labels = np.full(SHAPE, 2, np.int16)
    labels[:, :, 18:] = 3
    lesions = np.zeros(SHAPE, np.int16)
    lesions[5:8, 5:8, 5:8] = 1
    lesions[15:18, 15:18, 8:10] = 2
    image = np.where(labels == 2, 1.0, 0.7).astype(np.float32)
    image[lesions == 1] = 0.6
    image[lesions == 2] = 0.8
    return {
        "before": image,
        "quiet": image.copy(),
        "lesions": lesions,
        "white": labels == 2,
        "grey": labels == 3,
        "brain": np.ones(SHAPE, np.bool_),
        "spacing": SPACING,
    }


def test_a_copy_keeps_everything(scene):
    assert kept_of_lesions(after=scene["before"], **scene) == pytest.approx([1, 1])


def test_what_is_left_of_each_lesion_is_told_of_each(scene):
    after = scene["before"].copy()
    after[scene["lesions"] == 1] = 0.8  # half
    after[scene["lesions"] == 2] = 1.0  # gone
    assert kept_of_lesions(after=after, **scene) == pytest.approx([0.5, 0])


def test_another_contrast_of_the_whole_image_costs_nothing(scene):
    after = 3 * scene["before"] - 1
    assert kept_of_lesions(after=after, **scene) == pytest.approx([1, 1])


def test_a_lesion_that_cannot_be_seen_does_not_count(scene):
    scene["quiet"][scene["lesions"] == 2] = 0.96
    assert len(kept_of_lesions(after=scene["before"], **scene)) == 1


def test_a_lesion_outside_the_brain_does_not_count(scene):
    scene["brain"][scene["lesions"] == 1] = False
    assert len(kept_of_lesions(after=scene["before"], **scene)) == 1


def test_the_soft_border_is_neither_lesion_nor_surround(scene):
    after = scene["before"].copy()
    after[ndimage.binary_dilation(scene["lesions"] == 1)] = 0.6  # 2 mm wider
    assert kept_of_lesions(after=after, **scene)[0] == pytest.approx(1)


def test_tissue_far_away_is_no_surround(scene):
    away = ndimage.distance_transform_edt(scene["lesions"] != 1, sampling=SPACING)
    after = scene["before"].copy()
    after[(away > 6.1) & scene["white"] & (away < 12)] += 0.5
    scene["white"][away <= 12] = False  # only what cannot be seen here is white matter
    assert kept_of_lesions(after=after, **scene)[0] == pytest.approx(1)


def test_another_lesion_is_no_surround(scene):
    scene["lesions"][9:12, 5:8, 5:8] = 3  # 2 mm from the first
    scene["quiet"][9:12, 5:8, 5:8] = 0.2
    scene["before"][9:12, 5:8, 5:8] = 0.2
    after = scene["before"].copy()
    after[9:12, 5:8, 5:8] = 5.0
    assert kept_of_lesions(after=after, **scene)[0] == pytest.approx(1)


def test_a_lesion_smaller_than_asked_for_does_not_count(scene):
    # 27 and 18 voxels of 8 cubic millimeters: balls of 7.4 and 6.5 mm.
    assert len(kept_of_lesions(after=scene["before"], smallest_mm=6, **scene)) == 2
    assert len(kept_of_lesions(after=scene["before"], smallest_mm=7, **scene)) == 1
