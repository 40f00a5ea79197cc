"""Put simulated slices beside real ones, for a person to look at.

Same height in the template, same window rule; rows are real scans, a simulated 3 T
and a simulated 1.5 T scanner. docs/explanation/simulated-scans.md shows the picture.

Usage: python benchmarks/realism.py OUT.jpg [--data DIR] [--height MM]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.io import nifti
from mitame.prepare.brain import FindBrain
from mitame.prepare.orient import Orient
from mitame.prepare.template import FindTemplate
from mitame.simulate.acquire import scan
from mitame.simulate.anatomy import read_anatomy
from mitame.simulate.catalog import scanner_named
from mitame.simulate.subject import make_subject

HEIGHT_MM = 8.0
"""Of the slice, above the origin of MNI152: ventricles, basal ganglia; nose at -32."""

SEQUENCES: tuple[Suffix, ...] = ("T1w", "T2w", "FLAIR")
REAL: dict[Suffix, str] = {
    "T1w": "dicom_demo/studyforrest02_3T_T1.nii.gz",
    "T2w": "ms-longitudinal/patient12/study1_T2W.nii.gz",
    "FLAIR": "ms-longitudinal/patient12/study1_FLAIR.nii.gz",
}
CREDIT = (
    "Real: T1w studyforrest (PDDL); T2w and FLAIR patient 12 of Lesjak et al., "
    "Neuroinformatics 2016 (CC BY). Anatomy of the simulation: SynthSeg (Apache-2.0)."
)


def slice_of(
    volume: Volume, suffix: Suffix, height: float
) -> tuple[NDArray[np.float32], float]:
    """Return the slice at a height, mm, front up, and the shape of its pixels."""
    session = Session({suffix: volume})
    for step in (Orient(), FindBrain(), FindTemplate()):
        session, _ = step.apply(session)
    grid, brain = session.reference, session.require_brain()
    to_mni = session.require_template() @ grid.affine
    middle = np.argwhere(brain).mean(axis=0)
    heights = [(to_mni @ [middle[0], middle[1], k, 1])[2] for k in range(grid.shape[2])]
    k = int(np.argmin(np.abs(np.array(heights) - height)))
    data = session[suffix].data
    shown = np.clip(data[:, :, k] / np.quantile(data[brain], 0.995), 0, 1)
    return shown.T[::-1, ::-1], grid.spacing[1] / grid.spacing[0]


def main() -> None:
    """Read the arguments and write the picture."""
    default = os.environ.get("MITAME_DATA", Path(__file__).parents[2] / "shared/data")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path(default))
    parser.add_argument("--height", type=float, default=HEIGHT_MM)
    given = parser.parse_args()
    head = read_anatomy(given.data / "anatomy" / "head_13.nii.gz")
    person = make_subject("1", head, spacing=1.0, rng=np.random.default_rng(1))
    rows = {"real, 3 T": [nifti.read(given.data / REAL[s]) for s in SEQUENCES]}
    for name in ("achieva", "avanto"):
        scanner = scanner_named(name)
        rows[f"simulated, {scanner.scanner.field_strength:g} T"] = [
            scan(person, scanner, s, spacing=1.0, rng=np.random.default_rng(2)).image
            for s in SEQUENCES
        ]
    figure = Figure(figsize=(9, 11.3), facecolor="black")
    FigureCanvasAgg(figure)
    axes = figure.subplots(3, 3)
    for line, (title, volumes) in zip(axes, rows.items(), strict=True):
        for place, suffix, volume in zip(line, SEQUENCES, volumes, strict=True):
            picture, aspect = slice_of(volume, suffix, given.height)
            place.imshow(picture, cmap="gray", aspect=aspect, interpolation="lanczos")
            place.set_title(f"{suffix}, {title}", color="white", fontsize=9)
            place.set_axis_off()
    figure.text(0.02, 0.01, CREDIT, color="white", fontsize=6.5)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(given.out, dpi=110, pil_kwargs={"quality": 88})


if __name__ == "__main__":
    main()
