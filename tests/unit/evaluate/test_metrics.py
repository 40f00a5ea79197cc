import json
import math

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from mitame.core.errors import GridMismatchError, InputError
from mitame.evaluate import metrics

SHAPE = (14, 15, 16)
AGAINST_TRUTH = [metrics.psnr, metrics.ssim, metrics.mae, metrics.wasserstein]


def rolled(mask):
    return np.roll(mask, 1, axis=0)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def truth(rng):
    slope = np.linspace(0.2, 1.2, SHAPE[0])[:, None, None]
    return slope + rng.normal(0, 0.05, SHAPE)


@pytest.fixture
def image(truth, rng):
    worse = np.linspace(0.0, 0.3, SHAPE[0])[:, None, None]
    return truth + worse + rng.normal(0, 0.02, SHAPE)


@pytest.fixture
def mask():
    mask = np.zeros(SHAPE, bool)
    mask[3:10, 4:12, 4:12] = True
    return mask


def test_an_error_of_a_tenth_everywhere_is_twenty_decibel():
    truth = np.array([0.5, 1.0, 7.0])
    assert metrics.psnr(truth + 0.1, truth, np.ones(3, bool)) == pytest.approx(20)


def test_psnr_takes_the_root_mean_square_of_what_is_in_the_mask():
    image, truth = np.array([0.3, 0.4, 99.0]), np.zeros(3)
    expected = -10 * math.log10((0.09 + 0.16) / 2)
    mask = np.array([True, True, False])
    assert metrics.psnr(image, truth, mask) == pytest.approx(expected)


def test_psnr_of_an_equal_image_can_be_written_as_json(truth, mask):
    best = metrics.psnr(truth, truth, mask)
    assert json.loads(json.dumps(best, allow_nan=False)) == metrics.HIGHEST_PSNR


def test_psnr_never_jumps_at_its_ceiling():
    truth, mask = np.zeros(4), np.ones(4, bool)
    assert metrics.psnr(truth + 1.001e-6, truth, mask) == pytest.approx(120, abs=0.01)


def test_one_voxel_far_off_counts_in_the_mae():
    image = np.zeros((2, 2, 1))
    image[0, 0] = 4.0
    found = metrics.mae(image, np.zeros((2, 2, 1)), np.ones((2, 2, 1), bool))
    assert found == pytest.approx(1.0)  # the median is 0


def test_mae_is_the_mean_of_the_absolute_errors_in_the_mask():
    image, truth = np.array([1.0, 2.0, 3.0, 50.0]), np.array([2.0, 0.0, 3.0, 0.0])
    mask = np.array([True, True, True, False])
    assert metrics.mae(image, truth, mask) == pytest.approx(1.0)


def test_wasserstein_is_the_mean_distance_of_sorted_values():
    image, truth = np.array([3.0, 0.0, 1.0]), np.array([5.0, 1.0, 6.0])
    assert metrics.wasserstein(image, truth, np.ones(3, bool)) == pytest.approx(8 / 3)


def test_wasserstein_does_not_see_where_the_values_lie(image, mask, rng):
    mixed = image.copy()
    mixed[mask] = rng.permutation(image[mask])
    assert metrics.wasserstein(mixed, image, mask) == pytest.approx(0, abs=1e-12)


def test_ssim_of_two_flat_images_is_their_likeness_of_level(mask):
    one, other = np.full(SHAPE, 1.0), np.full(SHAPE, 0.5)
    c1 = 0.01**2
    expected = (2 * 1.0 * 0.5 + c1) / (1.0**2 + 0.5**2 + c1)
    assert metrics.ssim(one, other, mask) == pytest.approx(expected)


def test_ssim_is_exactly_the_window_it_says(rng):
    truth, image = rng.uniform(0, 1, (2, 11, 11, 11))
    mask = np.ones(truth.shape, bool)
    axis = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
    window = axis[:, None, None] * axis[:, None] * axis / axis.sum() ** 3
    mx, my = (window * image).sum(), (window * truth).sum()
    vx, vy = (window * (image - mx) ** 2).sum(), (window * (truth - my) ** 2).sum()
    vxy = (window * (image - mx) * (truth - my)).sum()
    c1, c2 = 0.01**2, 0.03**2
    center = (2 * mx * my + c1) * (2 * vxy + c2)
    center /= (mx**2 + my**2 + c1) * (vx + vy + c2)
    seen = {}

    def spy(*args, **kwargs):
        seen["full"] = structural_similarity(*args, **kwargs)
        return seen["full"]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "structural_similarity", spy)
        value = metrics.ssim(image, truth, mask)
    local = seen["full"][1]
    assert local[10, 10, 10] == pytest.approx(center)
    assert value == pytest.approx(local[5:16, 5:16, 5:16].mean())


def test_ssim_falls_with_noise(truth, mask, rng):
    noise = rng.normal(0, 1, SHAPE)
    found = [metrics.ssim(truth + a * noise, truth, mask) for a in (0, 0.02, 0.1, 1)]
    assert found[0] == pytest.approx(1)
    assert (np.diff(found) < 0).all()


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_what_lies_outside_the_mask_does_not_count(metric, image, truth, mask, rng):
    junk = np.where(mask, image, rng.uniform(0, 1000, SHAPE))
    other = np.where(mask, truth, -5.0)
    assert metric(junk, other, mask) == pytest.approx(metric(image, truth, mask))


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_image_and_truth_may_change_places(metric, image, truth, mask):
    assert metric(image, truth, mask) == pytest.approx(metric(truth, image, mask))


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_a_mask_one_voxel_off_is_noticed(metric, image, truth, mask):
    right = metric(image, truth, mask)
    assert metric(image, truth, rolled(mask)) != pytest.approx(right, rel=1e-3)


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_an_image_one_voxel_off_is_noticed(metric, image, truth, mask):
    right = metric(image, truth, mask)
    moved = np.roll(image, 1, axis=0)
    assert metric(moved, truth, mask) != pytest.approx(right, rel=1e-3)


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_a_mask_in_the_place_of_an_image_is_refused(metric, image, truth, mask):
    for swapped in [(image, mask, truth), (mask, truth, image), (mask, truth, mask)]:
        with pytest.raises(InputError, match=r"bool|is a mask"):
            metric(*swapped)


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_bad_input_is_refused(metric, image, truth, mask):
    with pytest.raises(GridMismatchError, match=r"\(13, 15, 16\)"):
        metric(image[1:], truth, mask)
    with pytest.raises(GridMismatchError):
        metric(image, truth[:, 1:], mask)
    with pytest.raises(InputError, match="marks no voxel"):
        metric(image, truth, np.zeros_like(mask))
    for bad in (np.nan, np.inf):
        broken = image.copy()
        broken[0, 0, 0] = bad
        with pytest.raises(InputError, match="1 of 3360"):
            metric(broken, truth, mask)
        with pytest.raises(InputError, match="1 of 3360"):
            metric(truth, broken, mask)


@pytest.mark.parametrize("metric", AGAINST_TRUTH)
def test_scores_are_plain_numbers_for_every_type_of_intensity(
    metric, image, truth, mask
):
    half = metric(image.astype(np.float32), truth.astype(np.float32), mask)
    assert type(half) is float
    assert half == pytest.approx(metric(image, truth, mask), rel=1e-4)


def test_the_share_of_the_gap_that_is_closed():
    assert metrics.gap_closed(10.0, 4.0, 2.0) == pytest.approx(0.75)


def test_the_gap_is_closed_at_the_rescan_open_at_the_source_and_wider_beyond():
    assert metrics.gap_closed(10, 2, 2) == 1
    assert metrics.gap_closed(10, 10, 2) == 0
    assert metrics.gap_closed(10, 18, 2) == -1


def test_swapped_errors_change_the_gap_or_are_refused():
    right = metrics.gap_closed(10.0, 4.0, 3.0)
    assert metrics.gap_closed(10.0, 3.0, 4.0) != pytest.approx(right)
    assert metrics.gap_closed(4.0, 10.0, 3.0) != pytest.approx(right)
    for swapped in [(3.0, 4.0, 10.0), (4.0, 3.0, 10.0), (3.0, 10.0, 4.0)]:
        with pytest.raises(InputError, match="no gap"):
            metrics.gap_closed(*swapped)


def test_no_gap_and_no_number_are_refused():
    with pytest.raises(InputError, match="2 is not above the rescan error 2"):
        metrics.gap_closed(2.0, 1.0, 2.0)
    with pytest.raises(InputError, match="harmonized error is nan"):
        metrics.gap_closed(2.0, math.nan, 1.0)


@pytest.fixture
def planted(rng):
    region = np.zeros(SHAPE, bool)
    region[4:8, 4:8, 4:8] = True
    return np.where(region, rng.uniform(0.1, 0.3, SHAPE), 0.0), region


@pytest.mark.parametrize("left", [1.0, 0.25, 0.0, -0.5])
def test_the_planted_residual_is_the_share_that_is_left(truth, planted, left):
    effect, region = planted
    found = metrics.planted_residual(truth + left * effect, truth, effect, region)
    assert found == pytest.approx(left)


def test_the_planted_residual_of_two_voxels_by_hand():
    harmonized, truth = np.array([1.3, 1.1, 9.0]), np.array([1.0, 1.2, 0.0])
    planted, region = np.array([0.1, 0.3, 5.0]), np.array([True, True, False])
    found = metrics.planted_residual(harmonized, truth, planted, region)
    assert found == pytest.approx(0.1 / 0.2)


def test_swapping_result_and_truth_turns_the_residual_around(truth, planted):
    effect, region = planted
    result = truth + 0.4 * effect
    right = metrics.planted_residual(result, truth, effect, region)
    turned = metrics.planted_residual(truth, result, effect, region)
    assert turned == pytest.approx(-right)
    other = metrics.planted_residual(result, effect, truth, region)
    assert other != pytest.approx(right)


def test_a_region_one_voxel_off_changes_the_residual(truth, planted):
    effect, region = planted
    leftover = np.linspace(0, 0.1, SHAPE[0])[:, None, None]
    right = metrics.planted_residual(truth + leftover, truth, effect, region)
    shifted = metrics.planted_residual(truth + leftover, truth, effect, rolled(region))
    assert shifted != pytest.approx(right, rel=1e-2)


def test_a_residual_of_nothing_is_refused(truth, planted):
    _, region = planted
    with pytest.raises(InputError, match="planted effect is 0"):
        metrics.planted_residual(truth, truth, np.zeros(SHAPE), region)


def test_two_of_three_subjects_are_nearest_to_themselves():
    distances = [[1.0, 2.0, 3.0], [2.0, 2.5, 9.0], [4.0, 5.0, 0.5]]
    assert metrics.person_kept(distances) == pytest.approx(2 / 3)


def test_rows_are_asked_and_not_columns():
    distances = np.array([[1.0, 2.0, 3.0], [0.5, 0.4, 9.0], [4.0, 0.3, 0.5]])
    assert metrics.person_kept(distances) == pytest.approx(2 / 3)
    assert metrics.person_kept(distances.T) == pytest.approx(1 / 3)


def test_nobody_is_kept_when_all_are_alike():
    assert metrics.person_kept(np.ones((4, 4))) == 0


def test_subjects_in_another_order_are_not_kept():
    distances = 1 - np.eye(5)
    assert metrics.person_kept(distances) == 1
    assert metrics.person_kept(np.roll(distances, 1, axis=1)) == 0


@pytest.mark.parametrize(
    "bad",
    [
        np.ones((2, 3)),
        np.ones((1, 1)),
        np.ones(4),
        np.diag([np.nan, 1.0]),
        np.array([[0.0, -1.0], [1.0, 0.0]]),
    ],
)
def test_what_is_no_table_of_distances_is_refused(bad):
    with pytest.raises(InputError):
        metrics.person_kept(bad)
