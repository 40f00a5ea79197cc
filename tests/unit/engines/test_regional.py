import numpy as np
import pytest

from mitame.engines.regional import BIN, QUANTILES, matched_quantiles


def as_is(_, x):
    return x


def cloud(seed, *, n=20_000, tone=as_is):
    """Return random tissue in a box of 60 mm."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 60, (n, 3)).astype(np.float32)
    return place, tone(place, rng.uniform(0.2, 1.2, n)).astype(np.float32)


def test_equal_groups_are_matched_with_themselves():
    match = matched_quantiles([cloud(0)], [cloud(0)], spacing=12.0)
    np.testing.assert_array_equal(match.source, match.target)


def test_quantiles_of_two_groups_follow_the_tone_curve_between_them():
    source = [cloud(n) for n in range(3)]
    target = [cloud(n, tone=lambda _, x: 0.3 + 0.5 * x) for n in range(3, 6)]
    match = matched_quantiles(source, target, spacing=12.0)
    np.testing.assert_allclose(match.target, 0.3 + 0.5 * match.source, atol=2 * BIN)


def test_the_match_knows_where_it_is():
    source = [cloud(0)]
    target = [cloud(1, tone=lambda place, x: x * (1 + place[:, 0] / 120))]
    match = matched_quantiles(source, target, spacing=12.0)
    ratio = match.target / match.source
    expected = 1 + match.place[:, 0] / 120
    middle = (match.place[:, 0] > 15) & (match.place[:, 0] < 45)
    assert np.median(np.abs(ratio - expected)[middle]) < 0.03


def test_every_subject_counts_the_same():
    large, small = cloud(0, n=40_000), cloud(1, n=4_000, tone=lambda _, x: x + 1)
    match = matched_quantiles([large, small], [cloud(2)], spacing=30.0)
    median = match.source.reshape(-1, len(QUANTILES))[:, len(QUANTILES) // 2]
    np.testing.assert_allclose(median, 1.2, atol=0.05)


@pytest.mark.parametrize("n_target", [2_000, 20_000])
def test_the_weight_is_how_much_the_poorer_group_has_there(n_target):
    match = matched_quantiles([cloud(0)], [cloud(1, n=n_target)], spacing=12.0)
    assert match.weight.sum() <= n_target
    assert match.weight.sum() > 0.5 * n_target


def test_a_place_that_only_one_group_has_is_not_matched():
    place, values = cloud(0)
    half = place[:, 0] < 20
    match = matched_quantiles(
        [(place, values)], [(place[half], values[half])], spacing=5.0
    )
    assert match.place[:, 0].max() < 45
