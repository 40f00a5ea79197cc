"""Explain what two groups of scans on disk differ in, or what a model does to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitame.core.errors import InputError
from mitame.core.progress import Progress
from mitame.core.session import Session, Suffix
from mitame.engines.cyclegan import CycleGAN
from mitame.explain.groups import (
    Explanation,
    explain,
    require_enough,
    unexplained,
)
from mitame.io.scan import Scan, read
from mitame.model import Model, prepared
from mitame.prepare.default import default_preparation
from mitame.run.apply import taken_together
from mitame.run.scans import (
    known_sequence,
    require_two_groups,
    sessions_of,
    title_of,
)

if TYPE_CHECKING:
    from mitame.explain.inside.look import Inside


def explain_scans(
    source: Sequence[Scan],
    target: Sequence[Scan],
    *,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> dict[Suffix, Explanation]:
    """Return what two groups differ in, by sequence.

    Scans are prepared as for a model, but their bias fields stay: they are a part of
    what differs.

    Parameters
    ----------
    source, target : sequence of Scan
        The groups; one scan is in one of them.
    seed : int
        Of the splits that tell what chance does.
    progress : callable
        Is told of each scan that is prepared.

    Raises
    ------
    InputError
        If a scan cannot be used, or the groups share no sequence.
    """
    require_two_groups(source, target)
    _require_enough_of_each(source, target)
    groups = [
        [_prepared(scan, progress) for scan in group] for group in (source, target)
    ]
    return explain(*groups, seed=seed, progress=progress)


@dataclass(frozen=True, slots=True)
class ModelExplained:
    """What a model does to scans.

    Parameters
    ----------
    found : dict of str to Explanation
        Named elements, by sequence.
    unexplained : dict of str to float
        Share of the edit that is none of them: see `explain.groups.unexplained`.
    inside : Inside, optional
        Of a CycleGAN: what drives its networks.
    """

    found: dict[Suffix, Explanation]
    unexplained: dict[Suffix, float]
    inside: Inside | None = None


def explain_model(
    folder: Path,
    scans: Sequence[Scan],
    *,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> ModelExplained:
    """Return what a model does to scans, in the elements that tell scanners apart.

    The scans and what the model makes of them are the two groups, as the engine sees
    them: prepared.

    Parameters
    ----------
    folder : Path
        Where the model is.
    scans : sequence of Scan
        Of the source scanner; at least five of a sequence.
    seed : int
        Of the lots that tell what chance does.
    progress : callable
        Is told of each scan that is harmonized.

    Raises
    ------
    ModelError
        If there is no model.
    InputError
        If a scan cannot be used, or there are too few.
    """
    model = Model.load(folder)
    _require_enough_of_each(scans, scans)
    before, after = [], []
    for visit in taken_together(model, scans):
        session = prepared(model.preparation, sessions_of(visit))
        before.append(session)
        after.append(model.engine.transform(session))
        progress(f"{title_of(visit[0])} harmonized")
    found = explain(before, after, seed=seed, progress=progress)
    left = {s: unexplained(before, after, told, s) for s, told in found.items()}
    return ModelExplained(found, left, _inside(model, before, seed, progress))


def _inside(
    model: Model, scans: Sequence[Session], seed: int, progress: Progress
) -> Inside | None:
    """Return what drives the networks of a model, if it has some."""
    if not isinstance(model.engine, CycleGAN):
        return None
    # Heavy: torch. Other models are explained without.
    from mitame.explain.inside.look import look_inside

    return look_inside(model.engine, scans, seed=seed, progress=progress)


def _require_enough_of_each(*groups: Sequence[Scan]) -> None:
    """Raise `InputError` if a sequence that both groups have is too rare in one."""
    for suffix in sorted({known_sequence(scan) for group in groups for scan in group}):
        source, target = (sum(s.suffix == suffix for s in group) for group in groups)
        if source and target:
            require_enough(suffix, source, target)


def _prepared(scan: Scan, progress: Progress) -> Session:
    native = Session({known_sequence(scan): read(scan)}, scan.subject)
    try:
        found, _ = default_preparation(bias=False).apply(native)
    except InputError as error:
        named = f"'{title_of(scan)}': {error.what}"
        raise type(error)(named, fix=error.fix) from error
    progress(f"{title_of(scan)} prepared")
    return found


def in_words(
    found: dict[Suffix, Explanation], edit_left: dict[Suffix, float] | None = None
) -> dict[str, Any]:
    """Return explanations as plain values, for `explanation.json`.

    Parameters
    ----------
    found : dict of str to Explanation
        By sequence.
    edit_left : dict of str to float, optional
        Of a model: `ModelExplained.unexplained`.
    """
    return {
        str(suffix): {
            "elements": [asdict(one) for one in told.named],
            "unexplained": told.left,
            "regions": [asdict(r) for place in told.places for r in place.regions],
            "zero": list(told.zero),
            **({} if edit_left is None else {"edit_unexplained": edit_left[suffix]}),
        }
        for suffix, told in found.items()
    }


def inside_in_words(inside: Inside) -> dict[str, Any]:
    """Return what drives networks as plain values, for `explanation.json`."""
    places = [
        {"channel": one.channel, "regions": [asdict(r) for r in one.regions]}
        for one in inside.places
    ]
    return {
        "responses": {s: asdict(one) for s, one in inside.responses.items()},
        "layers": [asdict(layer) for layer in inside.layers],
        "places": {"layer": inside.fewest, "channels": places},
    }
