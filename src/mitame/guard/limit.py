"""The limited mode: of an edit, what cannot remove or invent a lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.guard.cells import calm
from mitame.guard.tissue import TissueTones
from mitame.guard.tones import ToneField
from mitame.prepare.template import template_coordinates
from mitame.solve.gain import GainField, GainSettings, fit_gain

SETTINGS = GainSettings(spacing=24.0, tone_step=0.125, rounds=4)
"""Places 24 mm apart: wider than lesions are."""

LIMITED = "limited"
"""Name of the step in a history."""

MOST = 60_000
"""Voxels that tones are fitted to."""


def slow_part(
    suffix: Suffix, source: Session, result: Session, tissue: TissueTones
) -> Volume:
    """Return one sequence of the source with as much of an edit as lesions survive.

    The edit is projected onto tone curves that vary slowly with place and keep the
    contrast of all tissue in proportion: `ToneField.keeping`. Sharpness and noise stay
    those of the source.

    Parameters
    ----------
    suffix : str
        Which sequence.
    source, result : Session
        Prepared, before and after an engine; one grid.
    tissue : TissueTones
        Of the source.

    Raises
    ------
    GridMismatchError
        If they are not on one grid.
    ImplausibleError
        If the result is none of the source: see `ToneField.keeping`.
    """
    source.reference.require_same_grid(result.reference)
    tones = fit_tones(suffix, source, result).keeping(tissue)
    to_place = source.require_template() @ source.reference.affine
    data = tones.over(to_place, source[suffix].data)
    step = Step(LIMITED, {"contrast": tones.contrast(tissue)})
    return result[suffix].with_data(data, step)


def contrast_of(limited: Volume) -> float:
    """Return by how much `slow_part` set white and gray matter apart."""
    steps = (step for step in reversed(limited.history) if step.name == LIMITED)
    return float(next(steps).params["contrast"])


def fit_tones(suffix: Suffix, source: Session, result: Session) -> ToneField:
    """Return the tones that take a source to its result, as well as slow ones can.

    Parameters
    ----------
    suffix : str
        Which sequence.
    source, result : Session
        Prepared, on one grid.
    """
    image = source[suffix]
    chosen = _some(source.require_brain() & (image.data > 0))
    place = template_coordinates(source).reshape(-1, 3)[chosen]
    tone = calm(image).ravel()[chosen]
    before, after = (s[suffix].data.ravel()[chosen] for s in (source, result))
    gain = fit_gain(place, tone, before, after, SETTINGS)
    at = np.arange(max(gain.gain.shape[-1], round(1 / gain.tone_step) + 2))
    curve = gain.gain[..., np.minimum(at, gain.gain.shape[-1] - 1)]
    return ToneField(
        curve * (at * gain.tone_step).astype(np.float32),
        _weights(gain, place),
        gain.origin,
        gain.spacing,
        gain.tone_step,
    )


def _some(inside: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return flat indices of at most `MOST` voxels, evenly."""
    where = np.flatnonzero(inside)
    return where[:: max(1, len(where) // MOST)]


def _weights(gain: GainField, place: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how many of some places are nearest to each node, (i, j, k)."""
    shape = gain.gain.shape[:3]
    node = np.rint((place - gain.origin) / gain.spacing).astype(int)
    node = np.minimum(node, np.array(shape) - 1)
    flat = np.ravel_multi_index(tuple(node.T), shape)
    count = np.bincount(flat, minlength=int(np.prod(shape)))
    return count.reshape(shape).astype(np.float64)
