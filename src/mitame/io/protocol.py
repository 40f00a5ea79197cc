"""How an image was acquired, as far as its header says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Protocol:
    """Timing, contrast and the person, in SI units; ``None`` is "not said".

    Parameters
    ----------
    te, tr, ti : float, optional
        Echo, repetition and inversion time, seconds.
    flip_angle : float, optional
        Radians.
    slice_thickness : float, optional
        Millimetres; may differ from the distance between slices.
    description : str
        What the console called the series; never a person's name.
    contrast_agent : bool, optional
        Whether a contrast agent was given.
    sex : str, optional
        ``"F"``, ``"M"`` or ``"O"``.
    age : float, optional
        Years.
    """

    te: float | None = None
    tr: float | None = None
    ti: float | None = None
    flip_angle: float | None = None
    slice_thickness: float | None = None
    description: str = ""
    contrast_agent: bool | None = None
    sex: str | None = None
    age: float | None = None
