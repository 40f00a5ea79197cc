"""Who trains and who tests; a subject never does both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mitame.core.errors import InputError

Split = tuple[tuple[str, ...], tuple[str, ...]]
"""The subjects to train on and those to test on, each sorted."""


def subject_split(subjects: Sequence[str], *, test: int, seed: int) -> Split:
    """Return the subjects to train on and those to test on.

    Parameters
    ----------
    subjects : sequence of str
        BIDS labels, one per scan or one per subject: a subject that comes twice is
        one subject. Their order does not matter.
    test : int
        How many subjects to test on, >= 1; at least one stays to train on.
    seed : int
        Of the draw.

    Raises
    ------
    InputError
        If there are too few subjects.
    """
    people = _people(subjects)
    if not 1 <= test < len(people):
        raise InputError(
            f"{test} of {len(people)} subjects to test on.",
            fix="Leave at least one to test on and one to train on.",
        )
    drawn = _shuffled(people, seed)
    return tuple(sorted(drawn[test:])), tuple(sorted(drawn[:test]))


def subject_folds(subjects: Sequence[str], n: int, seed: int) -> tuple[Split, ...]:
    """Return `n` splits in which every subject is tested on once.

    Parameters
    ----------
    subjects : sequence of str
        As in `subject_split`.
    n : int
        How many folds, >= 2; their sizes differ by at most one subject.
    seed : int
        Of the draw.

    Raises
    ------
    InputError
        If there are fewer subjects than folds, or fewer than 2 folds.
    """
    people = _people(subjects)
    _require_folds(n, people)
    return _dealt(people, _shuffled(people, seed), n)


def even_folds(kinds: Mapping[str, str], n: int, seed: int) -> tuple[Split, ...]:
    """Return `n` splits as `subject_folds`, each with its share of every kind.

    Parameters
    ----------
    kinds : mapping of str to str
        What every subject is, say which groups it is in.
    n, seed
        As in `subject_folds`.

    Raises
    ------
    InputError
        As `subject_folds`.
    """
    people = _people(list(kinds))
    _require_folds(n, people)
    # Dealt one by one, kind after kind, no fold gets two more of a kind than another.
    drawn = sorted(_shuffled(people, seed), key=lambda subject: kinds[subject])
    return _dealt(people, drawn, n)


def _require_folds(n: int, people: Sequence[str]) -> None:
    if not 2 <= n <= len(people):
        raise InputError(
            f"{n} folds of {len(people)} subjects.",
            fix="Take at least 2 folds, and no more than there are subjects.",
        )


def _dealt(people: Sequence[str], drawn: Sequence[str], n: int) -> tuple[Split, ...]:
    """Return a split for each of the `n` tests that people are dealt into."""
    tests = [drawn[first::n] for first in range(n)]
    return tuple(
        (tuple(sorted(set(people) - set(test))), tuple(sorted(test))) for test in tests
    )


def _people(subjects: Sequence[str]) -> list[str]:
    """Return every subject once, sorted."""
    if isinstance(subjects, str):
        raise InputError(
            f"{subjects!r} is one name, not a list.", fix="Give a list of subjects."
        )
    unnamed = sum(not subject for subject in subjects)
    if unnamed:
        raise InputError(
            f"{unnamed} of {len(subjects)} scans have no subject.",
            fix="Name the subject of every scan, or nobody knows who crosses.",
        )
    return sorted(set(subjects))


def _shuffled(people: list[str], seed: int) -> list[str]:
    order = np.random.default_rng(seed).permutation(len(people))
    return [people[position] for position in order]
