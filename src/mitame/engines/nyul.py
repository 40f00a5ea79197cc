"""Nyúl histogram standardization: match eleven quantiles with straight lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from mitame.engines.landmarks import Landmarks

DECILES = (0.01, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99)


class Nyul(Landmarks):
    """Nyúl standardization [1]_: `Landmarks` at the deciles and both ends.

    Parameters
    ----------
    quantiles : sequence of float, increasing, each in (0, 1)
        Where the histogram is pinned.

    References
    ----------
    .. [1] L. G. Nyúl, J. K. Udupa, X. Zhang, "New variants of a method of MRI
       scale standardization", IEEE Trans. Med. Imaging 19(2), 143-150, 2000.
    """

    name: ClassVar[str] = "nyul"

    def __init__(self, *, quantiles: Sequence[float] = DECILES) -> None:
        super().__init__(quantiles=quantiles)
