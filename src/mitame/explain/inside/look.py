"""All that is told of the inside of a CycleGAN's networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from mitame.core.session import Session, Suffix
from mitame.engines.cyclegan.engine import CycleGAN
from mitame.engines.elements.giving import Scan
from mitame.engines.elements.ground import Ground
from mitame.explain.inside.channels import Layer, carried, layers_of
from mitame.explain.inside.opened import Opened
from mitame.explain.inside.places import Responds, where
from mitame.explain.inside.probes import probes_of
from mitame.explain.inside.responses import Person, Responses, respond
from mitame.prepare.crop import crop_to_brain

MOST = 10
"""Scans that the networks are asked about."""

ABLATED = 4
"""Scans that channels are taken out on, and of these every other slice."""

SHOWN = 4
"""Channels whose places are told."""


@dataclass(frozen=True, slots=True, eq=False)
class Inside:
    """What drives the networks of a CycleGAN, and which channels do the work.

    Parameters
    ----------
    responses : dict of str to Responses
        By sequence; none if the model was fitted before its networks were kept.
    layers : tuple of Layer
        Of the generator, from first to last.
    fewest : str
        The layer whose effect the fewest channels carry; empty if none does anything.
    places : tuple of Responds
        Of the first of these channels.
    """

    responses: Mapping[Suffix, Responses]
    layers: tuple[Layer, ...]
    fewest: str
    places: tuple[Responds, ...]


NOT_KEPT = Inside({}, (), "", ())
"""Of a model that was fitted before its networks were kept."""


def look_inside(
    engine: CycleGAN,
    sessions: Sequence[Session],
    *,
    seed: int,
    progress: Callable[[str], None] = lambda _: None,
) -> Inside:
    """Return what drives the networks of a fitted engine, asked about some scans.

    Parameters
    ----------
    engine : CycleGAN
        Fitted.
    sessions : sequence of Session
        Of the source scanner, prepared; the first `MOST` are used.
    seed : int
        Of the draws that intervals come from.
    progress : callable
        Is told what is being done.
    """
    if engine.weights_ is None:
        return NOT_KEPT
    opened = Opened.of(engine, engine.weights_)
    some = sessions[:MOST]
    shown = [crop_to_brain(engine.shown(session)) for session in some]
    who = [one.subject or f"scan {n}" for n, one in enumerate(some)]
    responses = {}
    for suffix in engine.suffixes_:
        scans = [Scan(one[suffix].data, Ground(one, suffix)) for one in shown]
        people = [Person(*one) for one in zip(who, shown, scans, strict=True)]
        responses[suffix] = respond(
            opened, people, suffix, probes_of(scans), seed=seed, progress=progress
        )
    return Inside(responses, *_channels(opened, shown, progress))


def _channels(
    opened: Opened, shown: Sequence[Session], progress: Callable[[str], None]
) -> tuple[tuple[Layer, ...], str, tuple[Responds, ...]]:
    """Return the layers, the one of which the fewest channels do, and where they do."""
    slices = [
        one.some(0) for session in shown[:ABLATED] for one in opened.slices(session)
    ]
    layers = []
    for name in layers_of(opened.generator):
        progress(f"channels of the generator: {name}")
        layers.append(carried(opened.generator, name, slices))
    doing = [layer for layer in layers if layer.carriers]
    if not doing:
        return tuple(layers), "", ()
    least = min(doing, key=lambda layer: len(layer.carriers))
    channels = [one.channel for one in least.carriers[:SHOWN]]
    return tuple(layers), least.name, where(opened, least.name, channels, shown)
