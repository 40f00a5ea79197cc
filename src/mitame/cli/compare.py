"""`mitame compare`: one patient, two dates, any scanners."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from mitame.cli.console import Job, job
from mitame.cli.options import Force, Json, Lang, OneSequence, Out, Series
from mitame.core.session import Suffix
from mitame.io.staging import staged

if TYPE_CHECKING:
    from mitame.compare.comparison import Comparison, SequenceComparison

STEPS_PER_SEQUENCE = 6


def compare(
    prior: Annotated[str, typer.Argument(help="Earlier visit: file, folder, 'glob'.")],
    current: Annotated[str, typer.Argument(help="Later visit, given the same way.")],
    out: Out,
    sequence: OneSequence = None,
    series: Series = None,
    lang: Lang = "en",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Put a patient's earlier and later scan side by side, and mark real change.

    The prior is aligned with the current scan and given its look; what then still
    differs by more than the noise is marked. Nothing need be trained beforehand.
    """
    with job("compare", as_json=as_json) as running:
        compare_into(
            running,
            prior,
            current,
            out,
            sequence=sequence,
            series=series,
            lang=lang,
            force=force,
        )


def compare_into(
    running: Job,
    prior: str,
    current: str,
    out: Path,
    *,
    sequence: Suffix | None = None,
    series: str | None = None,
    lang: Literal["en", "ja"] = "en",
    force: bool = False,
    credit: str = "",
) -> None:
    """Compare two visits and write images, report and numbers into `out`."""
    # Heavy: SciPy, SimpleITK, matplotlib. `mitame --help` need not wait for them.
    from mitame.io.digest import digest
    from mitame.present.report import write_comparison_report
    from mitame.run.comparison import compare_visits, find_pair, write_comparison
    from mitame.run.places import require_apart

    found = find_pair(prior, current, sequence=sequence, series=series)
    scans = [scan for visit in found for scan in visit.values()]
    require_apart(out, [prior, current], scans)
    running.expect(len(found[0]) * STEPS_PER_SEQUENCE + 1, "reading")
    with staged(out, force=force) as folder:
        before, now, comparison = compare_visits(*found, progress=running.step)
        running.now("writing images and report")
        report = folder / "report.html"
        with ThreadPoolExecutor(max_workers=2) as pool:  # packing leaves the GIL
            page = pool.submit(write_comparison_report, report, comparison, lang=lang)
            images = pool.submit(write_comparison, folder, comparison, before, now)
            pictures = pool.submit(_write_overviews, folder, comparison, credit)
            written = [*images.result(), *pictures.result(), report]
            page.result()
        running.step("images and report written")
        running.outputs = [out / path.name for path in written]
    running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in scans]
    running.result = {"sequences": _numbers(comparison)}
    running.lines = [*_sentences(comparison), f"Report: {out / 'report.html'}"]


def _write_overviews(folder: Path, comparison: Comparison, credit: str) -> list[Path]:
    """Write one picture a sequence, to be sent or shown without the report."""
    from mitame.present.overview import write_overview_figure

    paths = []
    for suffix in comparison.sequences:
        paths.append(folder / f"overview_{suffix}.png")
        write_overview_figure(paths[-1], comparison, suffix, credit=credit)
    return paths


def _numbers(comparison: Comparison) -> dict[str, object]:
    return {
        suffix: {
            **found.numbers,
            "marks": [asdict(mark) for mark in found.marks],
            "guard": found.verdict.to_json(),
        }
        for suffix, found in comparison.sequences.items()
    }


def _sentences(comparison: Comparison) -> list[str]:
    return [
        f"{suffix}: {_places(len(found.marks))} changed by more than the noise, "
        f"{found.numbers['changed_ml']:.1f} ml; median difference "
        f"{found.numbers['difference_before']:.3f} before, "
        f"{found.numbers['difference_after']:.3f} after harmonizing "
        f"(white matter = 1).{_guard(found)}"
        for suffix, found in comparison.sequences.items()
    ]


def _guard(found: SequenceComparison) -> str:
    """Return what the guard says, if it says anything."""
    told = "; ".join(reason.sentence for reason in found.verdict.reasons)
    return f" Guard, look: {told}." if told else ""


def _places(count: int) -> str:
    return "no place" if not count else f"{count} place{'s' if count > 1 else ''}"
