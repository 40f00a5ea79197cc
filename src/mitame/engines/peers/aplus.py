"""A+: adjusted anchored neighborhood regression."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mitame.engines.patchwise import Patchwise
from mitame.engines.patchwise.features import Rows
from mitame.solve.learn import learn_atoms

NEIGHBORS = 2048
"""Patches each anchor learns from [1]_."""

RIDGE = 0.1
"""Weight of the squared regression, patches having length 1 [1]_."""

ANCHOR_SAMPLES = 60_000
"""Patches the anchors are learned from."""

ANCHOR_PENALTY = 0.15
"""Of the anchors' codes, relative to the median length of a patch."""


class APlus(Patchwise):
    """A linear map for each anchor; a patch takes that of the anchor it is most like.

    Anchors are atoms of a dictionary of source patches. Each learns a ridge
    regression from the 2,048 training patches that are most like it, in either sign
    [1]_. What is regressed is what one linear map of all patches leaves (`PatchRidge`),
    as the original regresses what bicubic interpolation leaves. Theirs has patches
    from several scales of an image; ours has those of `Dictionary`.

    Parameters
    ----------
    n_anchors : int
        Of them.
    radius, target_radius, samples, seed
        See `Patchwise`.

    Attributes
    ----------
    anchors_ : array of float32, shape (n_anchors, d)
        Of length 1.
    maps_ : array of float32, shape (n_anchors, d, d_target)
        Of each anchor.

    References
    ----------
    .. [1] R. Timofte, V. De Smet, L. Van Gool, "A+: adjusted anchored neighborhood
       regression for fast super-resolution", ACCV 2014.
    """

    name: ClassVar[str] = "aplus"
    anchors_: Rows
    maps_: Rows

    def __init__(
        self,
        *,
        n_anchors: int = 512,
        radius: int = 2,
        target_radius: int = 1,
        samples: int = 180_000,
        seed: int = 0,
    ) -> None:
        super().__init__(
            radius=radius, target_radius=target_radius, samples=samples, seed=seed
        )
        self.n_anchors = n_anchors

    def learn(self, rows: Rows, left: Rows) -> None:
        """Learn the anchors, and the map of each."""
        given = self.features_.patches(rows)
        length = np.linalg.norm(given, axis=1, keepdims=True)
        self.anchors_ = learn_atoms(
            given[:: max(1, len(given) // ANCHOR_SAMPLES)],
            self.n_anchors,
            ANCHOR_PENALTY * float(np.median(length)),
            seed=self.seed,
        )
        length = np.maximum(length, np.finfo(np.float32).tiny)
        given, left = given / length, left / length
        self.maps_ = np.stack(
            [_map_around(anchor, given, left) for anchor in self.anchors_]
        )

    def found(self, rows: Rows) -> Rows:
        """Return the linear map of all, and that of the anchor."""
        given, added = self.features_.patches(rows), self.features_.linear(rows)
        nearest = np.abs(given @ self.anchors_.T).argmax(axis=1)
        for anchor in np.unique(nearest):
            some = nearest == anchor
            added[some] += given[some] @ self.maps_[anchor]
        return added

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return anchors and maps."""
        return {"anchors": self.anchors_, "maps": self.maps_}

    def take_back(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Set anchors and maps again."""
        self.anchors_, self.maps_ = arrays["anchors"], arrays["maps"]


def _map_around(anchor: Rows, given: Rows, wanted: Rows) -> Rows:
    """Return the ridge regression of the patches most like an anchor."""
    likeness = np.abs(given @ anchor)
    n = min(NEIGHBORS, len(given))
    some = np.argpartition(likeness, -n)[-n:]
    ours, theirs = given[some].astype(np.float64), wanted[some]
    normal = ours.T @ ours
    normal[np.diag_indices_from(normal)] += RIDGE
    return np.linalg.solve(normal, ours.T @ theirs).astype(np.float32)
