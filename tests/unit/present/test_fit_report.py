import re
from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import OutputError
from mitame.core.volume import Step
from mitame.engines.coded import Atoms
from mitame.engines.dictionary.plain import PlainDictionary
from mitame.engines.histogram import Histogram
from mitame.model import Model
from mitame.prepare.pipeline import Preparation
from mitame.present.colors import gray_scale, signed_scale
from mitame.present.fit_figures import atoms_figure, changes_figure, panels_figure
from mitame.present.fit_report import write_fit_report
from mitame.present.words import words_in
from mitame.run.fit_example import example_of
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(5.0)
ABOUT = {
    "mitame": "0.1.0",
    "source": {"sha256": ["a", "b"], "sequences": ["T1w"], "scanners": ["Maker 1.5 T"]},
    "target": {"sha256": ["c"], "sequences": ["T1w"], "scanners": []},
}
EN = words_in("en")


def pair():
    source = replace(
        phantom_session(GRID, gain=1 / 800, noise=15, seed=1), subject="secret"
    )
    data = np.abs(source["T1w"].data) ** np.float32(1.3)
    return source, source.with_data({"T1w": data}, Step("look"))


def example(engine):
    source, target = pair()
    engine.fit([source], [target])
    return example_of(Model(Preparation(()), "some", engine, ABOUT), source, target)


@pytest.fixture(scope="module")
def coded():
    return example(PlainDictionary(n_atoms=30, samples=4000, passes=1, reach=2))


@pytest.fixture(scope="module")
def uncoded():
    return example(Histogram())


def titles(figure):
    return [axes.get_title() for axes in figure.axes]


def test_a_code_has_four_panels_in_one_window(coded):
    figure = panels_figure(coded, "T1w", EN)
    assert titles(figure) == [
        "A: source scanner",
        "B: target scanner",
        "A from its code",
        "B from the code of A",
    ]
    assert len({axes.images[0].get_clim() for axes in figure.axes}) == 1


def test_what_the_model_made_says_so_and_what_it_was_given_does_not(coded):
    figure = panels_figure(coded, "T1w", EN)
    marked = [
        any("HARMONIZED" in text.get_text() for text in axes.texts)
        for axes in figure.axes
    ]
    assert marked == [False, False, True, True]


def test_the_patients_right_is_at_the_left(coded):
    picture = panels_figure(coded, "T1w", EN).axes[0].images[0].get_array()
    volume = coded.source["T1w"]
    k = int(coded.source.brain.sum(axis=(0, 1)).argmax())
    assert volume.affine[0, 0] > 0  # the last voxel is the patient's right
    np.testing.assert_array_equal(picture[-1, 0], volume.data[-1, 0, k])
    np.testing.assert_array_equal(picture[0, -1], volume.data[0, -1, k])


def test_an_engine_without_a_code_has_three(uncoded):
    assert titles(panels_figure(uncoded, "T1w", EN))[2:] == ["A, harmonized"]
    assert uncoded.atoms is None


def test_what_is_changed_is_shown_in_the_colors_of_the_edit_map(uncoded):
    figure = changes_figure(uncoded, "T1w", EN)
    assert titles(figure) == [
        "A: source scanner",
        "A, harmonized",
        "Difference, harmonized − A",
    ]
    k = int(uncoded.source.brain.sum(axis=(0, 1)).argmax())
    edit = (uncoded.result["T1w"].data - uncoded.source["T1w"].data)[:, :, k]
    picture = figure.axes[2].images[0].get_array()
    np.testing.assert_array_equal(picture, signed_scale().paint(edit.T[::-1, ::-1]))


def test_a_model_that_knows_the_way_back_shows_it(uncoded):
    both = replace(uncoded, back=uncoded.source)
    figure = changes_figure(both, "T1w", EN)
    assert titles(figure)[3:] == [
        "B: target scanner",
        "B with the look of A",
        "Difference, made − B",
    ]
    given, made = (figure.axes[n].images[0].get_array() for n in (3, 4))
    k = int(uncoded.source.brain.sum(axis=(0, 1)).argmax())
    white = np.quantile(uncoded.source["T1w"].data[uncoded.source.brain], 0.995)
    for picture, one in ((given, uncoded.target), (made, uncoded.source)):
        expected = one["T1w"].data[:, :, k].T[::-1, ::-1]
        np.testing.assert_array_equal(picture, gray_scale(0, white).paint(expected))
    badges = [bool(axes.texts) for axes in figure.axes]
    assert badges == [False, True, False] * 2


def test_the_most_used_atom_comes_first():
    boxes = np.arange(3, dtype=np.float32)[:, None, None, None, None] + np.ones(
        (3, 1, 2, 2, 1), np.float32
    )
    use = np.array([0.1, 0.5, 0.2], np.float32)
    figure = atoms_figure(Atoms(boxes, -boxes, use), 0)
    assert [t for t in titles(figure) if t] == ["50.0 %", "20.0 %", "10.0 %"]
    first = figure.axes[0].images[0].get_array()
    assert (first == 2).all()


@pytest.mark.parametrize(("lang", "says"), [("en", "Atoms"), ("ja", "アトム")])
def test_the_page_tells_what_was_learned(coded, tmp_path, lang, says):
    path = tmp_path / "report.html"
    write_fit_report(path, coded, "dictionary", ABOUT, lang=lang)
    page = path.read_text(encoding="utf-8")
    assert says in page
    assert re.search(r"2\D.T1w. ?Maker 1.5 T", page)
    assert words_in(lang)["notice"] in page
    assert page.count("data:image/png") == 3
    assert not re.search(r"https?://|secret", page)


def test_a_page_without_a_code_shows_no_atoms(uncoded, tmp_path):
    write_fit_report(tmp_path / "r.html", uncoded, "histogram", ABOUT)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("data:image/png") == 2
    assert "Atoms" not in page


def test_a_page_that_is_there_stays(uncoded, tmp_path):
    (tmp_path / "r.html").write_text("mine")
    with pytest.raises(OutputError):
        write_fit_report(tmp_path / "r.html", uncoded, "histogram", ABOUT)
    assert (tmp_path / "r.html").read_text() == "mine"
