"""Brain that is lost between two dates, and how much."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mitame.simulate.subject import Atrophy, Subject
from mitame.simulate.tissue import Tissue

MEASURED: dict[int, str] = {
    4: "left lateral ventricle",
    43: "right lateral ventricle",
    17: "left hippocampus",
    53: "right hippocampus",
    3: "left cortex",
    42: "right cortex",
    2: "left white matter",
    41: "right white matter",
}
"""Structures that grow or shrink, by their FreeSurfer label."""

BRAIN: tuple[Tissue, ...] = (
    "white_matter",
    "cortex",
    "deep_grey",
    "thalamus",
    "pallidum",
)


def choose_atrophy(rng: np.random.Generator) -> Atrophy:
    """Return a random loss: about 0.2 to 2 % of the cortex, 1 to 14 % of hippocampi.

    Ventricles grow by 3 to 20 %: some years of healthy or of fast aging.
    """
    return Atrophy(
        ventricles_mm=float(rng.uniform(0.2, 1.0)),
        cortex_mm=float(rng.uniform(0.05, 0.3)),
        hippocampus_mm=float(rng.uniform(0.1, 0.6)),
    )


def lost(before: Subject, after: Subject) -> NDArray[np.float32]:
    """Return the share of every voxel that was brain tissue and is not any more.

    Negative where tissue moved in, as beside a sulcus that moved.
    """
    return before.share(*BRAIN) - after.share(*BRAIN)


def volumes(subject: Subject) -> dict[int, float]:
    """Return the size of structures, ml, by label, as far as there are any.

    Counted on the fine grid: a change of a hundredth of a structure is seen.
    """
    voxel = float(np.prod(subject.grid.spacing)) / 1000
    sizes = {
        label: voxel * float((subject.labels == label).sum()) for label in MEASURED
    }
    return {label: size for label, size in sizes.items() if size}
