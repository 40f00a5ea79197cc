"""Real pairs: what is left between two dates of MS patients, inside and outside change.

Prints one line per patient and method. All scores are taken in the common space of
the set (Lesjak et al., Neuroinformatics 2016), in its brain mask eroded by 2 voxels,
both images divided by their median there:

out    median |harmonized prior - current| outside the change mask
AUC    of |harmonized prior - current|, smoothed by 0.7 voxel, against the change mask
AUC(s) the same with the difference smoothed before its absolute value is taken
AUC(z) of the change map over its noise level, which the marks are made from

Usage: python benchmarks/real_pairs.py [--data DIR] [--patients 01 03 12]
"""

from __future__ import annotations

import argparse
import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter
from sklearn.metrics import roc_auc_score

from mitame.compare.change import standardized
from mitame.compare.limits import noise_level
from mitame.compare.pair import harmonize_pair
from mitame.compare.visits import compare
from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.engines.histogram import Histogram
from mitame.io.scan import read_visit
from mitame.prepare.itk import from_itk, to_itk
from mitame.prepare.orient import Orient
from mitame.prepare.scale import ScaleToWhiteMatter
from mitame.prepare.template import FindTemplate
from mitame.solve.robust import redescending_weights, spread

SUFFIX = "FLAIR"
TRIAL_FWHM_MM = 20.0


@dataclass(frozen=True)
class Case:
    """One patient of the set, both dates in the common space."""

    folder: Path
    prior: Volume
    current: Volume
    brain: NDArray[np.bool_]
    changed: NDArray[np.bool_]

    def score(self, prior: NDArray[np.float32], current: NDArray[np.float32]) -> str:
        """Return out and both AUCs of one method as text."""
        inside = binary_erosion(self.brain, iterations=2)
        left = prior / np.median(prior[inside]) - current / np.median(current[inside])
        out = np.median(np.abs(left)[inside & ~self.changed])
        blurred = gaussian_filter(np.abs(left), 0.7), np.abs(gaussian_filter(left, 0.7))
        auc = [self.auc(evidence, inside) for evidence in blurred]
        return f"out {out:.4f}  AUC {auc[0]:.3f}  AUC(s) {auc[1]:.3f}"

    def auc(self, evidence: NDArray[np.floating], inside: NDArray[np.bool_]) -> float:
        """Return the voxel AUC of `evidence` against the change mask."""
        return float(roc_auc_score(self.changed[inside], evidence[inside]))


def read_case(folder: Path) -> Case:
    """Read both dates of `folder` in its common space, by the set's transforms."""
    mask = SimpleITK.ReadImage(str(folder / "brainmask.nii.gz"))
    changed = SimpleITK.ReadImage(str(folder / "gt.nii.gz"))
    volumes = [
        into_common(
            SimpleITK.ReadImage(
                str(folder / f"study{n}_FLAIR.nii.gz"), SimpleITK.sitkFloat32
            ),
            folder,
            n,
        )
        for n in (1, 2)
    ]
    masks = [from_itk(image).data > 0 for image in (mask, changed)]
    return Case(folder, volumes[0], volumes[1], masks[0], masks[1])


def into_common(image: SimpleITK.Image, folder: Path, study: int) -> Volume:
    """Return an image of one date's FLAIR space in the common space (linear)."""
    grid = SimpleITK.ReadImage(str(folder / "brainmask.nii.gz"))
    way = SimpleITK.ReadTransform(
        str(folder / f"study{study}_FLAIR_to_common_space.txt")
    )
    return from_itk(SimpleITK.Resample(image, grid, way, SimpleITK.sitkLinear, 0.0))


def prepared(volume: Volume, brain: NDArray[np.bool_]) -> Session:
    """Return a session with the set's brain mask, placed and scaled by mitame."""
    session = Session({SUFFIX: volume}, brain=brain)
    for step in (Orient(), FindTemplate(), ScaleToWhiteMatter()):
        session, _ = step.apply(session)
    return session


def unturned(session: Session, case: Case) -> NDArray[np.float32]:
    """Return a prepared session's intensities on the common grid as it is stored."""
    _, back = Orient().apply(Session({SUFFIX: case.current}))
    return back(session)[SUFFIX].data


def trial_gain(case: Case) -> NDArray[np.float32]:
    """Return the prior times a robust smooth gain: the floor of the issue's table."""
    width = TRIAL_FWHM_MM / 2.355 / np.array(case.current.spacing)
    source = case.prior.data / np.median(case.prior.data[case.brain])
    target = case.current.data / np.median(case.current.data[case.brain])
    weight = case.brain.astype(np.float32)
    for _ in range(10):
        above = gaussian_filter(weight * source * target, width)
        gain = above / (gaussian_filter(weight * source**2, width) + 1e-6)
        left = target - gain * source
        scale = spread(left[case.brain])
        weight = case.brain * redescending_weights(left, scale, tuning=2.0)
    return gain * source


def report(case: Case) -> None:
    """Print the lines of one patient in the common space."""
    name = case.folder.name
    current = case.current.data
    print(f"{name}  median only       {case.score(case.prior.data, current)}")
    before, now = (prepared(v, case.brain) for v in (case.prior, case.current))
    matched = Histogram().fit([before], [now]).transform(before)
    print(f"{name}  histogram         {case.score(unturned(matched, case), current)}")
    print(f"{name}  trial gain field  {case.score(trial_gain(case), current)}")
    start = time.perf_counter()
    _, harmonized = harmonize_pair(SUFFIX, before, now, np.eye(4))
    seconds = time.perf_counter() - start
    scores = case.score(unturned(harmonized, case), current)
    auc_z = auc_of_marks(case, harmonized, now)
    print(f"{name}  mitame            {scores}  AUC(z) {auc_z:.3f}  {seconds:.0f} s")


def auc_of_marks(case: Case, harmonized: Session, now: Session) -> float:
    """Return the AUC of the change over its noise level."""
    result, brain = harmonized[SUFFIX], harmonized.require_brain()
    change = now[SUFFIX].data - result.data
    noise = noise_level(change, result, now[SUFFIX], brain)
    z = np.abs(standardized(change, noise, brain, result.spacing))
    there = harmonized.with_volumes({SUFFIX: Volume(z, result.affine)})
    return case.auc(unturned(there, case), binary_erosion(case.brain, iterations=2))


def report_own_alignment(case: Case) -> None:
    """Print the line of `compare` from the raw scans, with its own alignment."""
    visits = [read_visit(case.folder / f"study{n}_FLAIR.nii.gz") for n in (1, 2)]
    start = time.perf_counter()
    found = compare(*visits).sequences[SUFFIX]
    seconds = time.perf_counter() - start
    prior, current = (
        into_common(to_itk(volume), case.folder, 2).data
        for volume in (found.harmonized, found.current)
    )
    z = standardized(
        found.change.data, found.noise.data, found.brain, found.current.spacing
    )
    there = into_common(to_itk(Volume(np.abs(z), found.current.affine)), case.folder, 2)
    auc_z = case.auc(there.data, binary_erosion(case.brain, iterations=2))
    scores = case.score(prior, current)
    print(
        f"{case.folder.name}  mitame, own way   {scores}  AUC(z) {auc_z:.3f}  "
        f"{seconds:.0f} s  {len(found.marks)} marks"
    )


def main() -> None:
    """Read the arguments and print the table."""
    default = os.environ.get("MITAME_DATA", Path(__file__).parents[2] / "shared/data")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--patients", nargs="*", default=None)
    given = parser.parse_args()
    folders = sorted((given.data / "ms-longitudinal").glob("patient*/"))
    for folder in folders:
        if given.patients is None or folder.name[-2:] in given.patients:
            case = read_case(folder)
            report(case)
            report_own_alignment(case)


if __name__ == "__main__":
    main()
