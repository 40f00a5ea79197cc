"""Real heads on two scanners: as they are, and as another scanner would show them.

Writes a BIDS dataset of every T1w in DIR: ``ses-real`` is the scan, ``ses-restyled``
the same with blur, noise, tone and shading of another scanner and an occipital cortex
that is too bright. `mitame benchmark --unpaired` splits them by subject.

Usage: python benchmarks/real_track.py DIR OUT [--subjects N] [--seed S]
"""

from __future__ import annotations

import argparse
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.progress import track

from mitame.core.session import Session
from mitame.io import bids, names
from mitame.io.scan import Scan, find_scans, read
from mitame.io.staging import staged
from mitame.prepare.brain import FindBrain
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation
from mitame.prepare.template import FindTemplate
from mitame.simulate.dataset import write_image
from mitame.simulate.restyle import Look, restyled

PLACED = Preparation((Orient(), FindBrain(), FindTemplate()))
README = (
    "Real scans (`ses-real`) and the same as another scanner would show them "
    "(`ses-restyled`); `derivatives/truth` holds the mark that was planted in the "
    "latter. Not to be passed on without the license of the scans."
)


def write_subject(scan: Scan, name: str, out: Path, look: Look, seed: int) -> None:
    """Write one head with both looks, and its mark."""
    session, _ = PLACED.apply(Session({"T1w": read(scan)}, name))
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    found = restyled(session, look, rng=rng)
    truth = out / "derivatives" / "truth" / f"sub-{name}"
    with staged(out / f"sub-{name}", force=True) as shown, staged(truth) as told:
        for label, folder, volume, desc, words in (
            ("real", shown, session["T1w"], "", "A real scan."),
            ("restyled", shown, found.image, "", "The scan with another look."),
            ("restyled", told, found.planted, "_desc-planted", "What was planted."),
        ):
            anat = folder / f"ses-{label}" / "anat"
            anat.mkdir(parents=True, exist_ok=True)
            path = anat / f"sub-{name}_ses-{label}{desc}_T1w.nii.gz"
            write_image(path, volume, {"Look": asdict(look)}, words)


def main() -> None:
    """Read the arguments and write the dataset."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("scans", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--subjects", type=int, default=0, help="all, if 0")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    scans = [s for s in find_scans(given.scans) if s.suffix == "T1w"]
    scans = scans[: given.subjects or None]
    if not given.out.exists():
        with staged(given.out) as folder:
            bids.write_raw_description(folder, name="Restyled heads", readme=README)
    for scan in track(scans, description="restyling"):
        name = names.label(scan.subject or scan.path.name.split("_")[0])
        if not (given.out / f"sub-{name}").exists():
            write_subject(scan, name, given.out, Look(), given.seed)


if __name__ == "__main__":
    main()
