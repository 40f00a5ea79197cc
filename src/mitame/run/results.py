"""Results of `apply` on disk: all files of a visit, or none."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from mitame.core.errors import ImplausibleError, OutputError
from mitame.core.session import Suffix
from mitame.guard.verdict import Verdict
from mitame.io import bids, nifti
from mitame.io.scan import Scan
from mitame.model import Harmonized
from mitame.run.scans import known_sequence

HARMONIZED = {
    "full": "The scan as the target scanner would have shown it.",
    "limited": "The scan with as much of the target scanner's look as any lesion "
    "survives.",
}
"""What the image of each mode is."""

GUARD = "Guard"
"""Field of a sidecar: the guard's verdict."""


def sidecar_of(image: Path) -> Path:
    """Return the JSON beside an image."""
    return image.with_name(image.name.removesuffix(".nii.gz") + ".json")


@dataclass(frozen=True, slots=True)
class Planned:
    """Where the results of one scan go, and what they are made from.

    Parameters
    ----------
    scan : Scan
        Which one.
    image, edit : Path
        The harmonized image and the edit map; their sidecars lie beside them.
    origin : dict
        SHA-256 of the model, and of the scan or of all scans of its visit; and the
        mode, "full" or "limited".
    """

    scan: Scan
    image: Path
    edit: Path
    origin: dict[str, str]

    @classmethod
    def of(cls, scan: Scan, out: Path, origin: dict[str, str]) -> Self:
        """Return the plan for one scan."""
        names = (
            bids.derivative_name(scan, desc, known_sequence(scan))
            for desc in ("harmonized", "edit")
        )
        image, edit = (out / name for name in names)
        return cls(scan, image, edit, origin)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that is written."""
        return self.image, sidecar_of(self.image), self.edit, sidecar_of(self.edit)

    @property
    def is_done(self) -> bool:
        """Whether all of it is there already."""
        there = all(file.exists() for file in self.files)
        return there and _origin(self.image) == self.origin

    def require_replaceable(self) -> None:
        """Raise unless what is there is an unfinished result of the same origin.

        Raises
        ------
        OutputError
            If it is something else.
        """
        images = (self.image, self.edit)
        there = [file for file in self.files if file.exists()]
        told = [_origin(image) for image in images if sidecar_of(image).exists()]
        is_unfinished = bool(told) and all(one == self.origin for one in told)
        if there and not is_unfinished:
            raise OutputError(
                f"'{there[0]}' is there, made from another scan, by another model "
                "or in another mode.",
                fix="Choose another folder, or replace it with --force.",
            )


def require_not_refused(found: Mapping[Suffix, Harmonized]) -> None:
    """Raise if the guard refuses a result of a visit.

    Raises
    ------
    ImplausibleError
        With its reasons.
    """
    for suffix, one in found.items():
        if one.verdict is not None and one.verdict.grade == "refuse":
            told = ". ".join(reason.sentence for reason in one.verdict.reasons)
            raise ImplausibleError(
                f"The guard refuses the result ({suffix}): {told}.",
                fix="Look at the scan and at what the model was fitted on; try "
                "--limited. --force writes it all the same, and its sidecar says so.",
            )


def verdict_of(image: Path) -> Verdict | None:
    """Return what the guard said when an image was written, if it did."""
    told = json.loads(sidecar_of(image).read_bytes()).get(GUARD)
    return Verdict.from_json(told) if told else None


def write_all(plans: Sequence[Planned], found: Mapping[Suffix, Harmonized]) -> None:
    """Write the results of a visit: all of its files, or none."""
    files = [file for plan in plans for file in plan.files]
    for file in files:
        file.unlink(missing_ok=True)
    try:
        for plan in plans:
            _write(plan, found[known_sequence(plan.scan)])
    except BaseException:  # Ctrl-C, too
        for file in files:
            file.unlink(missing_ok=True)
        raise


def _write(plan: Planned, found: Harmonized) -> None:
    """Write the edit first and the image last: what is complete has an image."""
    scan = plan.scan
    like = scan.path if scan.kind == "nifti" else None
    said = {GUARD: found.verdict.to_json()} if found.verdict is not None else {}
    for path, volume, words in (
        (plan.edit, found.edit, "Harmonized minus source, in the harmonized scale."),
        (
            plan.image,
            found.result,
            HARMONIZED[plan.origin["Mode"]],
        ),
    ):
        bids.write_sidecar(
            path,
            volume,
            sources=[scan.path.name],
            description=words,
            fields=plan.origin | said,
        )
        nifti.write(path, volume, like=like)


def _origin(image: Path) -> dict[str, str]:
    """Return from what and by what `image` was made, as far as it says."""
    try:
        fields = json.loads(sidecar_of(image).read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(fields, dict):
        return {}
    before = {"ModelSHA256": "", "SourceSHA256": "", "Mode": "full"}  # one mode only
    return {key: fields.get(key, unsaid) for key, unsaid in before.items()}
