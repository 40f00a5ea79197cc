"""The part of a model's page that tells what drives its networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from mitame.core.session import Suffix
from mitame.present.explain_figure import responses_figure
from mitame.present.page import figure_uri
from mitame.present.words import Words

if TYPE_CHECKING:
    from mitame.explain.inside.channels import Layer
    from mitame.explain.inside.look import Inside
    from mitame.explain.inside.places import Responds
    from mitame.explain.inside.responses import Between, Response, Responses

MENTIONED = 3
"""Of what moves the discriminator most, and of what the generator takes back."""

LEAST_MOVED, LEAST_PASSED = 0.1, 0.02
"""From how much on a response is more than a curiosity: of a score, SD; of what is
left in, from 1."""

FREQUENCIES = ("added", "taken")
"""Kinds whose names are frequencies."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was given, ready to print.

    `moves` and `changes` tell whether the discriminator minds, and whether the
    generator does something to it: beyond chance, and enough to matter.
    """

    name: str
    amount: str
    moved: str
    moved_between: str
    passed: str
    passed_between: str
    moves: bool
    changes: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind."""

    title: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class SequencePart:
    """What was given to one sequence."""

    sequence: str
    said: list[str]
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class LayerRow:
    """One layer of the generator."""

    name: str
    few: str
    which: str
    effect: str
    even: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """Where one channel responds."""

    channel: int
    regions: str


@dataclass(frozen=True, slots=True)
class InsidePart:
    """The whole part; no sequences if the networks were not kept."""

    sequences: list[SequencePart]
    layers: list[LayerRow]
    places_title: str
    places: list[PlaceRow]
    picture: str


def inside_part(inside: Inside, words: Words) -> InsidePart:
    """Return what a page tells of the inside of networks."""
    return InsidePart(
        [_sequence(s, one, words) for s, one in inside.responses.items()],
        [_layer(layer, words) for layer in inside.layers],
        words.say("inside_places", layer=_name_of(inside.fewest, words)),
        [_place(one, words) for one in inside.places],
        figure_uri(responses_figure(inside.places)) if inside.places else "",
    )


def _sequence(suffix: Suffix, found: Responses, words: Words) -> SequencePart:
    said = [
        words.say(
            "inside_scores",
            scans=f"{found.scans.value:.2f}",
            results=f"{found.results.value:.2f}",
            spread=f"{found.spread:.3f}",
        ),
        words.say("inside_movers", names=_movers(found.given, words)),
        words.say("inside_taken_back", names=_taken_back(found.given, words)),
    ]
    groups = [
        Group(words[f"inside_kind_{kind}"], [_row(one, words) for one in some])
        for kind, some in groupby(found.given, key=lambda one: one.kind)
    ]
    return SequencePart(suffix, said, groups)


def _movers(given: Iterable[Response], words: Words) -> str:
    """Return what moves the discriminator most, the most first."""
    sure = [one for one in given if _moves(one)]
    most = sorted(sure, key=lambda one: -abs(one.moved.value))[:MENTIONED]
    return _listed([(one, f"{one.moved.value:+.1f} SD") for one in most], words)


def _taken_back(given: Iterable[Response], words: Words) -> str:
    """Return of what the generator leaves least in, the least first."""
    sure = [one for one in given if _changes(one) and one.passed.value < 1]
    least = sorted(sure, key=lambda one: one.passed.value)[:MENTIONED]
    return _listed([(one, f"{one.passed.value:.2f}") for one in least], words)


def _listed(some: list[tuple[Response, str]], words: Words) -> str:
    if not some:
        return words["inside_none"]
    parts = [f"{_full_name(one, words)} ({number})" for one, number in some]
    return words["explain_join"].join(parts)


def _full_name(one: Response, words: Words) -> str:
    """Return a name that needs no heading."""
    if one.kind in FREQUENCIES:
        return words.say(f"inside_name_{one.kind}", band=one.name)
    return words.element(one.name).lower()


def _row(one: Response, words: Words) -> Row:
    name = words.element(one.name)
    if one.kind in FREQUENCIES:
        name = words.say("inside_band", band=one.name)
    return Row(
        name,
        f"{one.amount:.3g} {words.unit(one.unit)}",
        _signed(one.moved.value),
        f"{_signed(one.moved.low)} … {_signed(one.moved.high)}",
        f"{one.passed.value:.2f}",
        f"{one.passed.low:.2f} … {one.passed.high:.2f}",
        _moves(one),
        _changes(one),
    )


def _signed(number: float) -> str:
    """Return a number with its sign; nothing is +0.00."""
    return f"{round(number, 2) + 0.0:+.2f}"


def _moves(one: Response) -> bool:
    return _differs(one.moved, 0, LEAST_MOVED)


def _changes(one: Response) -> bool:
    return _differs(one.passed, 1, LEAST_PASSED)


def _differs(found: Between, value: float, least: float) -> bool:
    """Return whether a number is away from a value beyond chance, and enough."""
    sure = not found.low <= value <= found.high
    return sure and abs(found.value - value) >= least


def _layer(layer: Layer, words: Words) -> LayerRow:
    few = words["inside_no_effect"]
    if layer.carriers:
        together = 100 * layer.carriers[-1].together
        few = words.say(
            "inside_few_of",
            few=len(layer.carriers),
            width=layer.width,
            percent=f"{together:.0f}",
        )
    which = words["explain_join"].join(
        f"{one.channel} ({100 * one.share:.0f} %)" for one in layer.carriers
    )
    even = f"{100 * layer.even:.0f} %"
    effect = f"{100 * layer.effect:.2g} {words.unit('% of white matter')}"
    return LayerRow(_name_of(layer.name, words), few, which, effect, even)


def _name_of(layer: str, words: Words) -> str:
    kind, _, number = layer.partition(" ")
    return words.say(f"inside_layer_{kind}", number=number) if kind else ""


def _place(one: Responds, words: Words) -> PlaceRow:
    regions = words["explain_join"].join(
        f"{words.element(region.name)} ({region.effect:+.1f})" for region in one.regions
    )
    return PlaceRow(one.channel, regions)
