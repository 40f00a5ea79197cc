"""How well classifiers, trained anew, still tell two groups of scans apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score, log_loss, make_scorer
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from mitame.core.errors import InputError, MetadataError
from mitame.core.session import Session
from mitame.evaluate import network
from mitame.evaluate.features import SPACING_MM, features
from mitame.evaluate.splits import even_folds

Groups = tuple[Sequence[Session], Sequence[Session]]
"""Scans of group 0, say harmonized, and of group 1, say real scans of the target."""

INVERSE_PENALTIES = np.logspace(-4, 0, 5)
"""Strongest first; beyond the last, a hundred features fit two dozen scans exactly."""

MOST_FOLDS = 5
LEAST_SUBJECTS = 3
"""In each group, to train on; with fewer the penalty cannot be chosen."""


@dataclass(frozen=True, slots=True)
class SiteAccuracy:
    """Balanced accuracy on unseen subjects, 0 to 1; 0.5 is chance.

    Parameters
    ----------
    linear : float
        Of a linear model of histogram, texture and place.
    network : float
        Of a small 3-D network.
    """

    linear: float
    network: float

    @property
    def worse(self) -> float:
        """The higher of both: the one that counts."""
        return max(self.linear, self.network)


def site_accuracy(
    train: Groups,
    test: Groups,
    *,
    seed: int,
    spacing: float = SPACING_MM,
    training: network.Training | None = None,
) -> SiteAccuracy:
    """Return how often two classifiers name the group of an unseen subject.

    Both are trained from scratch on `train`. They see brains only, on a grid of the
    template: tone, texture and place remain, the voxel size does not.

    Parameters
    ----------
    train, test : pair of sequences of Session
        Group 0 and group 1, prepared alike: brain mask, `to_template`, white-matter
        medians, the same sequences. A subject may be in both groups, and have many
        scans, but cannot be in both `train` and `test`.
    seed : int
        Of the folds that choose the linear model's penalty, and of the network.
    spacing : float
        Of the grid of the linear model's features, mm.
    training : Training, optional
        Of the network; the defaults of `network.Training`.

    Raises
    ------
    MetadataError
        If a scan has no subject.
    InputError
        If a subject is in both, a group is too small, or sequences differ.
    """
    _require_apart(train, test)
    _require_subjects(train, LEAST_SUBJECTS, "train")
    _require_subjects(test, 1, "test")
    _require_same_sequences([*train[0], *train[1], *test[0], *test[1]])
    training = training or network.Training()
    return SiteAccuracy(
        linear=linear_accuracy(train, test, seed=seed, spacing=spacing),
        network=network_accuracy(train, test, seed=seed, training=training),
    )


def crossed_accuracy(
    groups: Groups, *, n_folds: int, seed: int, training: network.Training | None = None
) -> SiteAccuracy:
    """Return the mean accuracy over folds in which every subject is unseen once.

    Parameters
    ----------
    groups : pair of sequences of Session
        As `train` of `site_accuracy`.
    n_folds : int
        How many; both classifiers are trained anew for each.
    seed, training
        As in `site_accuracy`.

    Raises
    ------
    MetadataError
        If a scan has no subject.
    InputError
        If a group is too small, or sequences differ.
    """
    one, other = (_subjects(group) for group in groups)
    kinds = {who: f"{who in one} {who in other}" for who in one | other}
    found = [
        site_accuracy(
            _only(groups, train), _only(groups, test), seed=seed, training=training
        )
        for train, test in even_folds(kinds, n_folds, seed)
    ]
    return SiteAccuracy(
        linear=float(np.mean([fold.linear for fold in found])),
        network=float(np.mean([fold.network for fold in found])),
    )


def _only(groups: Groups, subjects: Sequence[str]) -> Groups:
    """Return the scans of some subjects."""
    one, other = ([s for s in group if s.subject in subjects] for group in groups)
    return one, other


def linear_accuracy(
    train: Groups, test: Groups, *, seed: int, spacing: float = SPACING_MM
) -> float:
    """Return the balanced accuracy of logistic regression on `features`.

    The penalty is the one with the least loss on subjects left out of training.
    Parameters are those of `site_accuracy`.
    """
    scans, group = _stacked(train)
    seen = np.stack([features(scan, spacing=spacing) for scan in scans])
    model = _penalized(train, seed)
    model.fit(seen, group, groups=[scan.subject for scan in scans])
    unseen, truth = _stacked(test)
    found = model.predict(np.stack([features(s, spacing=spacing) for s in unseen]))
    return float(balanced_accuracy_score(truth, found))


def network_accuracy(
    train: Groups, test: Groups, *, seed: int, training: network.Training
) -> float:
    """Return the balanced accuracy of the network; parameters as `site_accuracy`."""
    scans, group = _stacked(train)
    inputs = [network.network_input(scan, training.spacing) for scan in scans]
    trained = network.train(inputs, group, training=training, seed=seed)
    unseen, truth = _stacked(test)
    inputs = [network.network_input(scan, training.spacing) for scan in unseen]
    return float(balanced_accuracy_score(truth, trained.predict(inputs)))


def _penalized(train: Groups, seed: int) -> GridSearchCV:
    """Return an unfitted linear model that chooses its penalty over subjects."""
    n = min(MOST_FOLDS, *(len(_subjects(group)) for group in train))
    logistic = LogisticRegression(class_weight="balanced", max_iter=5000)
    return GridSearchCV(
        Pipeline([("scale", StandardScaler()), ("logistic", logistic)]),
        {"logistic__C": INVERSE_PENALTIES},
        # A fold may hold one group only, so the loss must be told of both.
        scoring=make_scorer(
            log_loss,
            response_method="predict_proba",
            greater_is_better=False,
            labels=[0, 1],
        ),
        cv=StratifiedGroupKFold(n, shuffle=True, random_state=seed),
        error_score="raise",
    )


def _stacked(groups: Groups) -> tuple[list[Session], NDArray[np.intp]]:
    """Return all scans and which group each is of."""
    scans = [*groups[0], *groups[1]]
    return scans, np.repeat([0, 1], [len(groups[0]), len(groups[1])])


def _subjects(scans: Sequence[Session]) -> set[str]:
    subjects = {scan.subject for scan in scans if scan.subject}
    if len(scans) and not all(scan.subject for scan in scans):
        raise MetadataError(
            f"{sum(not scan.subject for scan in scans)} of {len(scans)} scans have no "
            "subject.",
            fix="Name the subject of every scan, or nobody knows who crosses.",
        )
    return subjects


def _require_apart(train: Groups, test: Groups) -> None:
    learned = _subjects([*train[0], *train[1]])
    both = sorted(learned & _subjects([*test[0], *test[1]]))
    if both:
        raise InputError(
            f"{len(both)} subjects train and test: {', '.join(both[:5])}.",
            fix="Split with `splits.subject_split`.",
        )


def _require_subjects(groups: Groups, least: int, name: str) -> None:
    sizes = [len(_subjects(group)) for group in groups]
    if min(sizes) < least:
        raise InputError(
            f"The groups to {name} on have {sizes[0]} and {sizes[1]} subjects.",
            fix=f"Give at least {least} in each.",
        )


def _require_same_sequences(scans: Sequence[Session]) -> None:
    kinds = {tuple(sorted(scan)) for scan in scans}
    if len(kinds) > 1:
        raise InputError(
            f"The scans have different sequences: {sorted(kinds)}.",
            fix="Keep what all of them have.",
        )
