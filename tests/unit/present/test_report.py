import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from mitame.compare.comparison import Comparison, Mark
from mitame.core.errors import InputError, OutputError
from mitame.core.volume import Step
from mitame.guard.verdict import Focus, Reason, Verdict
from mitame.present import panels, report, slider
from mitame.present.contours import NUMBERED
from mitame.present.lightbox import Lightbox
from mitame.present.overview import write_overview_figure
from mitame.present.record import params_as_text, steps_as_lines
from mitame.present.report import write_comparison_report
from mitame.present.sentences import (
    guard_of,
    place_in_letters,
    place_in_words,
    summary_of,
)
from mitame.present.words import score_definitions, words_in


@pytest.fixture
def few_slices(monkeypatch):
    """Pages with the shortest slider, where the slider does not matter."""
    monkeypatch.setattr(report, "PAGE_BYTES", 0)


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, name):
        return [attrs for tag, attrs in self.found if tag == name]


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_needs_nothing_else(pages, lang):
    tags = Tags(pages[lang])
    addresses = [a[k] for _, a in tags.found for k in ("src", "href") if k in a]
    assert all(a.startswith(("data:image/", "#")) for a in addresses)
    assert not re.search(r"url\(|@import|https?://", pages[lang])


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_every_image_has_a_text(pages, lang):
    images = Tags(pages[lang]).all("img")
    assert len(images) > 30
    assert all(image["alt"].strip() for image in images)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_shows_no_folder_and_no_gap_unfilled(pages, lang):
    text = re.sub(r"data:image[^\"']*", "", pages[lang])
    body = text[text.index("<body>") : text.rindex("<script>")]
    assert "secret" not in text
    assert "Yamada" not in text
    assert "p.nii.gz" in text
    assert not re.search(r"\{(?!slice\})[a-z_]+\}", body)


def test_the_page_says_what_was_found(pages):
    assert "1 mark beyond the noise level: brighter today, 1.44 ml" in pages["en"]
    assert "right, anterior, superior" in pages["en"]
    assert "Noise level: 3.1 % of white matter." in pages["en"]
    assert "from 12.0 % to 4.0 %" in pages["en"]
    assert "396 days" in pages["en"]


def test_marks_that_hold_are_said_to(pages):
    assert "Guard: every mark is there, too" in pages["en"]
    assert words_in("ja")["guard_holds"] in pages["ja"]


HIDDEN = Focus((10.0, 20.0, 30.0), 7.0, 0.2)


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_guard_tells_marks_and_places_that_depend_on_harmonizing(sequence_of, lang):
    sequence, words = sequence_of(), words_in(lang)
    alone = replace(sequence.marks[0], holds=False)
    own = Reason("look", "marks: harmonizing's own", told="1 of 1")
    verdict = Verdict((own,), (Focus(alone.center, 6.0, 0.3), HIDDEN))
    said = guard_of(replace(sequence, marks=(alone,), verdict=verdict), words)
    assert words.say("guard_alone", marks="1") in said
    assert words.say("guard_hidden", n=1, places="10.0, 20.0, 30.0") in said


def test_the_guard_says_if_there_is_nothing_to_hold(sequence_of):
    words = words_in("en")
    nothing = sequence_of(lesion=0)
    assert guard_of(nothing, words) == words["guard_nothing"]
    unheld = Verdict((Reason("look", "marks: not held", told="why"),))
    said = guard_of(replace(sequence_of(), verdict=unheld), words)
    assert said == words["guard_unheld"]


def test_the_notice_stands_first(pages):
    start = pages["en"].index("<body>")
    assert 0 < pages["en"].index("not a medical device", start) - start < 300
    assert "医療機器ではありません" in pages["ja"]
    assert "診断には使用しないでください" in pages["ja"]


def test_the_japanese_page_has_no_english_sentence(pages):
    text = re.sub(r"<(style|script)\b.*?</\1>", "", pages["ja"], flags=re.S)
    text = re.sub(r"<[^>]*>", " ", text).replace(
        "HARMONIZED \N{EN DASH} research use", ""
    )
    assert not re.search(r"(?:[A-Za-z]{3,} ){3}", text)


def test_both_languages_have_the_same_texts_and_gaps():
    en, ja = words_in("en").texts, words_in("ja").texts
    assert en.keys() == ja.keys()
    for key in en:
        gaps = [set(re.findall(r"\{(\w+)\}", texts[key])) for texts in (en, ja)]
        assert gaps[0] == gaps[1], key


def test_every_score_is_shown_with_its_definition(pages, comparison):
    for name in comparison.sequences["FLAIR"].numbers:
        label, definition = score_definitions()[name]["en"]
        assert label in pages["en"]
        assert definition.split("|")[0][:40].replace("'", "&#39;") in pages["en"]


def test_a_score_without_definition_is_refused(sequence_of, tmp_path):
    unknown = Comparison({"T1w": sequence_of(numbers={"charm": 1.0})})
    with pytest.raises(InputError, match="charm"):
        write_comparison_report(tmp_path / "page.html", unknown)
    assert not list(tmp_path.iterdir())


def test_no_marks_reads_as_no_change(sequence_of, tmp_path, few_slices):
    quiet = Comparison({"T1w": sequence_of(lesion=0)})
    path = tmp_path / "page.html"
    write_comparison_report(path, quiet)
    page = path.read_text(encoding="utf-8")
    assert "T1w: No change beyond the noise level." in page
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


def test_the_page_does_not_replace_another(comparison, tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(OutputError):
        write_comparison_report(path, comparison)
    assert path.read_text() == "mine"


def test_an_empty_comparison_and_an_unknown_language_are_refused(comparison, tmp_path):
    with pytest.raises(InputError, match="no sequence"):
        write_comparison_report(tmp_path / "page.html", Comparison({}))
    with pytest.raises(InputError, match="'fr'"):
        write_comparison_report(tmp_path / "page.html", comparison, lang="fr")


def test_a_subject_that_looks_like_markup_stays_text(comparison, tmp_path, few_slices):
    path = tmp_path / "page.html"
    write_comparison_report(path, replace(comparison, subject="<script>x</script>"))
    page = path.read_text(encoding="utf-8")
    assert "<script>x" not in page
    assert "&lt;script&gt;x" in page


def test_the_slider_holds_the_slice_of_the_mark(pages):
    (block,) = re.findall(
        r'<script type="application/json">(.*?)</script>', pages["en"]
    )
    slices = json.loads(block)
    numbers = [entry["slice"] for entry in slices]
    assert numbers == sorted(numbers)
    start = int(re.search(r'max="\d+" value="(\d+)"', pages["en"])[1])
    assert slices[start]["marks"][0]["number"] == 1
    assert len(slices[start]["marks"][0]["lines"][0]) > 8
    assert set(slices[0]["images"]) == set(slider.STACK_PANELS)


def test_the_slider_keeps_to_its_budget(sequence_of):
    caption = panels.Caption(
        "FLAIR", Lightbox.of(sequence_of(), height=200), words_in("en")
    )
    everything = slider.stack(caption, 10**9)
    few = slider.stack(caption, 0)
    assert len(everything) == len(caption.box.brain_slices)
    assert len(few) <= slider.FEWEST_SLICES + 1


def with_many_marks(sequence, count):
    """Return a sequence with `count` marks of one to two voxels."""
    labels = np.zeros_like(sequence.mark_labels)
    places = np.argwhere(sequence.brain)[:: sequence.brain.sum() // count][:count]
    for number, (i, j, k) in enumerate(places, 1):
        labels[i : i + 2, j, k] = number
    marks = tuple(
        Mark((20.0 - n, 10.0, n / 2 - 16), 1.0 / (n + 1), 5.0, -0.2, -6.0)
        for n in range(count)
    )
    return replace(sequence, marks=marks, mark_labels=labels)


def test_of_many_marks_the_largest_are_listed_and_fewer_pictured(
    sequence_of, tmp_path, few_slices
):
    sequence = with_many_marks(sequence_of(), 80)
    path = tmp_path / "page.html"
    write_comparison_report(path, Comparison({"FLAIR": sequence}))
    page = path.read_text(encoding="utf-8")
    assert "80 marks beyond the noise level, 4.97 ml together" in page
    assert page.count('class="row mark"') == panels.MARKS_PICTURED
    assert page.count("R 20 A 10") + page.count("darker today</td>") >= NUMBERED
    assert "… and 60 more, 1.37 ml together, none larger than 0.05 ml." in page
    assert "The 6 largest of 80 marks are enlarged below." in page
    assert "\N{MINUS SIGN}20.0" in page


def test_a_few_marks_leave_nothing_out(pages):
    assert "more," not in pages["en"]
    assert "are enlarged below" not in pages["en"]


@pytest.mark.parametrize(
    ("offset", "words", "letters"),
    [
        ((30, 12, 20), "right, anterior, superior", "R 30 A 12 S 20"),
        ((-30, -12, -20), "left, posterior, inferior", "L 30 P 12 I 20"),
        ((2, -40, 1), "midline, posterior", "R 2 P 40 S 1"),
    ],
)
def test_a_place_is_told_from_the_middle_of_the_brain(
    sequence_of, offset, words, letters
):
    box = Lightbox.of(sequence_of(), height=100)
    mark = Mark(tuple(box.middle + np.array(offset)), 1, 12, 0.2, 5)
    assert place_in_words(mark, box, words_in("en")) == words
    assert place_in_letters(mark, box) == letters


def test_the_summary_without_numbers_still_tells_the_finding(sequence_of):
    box = Lightbox.of(sequence_of(numbers={}), height=100)
    assert summary_of("FLAIR", box, words_in("en")).startswith("FLAIR: 1 mark")


def test_parameters_lose_folders_and_patient_data():
    params = {
        "file": "C:\\scans\\Taro\\a.nii",
        "PatientName": "Taro",
        "limit": 0.123456,
        "nested": {"path": "/home/x/y.txt"},
        "long": list(range(100)),
    }
    text = params_as_text(params, words_in("en"))
    assert text == (
        "file = a.nii; limit = 0.123; nested = {path = y.txt}; "
        "long = [0, 1, 2, … 100 values]"
    )


def test_a_step_without_parameters_is_its_name_alone():
    (line,) = steps_as_lines([Step("orient")], words_in("en"))
    assert (line.name, line.text) == ("Axes put in standard order", "")
    (line,) = steps_as_lines([Step("my_step")], words_in("ja"))
    assert (line.name, line.text) == ("my step", "")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("gain", 0.0029069767, "0.00291"),
        ("gain", 12.0, "12"),
        ("volume_ml", 1459.3537, "1459 ml"),
        ("largest_distortion_mm", 2.92388, "2.92 mm"),
        ("flips", [-1.0, -1.0, 1.0], "[\N{MINUS SIGN}1, \N{MINUS SIGN}1, 1]"),
        ("gain", 0.0, "0"),
        ("gain", 2e-6, "2e\N{MINUS SIGN}06"),
        ("rows", [[1], [2, 3]], "[[1], [2, 3]]"),
    ],
)
def test_numbers_are_rounded_and_bear_their_unit(name, value, text):
    assert params_as_text({name: value}, words_in("en")).split(" = ", 1)[1] == text


def test_a_movement_is_told_by_its_turn_and_shift():
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]  # 36.9° about z
    turn[:3, 3] = (3, 4, 0)
    step = Step("warp", {"transform": turn.tolist()})
    (line,) = steps_as_lines([step], words_in("en"), middle=(0, 0, 50))
    assert line.text == "movement = rotation 36.9°, shift 5.0 mm"
    (line,) = steps_as_lines([step], words_in("ja"))
    assert line.text == "移動 = 回転 36.9°"


def test_a_map_that_stretches_tells_its_volume():
    params = {"affine": np.diag([1.2, 1.0, 1.1, 1.0]).tolist()}
    text = params_as_text(params, words_in("en"))
    assert text == "affine map = rotation 0.0°, volume × 1.32"


def test_the_harmonized_steps_begin_where_the_prior_s_end(pages):
    steps = pages["en"][pages["en"].index("after the steps of the prior") :]
    assert steps.index("Tone matched place by place") < 200


def test_the_overview_figure_is_wide_and_complete(comparison, tmp_path):
    from PIL import Image

    path = tmp_path / "overview.png"
    write_overview_figure(path, comparison, "FLAIR", credit="Images: nobody")
    with Image.open(path) as picture:
        assert picture.size[0] == 1800
        assert 300 < picture.size[1] < 900


def test_the_overview_figure_passes_over_marks_at_the_surface(sequence_of, tmp_path):
    sequence = sequence_of("RAS")
    labels = np.zeros_like(sequence.mark_labels)
    first, middle = np.argwhere(sequence.brain)[0], np.array(labels.shape) // 2
    labels[tuple(first)], labels[tuple(middle - (0, 0, 4))] = 1, 2
    marks = tuple(
        Mark(tuple((sequence.current.affine @ [*place, 1])[:3]), 1.0, 5.0, 0.2, 6.0)
        for place in (first, middle - (0, 0, 4))
    )
    two = Comparison({"FLAIR": replace(sequence, marks=marks, mark_labels=labels)})
    chosen, named = tmp_path / "chosen.png", tmp_path / "named.png"
    write_overview_figure(chosen, two, "FLAIR")
    write_overview_figure(named, two, "FLAIR", slice_index=int(middle[2]) - 4)
    assert chosen.read_bytes() == named.read_bytes()
    assert first[2] != middle[2] - 4


def test_the_overview_figure_refuses_what_is_not_there(comparison, tmp_path):
    with pytest.raises(InputError, match="T2w"):
        write_overview_figure(tmp_path / "a.png", comparison, "T2w")
    with pytest.raises(InputError, match="slice 99"):
        write_overview_figure(tmp_path / "a.png", comparison, "FLAIR", slice_index=99)
