"""CycleGAN: two unpaired groups, and a generator that knows where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal, Self, get_args

import numpy as np

from mitame.core.errors import InputError
from mitame.core.harmonizer import Harmonizer, params_of, require_fitted
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step
from mitame.engines.added import Edit, added, at_spacing_of, edited_at, fading
from mitame.engines.bilateral import Bilateral
from mitame.engines.cyclegan.infer import Generated, edit_of
from mitame.engines.cyclegan.settings import SIZES, Layers, Settings, Size
from mitame.engines.cyclegan.slices import FADED, Head, Image, box_around, noise_of
from mitame.engines.cyclegan.watch import Folder, Watch
from mitame.engines.identity import Identity
from mitame.engines.noise import Noise, with_noise
from mitame.engines.patchwise.pairs import require_known
from mitame.io import bundle

Base = Literal["bilateral", "identity"]
"""What comes before the generator: a gain by place and brightness, or nothing."""

BASES: dict[Base, type[Harmonizer]] = {"bilateral": Bilateral, "identity": Identity}

MULTIPLE = 4
"""Voxels along an edge of a slice, so that a discriminator's strides come out even."""


NETWORKS = "networks"
"""Folder of the weights, which only `mitame explain` needs."""


class CycleGAN:
    """Give slices the look of another scanner that is known from other people.

    Two generators, there and back, are trained so that what they make cannot be told
    from the scanner's own slices, and so that there and back again is where it began.
    They are local convolutions, and a local convolution cannot know that it is in
    the occipital lobe: so each voxel's place in the template is given, too.

    Parameters
    ----------
    size : {"tiny", "small", "base"}
        Of networks and training: two cores and minutes, an hour, or a GPU.
    base : {"bilateral", "identity"}
        What comes before the generator.
    coordinates : bool
        Whether generators and discriminators are given the place.
    tones : bool
        Whether they are given tones (`squares.Squares`).
    layers : {"local", "far", "full"}
        What the networks are made of: see `settings.Layers`.
    patch : int
        Voxels an edge of the pieces of slices that are trained on, a multiple of 4; 0
        for whole slices.
    noise : {"keep", "less", "match"}
        Where the target has less noise, "less" takes some away. "match" also adds
        some where the target has more: for a cohort in which nothing should tell the
        scanner; no single image gets better by it. "keep" does neither.
    steps : int, optional
        Of the training, if not those of the size, which are fewer with fewer people.
    seed : int
        Of weights, drawn slices, and added noise.

    Attributes
    ----------
    base_ : Harmonizer
        What comes first.
    suffixes_ : tuple of str
        The sequences, all in one slice.
    spacing_ : float
        Voxel edge that was trained on, mm.
    generator_, back_ : Generated
        The generators from source to target and back.
    base_back_ : Harmonizer
        What comes last on the way back.
    noise_, noise_back_ : array of float32, shape (n_sequences,)
        Standard deviation of the target's noise, and of the source's.
    weights_ : dict of str to array, optional
        Of the generator to the target and its discriminator: `kept.weights_of`. None in
        a model that was fitted before they were kept; use does not need them.
    """

    needs_pairs: ClassVar[bool] = False
    takes_visits: ClassVar[bool] = True
    base_: Harmonizer
    suffixes_: tuple[Suffix, ...]
    spacing_: float
    generator_: Generated
    back_: Generated
    base_back_: Harmonizer
    noise_: Image
    noise_back_: Image
    weights_: dict[str, Image] | None

    def __init__(
        self,
        *,
        size: Size = "tiny",
        base: Base = "bilateral",
        coordinates: bool = True,
        tones: bool = True,
        layers: Layers = "local",
        patch: int = 0,
        noise: Noise = "less",
        steps: int | None = None,
        seed: int = 0,
    ) -> None:
        self.size = size
        self.base = base
        self.coordinates = coordinates
        self.tones = tones
        self.layers = layers
        self.patch = patch
        self.noise = noise
        self.steps = steps
        self.seed = seed
        self.watch: Watch = Watch()
        _ = self.settings  # a size that there is not is told before scans are read

    def keep_in(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Keep checkpoints in a folder, and go on from the one that is there."""
        self.watch = Folder(folder, tell)

    def fit(self, source: Sequence[Session], target: Sequence[Session]) -> Self:
        """Learn from two groups; nobody need be in both.

        Raises
        ------
        InputError
            If a parameter is none that there is, or no sequence is in all sessions.
        ImplausibleError
            If the training diverges.
        """
        # Heavy: torch. A fitted model needs none.
        from mitame.engines.cyclegan.export import to_onnx
        from mitame.engines.cyclegan.kept import weights_of
        from mitame.engines.cyclegan.train import train

        settings = self.settings
        if self.steps is None:
            people = min(_people(group) for group in (source, target))
            settings = settings.for_people(people)
        self.suffixes_ = _shared((*source, *target))
        self.spacing_ = float(np.median([s.reference.spacing for s in source]))
        source, target = self._known(source), self._known(target)
        self.base_ = BASES[self.base]().fit(source, target)
        based = [self.base_.transform(one) for one in source]
        self.base_back_ = BASES[self.base]().fit(based, source)
        groups = [[self._head(one) for one in group] for group in (based, target)]
        self.noise_back_, self.noise_ = (noise_of(group) for group in groups)
        shape = _common_shape((*groups[0], *groups[1]))
        heads = [[head.padded(shape) for head in group] for group in groups]
        noise = self.noise_back_, self.noise_
        networks = train(heads[0], heads[1], noise, settings, self.seed, self.watch)
        self.generator_ = Generated(to_onnx(networks.there_average))
        self.back_ = Generated(to_onnx(networks.back_average))
        self.weights_ = weights_of(networks)
        return self

    def transform(self, session: Session) -> Session:
        """Return `session` as the target shows it; zeros stay zero.

        Raises
        ------
        NotFittedError
            If the engine was not fitted.
        InputError
            If the session has other sequences than those of training.
        """
        self._require_ready_for(session)
        based = self.base_.transform(session)
        found = self._edit(self.generator_, self.noise_)
        edit = edited_at(self.spacing_, session, based, found)
        return added(session, based, edit, Step("cyclegan", params_of(self)))

    def transform_back(self, session: Session) -> Session:
        """Return a session of the target as the source shows it; zeros stay zero.

        Raises
        ------
        NotFittedError, InputError
            As of `transform`.
        """
        self._require_ready_for(session)
        found = self._edit(self.back_, self.noise_back_)
        edit = edited_at(self.spacing_, session, session, found)
        step = Step("cyclegan back", params_of(self))
        return self.base_back_.transform(added(session, session, edit, step))

    def save(self, folder: Path) -> None:
        """Write the parameters and what was learned into `folder`."""
        require_fitted(self, "generator_")
        words = {
            "params": params_of(self),
            "suffixes": list(self.suffixes_),
            "spacing": self.spacing_,
        }
        both = {"generator": self.generator_, "back": self.back_}
        arrays = {k: np.frombuffer(one.onnx, np.uint8) for k, one in both.items()}
        noise = {"noise": self.noise_, "noise-back": self.noise_back_}
        bundle.write(folder, words, arrays | noise)
        self.base_.save(folder / "base")
        self.base_back_.save(folder / "base-back")
        if self.weights_ is not None:
            bundle.write(folder / NETWORKS, {}, self.weights_)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back what `save` wrote."""
        words, arrays = bundle.read(folder)
        engine = cls(**words["params"])
        engine.suffixes_ = tuple(words["suffixes"])
        engine.spacing_ = words["spacing"]
        engine.generator_ = Generated(arrays["generator"].tobytes())
        engine.back_ = Generated(arrays["back"].tobytes())
        engine.noise_, engine.noise_back_ = arrays["noise"], arrays["noise-back"]
        engine.base_ = BASES[engine.base].load(folder / "base")
        engine.base_back_ = BASES[engine.base].load(folder / "base-back")
        kept = (folder / NETWORKS).exists()
        engine.weights_ = bundle.read(folder / NETWORKS)[1] if kept else None
        return engine

    @property
    def settings(self) -> Settings:
        """Return what the parameters stand for."""
        for name, given, known in (
            ("size", self.size, get_args(Size)),
            ("base", self.base, get_args(Base)),
            ("layers", self.layers, get_args(Layers)),
            ("noise", self.noise, get_args(Noise)),
        ):
            if given not in known:
                raise InputError(
                    f"The CycleGAN has no {name} {given!r}.",
                    fix=f"Choose one of {', '.join(known)}.",
                )
        if self.patch < 0 or self.patch % MULTIPLE:
            raise InputError(
                f"Pieces of slices cannot be {self.patch} voxels an edge.",
                fix=f"Give a multiple of {MULTIPLE}, or 0 for whole slices.",
            )
        found = replace(SIZES[self.size], layers=self.layers, patch=self.patch)
        if not self.coordinates:
            found = replace(found, place=0.0)
        if not self.tones:
            found = replace(found, tones=0)
        return found if self.steps is None else replace(found, steps=self.steps)

    def _known(self, group: Sequence[Session]) -> list[Session]:
        return [one.with_volumes({s: one[s] for s in self.suffixes_}) for one in group]

    def shown(self, session: Session) -> Session:
        """Return what the generator to the target is shown of a session.

        Raises
        ------
        NotFittedError, InputError
            As of `transform`.
        """
        self._require_ready_for(session)
        based = self.base_.transform(session)
        return at_spacing_of(based, self.spacing_)

    def _require_ready_for(self, session: Session) -> None:
        require_fitted(self, "generator_")
        require_known(session, self.suffixes_)

    def _head(self, session: Session) -> Head:
        return Head.of(at_spacing_of(session, self.spacing_), self.suffixes_)

    def _edit(
        self, generator: Generated, noise: Image
    ) -> Callable[[Session, Session], Edit]:
        """Return what is added to each sequence, on a grid like training's.

        Parameters
        ----------
        generator : Generated
            There or back.
        noise : array, shape (n_sequences,)
            Of the scanner that it leads to.
        """

        def edit(session: Session, based: Session) -> Edit:
            brain = session.require_brain()
            _, fade = fading(brain)
            head = Head.of(based, self.suffixes_, FADED)
            edits = edit_of(head, generator.run, self.settings.place)
            box = box_around(brain, FADED)
            whole: Edit = {}
            for n, suffix in enumerate(self.suffixes_):
                made = head.images[n] + edits[n]
                level = float(noise[n])
                made = with_noise(self.noise, made, brain[box], level, self.seed)
                whole[suffix] = np.zeros(brain.shape, np.float32)
                whole[suffix][box] = (made - head.images[n]) * fade[box]
            return whole

        return edit


def _people(group: Sequence[Session]) -> int:
    """Return how many people there are; a scan of nobody known is of one more."""
    return len({one.subject or n for n, one in enumerate(group)})


def _shared(sessions: Sequence[Session]) -> tuple[Suffix, ...]:
    """Return the sequences that all sessions have."""
    shared = set.intersection(*(set(session) for session in sessions))
    if not shared:
        raise InputError(
            "No sequence is in all sessions.", fix="Give scans of one sequence."
        )
    return tuple(suffix for suffix in sessions[0] if suffix in shared)


def _common_shape(heads: Sequence[Head]) -> list[int]:
    """Return the least shape that all heads fit in."""
    most = np.max([head.inside.shape for head in heads], axis=0)
    return [int(-(-n // MULTIPLE) * MULTIPLE) for n in most]
