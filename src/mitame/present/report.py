"""One self-contained page: a patient's prior and current scan side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from mitame.compare.comparison import Comparison
from mitame.core.errors import InputError
from mitame.core.volume import Volume
from mitame.io.staging import staged_file
from mitame.present.colors import noise_scale, signed_scale
from mitame.present.figures import color_bar, data_uri
from mitame.present.page import rendered
from mitame.present.record import Line, settings_as_lines, version_of, versions
from mitame.present.sections import section_of
from mitame.present.sentences import days_between
from mitame.present.words import Language, Words, words_in

PAGE_BYTES = 11_000_000
"""What all pictures may weigh; with its texts the page stays below 12 MB."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What the head of the page says about one visit."""

    date: str
    scanner: str
    grids: tuple[Line, ...]


def write_comparison_report(
    path: Path,
    comparison: Comparison,
    *,
    lang: Language = "en",
    settings: Mapping[str, object] | None = None,
) -> None:
    """Write a page that shows what changed between two visits, and how that is known.

    The page is one HTML file that needs no network. It names the subject as the
    files do, and no folder.

    Parameters
    ----------
    path : Path
        The HTML file to write; its folder must exist. It appears complete or not
        at all.
    comparison : Comparison
        What `compare` found.
    lang : {"en", "ja"}, optional
        Language of the page.
    settings : mapping of str to object, optional
        What the user chose, to be printed; paths show their last part only.

    Raises
    ------
    InputError
        If the comparison is empty, the language unknown, or a score has no
        definition.
    OutputError
        If the file exists or cannot be written.
    """
    words = words_in(lang)
    with staged_file(path) as unfinished:
        page = _render(comparison, words, settings or {})
        unfinished.write_text(page, encoding="utf-8")


def _render(
    comparison: Comparison, words: Words, settings: Mapping[str, object]
) -> str:
    """Return the page as text."""
    if not comparison.sequences:
        raise InputError(
            "The comparison holds no sequence.", fix="Compare at least one sequence."
        )
    share = PAGE_BYTES // len(comparison.sequences)
    sequences = comparison.sequences
    return rendered(
        "report.html.j2",
        words,
        subject=comparison.subject or words["unknown"],
        days=days_between(comparison.prior_date, comparison.current_date, words),
        prior=_visit(comparison, comparison.prior_date, "prior_native", words),
        current=_visit(comparison, comparison.current_date, "current", words),
        version=version_of("mitame"),
        sections=[section_of(s, sequences[s], words, share) for s in sequences],
        bars=_bars(),
        versions=versions(),
        settings=settings_as_lines(settings, words),
    )


def _visit(comparison: Comparison, day: date | None, name: str, words: Words) -> Visit:
    """Return date, scanner and grids of a visit; `name` is the volume as scanned."""
    volumes = {s: getattr(one, name) for s, one in comparison.sequences.items()}
    scanners = dict.fromkeys(str(v.scanner) for v in volumes.values() if v.scanner)
    return Visit(
        day.isoformat() if day else words["unknown"],
        "; ".join(scanners) or words["unknown"],
        tuple(Line(suffix, _grid(volume, words)) for suffix, volume in volumes.items()),
    )


def _grid(volume: Volume, words: Words) -> str:
    i, j, k = volume.shape
    a, b, c = (f"{edge:.2g}" for edge in volume.spacing)
    return words.say("grid_text", i=i, j=j, k=k, a=a, b=b, c=c)


def _bars() -> dict[str, Any]:
    """Return the color bars and the numbers at their ends, in percent."""
    signed, noise = signed_scale(), noise_scale()
    return {
        "signed": data_uri(color_bar(signed)),
        "signed_end": f"{100 * signed.high:.0f}",
        "noise": data_uri(color_bar(noise)),
        "noise_end": f"{100 * noise.high:.0f}",
    }
