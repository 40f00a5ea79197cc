"""Elements: harmonize by a few named, physical differences and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Self, get_args

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.core.harmonizer import learned, learned_of, params_of
from mitame.core.session import Session, Suffix, shared_sequences
from mitame.core.volume import Step, Volume
from mitame.engines.elements.additions import Noise
from mitame.engines.elements.element import Element
from mitame.engines.elements.fit import found_between
from mitame.engines.elements.giving import Scan, shares
from mitame.engines.elements.ground import Ground
from mitame.engines.elements.moved import moved
from mitame.engines.elements.stored import in_words, of_words
from mitame.engines.noise import Noise as NoiseWanted
from mitame.io import bundle
from mitame.prepare.crop import crop_to_brain

Sizes = list[tuple[Element, np.ndarray[Any, Any]]]


class Elements:
    """Give a scan the elements in which the target differs from the source.

    Two unpaired groups are compared in few numbers; the few elements that explain what
    is beyond chance are kept with their sizes, all others are exactly zero. Each is a
    tone curve, a gain by place, a filter or noise: none can make or remove a lesion.
    Bias fields are no element: every scan's own was taken out when it was prepared.

    Parameters
    ----------
    noise : {"less", "match", "keep"}
        Where the target has less noise, "less" takes some away. "match" also adds
        some where it has more, which makes no single image better. "keep" leaves it.
    seed : int
        Of the splits that tell what chance does.

    Raises
    ------
    InputError
        If `noise` is none of these.

    Attributes
    ----------
    elements_ : dict of str to list of (Element, array)
        By sequence, in the order in which they are given.
    """

    needs_pairs: ClassVar[bool] = False
    elements_: dict[Suffix, Sizes]

    def __init__(self, *, noise: NoiseWanted = "less", seed: int = 0) -> None:
        if noise not in get_args(NoiseWanted):
            raise InputError(
                f"Elements have no noise {noise!r}.",
                fix=f"Choose one of {', '.join(get_args(NoiseWanted))}.",
            )
        self.noise, self.seed = noise, seed

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Find what differs; nobody need be in both groups.

        Raises
        ------
        InputError
            If no sequence is in both groups.
        """
        shared = shared_sequences(source, target)
        self.elements_ = {s: self._found(s, source, target) for s in shared}
        return self

    def _found(
        self, suffix: Suffix, source: Sequence[Session], target: Sequence[Session]
    ) -> Sizes:
        ours, theirs = scans_of(source, suffix), scans_of(target, suffix)
        found = found_between(ours, theirs, self.seed, fields=False)
        return [
            (e, found.sizes[e.name]) for e in found.elements if e.name in found.sizes
        ]

    def transform(self, session: Session) -> Session:
        """Return `session` with the elements of the target."""
        return session.with_volumes({s: self._moved(s, session) for s in session})

    def _moved(self, suffix: Suffix, session: Session) -> Volume:
        known: Sizes = learned_of(self, "elements_", suffix)
        sizes = {e.name: size for e, size in known if self._wants(e, size)}
        given, taken = shares([element for element, _ in known], sizes)
        ground, image = Ground(session, suffix), session[suffix].data
        for element, size in given:
            image = moved(element, image, ground, size)
        for element, size in reversed(taken):  # what scanners add last goes first
            image = moved(element, image, ground, -size)
        told = {name: size.tolist() for name, size in sizes.items()}
        return session[suffix].with_data(image, Step("elements", told))

    def _wants(self, element: Element, size: NDArray[np.float64]) -> bool:
        if not isinstance(element, Noise) or self.noise == "match":
            return True
        return self.noise == "less" and bool(size[0] < 0)

    def save(self, folder: Path) -> None:
        """Write what was found into `folder`: the file reads as the explanation."""
        known = learned(self, "elements_")
        places: dict[str, NDArray[Any]] = {}
        words = {
            "params": params_of(self),
            "elements": {
                str(suffix): [
                    {**in_words(e, places, suffix), "size": size.tolist()}
                    for e, size in sizes
                ]
                for suffix, sizes in known.items()
            },
        }
        bundle.write(folder, words, places)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, places = bundle.read(folder)
        engine = cls(**words["params"])
        engine.elements_ = {
            suffix: [
                (of_words(one, places), np.array(one["size"], np.float64))
                for one in every
            ]
            for suffix, every in words["elements"].items()
        }
        return engine


def scans_of(group: Sequence[Session], suffix: Suffix) -> list[Scan]:
    """Return one sequence of a group, where its brains are."""
    cut = [crop_to_brain(session) for session in group if suffix in session]
    return [Scan(session[suffix].data, Ground(session, suffix)) for session in cut]
