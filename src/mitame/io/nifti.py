"""NIfTI files to volumes, and back without losing a header bit of geometry."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from numpy.typing import ArrayLike, NDArray

from mitame.core.errors import (
    GridMismatchError,
    ImplausibleError,
    InputError,
    MetadataError,
    OutputError,
)
from mitame.core.volume import GRID_TOLERANCE_MM, Step, Volume
from mitame.io.staging import staged_file

ENDINGS = (".nii", ".nii.gz")
MIN_SLICES = 3
MAX_VOXELS = 1 << 30
"""More than any head scan has; a larger claim is a damaged header."""
PLAUSIBLE_EDGE_MM = (0.01, 100.0)
OTHER_UNITS = {1: "meter", 3: "micron"}
"""Space units of NIfTI that are not millimetres."""
FLAT = 1e-3
"""Least volume that three voxel edges of length 1 may span."""
DESCRIPTION = b"mitame harmonized - research use only"
GZIP_LEVEL = 1
"""nibabel's own default: float images hardly shrink further at higher levels."""
UNREADABLE = (ImageFileError, HeaderDataError, OSError, EOFError, zlib.error)


def is_nifti(path: Path) -> bool:
    """Whether the name ends like a NIfTI file."""
    return path.name.lower().endswith(ENDINGS)


def read(path: Path) -> Volume:
    """Return the image in `path`, scaled as its header says.

    Parameters
    ----------
    path : Path
        A ``.nii`` or ``.nii.gz`` file with one 3-D image.

    Returns
    -------
    Volume
        float32 intensities after ``scl_slope`` and ``scl_inter``.

    Raises
    ------
    InputError
        If the file is missing, damaged, not NIfTI, or not one 3-D image of numbers.
    MetadataError
        If the header does not say where the image is (qform and sform code 0).
    ImplausibleError
        If it is readable but cannot be a scan: one slice, constant, NaN.
    """
    image = _open(path)
    affine = _affine(image, path)
    with np.errstate(over="ignore"):  # the infinities this makes are told below
        data = np.asarray(_pixels(image, path), dtype=np.float32)
    data = data.reshape(_shape_of(image, path))
    if data.min() == data.max():
        raise ImplausibleError(
            f"Every voxel of '{path.name}' is {data.flat[0]:g}.",
            fix="Export the scan again; this file holds no image.",
        )
    bad = data.size - int(np.isfinite(data).sum())
    if bad:
        raise ImplausibleError(
            f"{bad} of {data.size} voxels of '{path.name}' are NaN or infinite.",
            fix="Repair the file; mitame does not guess missing intensities.",
        )
    return Volume(data, affine, history=(Step("read", {"file": path.name}),))


def grid(path: Path) -> tuple[tuple[int, int, int], NDArray[np.float64]]:
    """Return shape and affine from the header alone; raises as `read` does."""
    image = _open(path)
    return _shape_of(image, path), _affine(image, path)


def write(path: Path, volume: Volume, *, like: Path | None = None) -> None:
    """Write `volume` as float32; the same volume always gives the same bytes.

    Parameters
    ----------
    path : Path
        Ends in ``.nii.gz`` or ``.nii``; must not exist yet.
    volume : Volume
        What to write.
    like : Path, optional
        NIfTI file whose grid this is. Its geometry fields (dim, pixdim, units,
        qform, sform and their codes) are kept bit for bit. Without it both codes
        are 1, "scanner".

    Raises
    ------
    GridMismatchError
        If `volume` is not on the grid of `like`.
    OutputError
        If `path` exists or cannot be written.
    """
    _write(path, volume.data, _header(volume, like))


def write_mask(
    path: Path, mask: ArrayLike, volume: Volume, *, like: Path | None = None
) -> None:
    """Write `mask`, on the grid of `volume`, as uint8; raises as `write` does."""
    _write_whole(path, np.asarray(mask, dtype=np.uint8), volume, like)


def write_labels(path: Path, labels: ArrayLike, volume: Volume) -> None:
    """Write whole numbers, on the grid of `volume`, as int16; raises as `write`."""
    _write_whole(path, np.asarray(labels, dtype=np.int16), volume, None)


def _write_whole(
    path: Path, values: NDArray[Any], volume: Volume, like: Path | None
) -> None:
    if values.shape != volume.shape:
        raise GridMismatchError(
            f"The mask is {values.shape}, the volume {volume.shape}.",
            fix="Compute the mask on this volume.",
        )
    _write(path, values, _header(volume, like))


def _open(path: Path) -> Any:  # noqa: ANN401 - nibabel has no types
    """Return the nibabel image; only the header is read."""
    if not path.is_file():
        raise InputError(f"There is no file '{path}'.", fix="Check the name.")
    if path.stat().st_size == 0:
        raise InputError(f"'{path.name}' is empty.", fix="Copy or export it again.")
    try:
        image = nib.load(path)
    except UNREADABLE as error:
        raise _damaged(path, error) from error
    if not isinstance(image, nib.Nifti1Image):
        raise InputError(
            f"'{path.name}' is {type(image).__name__}, not NIfTI.",
            fix="Convert it to .nii.gz, for instance with mri_convert or dcm2niix.",
        )
    return image


def _damaged(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).replace(str(path), path.name).split())
    return InputError(
        f"'{path.name}' cannot be read as NIfTI: {reason}.",
        fix="The file is damaged, cut short or of another format; export it again.",
    )


def _shape_of(image: Any, path: Path) -> tuple[int, int, int]:  # noqa: ANN401
    """Return (i, j, k) of a nibabel image; raise unless it is one 3-D image."""
    shape = tuple(int(n) for n in image.shape)
    if len(shape) < 3 or any(n != 1 for n in shape[3:]):
        raise InputError(
            f"'{path.name}' is {len(shape)}-D: {shape}.",
            fix="Give one 3-D image; split a 4-D series first, for instance with "
            "`nibabel.four_to_three`.",
        )
    i, j, k = shape[:3]
    if min(i, j, k) < MIN_SLICES:
        raise ImplausibleError(
            f"'{path.name}' is {(i, j, k)}: fewer than {MIN_SLICES} slices.",
            fix="Give the whole scan, not a single slice.",
        )
    if i * j * k > MAX_VOXELS:
        raise ImplausibleError(
            f"'{path.name}' claims {(i, j, k)} voxels.",
            fix="The header is damaged; export the scan again.",
        )
    return i, j, k


def _affine(image: Any, path: Path) -> NDArray[np.float64]:  # noqa: ANN401
    header = image.header
    if not header["qform_code"] and not header["sform_code"]:
        raise MetadataError(
            f"'{path.name}' does not say which side is left: qform and sform code "
            "are 0.",
            fix="Export it again with orientation, for instance with dcm2niix.",
        )
    unit = OTHER_UNITS.get(int(header["xyzt_units"]) & 7)  # the low bits are space
    if unit is not None:
        raise MetadataError(
            f"The voxel size of '{path.name}' is in units of a {unit}.",
            fix="Rewrite the header in millimetres (xyzt_units 2).",
        )
    affine = np.asarray(image.affine, dtype=np.float64)
    _require_plausible(affine, path)
    return affine


def _require_plausible(affine: NDArray[np.float64], path: Path) -> None:
    edges = np.linalg.norm(affine[:3, :3], axis=0)
    low, high = PLAUSIBLE_EDGE_MM
    if not (np.isfinite(affine).all() and ((edges > low) & (edges < high)).all()):
        problem = f"gives voxels of {edges.round(6).tolist()} mm"
    elif abs(np.linalg.det(affine[:3, :3] / edges)) < FLAT:
        problem = f"is singular: {affine[:3, :3].tolist()}"
    else:
        return
    raise ImplausibleError(
        f"The affine of '{path.name}' {problem}.",
        fix="Repair the orientation in the header (qform/sform).",
    )


def _pixels(image: Any, path: Path) -> NDArray[Any]:  # noqa: ANN401
    kind = image.get_data_dtype()
    if kind.fields is not None or kind.kind not in "iufb":
        raise InputError(
            f"'{path.name}' stores {''.join(kind.names or [str(kind)])} voxels (color "
            "or complex).",
            fix="Give a magnitude image with one number per voxel.",
        )
    _shape_of(image, path)
    try:
        return np.asarray(image.dataobj)
    except (*UNREADABLE, ValueError) as error:  # ValueError: mmap of a short file
        raise _damaged(path, error) from error


def _header(volume: Volume, like: Path | None) -> Any:  # noqa: ANN401
    """Return a header with the geometry of `like`, or one made from the affine."""
    if like is not None:
        image = _open(like)
        _require_grid_of(volume, _shape_of(image, like), _affine(image, like), like)
        return image.header.copy()
    header = _new_header()
    header.set_data_shape(volume.shape)
    header.set_xyzt_units("mm")
    header.set_qform(volume.affine, code=1)
    header.set_sform(volume.affine, code=1)
    if not np.allclose(header.get_qform(), volume.affine, atol=GRID_TOLERANCE_MM):
        # Sheared, or turned by almost half a circle, where a quaternion without its
        # real part is rounded to exactly half: only the sform can hold it.
        header["qform_code"] = 0
    return header


def _new_header() -> Any:  # noqa: ANN401
    return nib.Nifti1Header()


def _require_grid_of(
    volume: Volume, shape: tuple[int, ...], affine: NDArray[np.float64], like: Path
) -> None:
    close = np.allclose(volume.affine, affine, rtol=0, atol=GRID_TOLERANCE_MM)
    if volume.shape != shape or not close:
        worst = float(np.abs(volume.affine - affine).max())
        raise GridMismatchError(
            f"The result is {volume.shape}, '{like.name}' is {shape}; the affines "
            f"differ by up to {worst:.3g}.",
            fix="Bring the result back to the native grid before writing it.",
        )


def _write(path: Path, data: NDArray[Any], header: Any) -> None:  # noqa: ANN401
    """Write header and voxels; nibabel's writer would touch the geometry fields."""
    if not is_nifti(path):
        raise OutputError(
            f"'{path.name}' does not end in .nii.gz.", fix="Choose a NIfTI name."
        )
    header.set_data_dtype(data.dtype)
    header.set_slope_inter(1, 0)
    header["cal_min"] = header["cal_max"] = 0  # windows of the old intensities
    for name in {"db_name", "aux_file"} & set(header):
        header[name] = b""  # free text: may name the patient
    header["descrip"] = DESCRIPTION
    offset = header.single_vox_offset
    header["magic"], header["vox_offset"] = header.single_magic, offset
    voxels = data.astype(header.get_data_dtype()).tobytes(order="F")
    content = header.binaryblock.ljust(offset, b"\0") + voxels
    with staged_file(path) as temporary, temporary.open("wb") as file:
        if path.name.lower().endswith(".gz"):
            with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as packed:
                packed.write(content)
        else:
            file.write(content)
