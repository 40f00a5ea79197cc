"""The preparation every model starts from, and the steps by name."""

from __future__ import annotations

from mitame.prepare.bias import CorrectBias
from mitame.prepare.brain import FindBrain
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation, PrepareStep
from mitame.prepare.scale import ScaleToWhiteMatter
from mitame.prepare.template import FindTemplate

STEPS: dict[str, type[PrepareStep]] = {
    step.name: step
    for step in (Orient, FindBrain, FindTemplate, CorrectBias, ScaleToWhiteMatter)
}
"""Every step by the name it has in histories and bundles."""


def default_preparation(*, bias: bool = True) -> Preparation:
    """Return the preparation engines expect: brain, template, common scale.

    Parameters
    ----------
    bias : bool
        Whether to take out the bias field with N4.
    """
    steps: list[PrepareStep] = [Orient(), FindBrain(), FindTemplate()]
    if bias:
        steps.append(CorrectBias())
    return Preparation((*steps, ScaleToWhiteMatter()))
