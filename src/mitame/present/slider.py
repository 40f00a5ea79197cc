"""The slices behind the slider, as many as the page can carry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from mitame.present.contours import NUMBERED
from mitame.present.figures import data_uri
from mitame.present.lightbox import Lightbox, Panel
from mitame.present.panels import Caption, even_slices, scaled
from mitame.present.sentences import slice_in_words

STACK_PANELS: tuple[Panel, ...] = ("prior", "harmonized", "current", "before", "after")

HEIGHTS = (400, 320)
"""Of the pictures: crisp letters if all slices fit then, else as fine as the scan."""

FEWEST_SLICES = 8

PROBES = 4
"""Slices drawn to learn what one weighs."""


def stack(caption: Caption, budget: int) -> list[dict[str, Any]]:
    """Return slices for the slider, as many as fit into `budget` bytes.

    Slices of the largest marks come first; the others are evenly spaced. There are
    never fewer than `FEWEST_SLICES`, if the brain has as many.
    """
    box = caption.box
    height, count = _affordable(caption, budget)
    marked = _marked_slices(box, count)
    spread = even_slices(box.brain_slices, max(count - len(marked), 1))
    if count >= len(box.brain_slices):
        spread = box.brain_slices
    chosen = sorted({*spread, *marked, box.key_slice})
    return [_stack_slice(caption, index, height) for index in chosen]


def _affordable(caption: Caption, budget: int) -> tuple[int, int]:
    """Return the largest height at which all slices fit, or the smallest, and how many.

    All slices together are taken to weigh what some evenly spaced ones promise.
    """
    height, count = HEIGHTS[-1], 0
    probes = even_slices(caption.box.brain_slices, PROBES, inner=True)
    for height in HEIGHTS:
        weights = [_weight(_stack_slice(caption, index, height)) for index in probes]
        count = int(budget // np.mean(weights))
        if count >= len(caption.box.brain_slices):
            break
    return height, max(count, FEWEST_SLICES)


def _weight(entry: dict[str, Any]) -> int:
    """Return the bytes of a slice's pictures."""
    return sum(len(uri) for uri in entry["images"].values())


def _marked_slices(box: Lightbox, count: int) -> list[int]:
    """Return the slices of the largest marks, at most `count`."""
    listed = range(1, min(len(box.sequence.marks), NUMBERED) + 1)
    slices = [box.mark_slice(number) for number in listed]
    return list(dict.fromkeys(slices))[:count]


def _stack_slice(caption: Caption, index: int, height: int) -> dict[str, Any]:
    """Return one slice of the slider: its name, its pictures and its outlines."""
    box = caption.box
    return {
        "name": slice_in_words(index, box, caption.words),
        "slice": index,
        "images": {
            panel: data_uri(scaled(box, panel, index, height), "small")
            for panel in STACK_PANELS
        },
        "marks": [asdict(contour) for contour in box.contours(index, box.frame)],
    }
