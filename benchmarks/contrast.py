"""Contrast of tissues in simulated scans, beside real ones, measured in one way.

Tissues are three classes of the T1w intensities within the brain, after N4; a voxel
counts if it is of one class (posterior above 0.85) and so are its neighbors. This is
how MRIQC measures its `summary_wm_mean`, so that its published tables can be put
beside. docs/explanation/simulated-scans.md shows the table.

Usage: python benchmarks/contrast.py [--data DIR]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, generate_binary_structure
from sklearn.mixture import GaussianMixture

from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.io import nifti
from mitame.prepare.bias import CorrectBias
from mitame.prepare.brain import FindBrain
from mitame.prepare.orient import Orient
from mitame.simulate.acquire import scan
from mitame.simulate.anatomy import read_anatomy
from mitame.simulate.catalog import scanners
from mitame.simulate.subject import make_subject

PURE = 0.85
"""Posterior of a class from which a voxel is of that class, as in MRIQC."""

SAMPLES = 100_000
SEQUENCES: tuple[Suffix, ...] = ("T1w", "T2w", "FLAIR")
Mask = NDArray[np.bool_]


def pure_tissues(session: Session) -> dict[str, Mask]:
    """Return where fluid, gray and white matter are, from the T1w scan."""
    brain, seen = session.require_brain(), session["T1w"].data
    values = seen[brain][:, None]
    rng = np.random.default_rng(0)
    some = rng.choice(values, min(SAMPLES, len(values)), replace=False)
    mixture = GaussianMixture(3, random_state=0, means_init=_starts(values)).fit(some)
    shares = mixture.predict_proba(values)[:, np.argsort(mixture.means_[:, 0])]
    near = generate_binary_structure(3, 2)
    masks = {}
    for name, share in zip(("csf", "gm", "wm"), shares.T, strict=True):
        mask = np.zeros(brain.shape, bool)
        mask[brain] = share > PURE
        masks[name] = binary_erosion(mask, near)
    return masks


def ratios(session: Session, suffix: Suffix, masks: dict[str, Mask]) -> str:
    """Return gray to white (T1w: white to gray) and fluid to white, as text."""
    data = session[suffix].data
    csf, gm, wm = (float(data[masks[name]].mean()) for name in ("csf", "gm", "wm"))
    first = wm / gm if suffix == "T1w" else gm / wm
    return f"{first:.2f}, {csf / wm:.2f}"


def prepared(volumes: dict[Suffix, Volume]) -> Session:
    """Return scans with their brain mask and without their shading."""
    session = Session(volumes)
    for step in (Orient(), FindBrain(), CorrectBias()):
        session, _ = step.apply(session)
    return session


def row(title: str, volumes: dict[Suffix, Volume]) -> str:
    """Return one row of the table."""
    session = prepared(volumes)
    masks = pure_tissues(session)
    cells = [ratios(session, s, masks) if s in session else "" for s in SEQUENCES]
    return f"| {title} | {' | '.join(cells)} |"


def main() -> None:
    """Read the arguments and print the table."""
    default = os.environ.get("MITAME_DATA", Path(__file__).parents[2] / "shared/data")
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path(default))
    data = parser.parse_args().data
    print("| scan | T1w: WM/GM, CSF/WM | T2w: GM/WM, CSF/WM | FLAIR: GM/WM, CSF/WM |")
    print("|---|---|---|---|", flush=True)
    head = read_anatomy(data / "anatomy" / "head_13.nii.gz")
    person = make_subject("1", head, spacing=1.0, rng=np.random.default_rng(1))
    for name, scanner in scanners().items():
        volumes = {
            s: scan(person, scanner, s, spacing=1.0, rng=np.random.default_rng(2)).image
            for s in SEQUENCES
        }
        title = f"{name}, {scanner.scanner.field_strength:g} T, simulated"
        print(row(title, volumes), flush=True)
    patient = data / "ms-cross" / "patient07"
    seen = {s: nifti.read(patient / f"{s}.nii.gz") for s in SEQUENCES}
    print(row("patient 7 of Lesjak et al. 2017, 3 T, real", seen), flush=True)
    head_3t = nifti.read(data / "dicom_demo" / "studyforrest02_3T_T1.nii.gz")
    print(row("studyforrest, 3 T, real", {"T1w": head_3t}), flush=True)


def _starts(values: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.quantile(values, (0.05, 0.4, 0.85))[:, None]


if __name__ == "__main__":
    main()
