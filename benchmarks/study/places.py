"""Where two groups differ: the planted place that each method finds.

Plants (see `plants.py`): ``occ20`` and ``occ40``, the occipital cortex 1.12 times as
bright in 20 or 40 people of another scanner (tone curve, gain and shading differ too);
``balls20``, three balls of 6 mm; ``none20`` and ``other20``, nothing, on the same and
on another scanner. Prints for each method F1, precision and recall of its own choice
of voxels, the area under the curve of its map, and the share of the voxels found that
are more than one voxel away from the place; for the last two, how often anything is
found.

Every result is kept as JSON, so an ended run goes on where it was. Where MITAME_DATA is
not set, scans are looked for in ../shared/data.

Usage: python benchmarks/study/places.py OUT [--seeds 0,1,2] [--only occ20:ours,…]
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Image
from nilearn.decoding import SpaceNetClassifier
from numpy.typing import NDArray
from plants import Kind, Planted, brain, planted
from scipy import stats
from scipy.ndimage import binary_dilation
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mitame.explain.place import find_place
from mitame.solve.total_variation import Mask, fewest_pieces

Map = tuple[NDArray[np.float32], NDArray[np.bool_]]
"""How strong each voxel is, and which are called different; (p,) both."""

HEADS = ("F1", "precision", "recall", "AUC", "false", "found", "seconds")


@dataclass(frozen=True, slots=True)
class Plant:
    """What is planted, in how many of each group, and whether on another scanner."""

    kind: Kind
    n: int
    confounded: bool


PLANTS = {
    "occ20": Plant("occ", 20, True),
    "occ40": Plant("occ", 40, True),
    "balls20": Plant("balls", 20, False),
    "none20": Plant("none", 20, False),
    "other20": Plant("none", 20, True),
}


def ours(groups: Planted) -> Map:
    """Return the place, against 100 splits."""
    found = find_place(groups.source, groups.target, brain(), seed=0)
    return found.strength, found.support


def student(groups: Planted) -> Map:
    """Return t of each voxel, and those of a false discovery rate of 5 %."""
    t, p = stats.ttest_ind(groups.target, groups.source)
    return t, stats.false_discovery_control(np.nan_to_num(p, nan=1.0)) <= 0.05


def pieces_of_t(groups: Planted) -> Map:
    """Return TV-L1 of the t map, without modes; nobody knows a threshold, so 1.5."""
    t, _ = stats.ttest_ind(groups.target, groups.source)
    place = fewest_pieces(t.astype(np.float32), Mask.of(brain()), l1=1.0, l2=1.0)
    return place.values, np.abs(place.values) > 1.5


def logistic(groups: Planted) -> Map:
    """Return weights of a classifier with an L1 penalty, and those that are not 0."""
    images, labels = _rows(groups)
    images = (images - images.mean(axis=0)) / (images.std(axis=0) + 1e-6)
    model = LogisticRegression(
        l1_ratio=1.0, C=1.0, solver="liblinear", random_state=0, max_iter=200
    )
    weights = model.fit(images, labels).coef_[0]
    return weights, weights != 0


def spacenet(groups: Planted) -> Map:
    """Return weights of nilearn's classifier with TV-L1, and those that are not 0."""
    rows, labels = _rows(groups)
    whole = np.zeros((*brain().shape, len(rows)), np.float32)
    whole[brain()] = rows.T
    grid = np.diag([2.0, 2.0, 2.0, 1.0])
    mask = Nifti1Image(brain().astype(np.uint8), grid)
    model = SpaceNetClassifier(penalty="tv-l1", mask=mask, cv=3, verbose=0)
    model.fit(Nifti1Image(whole, grid), labels)
    weights = np.asarray(model.coef_img_.get_fdata())[brain()].ravel()
    return weights.astype(np.float32), weights != 0


METHODS: dict[str, Callable[[Planted], Map]] = {
    "ours": ours,
    "student": student,
    "pieces of t": pieces_of_t,
    "logistic": logistic,
    "spacenet": spacenet,
}


def scored(found: Map, truth: NDArray[np.bool_]) -> dict[str, float]:
    """Return what a map is worth; `false` allows the place's neighbors."""
    strength, chosen = found
    near = np.zeros(brain().shape, bool)
    near[brain()] = truth
    near = binary_dilation(near, np.ones((3, 3, 3)))[brain()]
    n = int(chosen.sum())
    scores = {"found": float(n), "false": float((chosen & ~near).sum()) / max(n, 1)}
    if truth.any():
        right = float((chosen & truth).sum())
        scores["precision"] = right / max(n, 1)
        scores["recall"] = right / float(truth.sum())
        scores["F1"] = 2 * right / (n + float(truth.sum()))
        scores["AUC"] = float(roc_auc_score(truth, np.abs(np.nan_to_num(strength))))
    return scores


def result(out: Path, name: str, method: str, seed: int) -> dict[str, float]:
    """Return the scores of one run, from its file if there is one."""
    path = out / f"{name}-{method.replace(' ', '_')}-{seed}.json"
    if not path.exists():
        plant = PLANTS[name]
        groups = planted(plant.kind, plant.n, seed, out, confounded=plant.confounded)
        begin = time.process_time()
        found = METHODS[method](groups)
        took = time.process_time() - begin
        path.write_text(json.dumps({**scored(found, groups.truth), "seconds": took}))
    scores: dict[str, float] = json.loads(path.read_text())
    return scores


def main() -> None:
    """Run what is missing and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seeds", default=",".join(map(str, range(10))))
    parser.add_argument("--only", default=",".join(PLANTS))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    for each in args.only.split(","):
        name, _, method = each.partition(":")
        for one in [method] if method else METHODS:
            rows = []
            for seed in map(int, args.seeds.split(",")):
                rows.append(result(args.out, name, one, seed))
                _show(f"{name} {one} {seed}", rows[-1])
            mean = {
                head: float(np.mean([row[head] for row in rows])) for head in rows[0]
            }
            any_found = sum(row["found"] > 0 for row in rows)
            _show(f"{name} {one} mean, {any_found} of {len(rows)} find any", mean)


def _show(title: str, scores: dict[str, float]) -> None:
    parts = [f"{head} {scores[head]:.3g}" for head in HEADS if head in scores]
    print(f"{title}: {', '.join(parts)}", flush=True)


def _rows(groups: Planted) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return all images (n, p) and which group each is of."""
    labels = np.repeat([0, 1], [len(groups.source), len(groups.target)])
    return np.concatenate([groups.source, groups.target]), labels


if __name__ == "__main__":
    main()
