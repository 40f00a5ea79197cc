"""The scans of a visit made ready to be compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mitame.core.errors import InputError
from mitame.core.session import Session, Suffix
from mitame.core.volume import Volume
from mitame.io.scan import Visit
from mitame.prepare.brain import PREFERRED
from mitame.prepare.default import default_preparation
from mitame.prepare.pipeline import Undo
from mitame.prepare.template import lies_in_template


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One scan before and after its preparation, and the way back.

    Parameters
    ----------
    native : Volume
        As it was scanned.
    session : Session
        Prepared; it holds this one sequence.
    restore : callable
        Brings a session like `session` back to the native grid.
    """

    native: Volume
    session: Session
    restore: Undo


def prepare_visit(
    name: str,
    visit: Visit,
    suffixes: Sequence[Suffix],
    *,
    progress: Callable[[Suffix, str], None] = lambda *_: None,
) -> dict[Suffix, Prepared]:
    """Return every sequence of a visit prepared, each on its own grid.

    Every sequence has a brain mask of its own, because a patient moves between two
    of them. The way to the template is found once: millimeters do not matter there.

    Parameters
    ----------
    name : str
        "prior" or "current scan", for what is said.
    visit : Visit
        The scans.
    suffixes : sequence of str
        Which of them.
    progress : callable
        Called with the sequence and a phrase after each.

    Raises
    ------
    InputError
        If a scan cannot be used; the error says which.
    """
    found: dict[Suffix, Prepared] = {}
    for suffix in sorted(suffixes, key=PREFERRED.index):
        scan = Session({suffix: visit.volumes[suffix]}, visit.subject, visit.date)
        first = next(iter(found.values()), None)
        try:
            found[suffix] = _prepare(suffix, scan, first)
        except InputError as error:
            what = f"The {name}, {suffix}: {error.what}"
            raise type(error)(what, fix=error.fix) from error
        progress(suffix, f"brain of the {name} found")
    return found


def _prepare(suffix: Suffix, scan: Session, first: Prepared | None) -> Prepared:
    """Return `scan` prepared; `first` is another sequence of the visit."""
    preparation = default_preparation(bias=False)
    shared = None if first is None else first.session.to_template
    if shared is not None:
        session, restore = preparation.apply(replace(scan, to_template=shared))
        # Files of one visit may each have a world of their own.
        if lies_in_template(session):
            return Prepared(scan[suffix], session, restore)
    session, restore = preparation.apply(scan)
    return Prepared(scan[suffix], session, restore)
