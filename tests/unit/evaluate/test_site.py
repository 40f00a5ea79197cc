from dataclasses import replace
from zlib import crc32

import numpy as np
import pytest

from mitame.core.errors import InputError, MetadataError
from mitame.core.volume import Step
from mitame.evaluate.network import Training
from mitame.evaluate.site import (
    SiteAccuracy,
    crossed_accuracy,
    linear_accuracy,
    site_accuracy,
)
from mitame.testing.phantom import head_grid, phantom_session

COARSE = {"spacing": 4.0, "training": Training(spacing=5.0, epochs=20)}
WHITE = 800.0


def scans(names, *, gain=1.0, noise=30.0, suffixes=("T1w",)):
    """Phantoms in white-matter medians, each person a little brighter or darker."""
    made = []
    for name in names:
        seed = crc32(name.encode())
        own = 1 + 0.02 * np.random.default_rng(seed).normal()
        session = phantom_session(
            head_grid(6.0),
            suffixes=suffixes,
            gain=gain * own / WHITE,
            noise=noise,
            seed=seed,
        )
        made.append(replace(session, subject=name))
    return made


def people(prefix, n):
    return [f"{prefix}{number:02}" for number in range(n)]


def cohort(n_train=8, n_test=5, seed=0, **scanner):
    """Two groups of other people; the second on another scanner."""
    train = (scans(people(f"a{seed}", n_train)), scans(people(f"b{seed}", n_train)))
    test = (scans(people(f"c{seed}", n_test)), scans(people(f"d{seed}", n_test)))
    if scanner:
        train = train[0], scans(people(f"b{seed}", n_train), **scanner)
        test = test[0], scans(people(f"d{seed}", n_test), **scanner)
    return train, test


@pytest.mark.parametrize("scanner", [{"gain": 1.2}, {"noise": 60.0}], ids=str)
def test_another_tone_or_noise_is_recognized_by_both(scanner):
    found = site_accuracy(*cohort(**scanner), seed=0, **COARSE)
    assert found.linear >= 0.95
    assert found.network >= 0.95


def test_everybody_is_unseen_once(monkeypatch):
    folds, seen = [], []

    def watched(train, test, **_):
        for group in (0, 1):
            names = [{scan.subject for scan in part[group]} for part in (train, test)]
            assert not names[0] & names[1]
        folds.append(train)
        seen.extend(scan.subject for group in test for scan in group)
        return SiteAccuracy(linear=len(folds) / 4, network=0.5)

    monkeypatch.setattr("mitame.evaluate.site.site_accuracy", watched)
    groups = (scans(["a", "b", "c", "d"]), scans(["c", "d", "e", "f", "g"]))
    found = crossed_accuracy(groups, n_folds=2, seed=0)
    assert sorted(seen) == sorted("abcdcdefg")
    assert found == SiteAccuracy(linear=0.375, network=0.5)


@pytest.mark.slow
def test_one_scanner_cannot_be_told_from_itself():
    found = [
        site_accuracy(*cohort(n_test=10, seed=seed), seed=seed, **COARSE)
        for seed in range(4)
    ]
    for one in found:
        assert min(one.linear, one.network) >= 0.2
        assert one.worse <= 0.8
    assert np.mean([one.linear for one in found]) == pytest.approx(0.5, abs=0.2)
    assert np.mean([one.network for one in found]) == pytest.approx(0.5, abs=0.2)


def test_an_effect_in_one_place_is_recognized_by_the_linear_model():
    def dimmed(sessions):
        slope = np.linspace(0.9, 1.1, 30)[:, None, None]
        return [
            s.with_data({"T1w": s["T1w"].data * slope}, Step("dim")) for s in sessions
        ]

    train, test = cohort()
    train, test = (train[0], dimmed(train[1])), (test[0], dimmed(test[1]))
    assert linear_accuracy(train, test, seed=0, spacing=4.0) >= 0.95


def test_groups_in_the_other_order_are_told_apart_as_well():
    train, test = cohort(gain=1.2)
    assert site_accuracy(train[::-1], test[::-1], seed=0, **COARSE).worse >= 0.95


def test_groups_that_are_swapped_for_the_test_are_named_wrongly():
    train, test = cohort(gain=1.2)
    assert site_accuracy(train, test[::-1], seed=0, **COARSE).worse <= 0.05


def test_accuracy_is_balanced():
    train, test = cohort(n_test=2)
    plenty = scans(people("e", 12))
    found = linear_accuracy(train, (test[0] + plenty, test[1]), seed=0, spacing=4.0)
    # Each scan of the small group is worth 1/4, each of the other 1/28.
    assert any(
        found == pytest.approx(a / 4 + b / 28) for a in range(3) for b in range(15)
    )


def test_the_seed_decides_and_torch_keeps_its_state():
    import torch

    groups = cohort(n_train=4, n_test=3)
    state = torch.get_rng_state()
    one = site_accuracy(*groups, seed=7, **COARSE)
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(5)
    assert site_accuracy(*groups, seed=7, **COARSE) == one


def test_all_sequences_are_looked_at():
    both = ("T1w", "FLAIR")
    train = [scans(people(p, 6), suffixes=both) for p in "ab"]
    test = [scans(people(p, 4), suffixes=both) for p in "cd"]
    for groups in (train, test):
        groups[1] = [
            s.with_data(
                {"T1w": s["T1w"].data, "FLAIR": 1.2 * s["FLAIR"].data}, Step("tone")
            )
            for s in groups[1]
        ]
    assert site_accuracy(train, test, seed=0, **COARSE).worse >= 0.95


def test_the_higher_accuracy_counts():
    assert SiteAccuracy(linear=0.6, network=0.8).worse == 0.8
    assert SiteAccuracy(linear=0.9, network=0.8).worse == 0.9


def test_a_subject_may_be_scanned_on_both_scanners():
    names, others = people("a", 5), people("b", 3)
    train = scans(names), scans(names, gain=1.3)
    test = scans(others), scans(others, gain=1.3)
    assert linear_accuracy(train, test, seed=0, spacing=4.0) >= 0.95


def test_a_subject_who_trains_and_tests_is_refused():
    train, test = cohort(n_train=3, n_test=2)
    for leaked in [(train[0][:1], test[1]), (test[0], train[0][1:2])]:
        with pytest.raises(InputError, match="1 subjects train and test: a0"):
            site_accuracy(train, leaked, seed=0)


def test_scans_without_a_subject_are_refused():
    train, test = cohort(n_train=3, n_test=2)
    nameless = [replace(test[0][0], subject=None)]
    with pytest.raises(MetadataError, match="1 of 3 scans have no subject"):
        site_accuracy(train, (nameless, test[1]), seed=0)


def test_groups_that_are_too_small_are_refused():
    train, test = cohort(n_train=3, n_test=2)
    with pytest.raises(InputError, match="train on have 3 and 2 subjects"):
        site_accuracy((train[0], train[1][:2] * 5), test, seed=0)
    with pytest.raises(InputError, match="test on have 0 and 2 subjects"):
        site_accuracy(train, ([], test[1]), seed=0)


def test_scans_of_other_sequences_are_refused():
    train, test = cohort(n_train=3, n_test=2)
    other = scans(["z"], suffixes=("T2w",))
    with pytest.raises(InputError, match="different sequences"):
        site_accuracy(train, (other, test[1]), seed=0)


@pytest.mark.parametrize("missing", ["brain", "to_template"])
def test_scans_that_are_not_prepared_are_refused(missing):
    train, test = cohort(n_train=3, n_test=2)
    bare = [replace(test[0][0], **{missing: None})]
    with pytest.raises(InputError, match="Apply `prepare"):
        site_accuracy(train, (bare, test[1]), seed=0, **COARSE)
