from dataclasses import replace

import numpy as np
import pytest

from mitame.compare import prepared as module
from mitame.compare.prepared import prepare_visit
from mitame.core.errors import ImplausibleError
from mitame.core.volume import Volume
from mitame.io.scan import Visit
from mitame.prepare import brain, template
from mitame.testing.phantom import phantom, tissues


@pytest.fixture
def searches(monkeypatch):
    """Find the phantom's true brain and place; note what was searched."""
    asked = []

    def true_brain(volume):
        share = tissues(volume.shape, volume.affine)
        return share["csf"] + share["gm"] + share["wm"] > 0.5

    def true_place(volume, mask):
        asked.append(volume)
        return np.eye(4)

    monkeypatch.setattr(brain, "brain_mask", true_brain)
    monkeypatch.setattr(template, "to_template", true_place)
    return asked


def visit(**volumes):
    return Visit(volumes, scans={}, subject="01")


def test_the_template_is_searched_once_a_visit_from_the_best_sequence(
    searches, monkeypatch
):
    monkeypatch.setattr(module, "lies_in_template", lambda _: True)
    scans = {suffix: phantom(suffix=suffix) for suffix in ("T2w", "FLAIR", "T1w")}
    told = []
    found = prepare_visit(
        "prior", visit(**scans), list(scans), progress=lambda *say: told.append(say)
    )
    assert list(found) == ["T1w", "FLAIR", "T2w"]
    assert len(searches) == 1
    for suffix, one in found.items():
        assert one.native is scans[suffix]
        assert list(one.session) == [suffix]
        back = one.restore(one.session)[suffix]
        back.require_same_grid(scans[suffix])
    assert told == [(suffix, "brain of the prior found") for suffix in found]


def test_a_sequence_with_a_world_of_its_own_is_searched_by_itself(
    searches, monkeypatch
):
    monkeypatch.setattr(module, "lies_in_template", lambda session: "T2w" in session)
    scans = {suffix: phantom(suffix=suffix) for suffix in ("T1w", "FLAIR", "T2w")}
    prepare_visit("prior", visit(**scans), list(scans))
    assert len(searches) == 2  # T1w and FLAIR


def test_an_error_says_which_scan(searches):
    dark = phantom(suffix="FLAIR")
    dark = replace(dark, data=np.zeros_like(dark.data))
    scans = visit(T1w=phantom(), FLAIR=Volume(dark.data, dark.affine))
    with pytest.raises(ImplausibleError, match=r"The current scan, FLAIR: .") as error:
        prepare_visit("current scan", scans, ["T1w", "FLAIR"])
    assert error.value.fix
