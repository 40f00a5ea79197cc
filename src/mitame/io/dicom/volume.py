"""The pixels of a DICOM series as one volume."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray

from mitame.core.errors import ImplausibleError, InputError
from mitame.core.volume import Step, Volume
from mitame.io.dicom.series import UNREADABLE, Series, reason
from mitame.io.dicom.stack import Stack


def read(series: Series) -> Volume:
    """Return the series as a volume, RAS+ mm, with rescale slope and intercept.

    Raises
    ------
    InputError
        If the series is no volume, or a file is damaged.
    ImplausibleError
        If slices are missing, or all pixels are equal.
    """
    if series.stack is None:
        raise series.problem or InputError("An empty series.", fix="Export it again.")
    data = _pixels(series.stack)
    if data.min() == data.max():
        raise ImplausibleError(
            f"Every pixel of {series} is {data.flat[0]:g}.",
            fix="Export the series again; it holds no image.",
        )
    params = {"series": series.number, "files": len(series.files)}
    history = (Step("read", params),)
    return Volume(data, series.stack.affine, series.scanner, history)


def _pixels(stack: Stack) -> NDArray[np.float32]:
    data = np.empty(stack.shape, dtype=np.float32)
    last: tuple[Path | None, NDArray[Any]] = (None, np.empty(0))
    for k, frame in enumerate(stack.frames):
        if frame.file != last[0]:  # an Enhanced file holds many frames
            last = frame.file, _decode(frame.file, frame.size)
        stored = last[1][frame.index].T  # rows run along the second axis
        data[:, :, k] = stored * frame.slope + frame.intercept
    return data


def _decode(file: Path, size: tuple[int, int]) -> NDArray[Any]:
    """Return all frames of a file, (n, rows, columns)."""
    try:
        with pydicom.config.disable_value_validation():
            pixels = pydicom.dcmread(file).pixel_array
        return np.asarray(pixels).reshape(-1, *size)
    except UNREADABLE as error:
        raise InputError(
            f"The pixels of '{file.name}' cannot be read: {reason(error)}.",
            fix="The file is damaged or cut short; export the series again.",
        ) from error
