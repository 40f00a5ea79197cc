"""What shall be simulated, and the random numbers that belong to it."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from mitame.core.errors import InputError
from mitame.core.session import Suffix
from mitame.simulate.catalog import SimulatedScanner

Plant = Literal["occipital", "lesions", "atrophy"]
PLANTS: tuple[Plant, ...] = get_args(Plant)


@dataclass(frozen=True, slots=True)
class Study:
    """What shall be simulated.

    Parameters
    ----------
    anatomy : str
        Folder with label maps, or ``builtin``.
    n_subjects : int
        People; they take turns with the anatomies and differ all the same.
    scanners : tuple of SimulatedScanner
        Where everyone is scanned.
    sequences : tuple of str
        BIDS suffixes; every scanner has them.
    spacing : float
        Voxel edge of all scans, mm, 0.8 to 4.
    seed : int
        Same seed, same bytes.
    plants : tuple of str
        ``occipital``: the last scanner shows the occipital cortex too bright.
        ``lesions``: everyone has some.
        ``atrophy``: everyone comes a second time, with less brain.
    """

    anatomy: str
    n_subjects: int
    scanners: tuple[SimulatedScanner, ...]
    sequences: tuple[Suffix, ...]
    spacing: float
    seed: int
    plants: tuple[Plant, ...] = ()

    def __post_init__(self) -> None:
        if self.n_subjects < 1:
            raise InputError(
                f"{self.n_subjects} subjects were asked for.", fix="Give 1 or more."
            )
        if not 0.8 <= self.spacing <= 4:
            raise InputError(
                f"A resolution of {self.spacing:g} mm.", fix="Give 0.8 to 4 mm."
            )
        for scanner in self.scanners:
            missing = [s for s in self.sequences if s not in scanner.acquisitions]
            if missing:
                raise InputError(
                    f"Scanner '{scanner.name}' has no {', '.join(missing)}.",
                    fix=f"It has {', '.join(scanner.acquisitions)}.",
                )

    def settings(self) -> dict[str, Any]:
        """Return everything that decides what comes out, as plain values."""
        words = asdict(self)
        words["anatomy"] = Path(self.anatomy).name
        return json.loads(json.dumps(words))  # type: ignore[no-any-return]

    def random(self, *things: str) -> np.random.Generator:
        """Return the random numbers of one thing; others do not disturb them."""
        crcs = (zlib.crc32(thing.encode()) for thing in things)
        return np.random.default_rng([self.seed, *crcs])
