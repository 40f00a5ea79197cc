"""Where in the template a channel responds most."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.engines.cyclegan.slices import FOLD, MIDDLE_MM, REACH_MM, Head
from mitame.explain.inside.channels import layers_of, moments, response
from mitame.explain.inside.opened import EVERY, Opened
from mitame.prepare.regions import RegionFound, name_regions, region_map
from mitame.prepare.resample import resample
from mitame.prepare.template import template_grid

SPACING_MM = 4.0
"""Of the maps; slices are farther apart."""

NAMED = 3
"""Regions that are told of a channel."""

LEAST_SPREAD = 1e-6
"""Of a channel; keeps one that never varies finite."""

ALONG = 2
"""The axis that slices are stacked along."""


@dataclass(frozen=True, slots=True, eq=False)
class Responds:
    """Where a channel responds.

    Parameters
    ----------
    channel : int
        Which of its layer, from 0.
    map : Volume
        Its mean over scans above its mean over the brain, in its standard deviations
        over the brain; template space.
    regions : tuple of RegionFound
        Where the mean of the map is farthest from 0, either way; that first.
    """

    channel: int
    map: Volume
    regions: tuple[RegionFound, ...]


def where(
    opened: Opened, layer: str, channels: Sequence[int], sessions: Sequence[Session]
) -> tuple[Responds, ...]:
    """Return where some channels of a layer respond.

    Parameters
    ----------
    opened : Opened
        The networks.
    layer : str
        One of `channels.layers_of`.
    channels : sequence of int
        Of that layer.
    sessions : sequence of Session
        As the networks are shown them.
    """
    module = layers_of(opened.generator)[layer]
    # Of all slices, for those across one axis lie otherwise in the tissue.
    slices = [opened.slices(session) for session in sessions]
    every = [one for some in slices for one in some]
    mean, spread = moments(opened.generator, module, every)
    grid = template_grid(SPACING_MM)
    total = np.zeros((len(channels), *grid.shape), np.float32)
    for session, some in zip(sessions, slices, strict=True):
        found = response(opened.generator, module, some[ALONG])
        away = (found - mean[:, None, None]) / (spread[:, None, None] + LEAST_SPREAD)
        stacks = away[:, list(channels)].permute(1, 2, 3, 0).numpy()
        affine = _to_template(Head.of(session, opened.suffixes).to_place)
        for n, stack in enumerate(stacks):
            total[n] += resample(
                Volume(stack, affine), grid, interpolator="linear"
            ).data
    inside = region_map(grid) > 0
    means = total * inside / np.float32(len(sessions))
    maps = [grid.with_data(one, Step("response", {})) for one in means]
    return tuple(
        Responds(channel, one, _regions(one, inside))
        for channel, one in zip(channels, maps, strict=True)
    )


def _to_template(to_place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the way from squares of stacked slices to template millimeters."""
    affine = np.eye(4)
    affine[:3] = REACH_MM * to_place
    affine[:3, 3] += MIDDLE_MM
    square = np.diag([FOLD, FOLD, EVERY, 1.0])
    square[:3, 3] = (FOLD - 1) / 2, (FOLD - 1) / 2, EVERY // 2
    return affine @ square


def _regions(found: Volume, inside: NDArray[np.bool_]) -> tuple[RegionFound, ...]:
    every = name_regions(inside, found.data, found)
    return tuple(sorted(every, key=lambda region: -abs(region.effect))[:NAMED])
