import pytest

from mitame.core.errors import InputError
from mitame.evaluate.splits import even_folds, subject_folds, subject_split

PEOPLE = [f"sub{n:02}" for n in range(11)]


def test_every_subject_is_on_one_side():
    train, test = subject_split(PEOPLE, test=4, seed=0)
    assert len(train) == 7
    assert len(test) == 4
    assert sorted(train + test) == PEOPLE


def test_a_subject_with_many_scans_never_crosses():
    scans = PEOPLE * 3 + ["sub00"] * 20
    for seed in range(20):
        train, test = subject_split(scans, test=4, seed=seed)
        assert not set(train) & set(test)
        assert len(train) == 7
        assert len(test) == 4


def test_the_split_depends_on_the_seed_and_not_on_order_or_scans():
    one = subject_split(PEOPLE, test=4, seed=3)
    assert subject_split(PEOPLE[::-1] + PEOPLE[:5], test=4, seed=3) == one
    assert len({subject_split(PEOPLE, test=4, seed=seed) for seed in range(9)}) > 5


def test_everybody_is_drawn_to_test_equally_often():
    counts = dict.fromkeys(PEOPLE, 0)
    for seed in range(660):
        for subject in subject_split(PEOPLE, test=1, seed=seed)[1]:
            counts[subject] += 1
    assert min(counts.values()) > 35
    assert max(counts.values()) < 90


@pytest.mark.parametrize("test", [0, -1, 11, 12])
def test_a_side_without_subjects_is_refused(test):
    with pytest.raises(InputError, match=f"{test} of 11 subjects"):
        subject_split(PEOPLE * 2, test=test, seed=0)


@pytest.mark.parametrize("n", [2, 3, 11])
def test_every_subject_is_tested_on_in_one_fold(n):
    folds = subject_folds(PEOPLE * 2, n, seed=1)
    assert len(folds) == n
    assert sorted(subject for _, test in folds for subject in test) == PEOPLE
    for train, test in folds:
        assert sorted(train + test) == PEOPLE
        assert 11 // n <= len(test) <= 11 // n + 1


def test_folds_are_drawn():
    assert subject_folds(PEOPLE, 3, 5) == subject_folds(PEOPLE[::-1], 3, 5)
    assert subject_folds(PEOPLE, 3, 5) != subject_folds(PEOPLE, 3, 6)


@pytest.mark.parametrize("n", [-1, 0, 1, 12])
def test_more_folds_than_subjects_or_less_than_two_are_refused(n):
    with pytest.raises(InputError, match=f"{n} folds of 11"):
        subject_folds(PEOPLE, n, seed=0)


@pytest.mark.parametrize("bad", ["sub01", ["a", "", "b"], ["a", None, "b"], []])
def test_what_is_no_list_of_subjects_is_refused(bad):
    with pytest.raises(InputError):
        subject_split(bad, test=1, seed=0)
    with pytest.raises(InputError):
        subject_folds(bad, 2, seed=0)


def test_every_fold_has_its_share_of_every_kind():
    kinds = {who: "ab"[n < 4] for n, who in enumerate(PEOPLE)}
    folds = even_folds(kinds, 3, seed=2)
    assert sorted(who for _, test in folds for who in test) == PEOPLE
    for train, test in folds:
        assert sorted(train + test) == PEOPLE
        assert [kinds[who] for who in test].count("b") in (1, 2)
        assert [kinds[who] for who in test].count("a") in (2, 3)
    assert even_folds(kinds, 3, seed=3) != folds


def test_more_even_folds_than_subjects_are_refused():
    with pytest.raises(InputError, match="12 folds of 11"):
        even_folds(dict.fromkeys(PEOPLE, "a"), 12, seed=0)
