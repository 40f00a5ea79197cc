"""How the networks respond to each named thing that they are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.engines.cyclegan.step import Batch
from mitame.engines.elements.giving import Scan
from mitame.explain.inside.opened import Opened
from mitame.explain.inside.probes import Kind, Probe

DRAWS = 1000
"""Of people, anew."""

LEAST_SPREAD = 1e-6
"""Of scores over people; keeps what moves them finite where nothing does."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Between:
    """A mean over people, and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Response:
    """What one named thing does to the networks.

    Parameters
    ----------
    kind, name, amount, unit
        What was given, and how much: see `Probe`.
    moved : Between
        How the discriminator's score moves, standard deviations of the scores of
        people; above 0 is more like the target's own.
    passed : Between
        How much of it the generator leaves in: 1 all, 0 nothing, above 1 it makes more
        of it.
    """

    kind: Kind
    name: str
    amount: float
    unit: str
    moved: Between
    passed: Between


@dataclass(frozen=True, slots=True)
class Responses:
    """What the networks do with scans, and with what is given to these.

    Parameters
    ----------
    scans, results : Between
        Scores of scans, and of what the generator makes of them; 1 is the target's own.
    spread : float
        Standard deviation over people of the scores of scans.
    given : tuple of Response
        In the order of the probes; without what some scan does not show.
    """

    scans: Between
    results: Between
    spread: float
    given: tuple[Response, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """One scan as the networks are shown it, and whose it is."""

    who: str
    session: Session
    scan: Scan


def respond(
    opened: Opened,
    people: Sequence[Person],
    suffix: Suffix,
    probes: Sequence[Probe],
    *,
    seed: int,
    progress: Callable[[str], None],
) -> Responses:
    """Return how the networks respond to each probe, given alone to everyone.

    Parameters
    ----------
    opened : Opened
        The networks.
    people : sequence of Person
        Of the source scanner.
    suffix : str
        The sequence that is changed.
    probes : sequence of Probe
        What is given.
    seed : int
        Of the draws that intervals come from.
    progress : callable
        Is told of each scan.
    """
    rows = []
    for number, person in enumerate(people, 1):
        rows.append(_asked(opened, person, suffix, probes))
        progress(f"{suffix}: networks asked about scan {number} of {len(people)}")
    values = _by_person(np.array(rows), [person.who for person in people])
    scans, results, rest = values[:, 0], values[:, 1], values[:, 2:]
    spread = max(float(scans.std(ddof=1)), LEAST_SPREAD)
    moved, passed = (rest[:, first::2] for first in (0, 1))
    moved = (moved - scans[:, None]) / spread
    given = tuple(
        Response(p.kind, p.name, p.amount, p.unit, between(m, seed), between(s, seed))
        for p, m, s in zip(probes, moved.T, passed.T, strict=True)
        if np.isfinite(s).all()
    )
    return Responses(between(scans, seed), between(results, seed), spread, given)


def between(values: Numbers, seed: int) -> Between:
    """Return the mean over people, and its percentile bootstrap interval.

    Parameters
    ----------
    values : array, shape (n_people,)
        One for each.
    seed : int
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    draws = values[rng.integers(len(values), size=(DRAWS, len(values)))].mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return Between(float(values.mean()), float(low), float(high))


def _by_person(rows: Numbers, who: Sequence[str]) -> Numbers:
    """Return the mean row of everyone's scans."""
    names, of = np.unique(who, return_inverse=True)
    return np.stack([rows[of == n].mean(axis=0) for n in range(len(names))])


def _asked(
    opened: Opened, person: Person, suffix: Suffix, probes: Sequence[Probe]
) -> list[float]:
    """Return scores of scan and result; with each probe, the score and what passes."""
    plain = opened.slices(person.session)
    made = opened.made(plain)
    found = [opened.score(plain), opened.score(made)]
    for probe in probes:
        given = opened.slices(_with(person, suffix, probe))
        share = passed_on(plain, given, made, opened.made(given))
        found += [opened.score(given), share]
    return found


def passed_on(
    plain: Sequence[Batch],
    given: Sequence[Batch],
    made: Sequence[Batch],
    made_given: Sequence[Batch],
) -> float:
    """Return how much of what was given is in what was made, by least squares.

    Parameters
    ----------
    plain, given : sequence of Batch
        Slices without and with it.
    made, made_given : sequence of Batch
        What the generator makes of both.

    Returns
    -------
    float
        Not a number if nothing was given in the brain.
    """
    both, own = 0.0, 0.0
    for before, after, out, out_after in zip(
        plain, given, made, made_given, strict=True
    ):
        change = (after.images - before.images) * before.inside
        both += float((change * (out_after.images - out.images)).double().sum())
        own += float((change**2).double().sum())
    return both / own if own else np.nan


def _with(person: Person, suffix: Suffix, probe: Probe) -> Session:
    """Return a session of which one sequence was given something."""
    scan, session = person.scan, person.session
    image = probe.element.apply(scan.image, scan.ground, probe.size)
    seen = session[suffix].with_data(image, Step("given", {"name": probe.name}))
    return session.with_volumes({**session, suffix: seen})
