"""What two groups of scans differ in, as one self-contained page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mitame.core.session import Suffix
from mitame.explain.groups import Explanation, Named
from mitame.io.staging import staged_file
from mitame.present.explain_figure import edit_map, map_figure, middle_of
from mitame.present.explain_sentence import sentence
from mitame.present.inside_section import inside_part
from mitame.present.page import figure_uri, rendered
from mitame.present.words import Language, Words, words_in

if TYPE_CHECKING:
    from mitame.explain.inside.look import Inside


@dataclass(frozen=True, slots=True)
class Row:
    """One element of the table, ready to print."""

    name: str
    size: str
    interval: str
    share: str


@dataclass(frozen=True, slots=True)
class Part:
    """One sequence of the page."""

    sequence: str
    sentence: str
    rows: list[Row]
    left: str
    picture: str
    zero: str


def write_explain_report(
    path: Path,
    found: Mapping[Suffix, Explanation],
    counts: tuple[int, int],
    lang: Language = "en",
    *,
    unexplained: Mapping[Suffix, float] | None = None,
    inside: Inside | None = None,
) -> None:
    """Write a page with a sentence, a table and a map for every sequence.

    Parameters
    ----------
    path : Path
        The HTML file to write; its folder must exist. It needs no other file and no
        network, and appears complete or not at all.
    found : mapping of str to Explanation
        By sequence.
    counts : tuple of int
        Scans of source and target.
    lang : {"en", "ja"}, optional
        Language of the page.
    unexplained : mapping of str to float, optional
        Of a model: the share of its edit that is none of the elements, by sequence.
    inside : Inside, optional
        Of a model with networks: what drives them.

    Raises
    ------
    OutputError
        If the file exists or cannot be written.
    """
    words = words_in(lang)
    page = rendered(
        "explain.html.j2",
        words,
        groups=words.say(
            "explain_groups" if unexplained is None else "explain_model",
            source=counts[0],
            target=counts[1],
        ),
        parts=[
            _part(s, one, words, None if unexplained is None else unexplained[s])
            for s, one in found.items()
        ],
        inside=None if inside is None else inside_part(inside, words),
    )
    with staged_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _part(
    suffix: Suffix, told: Explanation, words: Words, unexplained: float | None
) -> Part:
    key, left = "explain_left", told.left
    if unexplained is not None:
        key, left = "explain_edit_left", unexplained
    return Part(
        suffix,
        sentence(told, words),
        [_row(one, words) for one in told.named],
        words.say(key, percent=f"{100 * left:.0f}"),
        _uri(told),
        words["explain_join"].join(words.element(name) for name in told.zero),
    )


def _row(one: Named, words: Words) -> Row:
    unit = words.unit(one.unit)
    return Row(
        words.element(one.name),
        f"{one.size:.3g} {unit}",
        f"{one.low:.3g} … {one.high:.3g}",
        f"{100 * one.share:.0f} %",
    )


def _uri(told: Explanation) -> str:
    """Return the map of what varies with place; nothing if nothing does."""
    edit = edit_map(told)
    if edit is None:
        return ""
    return figure_uri(map_figure(edit, middle_of(told)))
