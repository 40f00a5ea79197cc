"""Who trains and who tests; a subject never does both."""

from __future__ import annotations

from collections.abc import Sequence

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
    if not 2 <= n <= len(people):
        raise InputError(
            f"{n} folds of {len(people)} subjects.",
            fix="Take at least 2 folds, and no more than there are subjects.",
        )
    drawn = _shuffled(people, seed)
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
