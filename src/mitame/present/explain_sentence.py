"""What two groups differ in, as a sentence."""

from __future__ import annotations

from mitame.explain.groups import Explanation, Named
from mitame.present.words import Words

SIGNED = ("more", "greater", "brighter")
"""Words that depend on the sign of a size."""


def sentence(told: Explanation, words: Words) -> str:
    """Return one sentence: every element by size, or that nothing differs."""
    if not told.named:
        return words["explain_nothing"]
    parts = words["explain_join"].join(_part(one, words) for one in told.named)
    return words.say("explain_said", parts=parts)


def _part(one: Named, words: Words) -> str:
    name = words.element(one.name).lower()
    signed = {
        key: words[f"explain_{key}"].split("|")[int(one.size < 0)] for key in SIGNED
    }
    return words.said(one.name).format(
        name=name, size=one.size, amount=abs(one.size), **signed
    )
