"""Two visits made from the MNI152 average head, for a demo without data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from mitame.core.volume import Step, Volume
from mitame.io import nifti
from mitame.prepare.resample import resample

SEED = 20
SPOT_MM = (28.0, -40.0, 30.0)
SPOT_RADIUS_MM = 5.0


def write_example(folder: Path) -> tuple[Path, Path]:
    """Write a prior and a current T1w of one average head; return both files.

    The current scan is the MNI152 average that nilearn's package carries, with one
    dark spot in the right parietal white matter: the change to be found. The prior
    has no spot, lies turned and shifted, and looks like another scanner's: softer
    contrast, blur, noise, shading.
    """
    from nilearn import datasets

    image = datasets.load_mni152_template(resolution=1)
    head = Volume(image.get_fdata(dtype=np.float32) * 1000, image.affine)
    rng = np.random.default_rng(SEED)
    current = head.data * (1 - 0.35 * _spot(head))
    current += rng.normal(0, 12, head.shape) * (head.data > 0)
    files = folder / "prior_T1w.nii.gz", folder / "current_T1w.nii.gz"
    nifti.write(files[0], _other_look(head, rng))
    nifti.write(files[1], head.with_data(current, Step("example")))
    return files


def _other_look(head: Volume, rng: np.random.Generator) -> Volume:
    turned = resample(head, head, transform=_motion(8.0, (4.0, -6.0, 3.0)))
    blurred = gaussian_filter(turned.data, 0.5)
    top = float(np.quantile(blurred, 0.99))
    toned = top * (np.maximum(blurred, 0) / top) ** 0.75
    i = np.linspace(-1, 1, head.shape[0])[:, None, None]
    j = np.linspace(-1, 1, head.shape[1])[None, :, None]
    shaded = toned * np.exp(0.25 * i + 0.2 * j**2)
    noise = rng.normal(0, 25, head.shape) * (blurred > 0)
    return turned.with_data(shaded + noise, Step("example"))


def _motion(degrees: float, shift: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return a turn about the vertical axis and a shift, mm."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    motion = np.eye(4)
    motion[:2, :2] = [[cosine, -sine], [sine, cosine]]
    motion[:3, 3] = shift
    return motion


def _spot(head: Volume) -> NDArray[np.float64]:
    """Return a soft ball of height one at `SPOT_MM`."""
    index = np.indices(head.shape)
    place = np.tensordot(head.affine[:3, :3], index, axes=1)
    place += head.affine[:3, 3, None, None, None]
    away = np.linalg.norm(np.moveaxis(place, 0, -1) - SPOT_MM, axis=-1)
    return np.asarray(1 / (1 + np.exp(2 * (away - SPOT_RADIUS_MM))))
