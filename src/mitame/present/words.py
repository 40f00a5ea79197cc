"""The report's texts in English and Japanese, and what every score means."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from mitame.core.errors import InputError

Language = Literal["en", "ja"]


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One line of the table of numbers, ready to print.

    Parameters
    ----------
    name : str
        In the reader's language.
    value : str
        With its unit.
    definition : str
        What was measured, where and in what unit.
    """

    name: str
    value: str
    definition: str


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language.

    Parameters
    ----------
    lang : {"en", "ja"}
        Also the ``lang`` attribute of the page.
    texts : dict of str to str
        By the keys of ``templates/words.json``; braces are filled by `say`.
    """

    lang: Language
    texts: dict[str, str]

    def __getitem__(self, key: str) -> str:
        return self.texts[key]

    def say(self, key: str, **values: object) -> str:
        """Return a text with its gaps filled."""
        return self.texts[key].format(**values)

    def step(self, name: str) -> str:
        """Return what a step of a history did; an unknown one keeps its name."""
        return self._named("steps", name)

    def param(self, name: str) -> str:
        """Return what a step's parameter means; an unknown one keeps its name."""
        return self._named("params", name)

    def element(self, name: str) -> str:
        """Return what an element is called, or a place of several regions."""
        parts = [self._named("elements", one) for one in name.split(", ")]
        return self["explain_join"].join(parts)

    def unit(self, name: str) -> str:
        """Return an element's unit; an unknown one keeps its name."""
        return self._named("units", name)

    def said(self, name: str) -> str:
        """Return the pattern by which an element is told in a sentence."""
        known = _all_words()["said"]
        return str(known.get(name, known[""])[self.lang])

    def _named(self, kind: str, name: str) -> str:
        known = _all_words()[kind].get(name)
        return str(known[self.lang]) if known else name.replace("_", " ")

    def score(self, name: str, value: float) -> ScoreRow:
        """Return what a score is called, its value with unit, and its definition.

        Raises
        ------
        InputError
            If `name` has no definition: a number nobody can explain is not shown.
        """
        known = score_definitions()
        if name not in known:
            raise InputError(
                f"The report has no definition of the score {name!r}.",
                fix=f"Define it in words.json or use one of {', '.join(known)}.",
            )
        entry = known[name]
        label, definition = entry[self.lang]
        number = f"{value * entry['factor']:.{entry['digits']}f}"
        if not math.isfinite(value):
            return ScoreRow(label, self.texts["unknown"], definition)
        unit = entry["unit"]
        gap = "" if unit in ("", "°") else " "
        return ScoreRow(label, f"{number}{gap}{unit}", definition)


def words_in(lang: Language) -> Words:
    """Return the texts of a language.

    Raises
    ------
    InputError
        If there are no texts in `lang`.
    """
    languages = get_args(Language)
    if lang not in languages:
        raise InputError(
            f"The report is not written in {lang!r}.",
            fix=f"Use one of {', '.join(languages)}.",
        )
    return Words(lang, _all_words()[lang])


def score_definitions() -> dict[str, Any]:
    """Return unit, factor, digits and the (name, definition) per language, by score."""
    scores: dict[str, Any] = _all_words()["scores"]
    return scores


def metric_translations() -> dict[str, Any]:
    """Return (name, definition, unit) per language, by metric of a benchmark."""
    metrics: dict[str, Any] = _all_words()["metrics"]
    return metrics


@cache
def _all_words() -> dict[str, Any]:
    """Return the content of ``templates/words.json``."""
    file = resources.files("mitame.present") / "templates" / "words.json"
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return content
