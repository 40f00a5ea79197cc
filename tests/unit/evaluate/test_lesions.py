import math

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, InputError
from mitame.evaluate.metrics import (
    invented_foci,
    lesion_contrast_kept,
    voxel_auc,
    white_grey_contrast,
)

WHOLE = np.ones((20, 20, 20), bool)
FINE = {"spacing": (1.0, 1.0, 1.0), "threshold": 0.1}


def parts(values):
    """One row of voxels: lesion, surround, white, grey, two voxels each."""
    masks = [np.isin(np.arange(len(values)) // 2, [part]) for part in range(4)]
    return np.array(values), masks


BEFORE = [0.5, 0.7, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8]


def ball(diameter, spacing=(1.0, 1.0, 1.0), center=(10, 10, 10)):
    index = np.indices(WHOLE.shape)
    offset = [(i - c) * s for i, c, s in zip(index, center, spacing, strict=True)]
    return np.sqrt(sum(o**2 for o in offset)) <= diameter / 2


def test_the_contrast_is_white_minus_grey_by_hand():
    image, (_, _, white, grey) = parts([0.0] * 4 + [1.0, 1.2, 0.6, 0.8])
    assert white_grey_contrast(image, white, grey) == pytest.approx(0.4)


def test_the_contrast_takes_medians():
    image = np.array([1.0, 1.0, 9.0, 0.5, 0.5, -9.0])
    white = np.arange(6) < 3
    assert white_grey_contrast(image, white, ~white) == pytest.approx(0.5)


def test_swapped_tissues_turn_the_contrast_around():
    image, (_, _, white, grey) = parts(BEFORE)
    right = white_grey_contrast(image, white, grey)
    assert white_grey_contrast(image, grey, white) == pytest.approx(-right)


def test_a_tissue_mask_one_voxel_off_changes_the_contrast():
    image, (_, _, white, grey) = parts(BEFORE)
    right = white_grey_contrast(image, white, grey)
    off = np.roll(white, -1)
    assert white_grey_contrast(image, off, grey) != pytest.approx(right)
    with pytest.raises(InputError, match="share 1 of 2"):
        white_grey_contrast(image, np.roll(white, 1), grey)


def test_half_a_lesion_is_kept_by_hand():
    before, masks = parts(BEFORE)
    # lesion 0.6, surround 1.0, contrast of tissue 0.4: minus 1 before
    after, _ = parts([0.7, 0.9, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    assert lesion_contrast_kept(before, after, *masks) == pytest.approx(0.5)


def test_a_tone_shared_by_lesion_and_tissue_costs_no_contrast():
    before, masks = parts(BEFORE)
    assert lesion_contrast_kept(before, 3 * before - 1, *masks) == pytest.approx(1)


def test_a_stronger_tissue_contrast_must_come_with_a_stronger_lesion():
    before, masks = parts(BEFORE)
    after, _ = parts([0.5, 0.7, 0.9, 1.1, 1.2, 1.4, 0.4, 0.6])
    assert lesion_contrast_kept(before, after, *masks) == pytest.approx(0.5)


def test_a_lesion_wiped_out_is_zero_and_one_turned_around_is_negative():
    before, masks = parts(BEFORE)
    gone, _ = parts([0.9, 1.1, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    turned, _ = parts([1.3, 1.5, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    assert lesion_contrast_kept(before, gone, *masks) == pytest.approx(0, abs=1e-12)
    assert lesion_contrast_kept(before, turned, *masks) == pytest.approx(-1)


def test_swapping_before_and_after_gives_the_inverse():
    before, masks = parts(BEFORE)
    after, _ = parts([0.7, 0.9, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    assert lesion_contrast_kept(after, before, *masks) == pytest.approx(2)


def test_swaps_that_turn_both_images_around_change_nothing():
    before, (lesion, around, white, grey) = parts(BEFORE)
    after, _ = parts([0.7, 0.9, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    for masks in [(around, lesion, white, grey), (lesion, around, grey, white)]:
        assert lesion_contrast_kept(before, after, *masks) == pytest.approx(0.5)
    mixed = lesion_contrast_kept(before, after, white, grey, lesion, around)
    assert mixed != pytest.approx(0.5)


def test_a_lesion_mask_one_voxel_off_is_noticed():
    before, (lesion, around, white, grey) = parts(BEFORE)
    after, _ = parts([0.8, 0.9, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    right = lesion_contrast_kept(before, after, lesion, around, white, grey)
    off = np.roll(lesion, -1)
    assert lesion_contrast_kept(before, after, off, around, white, grey) != right
    with pytest.raises(InputError, match="lesion and its surround share 1"):
        lesion_contrast_kept(before, after, np.roll(lesion, 1), around, white, grey)


def test_contrasts_of_nothing_are_refused():
    before, masks = parts(BEFORE)
    flat, _ = parts([1.0] * 8)
    no_lesion, _ = parts([0.9, 1.1, 0.9, 1.1, 1.0, 1.2, 0.6, 0.8])
    with pytest.raises(InputError, match="contrast of white and grey matter is 0"):
        lesion_contrast_kept(before, flat, *masks)
    with pytest.raises(InputError, match="contrast of the lesion before"):
        lesion_contrast_kept(no_lesion, before, *masks)


def test_lesion_masks_that_do_not_fit_are_refused():
    before, (lesion, around, white, grey) = parts(BEFORE)
    with pytest.raises(GridMismatchError):
        lesion_contrast_kept(before, before[1:], lesion, around, white, grey)
    with pytest.raises(GridMismatchError):
        lesion_contrast_kept(before, before, lesion[1:], around, white, grey)
    with pytest.raises(InputError, match="marks no voxel"):
        lesion_contrast_kept(before, before, lesion & around, around, white, grey)
    with pytest.raises(InputError, match="NaN"):
        lesion_contrast_kept(before, before * np.nan, lesion, around, white, grey)


def test_two_balls_that_no_truth_has_are_two_foci():
    truth = np.ones(WHOLE.shape)
    image = truth + 0.5 * ball(5, center=(5, 5, 5)) - 0.5 * ball(5, center=(14, 14, 14))
    assert invented_foci(image, truth, WHOLE, **FINE) == 2
    assert invented_foci(truth, image, WHOLE, **FINE) == 2


def test_a_lesion_the_truth_has_too_is_not_invented():
    truth = 1 + 0.5 * ball(6)
    assert invented_foci(truth + 0.05, truth, WHOLE, **FINE) == 0


def test_a_lesion_that_was_wiped_out_is_a_focus():
    truth = 1 + 0.5 * ball(6)
    assert invented_foci(np.ones_like(truth), truth, WHOLE, **FINE) == 1


@pytest.mark.parametrize(("voxels", "foci"), [(14, 0), (15, 1)])
def test_a_focus_has_the_volume_of_a_ball_of_three_millimeters(voxels, foci):
    truth = np.zeros(WHOLE.shape)
    image = truth.copy()
    image[2, 2, 2 : 2 + voxels] = 1.0
    assert math.pi / 6 * 27 == pytest.approx(14.1, abs=0.1)
    assert invented_foci(image, truth, WHOLE, **FINE) == foci


def test_the_voxel_size_counts_along_every_axis():
    truth = np.zeros(WHOLE.shape)
    image = truth.copy()
    image[5:7, 5, 5] = 1.0
    for spacing, foci in [((1, 2, 3), 0), ((2, 2, 2), 1), ((1, 1, 7.2), 1)]:
        found = invented_foci(image, truth, WHOLE, spacing=spacing, threshold=0.1)
        assert found == foci


def test_voxels_that_touch_by_a_corner_are_one_focus():
    truth = np.zeros(WHOLE.shape)
    image = truth.copy()
    steps = np.arange(15)
    image[steps, steps, steps] = 1.0
    assert invented_foci(image, truth, WHOLE, **FINE) == 1


def test_only_differences_above_the_threshold_make_a_focus():
    truth = np.zeros(WHOLE.shape)
    image = 0.125 * ball(6)
    for threshold, foci in [(0.124, 1), (0.125, 0), (0.126, 0)]:
        found = invented_foci(
            image, truth, WHOLE, spacing=(1, 1, 1), threshold=threshold
        )
        assert found == foci


def test_a_smaller_size_lets_smaller_foci_in():
    truth = np.zeros(WHOLE.shape)
    image = 1.0 * ball(2)
    assert invented_foci(image, truth, WHOLE, **FINE) == 0
    assert invented_foci(image, truth, WHOLE, smallest_mm=2.0, **FINE) == 1


def test_foci_end_at_the_mask_and_a_mask_one_voxel_off_is_noticed():
    truth = np.zeros(WHOLE.shape)
    image = truth.copy()
    image[10, 5:9, 5:9] = 1.0
    mask = np.zeros_like(WHOLE)
    mask[10:] = True
    assert invented_foci(image, truth, mask, **FINE) == 1
    assert invented_foci(image, truth, np.roll(mask, 1, axis=0), **FINE) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"spacing": (1.0, 1.0)},
        {"spacing": (1.0, 0.0, 1.0)},
        {"spacing": (1.0, 1.0, math.inf)},
        {"threshold": 0.0},
        {"threshold": -1.0},
        {"threshold": math.nan},
    ],
)
def test_sizes_that_make_no_sense_are_refused(wrong):
    truth = np.zeros(WHOLE.shape)
    with pytest.raises(InputError):
        invented_foci(truth, truth, WHOLE, **{**FINE, **wrong})


def test_foci_of_what_does_not_fit_are_refused():
    truth = np.zeros(WHOLE.shape)
    with pytest.raises(GridMismatchError):
        invented_foci(truth[1:], truth, WHOLE, **FINE)
    with pytest.raises(InputError, match="marks no voxel"):
        invented_foci(truth, truth, ~WHOLE, **FINE)
    with pytest.raises(InputError, match="NaN"):
        invented_foci(truth * np.nan, truth, WHOLE, **FINE)
    with pytest.raises(InputError, match="not bool"):
        invented_foci(WHOLE, truth, truth, **FINE)


def test_the_area_counts_pairs_in_the_right_order():
    evidence = np.array([0.1, 0.4, 0.35, 0.8, 99.0])
    truth = np.array([False, False, True, True, False])
    mask = np.array([True, True, True, True, False])
    assert voxel_auc(evidence, truth, mask) == pytest.approx(3 / 4)


def test_ties_are_chance_and_turned_evidence_turns_the_area():
    rng = np.random.default_rng(0)
    truth, mask = rng.random(500) > 0.8, rng.random(500) > 0.2
    evidence = rng.normal(0, 1, 500) + truth
    found = voxel_auc(evidence, truth, mask)
    assert voxel_auc(-evidence, truth, mask) == pytest.approx(1 - found)
    assert voxel_auc(np.exp(3 * evidence), truth, mask) == pytest.approx(found)
    assert voxel_auc(np.ones(500), truth, mask) == 0.5
    assert voxel_auc(truth.astype(float), truth, mask) == 1


def test_a_truth_or_mask_one_voxel_off_changes_the_area():
    truth = np.arange(40) // 5 % 2 == 1
    mask = np.arange(40) > 7
    evidence = truth * 1.0 + np.linspace(0, 0.5, 40)
    right = voxel_auc(evidence, truth, mask)
    assert voxel_auc(evidence, np.roll(truth, 1), mask) != pytest.approx(right)
    noisy = evidence + np.random.default_rng(0).normal(0, 1, 40)
    right = voxel_auc(noisy, truth, mask)
    assert voxel_auc(noisy, truth, np.roll(mask, 1)) != pytest.approx(right)


def test_swapped_arguments_of_the_area_are_refused():
    truth = np.arange(20) > 14
    evidence, mask = np.arange(20) / 20, np.arange(20) > 2
    with pytest.raises(InputError, match="is a mask"):
        voxel_auc(truth, evidence, mask)
    with pytest.raises(InputError, match="not bool"):
        voxel_auc(evidence, evidence, mask)
    with pytest.raises(InputError, match="not bool"):
        voxel_auc(mask, truth, evidence)
    with pytest.raises(InputError, match="5 of 5 voxels of the mask are true"):
        voxel_auc(evidence, mask, truth)


def test_a_mask_without_change_has_no_area():
    truth = np.arange(20) > 14
    evidence = np.arange(20) / 20
    with pytest.raises(InputError, match="0 of 15"):
        voxel_auc(evidence, truth, ~truth)
    with pytest.raises(InputError, match="truth, of shape"):
        voxel_auc(evidence, truth & ~truth, truth)
    with pytest.raises(GridMismatchError):
        voxel_auc(evidence, truth[1:], ~truth)
