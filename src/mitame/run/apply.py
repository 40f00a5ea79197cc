"""Apply a model to scans on disk; what an interrupted run has finished is kept."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mitame.core.errors import InputError, MitameError, OutputError
from mitame.core.harmonizer import takes_visits
from mitame.core.progress import Progress
from mitame.core.session import Suffix
from mitame.guard.verdict import Verdict
from mitame.io import bids
from mitame.io.digest import digest, digest_folder
from mitame.io.scan import Scan
from mitame.model import Harmonized, Model
from mitame.run.headers import odd_by_header
from mitame.run.places import open_dataset, require_usable
from mitame.run.results import Planned, require_not_refused, verdict_of, write_all
from mitame.run.scans import (
    Visit,
    known_sequence,
    listed,
    sessions_of,
    title_of,
    visits_of,
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scan: its files, or why there are none.

    Parameters
    ----------
    scan : Scan
        Which one.
    state : {"done", "done before", "failed"}
        What became of it.
    seconds : float
        How long it took.
    sha256 : str
        Of the scan; empty if it could not be read.
    files : tuple of Path
        What was written.
    error : MitameError, optional
        Why it failed.
    verdict : Verdict, optional
        What the guard says of the result.
    """

    scan: Scan
    state: str
    seconds: float
    sha256: str = ""
    files: tuple[Path, ...] = ()
    error: MitameError | None = None
    verdict: Verdict | None = None

    @property
    def name(self) -> str:
        """File name, or the DICOM series in words."""
        return title_of(self.scan)


def apply_model(
    folder: Path,
    scans: Sequence[Scan],
    out: Path,
    *,
    limited: bool = False,
    force: bool = False,
    progress: Progress = lambda _: None,
) -> Iterator[Outcome]:
    """Harmonize scans one by one; yield what became of each.

    A scan that cannot be used fails alone; one of a model that takes the sequences of
    a visit together, with its visit. What an interrupted run has finished is kept: a
    result made from the same scans by the same model is not made again.

    Parameters
    ----------
    folder : Path
        Where the model is.
    scans : sequence of Scan
        What to harmonize.
    out : Path
        A new folder, or one of an earlier run.
    limited : bool
        Do no more than any lesion survives.
    force : bool
        Replace results that another model or another scan left there, and write what
        the guard refuses; the sidecar says so.
    progress : callable
        Called before each scan.

    Raises
    ------
    ModelError
        If `folder` holds no model, or one that knows no limited mode.
    InputError
        If two scans would have results of one name.
    OutputError
        If `out` cannot be written, or is not for results of `apply`.
    """
    model = Model.load(folder)
    if limited:
        model.require_guard()
    mode = "limited" if limited else "full"
    origin = {"ModelSHA256": digest_folder(folder), "Mode": mode}
    _require_different_names(scans)
    require_usable(out)
    number = 0
    for visit in taken_together(model, scans):
        names = ", ".join(title_of(scan) for scan in visit)
        progress(f"{number + 1}/{len(scans)} {names}")
        number += len(visit)
        start = time.perf_counter()
        try:
            found = _apply_one(model, origin, visit, out, force=force)
            taken = round(time.perf_counter() - start, 1)
            for one in found:
                yield replace(one, seconds=taken)
        except MitameError as error:
            if isinstance(error.__cause__, OSError) and isinstance(error, OutputError):
                raise  # a full disk is full for the next scan, too
            taken = round(time.perf_counter() - start, 1)
            for scan in visit:
                yield Outcome(scan, "failed", taken, error=error)


def taken_together(model: Model, scans: Sequence[Scan]) -> list[Visit]:
    """Return what the model takes for one: scans, or the sequences of a visit."""
    if not takes_visits(model.engine) or len(_known_to(model) or ()) < 2:
        return [(scan,) for scan in scans]
    return visits_of(scans)


def _apply_one(
    model: Model, origin: dict[str, str], visit: Visit, out: Path, *, force: bool
) -> list[Outcome]:
    """Harmonize one visit; return what became of each scan."""
    _require_known_to(model, visit)
    for scan in visit:
        if scan.problem is not None:
            raise scan.problem
    sources = {known_sequence(scan): digest(scan) for scan in visit}
    told = "+".join(sorted(sources.values()))
    plans = [Planned.of(scan, out, {**origin, "SourceSHA256": told}) for scan in visit]
    state = "done before"
    if not all(plan.is_done for plan in plans):
        state = "done"
        if not force:
            for plan in plans:
                plan.require_replaceable()
        limited = origin["Mode"] == "limited"
        found = model.harmonize(*sessions_of(visit), limited=limited)
        found = _with_headers(found, model, visit)
        if not force:
            require_not_refused(found)
        open_dataset(out, "mitame harmonized scans")
        write_all(plans, found)
    return [
        Outcome(
            p.scan,
            state,
            0.0,
            sources[known_sequence(p.scan)],
            p.files,
            verdict=verdict_of(p.image),
        )
        for p in plans
    ]


def _with_headers(
    found: dict[Suffix, Harmonized], model: Model, visit: Visit
) -> dict[Suffix, Harmonized]:
    """Return results whose verdicts also tell what the scans' headers do."""
    known = model.about.get("source", {})
    told = {known_sequence(scan): odd_by_header(scan, known) for scan in visit}
    return {
        suffix: one
        if one.verdict is None
        else replace(one, verdict=one.verdict.also(told[suffix]))
        for suffix, one in found.items()
    }


def _require_different_names(scans: Iterable[Scan]) -> None:
    named: dict[str, list[Scan]] = defaultdict(list)
    for scan in scans:
        named[bids.derivative_name(scan, "harmonized", str(scan.suffix))].append(scan)
    for name, same in named.items():
        if len(same) > 1:
            raise InputError(
                f"'{same[0].path}' and '{same[1].path}' would both become '{name}'.",
                fix="Give them in two runs with a folder each, or name them by BIDS.",
            )


def _known_to(model: Model) -> set[str] | None:
    """Return the sequences that both groups of the model had, if it tells."""
    groups = [model.about.get(name) for name in ("source", "target")]
    known = [set(g["sequences"]) for g in groups if isinstance(g, dict)]
    return set.intersection(*known) if known else None


def _require_known_to(model: Model, visit: Visit) -> None:
    """Raise before a long preparation if the model does not know the sequences."""
    known = _known_to(model)
    names = ", ".join(f"'{scan.path.name}'" for scan in visit)
    what = f"{names} {'is' if len(visit) == 1 else 'are'}"
    given = [known_sequence(scan) for scan in visit]
    if known is not None and not known.issuperset(given):
        raise InputError(
            f"{what} {listed(given)}; the model knows {listed(known)}.",
            fix=f"Fit a model with {listed(given)} scans in both groups.",
        )
    together = takes_visits(model.engine) and known is not None
    if together and (len(given) > len(set(given)) or known != set(given)):
        raise InputError(
            f"{what} {listed(given)}; the model takes {listed(known or ())} of one "
            "visit together.",
            fix="Give one scan of each; name scans by BIDS (sub-…_ses-…).",
        )
