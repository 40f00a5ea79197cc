"""What a fitted model does to one of its training scans, for a person to look at."""

from __future__ import annotations

from dataclasses import dataclass

from mitame.core.harmonizer import TwoWay
from mitame.core.session import Session
from mitame.engines.coded import Atoms, Coded
from mitame.model import Model, Visit, prepared
from mitame.prepare.pairs import onto


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Scans as engines see them: prepared, white matter at 1.

    Parameters
    ----------
    source, target : Session
        One of each group; of one subject and on one grid if `paired`.
    result : Session
        The source as the target scanner would have shown it.
    back : Session or None
        The target as the source scanner would have shown it; None if the engine has
        not learned the way back.
    from_code : Session or None
        What the source's code stands for on its own scanner; None without a code.
    atoms : Atoms or None
        Both dictionaries; None without a code.
    paired : bool
        Whether source and target are one subject.
    """

    source: Session
    target: Session
    result: Session
    back: Session | None
    from_code: Session | None
    atoms: Atoms | None
    paired: bool


def example_of(model: Model, source: Visit, target: Visit) -> Example:
    """Return what `model` does to one visit.

    Parameters
    ----------
    model : Model
        Fitted.
    source, target : Session, or several of one visit
        Native, one of each group; of one subject if the engine learns from pairs.
    """
    one, other = (prepared(model.preparation, visit) for visit in (source, target))
    engine = model.engine
    if engine.needs_pairs:
        other = onto(one, other)
    own, atoms = None, None
    if isinstance(engine, Coded):
        own, result = engine.from_code(one)
        atoms = engine.atoms()
    else:
        result = engine.transform(one)
    back = engine.transform_back(other) if isinstance(engine, TwoWay) else None
    return Example(one, other, result, back, own, atoms, engine.needs_pairs)
