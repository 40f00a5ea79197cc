"""One self-contained page: what a model was fitted on, and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mitame.io.staging import staged_file
from mitame.present.colors import DIFFERENCE_LIMIT
from mitame.present.fit_figures import (
    SHOWN_ATOMS,
    atoms_figure,
    changes_figure,
    panels_figure,
)
from mitame.present.page import figure_uri, rendered
from mitame.present.record import Line
from mitame.present.words import Language, Words, words_in
from mitame.run.fit_example import Example


@dataclass(frozen=True, slots=True)
class Part:
    """The pictures of one sequence, as ``data:`` addresses; no atoms without a code."""

    sequence: str
    panels: str
    changes: str
    atoms: str


def write_fit_report(
    path: Path,
    example: Example,
    engine: str,
    about: Mapping[str, Any],
    *,
    lang: Language = "en",
) -> None:
    """Write a page with the scans of one subject before and after, and the atoms.

    Parameters
    ----------
    path : Path
        The HTML file to write; its folder must exist. It needs no other file and no
        network, and appears complete or not at all.
    example : Example
        Of the model.
    engine : str
        Its name.
    about : mapping
        `Model.about`.
    lang : {"en", "ja"}, optional
        Language of the page; the pictures are in English.

    Raises
    ------
    OutputError
        If the file exists or cannot be written.
    """
    words = words_in(lang)
    page = rendered(
        "fit.html.j2",
        words,
        about=_lines(engine, about, words),
        parts=_parts(example),
        paired=example.paired,
        limit=round(100 * DIFFERENCE_LIMIT),
        atoms_note=_atoms_note(example, words),
    )
    with staged_file(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")


def _lines(engine: str, about: Mapping[str, Any], words: Words) -> list[Line]:
    """Return what the model was fitted on; no name of a file or a person."""
    lines = [Line(words["fit_engine"], engine)]
    for group in ("source", "target"):
        told = about[group]
        scanners = ", ".join(told["scanners"]) or words["fit_unknown_scanner"]
        text = words.say(
            "fit_group_text",
            n=len(told["sha256"]),
            sequences=", ".join(told["sequences"]),
            scanners=scanners,
        )
        lines.append(Line(words[f"fit_{group}"], text))
    return [*lines, Line("mitame", str(about["mitame"]))]


def _parts(example: Example) -> list[Part]:
    english = words_in("en")
    shared = [s for s in example.source if s in example.target]
    return [
        Part(
            str(suffix),
            figure_uri(panels_figure(example, suffix, english)),
            figure_uri(changes_figure(example, suffix, english)),
            figure_uri(atoms_figure(example.atoms, n)) if example.atoms else "",
        )
        for n, suffix in enumerate(shared)
    ]


def _atoms_note(example: Example, words: Words) -> str:
    if example.atoms is None:
        return ""
    use = example.atoms.use
    return words.say(
        "fit_atoms_note",
        shown=min(SHOWN_ATOMS, len(use)),
        n=len(use),
        used=int((use > 0).sum()),
        each=f"{use.sum():.1f}",
    )
