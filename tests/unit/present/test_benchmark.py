import base64
import json
import math
import re
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mitame.core.errors import InputError, OutputError
from mitame.evaluate.scores import METRICS, Metric
from mitame.evaluate.table import Row, read_rows, write_table
from mitame.present import benchmark, standings
from mitame.present import benchmark_figure as benchmark_figure_module
from mitame.present.benchmark import write_benchmark_report
from mitame.present.benchmark_figure import (
    benchmark_figure,
    write_benchmark_figure,
)
from mitame.present.standings import ranked_engines

ABOUT = {
    "cohort": "traveling-9",
    "scanners": ["old", "new"],
    "subjects_train": 17,
    "seed": 4321,
    "versions": {"numpy": "9.8.7"},
    "some_note": "kept as it is",
    "data": "/secret/Taro Yamada/cohort",
}
NAN = math.nan


def row(engine, metric, value, half=0.1, **other):
    interval = value - half, value + half
    place = {"source": "old", "target": "new", "sequence": "T1w", "n_subjects": 6}
    place |= other
    return Row(engine, place["source"], place["target"], place["sequence"], metric,
               value, *interval, place["n_subjects"])  # fmt: skip


def rows_of(metric, **values):
    return [row(name.replace("_", "-"), metric, v) for name, v in values.items()]


ROWS = [
    *rows_of("psnr", rescan=30.1, identity=22.2, nyul=25.3, bilateral=28.4),
    *rows_of("gap_closed", rescan=1.0, identity=0.0, nyul=0.41, bilateral=0.82),
    *(
        row(engine, "site_accuracy", value, NAN, sequence="all")
        for engine, value in {"rescan": 0.5, "identity": 1.0, "nyul": 0.75}.items()
    ),
    row("nyul", "psnr", 21.7, source="new", target="old", sequence="FLAIR"),
]


class Cells(HTMLParser):
    """The cells of all tables by row, and the tags with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.rows, self.bold, self._open = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._open += [tag] if tag in ("td", "th", "strong", "small", "style") else []
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        if self._open and self._open[-1] == tag:
            self._open.pop()

    def handle_data(self, data):
        if {"td", "th"} & set(self._open) and "small" not in self._open:
            self.rows[-1][-1] += data
        if "strong" in self._open:
            self.bold.append((self.rows[-1][0].strip(), data))

    def best(self):
        return {engine for engine, text in self.bold if "best" not in text}


@pytest.fixture
def page_of(tmp_path, monkeypatch):
    """The maker of pages; the figure is drawn where it matters only."""
    monkeypatch.setattr(benchmark, "benchmark_figure", lambda *_: None)
    monkeypatch.setattr(benchmark, "figure_uri", lambda _: "data:image/png;base64,")

    def make(rows=ROWS, about=ABOUT, lang="en"):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.html"
        write_benchmark_report(path, rows, about, lang=lang)
        return path.read_text(encoding="utf-8")

    return make


@pytest.fixture
def pages(page_of):
    """The page in each language."""
    return {lang: page_of(lang=lang) for lang in ("en", "ja")}


def test_every_engine_metric_and_number_is_on_the_page(pages):
    for page in pages.values():
        text = {cell.strip() for line in Cells(page).rows for cell in line}
        assert {"rescan", "identity", "nyul", "bilateral"} <= text
        for number in ("30.1", "22.2", "25.3", "21.7", "0.4", "0.50", "0.75", "1.00"):
            assert any(number == cell.split(" ")[0] for cell in text), number
        for interval in ("[30.0, 30.2]", "[21.6, 21.8]", "[0.7, 0.9]"):
            assert interval in page
    for metric in ("psnr", "gap_closed", "site_accuracy"):
        assert METRICS[metric].name in pages["en"]
        assert METRICS[metric].definition.split("'")[0] in pages["en"]
    assert "From old to new" in pages["en"]
    assert "new から old へ" in pages["ja"]


def test_a_metric_that_nobody_measured_is_left_out(pages):
    assert "Voxel AUC" not in pages["en"]
    assert "Planted residual" not in pages["en"]


def test_the_page_says_what_was_measured_on_what(pages):
    for page in pages.values():
        for value in ("traveling-9", "old, new", "17", "4321", "numpy 9.8.7"):
            assert f"<dd>{value}</dd>" in page
        assert "<dt>some note</dt><dd>kept as it is</dd>" in page
        assert "secret" not in page
        assert "Yamada" not in page
    assert "<dt>Training subjects</dt>" in pages["en"]
    assert "<dt>学習用の被検者数</dt>" in pages["ja"]


def test_the_floor_is_first_and_the_ceiling_last(page_of):
    lines = Cells(page_of(ROWS[:8])).rows
    engines = [line[0].strip() for line in lines[1:5]]
    assert engines == ["identity", "bilateral", "nyul", "rescan"]


@pytest.mark.parametrize(
    ("metric", "values", "best"),
    [
        ("psnr", {"a": 25.0, "b": 27.0}, {"b"}),
        ("mae", {"a": 0.5, "b": 0.7}, {"a"}),
        ("gap_closed", {"a": 0.5, "b": 1.2}, {"b"}),
        ("lesion_contrast_kept", {"a": 0.9, "b": 1.6}, {"a"}),
        ("planted_residual", {"a": -0.6, "b": 0.2}, {"b"}),
        ("planted_residual", {"a": 0.6, "b": -0.2}, {"b"}),
        ("site_accuracy", {"a": 0.4, "b": 0.8}, {"a"}),
        ("site_accuracy", {"a": 0.1, "b": 0.7}, {"b"}),
        ("site_accuracy", {"a": 0.4, "b": 0.6}, {"a", "b"}),
        ("psnr", {"a": 25.02, "b": 25.04}, {"a", "b"}),
    ],
)
def test_the_best_engine_is_bold(page_of, metric, values, best):
    assert Cells(page_of(rows_of(metric, **values))).best() == best


def test_the_ceiling_does_not_compete(page_of):
    rows = rows_of("psnr", rescan=40.0, identity=20.0, a=25.0)
    assert Cells(page_of(rows)).best() == {"a"}


def test_the_floor_is_bold_only_where_nothing_beats_it(page_of):
    beaten = rows_of("psnr", identity=20.0, a=25.0, b=19.0)
    unbeaten = rows_of("psnr", identity=26.0, a=25.0, b=19.0)
    assert Cells(page_of(beaten)).best() == {"a"}
    assert Cells(page_of(unbeaten)).best() == {"identity", "a"}


def test_what_is_best_says_so_without_bold_type(pages):
    assert "(best)" in pages["en"]
    assert "(最良)" in pages["ja"]


def test_what_was_not_measured_is_a_dash_with_a_reason(page_of):
    rows = [*rows_of("psnr", a=25.0, b=NAN), row("a", "mae", 0.5)]
    for lang, reason in (("en", "not measured"), ("ja", "未計測")):
        page = page_of(rows, lang=lang)
        assert page.count(f'title="{reason}">\N{EN DASH}</td>') == 2
        assert "nan" not in page[page.index("<body>") :].lower()


def test_a_score_that_nobody_has_makes_no_table(page_of):
    rows = [*rows_of("psnr", a=25.0), row("a", "site_accuracy", NAN, sequence="all")]
    page = page_of(rows)
    assert page.count("<caption>") == 1
    assert "Site accuracy" not in page


def test_rows_read_back_from_the_table_give_the_same_page(page_of, tmp_path):
    rows = [*ROWS, row("bilateral", "site_accuracy", NAN, sequence="all")]
    write_table(tmp_path, rows, {})
    content = json.loads((tmp_path / "table.json").read_text(encoding="utf-8"))
    assert page_of(read_rows(content["rows"])) == page_of(rows)


def test_numbers_have_the_digits_their_intervals_warrant(page_of):
    coarse = [row("a", "psnr", 25.1234, 0.4), row("b", "psnr", 24.0, 0.4)]
    fine = [row("a", "psnr", 25.1234, 0.004), row("b", "psnr", 24.0, 0.004)]
    assert "[24.7, 25.5]" in page_of(coarse)
    assert "[25.119, 25.127]" in page_of(fine)


def test_negative_numbers_have_a_true_minus_sign_and_zero_has_none(page_of):
    page = page_of(rows_of("planted_residual", a=-0.6, b=-0.01))
    assert "\N{MINUS SIGN}0.6" in page
    assert "\N{MINUS SIGN}0.0<" not in page


def test_names_that_look_like_markup_stay_text(page_of):
    bad = "<script>x</script>"
    rows = [replace(r, engine=bad, source=bad, sequence=bad) for r in ROWS[:1]]
    page = page_of([*rows, *ROWS], about={bad: bad})
    assert "<script" not in page
    assert page.count("&lt;script&gt;x") >= 5


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_the_page_needs_nothing_else(pages, lang):
    tags = Cells(pages[lang]).tags
    addresses = [a[k] for _, a in tags for k in ("src", "href") if k in a]
    assert all(a.startswith(("data:image/png;base64,", "#")) for a in addresses)
    assert not re.search(r"url\(|@import|https?://|<script", pages[lang])


@pytest.mark.parametrize("lang", ["en", "ja"])
def test_tables_can_be_read_aloud(pages, lang):
    tags = Cells(pages[lang]).tags
    names = [tag for tag, _ in tags]
    assert names.count("caption") == names.count("table") - 1  # definitions: a heading
    assert {a.get("scope") for tag, a in tags if tag == "th"} == {"col", "row"}
    (image,) = [attributes for tag, attributes in tags if tag == "img"]
    assert "old \N{RIGHTWARDS ARROW} new" in image["alt"]
    assert f'<html lang="{lang}">' in pages[lang]


def test_the_notice_stands_first(pages):
    start = pages["en"].index("<body>")
    assert 0 < pages["en"].index("not a medical device", start) - start < 300
    assert "医療機器ではありません" in pages["ja"]


def test_the_japanese_page_has_no_english_sentence(pages):
    text = re.sub(r"<style\b.*?</style>", "", pages["ja"], flags=re.S)
    text = text.replace("<dd>kept as it is</dd>", "")
    assert not re.search(r"(?:[A-Za-z]{3,} ){3}", re.sub(r"<[^>]*>", " ", text))


def test_a_metric_without_japanese_words_is_told_in_english_and_marked_so(
    page_of, monkeypatch
):
    charm = Metric("Charm", "How <charming> it is.", "", "larger")
    monkeypatch.setattr(benchmark, "METRICS", {"charm": charm})
    monkeypatch.setattr(benchmark_figure_module, "METRICS", {"charm": charm})
    monkeypatch.setattr(standings, "METRICS", {"charm": charm})
    page = page_of(rows_of("charm", a=1.0), lang="ja")
    definition = "How &lt;charming&gt; it is."
    assert f'<td class="def" lang="en">{definition}</td>' in page


def test_every_metric_has_japanese_words(page_of):
    page = page_of([row("a", metric, 0.5) for metric in METRICS], lang="ja")
    assert ' lang="en"' not in page


def test_the_figure_is_on_the_page(tmp_path):
    path = tmp_path / "page.html"
    write_benchmark_report(path, ROWS, ABOUT)
    page = path.read_text(encoding="utf-8")
    found = re.search(r'src="data:image/png;base64,([^"]*)"', page)
    with Image.open(BytesIO(base64.b64decode(found[1]))) as picture:
        assert picture.size[0] == 1800


def test_what_cannot_be_shown_is_refused(page_of, tmp_path):
    with pytest.raises(InputError, match="no score"):
        page_of([])
    with pytest.raises(InputError, match="no score"):
        page_of(rows_of("psnr", a=NAN))
    with pytest.raises(InputError, match="charm"):
        page_of(rows_of("charm", a=1.0))
    with pytest.raises(InputError, match="'fr'"):
        page_of(lang="fr")
    assert not list(tmp_path.iterdir())


def test_the_page_does_not_replace_another(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("mine")
    with pytest.raises(OutputError):
        write_benchmark_report(path, ROWS, ABOUT)
    assert path.read_text() == "mine"


def test_the_figure_is_wide_and_complete(tmp_path):
    write_benchmark_figure(tmp_path / "figure.png", ROWS)
    with Image.open(tmp_path / "figure.png") as picture:
        assert picture.size[0] == 1800
        assert 400 < picture.size[1] < 1400
        assert np.ptp(np.asarray(picture.convert("L"))) > 200
    assert [entry.name for entry in tmp_path.iterdir()] == ["figure.png"]


def test_the_figure_refuses_what_was_not_measured(tmp_path):
    with pytest.raises(InputError, match="gap_closed"):
        write_benchmark_figure(tmp_path / "a.png", [])
    with pytest.raises(InputError, match="of mae"):
        write_benchmark_figure(tmp_path / "a.png", ROWS, ("mae",))
    assert not list(tmp_path.iterdir())


def test_the_figure_has_a_panel_per_direction_and_measured_metric():
    metrics = ("gap_closed", "mae", "site_accuracy", "psnr")
    figure = benchmark_figure(ROWS, metrics)
    assert len(figure.axes) == 2 * 3


def test_an_engine_that_fails_does_not_press_the_others_together():
    rows = rows_of("gap_closed", identity=0, a=0.8, b=0.4, c=-9, rescan=1)
    (axes,) = benchmark_figure(rows, ["gap_closed"]).axes
    low, high = axes.get_xlim()
    assert -1 < low < 0
    assert 1 < high < 2
    assert any("\N{MINUS SIGN}9" in text.get_text() for text in axes.texts)


def test_an_engine_that_excels_is_shown_to_scale():
    rows = rows_of("psnr", identity=22, a=22, b=22, c=22.1, d=29)
    (axes,) = benchmark_figure(rows, ["psnr"]).axes
    assert axes.get_xlim()[1] > 29


def test_chance_is_in_the_panel_of_site_accuracy():
    for values in ({"a": 0.9}, {"a": 0.2}):
        rows = rows_of("site_accuracy", **values)
        (axes,) = benchmark_figure(rows, ["site_accuracy"]).axes
        low, high = axes.get_xlim()
        assert low < 0.5 < high
        assert any(list(line.get_xdata()) == [0.5, 0.5] for line in axes.lines)


def test_names_are_not_read_as_mathematics(tmp_path):
    rows = [replace(r, engine="$x$", source="$\\broken{$") for r in ROWS[:3]]
    write_benchmark_figure(tmp_path / "a.png", rows)


def test_engines_are_ranked_by_their_mean_between_floor_and_ceiling():
    rows = rows_of("psnr", b=23, rescan=30, a=25, identity=20, c=NAN)
    rows += [row("b", "psnr", 29, sequence="T2w")]  # a mean of 26
    assert ranked_engines(rows, "psnr") == ["identity", "b", "a", "c"]
    as_errors = [replace(one, metric="mae") for one in rows]
    assert ranked_engines(as_errors, "mae") == ["identity", "a", "b", "c"]
