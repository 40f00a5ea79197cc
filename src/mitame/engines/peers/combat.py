"""ComBat, voxel by voxel, of the package neuroCombat."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates

from mitame.core.errors import InputError
from mitame.core.harmonizer import learned, learned_of
from mitame.core.session import Session, Suffix, shared_sequences
from mitame.core.volume import Step, Volume
from mitame.engines.peers.installed import peer
from mitame.io import bundle
from mitame.prepare.resample import at_spacing, resample, resample_mask
from mitame.prepare.template import template_coordinates, template_grid

steps = peer("neuroCombat.neuroCombat")

LEAST = 3
"""Fewer subjects in a group have no variance worth the name."""


class ComBat:
    """ComBat [1]_ with the target as reference batch, one feature a voxel.

    Both groups are laid on one coarse grid in template space. For every voxel in the
    brain of most subjects of both groups neuroCombat finds how the source's mean
    and variance differ from the target's, pooled over voxels by empirical Bayes.
    For a new session that gain and shift are read between the voxels. Outside its
    brain a session stays as it is: ComBat knows nothing of what is there. No
    covariates are kept, so a difference in age between the groups is taken away.

    Parameters
    ----------
    spacing : float
        Voxel edge of the grid in template space, mm.

    Attributes
    ----------
    maps_ : dict of str to array, shape (2, i, j, k)
        Gain and shift that make a source intensity one of the target, by sequence.

    References
    ----------
    .. [1] J.-P. Fortin et al., "Harmonization of multi-site diffusion tensor imaging
       data", NeuroImage 161, 149-170, 2017.
    """

    needs_pairs: ClassVar[bool] = False
    maps_: dict[Suffix, NDArray[np.float32]]

    def __init__(self, *, spacing: float = 4.0) -> None:
        self.spacing = spacing

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn from two groups in template space, three subjects each or more.

        Raises
        ------
        InputError
            If the groups share no sequence, or are too small.
        """
        shared = shared_sequences(source, target)
        self.maps_ = {s: self._fit_one(s, source, target) for s in shared}
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` with gain and shift in the brain; zeros stay zero."""
        return session.with_volumes(
            {suffix: self._moved(suffix, session) for suffix in session}
        )

    def save(self, folder: Path) -> None:
        """Write the parameters and the maps into `folder`."""
        maps = learned(self, "maps_")
        bundle.write(folder, {"spacing": self.spacing}, {str(s): maps[s] for s in maps})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        params, maps = bundle.read(folder)
        engine = cls(**params)
        engine.maps_ = maps  # type: ignore[assignment]
        return engine

    def _fit_one(
        self, suffix: Suffix, source: Sequence[Session], target: Sequence[Session]
    ) -> NDArray[np.float32]:
        groups = [[s for s in group if suffix in s] for group in (source, target)]
        _require_enough(suffix, *groups)
        grid = template_grid(self.spacing)
        inside = _in_most_brains(groups[0], grid) & _in_most_brains(groups[1], grid)
        if not inside.any():
            raise InputError(
                "The brains of source and target lie nowhere in one place.",
                fix="Apply `prepare.template.FindTemplate` to all of them.",
            )
        values = [
            np.array([_on_grid(s, suffix, grid)[inside] for s in group])
            for group in groups
        ]
        return _filled(np.stack(gain_and_shift(*values)), inside)

    def _moved(self, suffix: Suffix, session: Session) -> Volume:
        maps = learned_of(self, "maps_", suffix)
        volume, brain = session[suffix], session.require_brain()
        world_to_voxel = np.linalg.inv(template_grid(self.spacing).affine)
        place = template_coordinates(session)[brain]
        at = world_to_voxel[:3, :3] @ place.T + world_to_voxel[:3, 3:]
        gain, shift = (map_coordinates(m, at, order=1, mode="nearest") for m in maps)
        data = volume.data.copy()
        data[brain] = np.where(data[brain] == 0, 0, gain * data[brain] + shift)
        middle = {"gain": float(np.median(gain)), "shift": float(np.median(shift))}
        return volume.with_data(data, Step("combat", middle))


def gain_and_shift(
    source: NDArray[np.float32], target: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what ComBat does to each feature of the source, target as reference.

    Parameters
    ----------
    source, target : array, shape (n_subjects, n_features)
        Intensities of the two batches.
    """
    # `neuroCombat.neuroCombat` takes no reference batch since NumPy lost `np.int`; its
    # own functions, called in its order, do.
    data = np.concatenate([source, target]).astype(np.float64).T
    batch = np.repeat([0, 1], [len(source), len(target)])
    design = steps.make_design_matrix(batch[:, None].astype(object), 0, [], [], 1)
    info = _described(batch)
    scores, mean, variance, _ = steps.standardize_across_features(data, design, info)
    found = steps.fit_LS_model_and_find_priors(scores, design, info, False)
    # Relative to itself the target has no shift, and the relative change of nothing,
    # which neuroCombat stops at, is 0 / 0; it then sets the target to (0, 1) anyway.
    with np.errstate(divide="ignore", invalid="ignore"):
        gamma, delta = steps.find_parametric_adjustments(scores, found, info, False)
    gain = 1 / np.sqrt(delta[0])
    return gain, mean[:, 0] - gain * (mean[:, 0] + np.sqrt(variance[:, 0]) * gamma[0])


def _described(batch: NDArray[np.int_]) -> dict[str, object]:
    """Return what neuroCombat wants to know of two batches; the second is reference."""
    members = [list(np.flatnonzero(batch == level)) for level in (0, 1)]
    return {
        "ref_level": 1,
        "n_batch": 2,
        "n_sample": len(batch),
        "sample_per_batch": np.array([len(one) for one in members]),
        "batch_info": members,
    }


def _require_enough(suffix: Suffix, *groups: Sequence[Session]) -> None:
    counts = [len(group) for group in groups]
    if min(counts) < LEAST:
        raise InputError(
            f"ComBat has {counts[0]} source and {counts[1]} target scans ({suffix}).",
            fix=f"Give {LEAST} or more of each; their variance is compared.",
        )


def _on_grid(session: Session, suffix: Suffix, grid: Volume) -> NDArray[np.float32]:
    """Return a volume in template space; finer voxels are smoothed first."""
    back = np.linalg.inv(session.require_template())
    soft = at_spacing(session[suffix], grid.spacing[0])
    return resample(soft, grid, transform=back, interpolator="linear").data


def _in_most_brains(group: Sequence[Session], grid: Volume) -> NDArray[np.bool_]:
    """Return where most subjects have brain; all of them agree only deep inside."""
    brains = [
        resample_mask(
            session.require_brain(),
            session.reference,
            grid,
            transform=np.linalg.inv(session.require_template()),
        )
        for session in group
    ]
    return np.asarray(np.mean(brains, axis=0) > 0.5)


def _filled(
    values: NDArray[np.float64], inside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return `values` of the voxels inside; the others take the nearest one's."""
    maps = np.zeros((len(values), *inside.shape), np.float32)
    maps[:, inside] = values
    nearest = distance_transform_edt(
        ~inside, return_distances=False, return_indices=True
    )
    return np.asarray(maps[:, *nearest])
