"""`mitame explain`: what differs between two scanners, in named elements."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from mitame.cli.console import job
from mitame.cli.fit import Places
from mitame.cli.options import Force, Json, Lang, OneSequence, Out
from mitame.io.notice import NOTICE
from mitame.io.staging import staged


def explain(
    source: Places,
    target: Places,
    out: Out,
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
    ringing, noise, stripes, and the gray matter of twelve regions. Nobody need be in
    both groups; with about 20 scans of each, small differences are told from chance.
    What is not needed to explain the difference is exactly zero, and is not named.
    """
    with job("explain", as_json=as_json) as running:
        # Heavy: SciPy and SimpleITK. `mitame --help` need not wait for them.
        from mitame.io.digest import digest
        from mitame.present.explain_report import write_explain_report
        from mitame.present.explain_sentence import sentence
        from mitame.present.words import words_in
        from mitame.run.explain import explain_scans, in_words
        from mitame.run.places import require_apart
        from mitame.run.scans import collect

        sources = collect(source, sequence=sequence)
        targets = collect(target, sequence=sequence)
        scans = [*sources, *targets]
        require_apart(out, [*source, *target], scans)
        running.expect(len(scans) + 1, "preparing")
        with staged(out, force=force) as folder:
            found = explain_scans(sources, targets, seed=seed, progress=running.step)
            words = in_words(found)
            told = {"notice": NOTICE, "sequences": words}
            text = json.dumps(told, indent=2, ensure_ascii=False)
            (folder / "explanation.json").write_text(text + "\n", encoding="utf-8")
            write_explain_report(
                folder / "explanation.html", found, (len(sources), len(targets)), lang
            )
            names = sorted(path.name for path in folder.iterdir())
        running.outputs = [out / name for name in names]
        running.inputs = [{"name": s.path.name, "sha256": digest(s)} for s in scans]
        running.result = {"sequences": words}
        running.lines = [
            *(f"{s}: {sentence(one, words_in('en'))}" for s, one in found.items()),
            f"Explanation: {out / 'explanation.html'}",
        ]
