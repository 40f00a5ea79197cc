"""The volumes of one visit, on one grid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.volume import Step, Volume

Suffix = Literal["T1w", "T2w", "FLAIR", "PDw"]
"""The sequences mitame knows, by their BIDS suffix."""

SUFFIXES: tuple[Suffix, ...] = get_args(Suffix)


@dataclass(frozen=True, slots=True, eq=False)
class Session(Mapping[Suffix, Volume]):
    """One visit of one subject: a mapping from BIDS suffix to `Volume`.

    All volumes share one grid. A session never changes; `with_volumes` makes the
    next one and keeps who and when.

    Parameters
    ----------
    volumes : mapping of str to Volume
        At least one; keys are BIDS suffixes (`T1w`, `T2w`, `FLAIR`, `PDw`).
    subject : str, optional
        BIDS subject label or DICOM Patient ID, as the files give it.
    date : datetime.date, optional
        Day of the visit.
    brain : array of bool, shape (i, j, k), optional
        Brain mask on the session's grid; `prepare.brain` makes it.
    to_template : array, shape (4, 4), optional
        World millimetres of this session to template millimetres (MNI152, RAS+);
        `prepare.template` finds it.

    Raises
    ------
    InputError
        If there is no volume or a suffix is unknown.
    GridMismatchError
        If the volumes, or the brain mask, do not share one grid.
    """

    volumes: Mapping[Suffix, Volume]
    subject: str | None = None
    date: date | None = None
    brain: NDArray[np.bool_] | None = None
    to_template: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.volumes:
            raise InputError("A session without a volume.", fix="Give at least one.")
        unknown = set(self.volumes) - set(SUFFIXES)
        if unknown:
            raise InputError(
                f"Unknown sequence {sorted(unknown)}.",
                fix=f"Use one of {', '.join(SUFFIXES)}.",
            )
        object.__setattr__(self, "volumes", dict(self.volumes))
        for volume in self.volumes.values():
            self.reference.require_same_grid(volume)
        if self.brain is not None and self.brain.shape != self.reference.shape:
            raise GridMismatchError(
                f"The brain mask is {self.brain.shape}, "
                f"the volumes are {self.reference.shape}.",
                fix="Compute the mask on this session.",
            )

    def __getitem__(self, suffix: Suffix) -> Volume:
        return self.volumes[suffix]

    def __iter__(self) -> Iterator[Suffix]:
        return iter(self.volumes)

    def __len__(self) -> int:
        return len(self.volumes)

    @property
    def reference(self) -> Volume:
        """The first volume; its grid is the session's grid."""
        return next(iter(self.volumes.values()))

    def require_brain(self) -> NDArray[np.bool_]:
        """Return the brain mask, or raise `InputError` where there is none."""
        if self.brain is None or not self.brain.any():
            raise InputError(
                "The session has no brain mask.",
                fix="Apply `prepare.brain.FindBrain` first.",
            )
        return self.brain

    def require_template(self) -> NDArray[np.float64]:
        """Return the way to template space, or raise `InputError`."""
        if self.to_template is None:
            raise InputError(
                "The session has no place in template space.",
                fix="Apply `prepare.template.FindTemplate` first.",
            )
        return self.to_template

    def with_volumes(self, volumes: Mapping[Suffix, Volume]) -> Session:
        """Return the same visit with new volumes on the same grid."""
        return replace(self, volumes=volumes)

    def with_data(
        self, data: Mapping[Suffix, NDArray[np.float32]], step: Step
    ) -> Session:
        """Return the same visit with new intensities, `step` in each history."""
        return self.with_volumes(
            {suffix: self[suffix].with_data(data[suffix], step) for suffix in data}
        )


def shared_sequences(
    source: Sequence[Session], target: Sequence[Session]
) -> list[Suffix]:
    """Return the sequences that two groups have in common, in order of their names.

    Raises
    ------
    InputError
        If there is none.
    """
    ours, theirs = ({s for one in group for s in one} for group in (source, target))
    if not ours & theirs:
        raise InputError(
            f"Source has {sorted(ours)}, target has {sorted(theirs)}: no sequence in "
            "common.",
            fix="Give scans of the same sequence from both scanners.",
        )
    return sorted(ours & theirs)
