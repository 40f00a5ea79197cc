"""`mitame explain`: what differs between two scanners, in named elements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from mitame.cli.console import job
from mitame.cli.fit import Places
from mitame.cli.options import Force, Json, Lang, OneSequence, Out
from mitame.core.errors import InputError
from mitame.io.notice import NOTICE
from mitame.io.staging import staged

if TYPE_CHECKING:
    from mitame.core.session import Suffix
    from mitame.explain.groups import Explanation
    from mitame.explain.inside.look import Inside
    from mitame.present.words import Language


def explain(
    source: Places,
    out: Out,
    model: Annotated[
        Path | None,
        typer.Argument(help="Folder that `mitame fit` wrote."),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(help="As --source; what it differs in from there is told."),
    ] = None,
    sequence: OneSequence = None,
    seed: Annotated[
        int, typer.Option(help="Of the splits that tell what chance does.")
    ] = 0,
    lang: Lang = "en",
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say what two scanners' images differ in: few named elements, each with its size.

    Looked for are tone curve, white-gray contrast, fluid, bias field, sharpness,
    ringing, noise, stripes, and places that are brighter or darker. Nobody need be in
    both groups; with about 20 scans of each, small differences are told from chance.
    What is not needed to explain the difference is exactly zero, and is not named.

    With a model in place of --target: what the model does to the scans of --source;
    of a cyclegan also what drives its networks, and which channels do the work.
    """
    with job("explain", as_json=as_json) as running:
        # Heavy: SciPy and SimpleITK. `mitame --help` need not wait for them.
        from mitame.io.digest import digest
        from mitame.run.explain import explain_model, explain_scans
        from mitame.run.places import require_apart
        from mitame.run.scans import collect

        if (model is None) == (target is None):
            raise InputError(
                "What to compare the scans of --source with is not said, or twice.",
                fix="Give --target, or the folder of a model.",
            )
        sources = collect(source, sequence=sequence)
        targets = collect(target, sequence=sequence) if target else []
        scans = [*sources, *targets]
        require_apart(out, [*source, *(target or [])], scans)
        running.expect(len(scans) + 1, "preparing")
        with staged(out, force=force) as folder:
            if model is None:
                found = explain_scans(
                    sources, targets, seed=seed, progress=running.step
                )
                told = Told(found, (len(sources), len(targets)), None, None)
            else:
                done = explain_model(model, sources, seed=seed, progress=running.step)
                counts = len(sources), len(sources)
                told = Told(done.found, counts, done.unexplained, done.inside)
            words = _write(folder, told, lang)
            names = sorted(path.name for path in folder.iterdir())
        running.outputs = [out / name for name in names]
        running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in scans]
        running.result = words
        running.lines = [*_sentences(told), f"Explanation: {out / names[0]}"]


class Told(NamedTuple):
    """What is to be written: explanations, scans of both groups, and a model's part."""

    found: dict[Suffix, Explanation]
    counts: tuple[int, int]
    unexplained: dict[Suffix, float] | None
    inside: Inside | None


def _write(folder: Path, told: Told, lang: Language) -> dict[str, Any]:
    """Write page and numbers; return the numbers as plain values."""
    from mitame.present.explain_report import write_explain_report
    from mitame.run.explain import in_words, inside_in_words

    words: dict[str, Any] = {"sequences": in_words(told.found, told.unexplained)}
    if told.inside is not None:
        words["inside"] = inside_in_words(told.inside)
    text = json.dumps({"notice": NOTICE, **words}, indent=2, ensure_ascii=False)
    (folder / "explanation.json").write_text(text + "\n", encoding="utf-8")
    page = folder / "explanation.html"
    write_explain_report(
        page,
        told.found,
        told.counts,
        lang,
        unexplained=told.unexplained,
        inside=told.inside,
    )
    return words


def _sentences(told: Told) -> list[str]:
    from mitame.present.explain_sentence import sentence
    from mitame.present.words import words_in

    words = words_in("en")
    return [f"{suffix}: {sentence(one, words)}" for suffix, one in told.found.items()]
