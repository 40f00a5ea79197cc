"""Model: preparation and engine in one; the only road from scan to harmonized scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from mitame.core.errors import InputError, ModelError
from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.engines.named import engine_class
from mitame.guard.guard import Guard
from mitame.guard.verdict import Verdict
from mitame.io import bundle
from mitame.prepare.pairs import aligned_pairs
from mitame.prepare.pipeline import Preparation
from mitame.prepare.visit import together

GUARD = "guard"
"""Folder of what the guard knows, and the word that says whether there is one."""

HELD = 4
"""Every so many source scans, one is kept for the guard."""

ENOUGH = 12
"""Source scans from which on some are kept."""

Visit = Session | Sequence[Session]
"""Native; several sessions if the sequences of one visit lie on several grids."""


@dataclass(frozen=True, slots=True, eq=False)
class Harmonized:
    """One scan before and after, on its native grid and the model's scale.

    Parameters
    ----------
    source : Volume
        The scan as it was, divided by its white-matter median.
    result : Volume
        As the target scanner would have shown it.
    verdict : Verdict, optional
        What the guard says of it; None if the model was fitted before there was one.
    """

    source: Volume
    result: Volume
    verdict: Verdict | None = None

    @property
    def edit(self) -> Volume:
        """Harmonized − source, in the harmonized scale."""
        return self.result.with_data(
            self.result.data - self.source.data, Step("edit", {"minus": "source"})
        )


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A preparation and the engine it feeds, fitted and stored together.

    Training and use cannot differ, because both go through the same object.

    Parameters
    ----------
    preparation : Preparation
        From the native grid to what the engine eats, and back.
    engine_name : str
        As in the entry point.
    engine : Harmonizer
        What maps prepared source sessions to prepared target sessions.
    about : dict
        How it was made: file names, scanners, versions. Plain values.
    guard : Guard, optional
        What the engine does to nearly everybody; None if the model was fitted before
        there was one.
    """

    preparation: Preparation
    engine_name: str
    engine: Harmonizer
    about: dict[str, Any]
    guard: Guard | None = None

    @classmethod
    def fit(
        cls,
        preparation: Preparation,
        engine_name: str,
        source: Iterable[Visit],
        target: Iterable[Visit],
        *,
        engine: Harmonizer | None = None,
        about: dict[str, Any] | None = None,
    ) -> Self:
        """Return a model fitted on native visits; they are prepared one by one.

        For an engine that learns from pairs source[n] and target[n] are one subject;
        the target is laid onto the grid of the source.

        Parameters
        ----------
        preparation : Preparation
            For both groups.
        engine_name : str
            As in the entry point.
        source, target : iterable of visits
            The groups.
        engine : Harmonizer, optional
            A new one of that name, if not the one with the default parameters.
        about : dict, optional
            How the model is made.

        Raises
        ------
        InputError
            If a group is empty, the engine unknown, a scan cannot be prepared, or a
            pair does not show one head.
        """
        engine = engine_class(engine_name)() if engine is None else engine
        groups = {
            name: [prepared(preparation, visit) for visit in visits]
            for name, visits in (("source", source), ("target", target))
        }
        for name, sessions in groups.items():
            if not sessions:
                raise InputError(
                    f"The {name} group is empty.", fix=f"Give scans with --{name}."
                )
        if engine.needs_pairs:
            groups["target"] = aligned_pairs(groups["source"], groups["target"])
        engine, guard = fit_guarded(engine, groups["source"], groups["target"])
        return cls(preparation, engine_name, engine, about or {}, guard)

    def harmonize(
        self, *sessions: Session, limited: bool = False
    ) -> dict[Suffix, Harmonized]:
        """Return every volume of a native visit as the target would show it.

        The results are on the native grids and on the model's intensity scale, the
        target's white-matter median being 1.

        Parameters
        ----------
        *sessions : Session
            One visit; several if its sequences lie on several grids.
        limited : bool
            Do no more than any lesion survives: see `Guard.limited`.

        Raises
        ------
        ModelError
            If the model was fitted before there was a limited mode.
        """
        guard = self.require_guard() if limited else self.guard
        prepared = [self.preparation.apply(session) for session in sessions]
        whole, back = together([session for session, _ in prepared])
        result = self.engine.transform(whole)
        verdicts: Mapping[Suffix, Verdict] = {}
        if guard is not None:
            verdicts = guard.judge(whole, result, limited=limited)
        if guard is not None and limited:
            result = guard.limited(whole, result)
        results = back(result)
        found: dict[Suffix, Harmonized] = {}
        for native, (_, restore), result in zip(
            sessions, prepared, results, strict=True
        ):
            found |= _compared(native, restore(result))
        return {s: replace(one, verdict=verdicts.get(s)) for s, one in found.items()}

    def require_guard(self) -> Guard:
        """Return what the guard knows.

        Raises
        ------
        ModelError
            If the model was fitted before there was one.
        """
        if self.guard is None:
            raise ModelError(
                "The model was fitted before there was a limited mode.",
                fix="Fit it again with `mitame fit`, or apply it without --limited.",
            )
        return self.guard

    def save(self, folder: Path) -> None:
        """Write the model into `folder`: ``model.json`` and the engine's own part."""
        words = {
            "engine": self.engine_name,
            "preparation": self.preparation.to_json(),
            "about": self.about,
            GUARD: self.guard is not None,
        }
        bundle.write(folder, words, {})
        self.engine.save(folder / "engine")
        if self.guard is not None:
            self.guard.save(folder / GUARD)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote.

        Raises
        ------
        ModelError
            If the folder holds no model, a damaged one, or another version's.
        """
        words, _ = bundle.read(folder)
        missing = {"engine", "preparation", "about"} - set(words)
        if missing:
            raise ModelError(
                f"'{folder}' holds no model: {', '.join(sorted(missing))} is missing.",
                fix="Give the folder that `mitame fit` wrote, not one inside it.",
            )
        engine = engine_class(words["engine"]).load(folder / "engine")
        preparation = Preparation.from_json(words["preparation"])
        guard = Guard.load(folder / GUARD) if words.get(GUARD) else None
        return cls(preparation, words["engine"], engine, words["about"], guard)


def fit_guarded(
    engine: Harmonizer, source: Sequence[Session], target: Sequence[Session]
) -> tuple[Harmonizer, Guard]:
    """Return a fitted engine, and a guard that knows what is odd for it.

    Every `HELD`-th source scan is kept from the engine, with what the target group has
    of the same person: the guard tells from them what it does to people it has not
    seen. Of fewer than `ENOUGH` none is kept, and the guard has only those that the
    engine was fitted on.

    Parameters
    ----------
    engine : Harmonizer
        A new one.
    source, target : sequence of Session
        Prepared; pairs for an engine of pairs.
    """
    held = list(source[::HELD]) if len(source) >= ENOUGH else []
    if engine.needs_pairs:
        theirs = [one for n, one in enumerate(target) if not held or n % HELD]
    else:
        names = {session.subject for session in held} - {None}
        theirs = [session for session in target if session.subject not in names]
    if not theirs:  # nobody else is in the target group
        held, theirs = [], list(target)
    mine = [one for n, one in enumerate(source) if not held or n % HELD]
    engine.fit(mine, theirs)
    return engine, Guard.fit(engine, mine, held)


def prepared(preparation: Preparation, visit: Visit) -> Session:
    """Return a visit as engines see it, on one grid."""
    sessions = [visit] if isinstance(visit, Session) else visit
    return together([preparation.apply(session)[0] for session in sessions])[0]


def _compared(native: Session, result: Session) -> dict[Suffix, Harmonized]:
    """Return every volume before and after."""
    found = {}
    for suffix, volume in native.items():
        result[suffix].require_same_grid(volume)
        scaled = _scaled_like(volume, result[suffix])
        found[suffix] = Harmonized(scaled, result[suffix])
    return found


def _scaled_like(native: Volume, result: Volume) -> Volume:
    """Return `native` times the one gain that put its white matter at 1."""
    done = result.history[len(native.history) :]
    for step in done:
        if step.name == "scale":
            return native.with_data(native.data * step.params["gain"], step)
    return native
