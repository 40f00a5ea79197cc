"""Every error mitame raises on purpose.

* MitameError
  - InputError            what was given cannot be used   (also a ValueError)
    - GridMismatchError   two images do not share a voxel grid
    - MetadataError       a header or name lacks what the step needs
    - ImplausibleError    readable, but cannot be right
  - OutputError           the result cannot be written where it was asked for
  - NotFittedError        the engine was asked before it was fitted
  - ModelError            the bundle is damaged, or from another version
"""

from __future__ import annotations


class MitameError(Exception):
    """Something went wrong that the user can act on.

    Parameters
    ----------
    what : str
        What is wrong, with the values that show it.
    fix : str
        What to do next, as an instruction.
    """

    def __init__(self, what: str, *, fix: str) -> None:
        super().__init__(f"{what} {fix}")
        self.what = what
        self.fix = fix


class InputError(MitameError, ValueError):
    """What was given cannot be used."""


class GridMismatchError(InputError):
    """Two images do not share a voxel grid."""


class MetadataError(InputError):
    """A header or a file name lacks what the step needs."""


class ImplausibleError(InputError):
    """The numbers are readable but cannot be right."""


class OutputError(MitameError):
    """The result cannot be written where it was asked for."""


class NotFittedError(MitameError):
    """The engine was asked before it was fitted."""


class ModelError(MitameError):
    """The bundle is damaged, or from another version."""
