"""Heads as label maps: which structure is where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from mitame.core.errors import InputError
from mitame.core.volume import Volume
from mitame.io import nifti
from mitame.prepare.orient import closest_ras
from mitame.simulate.tissue import Tissue

OTHER = 507
"""Soft tissue between skin and bone: muscle and fat, which the labels do not tell."""

_STRUCTURES: dict[Tissue, tuple[int, ...]] = {
    "air": (0,),
    "white_matter": (
        *(2, 41, 7, 46, 16, 28, 60, 85, 512, 530),
        *(251, 252, 253, 254, 255),
        *(25, 57, 77, 78, 79),
    ),
    "cortex": (3, 42, 8, 47, 17, 53, 18, 54),
    "deep_grey": (11, 50, 12, 51, 26, 58),
    "thalamus": (10, 49),
    "pallidum": (13, 52),
    "csf": (4, 5, 43, 44, 14, 15, 24, 72),
    "artery": (502, 30, 62),
    "vein": (514,),
    "eye": (506,),
    "muscle": (508, OTHER),
    "choroid_plexus": (31, 63, 136, 137, 163, 164),
    "mucosa": (509,),
    "skin": (511,),
    "bone": (515,),
    "marrow": (516,),
}
"""FreeSurfer's label values, and those of its head atlas above 500, by tissue.

Hypointensities of white matter (25 to 79) count as white matter: lesions are planted.
"""

VENTRICLES = (4, 5, 43, 44, 14)
OUTSIDE_BRAIN = (0, 502, 506, 507, 508, 509, 511, 512, 514, 515, 516, 530)
MARGIN_MM = 8.0
SPACING_TOLERANCE = 0.01
"""mm. Labels are read as whole millimeters: nothing is lost to resampling."""

BELOW_BRAIN_MM = 30.0
"""How far below the brain the field of view goes; heads are labeled to the chest."""


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """The labels of one head.

    Parameters
    ----------
    name : str
        What it is called in tables.
    labels : array of int16, shape (i, j, k)
        FreeSurfer's label values, axes closest to right-anterior-superior.
    affine : array, shape (4, 4)
        Voxel indices to world millimeters, RAS+.
    """

    name: str
    labels: NDArray[np.int16]
    affine: NDArray[np.float64]

    @property
    def grid(self) -> Volume:
        """An empty volume where the labels are."""
        return Volume(np.zeros(self.labels.shape, np.float32), self.affine)

    def tissue(self, tissue: Tissue) -> NDArray[np.bool_]:
        """Return the voxels of one tissue; none, if it has no label."""
        return np.isin(self.labels, _STRUCTURES.get(tissue, ()))

    def brain(self) -> NDArray[np.bool_]:
        """Return the inside of the skull."""
        return ~np.isin(self.labels, OUTSIDE_BRAIN)


def labeled_tissues() -> tuple[Tissue, ...]:
    """Return every tissue that labels can name, air first."""
    return tuple(_STRUCTURES)


def find_anatomies(folder: Path) -> list[Path]:
    """Return the label maps in `folder`, in the order of their names.

    Raises
    ------
    InputError
        If there is none.
    """
    found = sorted(folder.glob("*.nii.gz")) if folder.is_dir() else []
    if not found:
        raise InputError(
            f"There is no label map (*.nii.gz) in '{folder}'.",
            fix="Give a folder with FreeSurfer label maps, or `builtin`.",
        )
    return found


def read_anatomy(path: Path) -> Anatomy:
    """Return the head in a label map, cut to what a brain scan shows.

    Raises
    ------
    InputError
        If the values are not labels that are known, or voxels are not of 1 mm.
    """
    volume = closest_ras(nifti.read(path))
    if not np.allclose(volume.spacing, 1, atol=SPACING_TOLERANCE):
        edges = " × ".join(f"{edge:.3g}" for edge in volume.spacing)
        raise InputError(
            f"'{path.name}' has voxels of {edges} mm.",
            fix="Give label maps of 1 mm, as FreeSurfer writes them.",
        )
    labels = volume.data.astype(np.int16)
    known = [label for labels_ in _STRUCTURES.values() for label in labels_]
    strange = np.setdiff1d(labels, known)
    if not np.array_equal(labels, volume.data) or strange.size:
        raise InputError(
            f"'{path.name}' has values that are no label known here: "
            f"{strange[:5].tolist()}.",
            fix="Give a map with FreeSurfer's label values, skull and skin included.",
        )
    name = path.name.removesuffix(".nii.gz")
    return _cut(Anatomy(name, _without_specks(labels), volume.affine))


def builtin_anatomy() -> Anatomy:
    """Return the average head of MNI152, from tissue maps in nilearn's package.

    The maps end at the brain: skull, marrow and scalp are shells around it, as thick
    as they are on average [1]_, and there are no eyes and vessels.

    References
    ----------
    .. [1] M. Lillie et al., "Evaluation of skull cortical thickness changes with age
       and sex from computed tomography scans", J. Bone Miner. Res. 31, 2016.
    """
    # nilearn takes a second to import; commands that never get here need not wait.
    from nilearn import datasets

    white, grey, mask = (
        closest_ras(Volume(image.get_fdata(dtype=np.float32), image.affine))
        for image in (
            datasets.load_mni152_wm_template(resolution=1),
            datasets.load_mni152_gm_template(resolution=1),
            datasets.load_mni152_brain_mask(resolution=1),
        )
    )
    room = 24
    brain = np.pad(mask.data > 0.5, room)
    labels = _shells(brain)
    shares = [np.pad(part.data, room) for part in (white, grey)]
    most = np.argmax([*shares, 1 - shares[0] - shares[1]], axis=0)
    affine = mask.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, room)
    right = np.arange(len(labels)) * affine[0, 0] + affine[0, 3] > 0
    of_side = np.array([[2, 3, 24], [41, 42, 24]], np.int16)
    labels[brain] = of_side[right.astype(int)[:, None, None], most][brain]
    return _cut(Anatomy("mni152", labels, affine))


def _shells(brain: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Return skull, marrow, scalp and skin around a brain on a 1 mm grid."""
    away = ndimage.distance_transform_edt(~brain)
    edges = (2.0, 3.5, 6.0, 7.5, 12.0, 14.5)
    shells = (24, 515, 516, 515, OTHER, 511, 0)
    found: NDArray[np.int16] = np.asarray(shells, np.int16)[np.digitize(away, edges)]
    return found


def _without_specks(labels: NDArray[np.int16]) -> NDArray[np.int16]:
    """Return the head alone: labels that float in the air are taken away."""
    parts, _ = ndimage.label(labels > 0)
    largest = int(np.argmax(np.bincount(parts.ravel())[1:])) + 1
    return np.asarray(np.where(parts == largest, labels, np.int16(0)))


def _cut(anatomy: Anatomy) -> Anatomy:
    """Return the part of the head that a brain scan shows, and a margin of air."""
    head = np.argwhere(anatomy.labels > 0)
    bottom = np.argwhere(anatomy.brain())[:, 2].min()
    first = head.min(axis=0) - round(MARGIN_MM)
    last = head.max(axis=0) + round(MARGIN_MM) + 1
    first[2] = max(bottom - round(BELOW_BRAIN_MM), head[:, 2].min())
    room = np.maximum(np.maximum(-first, last - anatomy.labels.shape), 0)
    room[2] = max(last[2] - anatomy.labels.shape[2], 0)
    padded = np.pad(anatomy.labels, [(int(side), int(side)) for side in room])
    box = tuple(slice(a + r, b + r) for a, b, r in zip(first, last, room, strict=True))
    affine = anatomy.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    return Anatomy(anatomy.name, np.ascontiguousarray(padded[box]), affine)
