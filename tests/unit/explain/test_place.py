import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mitame.core.errors import ImplausibleError, InputError
from mitame.explain.place import find_place

SIZE = (24, 24, 24)
PLACES = np.indices(SIZE, np.float32)


def ball(center, radius):
    away = np.linalg.norm(PLACES.T - np.array(center, float), axis=-1).T
    return away <= radius


HEAD = ball((11.5, 11.5, 11.5), 11)
PLANTED = ball((8, 15, 12), 3.2)[HEAD]
ANATOMY = (0.6 + 0.4 * (np.sin(PLACES[0] / 2) * np.cos(PLACES[1] / 3) > 0))[HEAD]
MODE = np.exp(-(((PLACES[2] - 4) / 9) ** 2))[HEAD]


def people(n, seed):
    """Return images (n, p) with a gain, a mode and smooth noise of their own."""
    rng = np.random.default_rng(seed)
    noise = [gaussian_filter(rng.normal(size=SIZE), 0.7)[HEAD] * 0.25 for _ in range(n)]
    gain = 1 + 0.05 * rng.normal(size=(n, 1)) + 0.1 * rng.normal(size=(n, 1)) * MODE
    return (ANATOMY * gain + noise).astype(np.float32)


@pytest.fixture(scope="module")
def groups():
    source, target = people(14, seed=1), people(14, seed=2)
    target[:, PLANTED] += 0.15
    return source, target


@pytest.fixture(scope="module")
def found(groups):
    return find_place(*groups, HEAD, seed=0, permutations=60)


def overlap(support, truth):
    return 2 * (support & truth).sum() / (support.sum() + truth.sum())


def test_a_planted_ball_is_found(found):
    assert overlap(found.support, PLANTED) > 0.85
    assert found.chance <= 0.05
    assert np.isfinite(found.threshold)


def test_the_difference_has_the_unit_of_the_images(found):
    assert found.sparse[PLANTED & found.support].mean() == pytest.approx(0.15, abs=0.03)
    assert not found.sparse[~found.support].any()


def test_the_support_is_where_the_strength_reaches_the_threshold(found):
    np.testing.assert_array_equal(
        found.support, np.abs(found.strength) >= found.threshold
    )


def test_the_t_map_is_students(groups, found):
    from scipy.stats import ttest_ind

    t, _ = ttest_ind(groups[1], groups[0])
    np.testing.assert_allclose(found.t, t, atol=1e-3)


def test_groups_swapped_is_the_sign_swapped(groups, found):
    source, target = groups
    swapped = find_place(target, source, HEAD, seed=0, permutations=60)
    np.testing.assert_allclose(swapped.strength, -found.strength, atol=2e-2)
    np.testing.assert_allclose(swapped.low_rank, -found.low_rank, atol=2e-3)
    assert overlap(swapped.support, found.support) > 0.9
    assert swapped.sparse[PLANTED].sum() < 0 < found.sparse[PLANTED].sum()


def test_the_same_seed_gives_the_same(groups, found):
    again = find_place(*groups, HEAD, seed=0, permutations=60)
    np.testing.assert_array_equal(again.support, found.support)
    assert again.threshold == found.threshold


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_nothing_is_found_between_halves_of_a_group(seed):
    everyone = people(28, seed)
    found = find_place(everyone[:14], everyone[14:], HEAD, seed=0, permutations=40)
    assert not found.support.any()
    assert found.threshold == np.inf
    assert not found.sparse.any()


@pytest.mark.parametrize(
    "change",
    [
        lambda image: 1.05 * image,
        lambda image: np.maximum(image, 0.01) ** 1.15,
        lambda image: image * (1 + 0.1 * PLACES[1][HEAD] / 24),
        lambda image: image + 0.1 * ANATOMY * MODE,
    ],
    ids=["gain", "tone", "shading", "mode of the people"],
)
def test_what_differs_everywhere_is_no_place(change):
    source, target = people(14, seed=1), change(people(14, seed=2))
    found = find_place(source, target, HEAD, seed=0, permutations=40)
    assert found.support.mean() < 0.005
    assert np.abs(found.low_rank).mean() > 0.01


def test_a_place_is_found_under_another_scanners_look(groups):
    source, target = groups
    other = np.maximum(1.05 * target, 0.01) ** 1.1
    found = find_place(source, other, HEAD, seed=0, permutations=40)
    assert overlap(found.support, PLANTED) > 0.75


def test_a_lesion_of_one_subject_is_not_in_the_map_of_the_group():
    source, target = people(14, seed=1), people(14, seed=2)
    target[3, PLANTED] += 2.0
    found = find_place(source, target, HEAD, seed=0, permutations=40)
    assert not found.support[PLANTED].any()


def test_voxels_that_do_not_vary_are_left_out(groups):
    source, target = (group.copy() for group in groups)
    still = ball((16, 6, 12), 3)[HEAD]
    source[:, still] = target[:, still] = 0.5
    found = find_place(source, target, HEAD, seed=0, permutations=40)
    for part in (found.t, found.sparse, found.low_rank, found.strength):
        assert np.isfinite(part).all()
    assert not found.t[still].any()
    assert not found.support[still].any()
    assert overlap(found.support, PLANTED) > 0.8


def test_nothing_is_found_where_nothing_varies():
    still = np.full((6, int(HEAD.sum())), 0.7, np.float32)
    found = find_place(still, still + 0.1, HEAD, seed=0, permutations=20)
    assert not found.support.any()
    assert not found.t.any()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target": np.ones((9, 5))}, "voxels"),
        ({"source": np.ones(int(HEAD.sum()))}, "voxels"),
        ({"mask": HEAD[0]}, "mask"),
        ({"mask": np.zeros(SIZE, bool)}, "0 voxels"),
        ({"source": np.ones((4, int(HEAD.sum())))}, "4 subjects"),
        ({"permutations": 10}, "10 permutations"),
    ],
)
def test_what_cannot_be_compared_is_refused(groups, change, words):
    given = {"source": groups[0], "target": groups[1], "mask": HEAD} | change
    given = {"seed": 0, "permutations": 20} | given
    with pytest.raises(InputError, match=words) as error:
        find_place(given.pop("source"), given.pop("target"), given.pop("mask"), **given)
    assert error.value.fix


def test_intensities_that_are_not_numbers_are_refused(groups):
    broken = groups[0].copy()
    broken[0, 0] = np.nan
    with pytest.raises(ImplausibleError, match="1 intensities"):
        find_place(broken, groups[1], HEAD, seed=0, permutations=20)


def test_the_groups_stay_as_they_are(groups):
    before = [group.copy() for group in groups]
    find_place(*groups, HEAD, seed=0, permutations=20)
    for one, other in zip(before, groups, strict=True):
        np.testing.assert_array_equal(one, other)
