"""Bilateral: a tone curve that varies slowly in space, fitted robustly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from mitame.core.harmonizer import learned, learned_of
from mitame.core.session import Session, Suffix, shared_sequences
from mitame.core.volume import Step, Volume
from mitame.engines import regional
from mitame.io import bundle
from mitame.prepare.template import template_coordinates
from mitame.solve.gain import Coherence, GainField, GainSettings, fit_gain
from mitame.solve.smooth import gaussian

FIT_SPACING = 1.5
"""Voxels finer than this, mm, are averaged for the fit: less noise, less work."""

MOST_SAMPLES = 400_000
"""Voxels that a gain is fitted to when there are many pairs."""

COHERENCE_MM = 1.5
"""Width (SD) of the neighborhood in which a real change holds together."""

TONE_MM = 1.5
"""Width (SD) over which a voxel's brightness is taken for its place on the curve."""


class Bilateral:
    """Multiply every voxel by a gain that depends on its place and brightness.

    `fit_pair` learns from one aligned pair of one subject, trusting a voxel less
    the more it and its neighbors differ, so that real change does not pull the
    fit. `fit` learns from two unpaired groups: at every place of the template it
    matches the quantiles the groups have around there.

    Parameters
    ----------
    spacing : float
        Distance of the lattice nodes, mm of the template.
    tone_step : float
        Distance of the tone nodes, in white-matter medians.
    place_stiffness, tone_stiffness, tuning, rounds
        See `GainSettings`.

    Attributes
    ----------
    fields_ : dict of str to GainField
        The gain, by sequence; places are template millimeters.
    """

    needs_pairs: ClassVar[bool] = False
    fields_: dict[Suffix, GainField]

    def __init__(
        self,
        *,
        spacing: float = 12.0,
        tone_step: float = 0.25,
        place_stiffness: float = 0.03,
        tone_stiffness: float = 10.0,
        tuning: float = 2.0,
        rounds: int = 8,
    ) -> None:
        self.spacing = spacing
        self.tone_step = tone_step
        self.place_stiffness = place_stiffness
        self.tone_stiffness = tone_stiffness
        self.tuning = tuning
        self.rounds = rounds

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn from two groups in template space; nobody need be in both."""
        shared = shared_sequences(source, target)
        self.fields_ = {s: self._fit_groups(s, source, target) for s in shared}
        return self

    def fit_pair(self, source: Session, target: Session) -> Self:
        """Learn from one subject's two sessions, aligned on one grid.

        Raises
        ------
        GridMismatchError
            If the sessions are not on one grid.
        """
        source.reference.require_same_grid(target.reference)
        shared = [suffix for suffix in source if suffix in target]
        self.fields_ = {s: self._fit_one_pair(s, source, target) for s in shared}
        return self

    def fit_pairs(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn from several subjects' pairs, source[n] and target[n] on one grid.

        Every voxel counts alike: what two scanners show of one subject differs by
        nothing else.

        Raises
        ------
        GridMismatchError
            If the sessions of a pair are not on one grid.
        """
        pairs = list(zip(source, target, strict=True))
        for one, other in pairs:
            one.reference.require_same_grid(other.reference)
        shared = shared_sequences(source, target)
        self.fields_ = {s: self._fit_all_pairs(s, pairs) for s in shared}
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` times the gain; zeros stay zero."""
        return session.with_volumes(
            {suffix: self._apply(suffix, session) for suffix in session}
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the gain fields into `folder`."""
        fields = learned(self, "fields_")
        words = {
            "settings": asdict(self._settings),
            "origins": {suffix: f.origin.tolist() for suffix, f in fields.items()},
        }
        bundle.write(folder, words, {suffix: f.gain for suffix, f in fields.items()})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, gains = bundle.read(folder)
        engine = cls(**words["settings"])
        engine.fields_ = {
            suffix: GainField(
                gains[suffix], np.array(origin), engine.spacing, engine.tone_step
            )
            for suffix, origin in words["origins"].items()
        }
        return engine

    @property
    def _settings(self) -> GainSettings:
        return GainSettings(
            self.spacing,
            self.tone_step,
            self.place_stiffness,
            self.tone_stiffness,
            self.tuning,
            self.rounds,
        )

    def _fit_groups(
        self, suffix: Suffix, source: Sequence[Session], target: Sequence[Session]
    ) -> GainField:
        match = regional.matched_quantiles(
            [_in_template(s, suffix) for s in source if suffix in s],
            [_in_template(s, suffix) for s in target if suffix in s],
            spacing=self.spacing,
        )
        return fit_gain(
            match.place,
            match.source,
            match.source,
            match.target,
            self._settings,
            weight=match.weight,
        )

    def _fit_one_pair(
        self, suffix: Suffix, source: Session, target: Session
    ) -> GainField:
        inside, place, tone, before, after = _samples(suffix, source, target)
        block = _block(source.reference)
        width = COHERENCE_MM / (np.array(source.reference.spacing) * block)
        return fit_gain(
            place,
            tone,
            before,
            after,
            self._settings,
            coherence=_local_mean(inside, width),
        )

    def _fit_all_pairs(
        self, suffix: Suffix, pairs: Sequence[tuple[Session, Session]]
    ) -> GainField:
        rng = np.random.default_rng(0)
        parts = []
        for one, other in pairs:
            _, *samples = _samples(suffix, one, other)
            n = min(len(samples[0]), MOST_SAMPLES // len(pairs))
            chosen = rng.choice(len(samples[0]), n, replace=False)
            parts.append([values[chosen] for values in samples])
        place, tone, before, after = (
            np.concatenate(values) for values in zip(*parts, strict=True)
        )
        once = replace(self._settings, rounds=1)
        return fit_gain(place, tone, before, after, once)

    def _apply(self, suffix: Suffix, session: Session) -> Volume:
        field: GainField = learned_of(self, "fields_", suffix)
        volume = session[suffix]
        to_template = session.require_template() @ volume.affine
        gain = field.over(to_template, _brightness(volume))
        low, high = np.quantile(gain[session.require_brain()], (0.05, 0.95))
        step = Step("bilateral", {"gain_low": float(low), "gain_high": float(high)})
        return volume.with_data(volume.data * gain, step)


def _samples(
    suffix: Suffix, source: Session, target: Session
) -> tuple[NDArray[Any], ...]:
    """Return which blocks of a pair lie in both brains, and four numbers of each.

    Place, brightness, and intensities of source and target.
    """
    block = _block(source.reference)
    inside = _block_mean(_brain_of_both(source, target), block) > 0.99
    seen = (
        template_coordinates(source),
        _brightness(source[suffix]),
        source[suffix].data,
        target[suffix].data,
    )
    return inside, *(_block_mean(values, block)[inside] for values in seen)


def _brightness(volume: Volume) -> NDArray[np.float32]:
    """Return the volume with less noise: where on the tone axis each voxel is."""
    return gaussian(volume.data, TONE_MM / np.array(volume.spacing))


def _in_template(session: Session, suffix: Suffix) -> regional.Cloud:
    brain = session.require_brain()
    return template_coordinates(session)[brain], session[suffix].data[brain]


def _brain_of_both(source: Session, target: Session) -> NDArray[np.float32]:
    return (source.require_brain() & target.require_brain()).astype(np.float32)


def _block(grid: Volume) -> NDArray[np.int_]:
    """How many voxels along each axis make a block of about `FIT_SPACING`."""
    fine = FIT_SPACING / np.array(grid.spacing)
    return np.maximum(np.rint(fine), 1).astype(int)


def _block_mean(
    array: NDArray[np.float32], block: NDArray[np.int_]
) -> NDArray[np.float32]:
    """Average non-overlapping blocks along the first three axes; drop the rest."""
    whole = np.array(array.shape[:3]) // block * block
    array = array[: whole[0], : whole[1], : whole[2]]
    for axis, size in enumerate(block):
        shape = (*array.shape[:axis], -1, size, *array.shape[axis + 1 :])
        array = array.reshape(shape).mean(axis=axis + 1)
    return array


def _local_mean(inside: NDArray[np.bool_], width: NDArray[np.float64]) -> Coherence:
    """Return a function that averages voxel values over their neighborhood."""
    support = gaussian(inside.astype(np.float32), width)[inside]

    def average(values: NDArray[np.float32]) -> NDArray[np.float32]:
        image = np.zeros(inside.shape, np.float32)
        image[inside] = values
        return np.asarray(gaussian(image, width)[inside] / support)

    return average
