from dataclasses import replace

import numpy as np
import pytest

from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.evaluate import metrics
from mitame.evaluate.case import Case, Direction, Truth

SHAPE = (8, 8, 8)
BRAIN = np.zeros(SHAPE, bool)
BRAIN[1:7, 1:7, 1:7] = True
MARK = np.zeros(SHAPE, np.float32)
MARK[2:4, 2:4, 2:4] = 40.0  # stored units; the source's gain is 0.01
MARK[4, 2:4, 2:4] = 10.0  # its soft border
WAY = Direction("old", "new", (), (), ("01",))


def session(value, brain=BRAIN, seed=None):
    """One value everywhere, or an array of them, with noise if there is a seed."""
    data = np.full(SHAPE, value, np.float32)
    if seed is not None:
        data += np.random.default_rng(seed).normal(0, 0.1, SHAPE).astype(np.float32)
    volume = Volume(data, np.eye(4), history=(Step("scale", {"gain": 0.01}),))
    return Session({"T1w": volume}, "01", brain=brain)


class Cohort:
    """Everything is planted, and nothing is sick."""

    has_rescans = True

    def planted(self, subject, scanner, suffix):
        assert (subject, scanner, suffix) == ("01", "old", "T1w")
        return MARK

    def lesions(self, subject):
        assert subject == "01"


class Images:
    cohort = Cohort()

    def __init__(self, **sessions):
        self.sessions = sessions

    def session(self, subject, scanner, kind="scan"):
        assert subject == "01"
        return self.sessions[f"{scanner}_{kind}"]


@pytest.fixture
def images():
    return Images(
        old_scan=session(0.5, seed=1),
        old_noisefree=session(0.5),
        new_scan=session(1.0, seed=2),
        new_rescan=session(1.0, seed=3),
        new_noisefree=session(1.0),
    )


def case(images, result):
    return Case.of("01", result, WAY, images)


def test_a_score_without_noise_is_against_the_image_without_noise(images):
    found = case(images, session(0.9)).scores("T1w")
    assert found["psnr_noisefree"] == pytest.approx(20, abs=1e-3)
    assert found["psnr"] < 18
    assert found["ssim_noisefree"] == pytest.approx(
        metrics.ssim(np.full(SHAPE, 0.9), np.full(SHAPE, 1.0), BRAIN), abs=1e-4
    )


def test_only_the_brain_of_both_scanners_counts(images):
    half = BRAIN.copy()
    half[4:] = False
    other = replace(images.sessions["new_scan"], brain=half)
    images.sessions["new_scan"] = other
    shown = np.ones(SHAPE)
    shown[4:] = 9.0
    found = case(images, session(shown))
    assert (found.mask == half).all()
    assert found.scores("T1w")["psnr_noisefree"] == metrics.HIGHEST_PSNR


def test_a_mark_is_measured_where_it_is_and_not_at_its_border(images):
    shown = np.ones(SHAPE)
    shown[2:4, 2:4, 2:4] += 0.2  # half of 40 x 0.01
    shown[5:] += 3.0  # something else, elsewhere
    left = case(images, session(shown)).scores("T1w")["planted_residual"]
    assert left == pytest.approx(0.5, abs=1e-5)


def test_gaps_are_against_the_scan_and_the_image_without_noise(images):
    found = case(images, session(0.9)).gaps("T1w")
    inside = BRAIN
    for metric, aim in (("gap_closed", "scan"), ("gap_closed_noisefree", "noisefree")):
        before, after, least = (
            np.abs(one["T1w"].data - images.sessions[f"new_{aim}"]["T1w"].data)[
                inside
            ].mean()
            for one in (
                images.sessions["old_scan"],
                session(0.9),
                images.sessions["new_rescan"],
            )
        )
        assert found[metric] == pytest.approx((before - after, before - least))


def test_without_rescans_there_is_no_truth(images, monkeypatch):
    monkeypatch.setattr(Cohort, "has_rescans", False)
    found = case(images, session(0.9))
    assert found.truth is None
    assert found.gaps("T1w") == {}
    assert set(found.scores("T1w")) == {
        "psnr", "ssim", "mae", "wasserstein", "planted_residual",
    }  # fmt: skip


def test_truth_is_of_the_right_scanner(images):
    found = case(images, session(0.9)).truth
    assert isinstance(found, Truth)
    assert found.noise_free is images.sessions["new_noisefree"]
    assert found.rescan is images.sessions["new_rescan"]
    assert found.source_noise_free is images.sessions["old_noisefree"]
