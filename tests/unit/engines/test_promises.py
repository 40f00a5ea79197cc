"""Every engine keeps its promises, and `check_harmonizer` catches those that lie."""

from dataclasses import replace

import numpy as np
import pytest

from mitame.core.harmonizer import Harmonizer
from mitame.core.volume import Step, Volume
from mitame.engines.bilateral import Bilateral
from mitame.engines.histogram import Histogram
from mitame.engines.identity import Identity
from mitame.engines.named import engine_class, engine_names
from mitame.engines.nyul import Nyul
from mitame.testing.harmonizer import check_harmonizer


@pytest.mark.parametrize("name", engine_names())
def test_every_installed_engine_keeps_its_promises(name, quick):
    make = quick(name)
    assert isinstance(make(), Harmonizer)
    check_harmonizer(make)


def test_our_engines_come_through_the_same_door_as_others():
    assert {"identity", "histogram", "nyul", "bilateral"} <= set(engine_names())
    for engine in (Identity, Histogram, Nyul, Bilateral):
        assert engine_class(engine.__name__.lower()) is engine


def changed(session, change):
    """Return `session` with `change` done to every volume."""
    return session.with_volumes({s: change(v) for s, v in session.items()})


def painted(volume, data):
    return replace(volume, data=data)


class LosesAffine(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return changed(done, lambda v: replace(v, affine=np.eye(4)))


class LosesScanner(Nyul):
    def transform(self, session):
        return changed(super().transform(session), lambda v: replace(v, scanner=None))


class LosesHistory(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return changed(done, lambda v: replace(v, history=v.history[:-1]))


class RewritesHistory(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return changed(done, lambda v: replace(v, history=2 * v.history[-1:]))


class LosesSubject(Nyul):
    def transform(self, session):
        return replace(super().transform(session), subject="somebody")


class PaintsBackground(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return changed(done, lambda v: painted(v, v.data + np.float32(0.01)))


class Forgets(Nyul):
    @classmethod
    def load(cls, folder):
        engine = super().load(folder)
        engine.target_ = {s: 2 * marks for s, marks in engine.target_.items()}
        return engine


class RollsDice(Nyul):
    rng = np.random.default_rng(0)

    def transform(self, session):
        gain = np.float32(1 + 0.01 * self.rng.random())
        return changed(super().transform(session), lambda v: painted(v, v.data * gain))


class FitsAtRandom(Nyul):
    rng = np.random.default_rng(0)

    def fit(self, source, target):
        super().fit(source, target)
        shift = 0.01 * self.rng.random()
        self.target_ = {s: marks + shift for s, marks in self.target_.items()}
        return self


class SilentWhenUnfitted(Nyul):
    def transform(self, session):
        return super().transform(session) if hasattr(self, "target_") else session


class Clips(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return changed(done, lambda v: painted(v, np.minimum(v.data, 1.5)))


class FitsToNothing(Nyul):
    def fit(self, source, target):
        super().fit(source, target)


class TouchesTheBrain(Nyul):
    def transform(self, session):
        done = super().transform(session)
        session.brain[:2] = True
        return done


class Guesses(Nyul):
    def transform(self, session):
        if "FLAIR" not in session:
            return super().transform(session)
        half = Step("guess")
        return changed(session, lambda v: v.with_data(v.data / 2, half))


class RepaintsTheTarget(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return changed(done, lambda v: painted(v, v.data * np.float32(1.1)))


class AddsASequence(Nyul):
    def transform(self, session):
        done = super().transform(session)
        return done.with_volumes({**done.volumes, "PDw": done["T1w"]})


class ReadsItsFolderLater(Nyul):
    @classmethod
    def load(cls, folder):
        engine = super().load(folder)
        engine.folder = folder
        return engine

    def transform(self, session):
        folder = getattr(self, "folder", None)
        gain = np.float32(1 if folder is None or folder.exists() else 1.1)
        return changed(super().transform(session), lambda v: painted(v, v.data * gain))


@pytest.mark.parametrize(
    ("broken", "promise"),
    [
        (LosesAffine, "affine"),
        (LosesScanner, "who made the image"),
        (LosesHistory, "recorded"),
        (RewritesHistory, "history there was"),
        (LosesSubject, "whose visit"),
        (PaintsBackground, "background"),
        (Forgets, "saved engine"),
        (RollsDice, "same scan"),
        (FitsAtRandom, "same training"),
        (SilentWhenUnfitted, "unfitted"),
        (Clips, "clipped"),
        (FitsToNothing, "`fit` returns"),
        (TouchesTheBrain, "left as it was"),
        (Guesses, "not guessed"),
        (RepaintsTheTarget, "own images"),
        (AddsASequence, "no other"),
        (ReadsItsFolderLater, "saved engine"),
    ],
)
def test_a_broken_promise_is_named(broken, promise):
    with pytest.raises(AssertionError, match=promise):
        check_harmonizer(broken)


def test_an_engine_that_makes_nan_is_stopped_by_the_volume_itself():
    class MakesNan(Nyul):
        def transform(self, session):
            done = super().transform(session)
            return changed(done, lambda v: painted(v, v.data / np.float32(np.nan)))

    with pytest.raises(ValueError, match="NaN"):
        check_harmonizer(MakesNan)


def test_a_volume_is_what_the_checks_hand_to_engines():
    seen = []

    class Looks(Identity):
        def transform(self, session):
            seen.extend(session.values())
            return super().transform(session)

    check_harmonizer(Looks)
    assert all(isinstance(volume, Volume) for volume in seen)
    zeros = [float((volume.data == 0).mean()) for volume in seen]
    assert min(zeros) > 0.1, "the phantom has air, or painting it would go unseen"
