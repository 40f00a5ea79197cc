"""What two groups differ in: elements and places, and nothing where there is none."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.core.volume import Step
from mitame.explain import groups, local
from mitame.explain.groups import Named, explain
from mitame.explain.local import Local
from mitame.explain.place import FEWEST
from mitame.prepare.regions import REGIONS, name_regions, region_map
from mitame.present.explain_report import write_explain_report
from mitame.present.explain_sentence import sentence
from mitame.present.words import words_in
from mitame.run.explain import in_words
from mitame.testing.people import people

SPACING = 4.0


def brighter(session, gain):
    """Return a session whose intensities are multiplied."""
    volume = session["T1w"]
    seen = volume.with_data(volume.data * gain, Step("gain", {}))
    return session.with_volumes({"T1w": seen})


def planted(grid):
    """Return where the left occipital cortex is."""
    return region_map(grid) == REGIONS.index("left occipital cortex") + 1


def toned(session):
    """Return a session with another tone curve."""
    volume = session["T1w"]
    seen = volume.with_data(volume.data**1.25, Step("tone", {}))
    return session.with_volumes({"T1w": seen})


@pytest.fixture(scope="module")
def everyone():
    return people(20, seed=1)


@pytest.fixture(scope="module")
def told(everyone):
    """Return the explanation of a tone curve and of a bright left occipital cortex."""
    patch = pytest.MonkeyPatch()
    patch.setattr(local, "SPACING_MM", SPACING)
    there = planted(everyone[0]["T1w"])
    target = [brighter(toned(s), 1 + 0.3 * there) for s in everyone[10:]]
    found = explain(everyone[:10], target)["T1w"]
    patch.undo()
    return found


def test_tone_and_place_are_named_with_their_sizes(told):
    sizes = {one.name: one for one in told.named}
    assert sizes["tone curve"].size == pytest.approx(1.25, abs=0.03)
    assert sizes["tone curve"].low < sizes["tone curve"].size < sizes["tone curve"].high
    place = next(one for one in told.named if one.name.startswith("left occipital"))
    assert place.low < place.size < place.high
    # 30 % of the gray matter; half of the place found is white matter beside it.
    assert 12 < place.size < 33
    assert sum(one.share for one in told.named) == pytest.approx(1.0)


def test_the_place_is_where_it_was_planted(told):
    (place,) = told.places
    there = planted(place.map)
    found = place.map.data != 0
    dice = 2 * (there & found).sum() / (there.sum() + found.sum())
    assert dice > 0.6


def test_the_page_says_what_was_found_and_what_is_zero(told, tmp_path):
    for lang, word in (("en", "Tone curve"), ("ja", "階調曲線")):
        path = tmp_path / f"{lang}.html"
        write_explain_report(path, {"T1w": told}, (10, 10), lang)
        page = path.read_text(encoding="utf-8")
        assert word in page
        assert page.count("data:image/png") == 1
    english = (tmp_path / "en.html").read_text(encoding="utf-8")
    assert "Left occipital cortex" in english
    zero = english[english.index("exactly zero") :]
    assert "Noise" in zero
    assert "Tone curve" not in zero


def test_the_sentence_names_everything(told):
    said = sentence(told, words_in("en"))
    assert "tone curve with exponent 1.2" in said
    assert "brighter left occipital" in said
    assert said.endswith("nothing else beyond chance.")


def test_an_explanation_is_plain_words(told):
    words = json.loads(json.dumps(in_words({"T1w": told})))["T1w"]
    assert {e["name"] for e in words["elements"]} >= {"tone curve"}
    assert words["regions"][0]["name"].startswith("left occipital")
    assert {"noise", "stripes"} <= set(words["zero"])
    assert "place" not in words["zero"]


def test_groups_of_one_scanner_differ_in_nothing(everyone, monkeypatch):
    monkeypatch.setattr(local, "SPACING_MM", SPACING)
    told = explain(everyone[:10], everyone[10:])["T1w"]
    assert told.named == ()
    assert sentence(told, words_in("en")) == "Nothing differs beyond chance."
    assert {"tone curve", "stripes", "place"} <= set(told.zero)


@pytest.mark.parametrize("left", [False, True])
def test_a_place_is_told_only_if_elements_alone_leave_one(left, everyone, monkeypatch):
    grid = everyone[0]["T1w"]
    there = planted(grid)
    step = Step("place", {})
    place = grid.with_data(0.2 * there.astype(np.float32), step)
    one = Local(place, name_regions(there, place.data, grid), 20.0, 19.0, 21.0, 0.001)
    seen = iter([one, one if left else None])
    monkeypatch.setattr(groups, "find_local", lambda *_, **__: next(seen))
    target = [toned(s) for s in everyone[10:17]]
    told = explain(everyone[:7], target)["T1w"]
    assert told.places == ((one,) if left else ())
    sizes = {named.name: named.size for named in told.named}
    assert sizes["tone curve"] == pytest.approx(1.25, abs=0.03)
    assert len(sizes) == 1 + left


def test_beside_a_field_no_place_of_all_tissues_is_told(told, everyone, monkeypatch):
    (place,) = told.places
    shading = Named("bias field", 6.0, 5.0, 7.0, "%", 1.0)
    whole = replace(told, named=(shading,), places=())
    outside = replace(told, named=(shading,), places=(place,))
    monkeypatch.setattr(groups, "find_local", lambda *_, **__: place)
    monkeypatch.setattr(
        groups, "_explained", lambda *given: outside if given[2] else whole
    )
    assert explain(everyone[:7], everyone[10:17])["T1w"] is whole


def test_too_few_scans_are_an_error(everyone):
    fewer = everyone[: FEWEST - 1]
    with pytest.raises(InputError, match="4 T1w scans of the source, 10 of the target"):
        explain(fewer, everyone[10:])


def test_groups_without_a_common_sequence_are_an_error(everyone):
    other = [s.with_volumes({"T2w": s["T1w"]}) for s in everyone]
    with pytest.raises(InputError, match="no sequence in common"):
        explain(everyone[:10], other)
