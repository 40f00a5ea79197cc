"""The reference pages tell of everything there is, and of nothing else."""

import importlib
import importlib.util
import math
import re
from dataclasses import fields, is_dataclass
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from mitame.core import errors
from mitame.engines.named import GROUP
from mitame.evaluate.scores import METRICS
from mitame.present.words import score_definitions
from mitame.simulate.catalog import scanners
from mitame.simulate.effects import BLUR_MM, EFFECTS, NOISE, SHADING, STRIPES, TONE
from mitame.simulate.study import PLANTS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
NONE = "\N{EN DASH}"
"""In a cell of a table where there is nothing."""


def text_of(page):
    return (DOCS / page).read_text(encoding="utf-8")


def error_classes():
    found = vars(errors).values()
    return [
        one
        for one in found
        if isinstance(one, type) and one.__module__ == errors.__name__
    ]


@pytest.fixture(scope="module")
def write_cli():
    """The script that writes the page of commands."""
    spec = importlib.util.spec_from_file_location("write_cli", DOCS / "write_cli.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_the_page_of_commands_is_what_help_says(write_cli):
    written = write_cli.PAGE.read_text(encoding="utf-8")
    assert written == write_cli.page(), "run `.venv/bin/python docs/write_cli.py`"


def test_every_engine_of_ours_is_on_the_page():
    page = text_of("reference/engines.md")
    ours = [e for e in entry_points(group=GROUP) if e.value.startswith("mitame.")]
    assert ours
    for entry in ours:
        assert f"`{entry.name}`" in page
        assert f"`{entry.value.replace(':', '.')}`" in page


def test_every_parameter_of_an_engine_is_on_the_page():
    page = text_of("reference/engines.md")
    for name, arguments in re.findall(r"`(\w+)\((\w[\w, ]*)\)`", page):
        entry = next(
            e for e in entry_points(group=GROUP) if e.value.endswith(f":{name}")
        )
        known = entry.load().__init__.__kwdefaults__
        assert arguments.split(", ") == list(known)


def test_every_default_of_a_peer_is_the_one_in_the_code():
    page = text_of("reference/engines.md")
    peers = [e for e in entry_points(group=GROUP) if ".engines.peers." in e.value]
    shown = dict(re.findall(r"^\| `(\w+)\((\w+=[^`]*)\)` \|", page, re.MULTILINE))
    known = {e.value.split(":")[1]: defaults(e.load()) for e in peers}
    assert known
    assert shown == known


def defaults(engine):
    """Return the parameters of an engine as they are written in a call."""
    known = engine.__init__.__kwdefaults__
    return ", ".join(f"{name}={value!r}" for name, value in known.items())


def rows_of(text):
    """Return the cells of the tables in `text`, heads and rules left out."""
    lines = [line for line in text.splitlines() if line.startswith("| `")]
    return [[c.strip().strip("`") for c in line.split("|")[1:-1]] for line in lines]


def test_the_page_of_scores_is_what_the_code_says():
    table = text_of("reference/scores.md").split("\n## ")[0]
    assert rows_of(table) == [
        [key, m.name, m.definition, m.unit or NONE, m.direction]
        for key, m in METRICS.items()
    ]


def test_the_page_of_scores_says_of_each_when_it_is_measured():
    _, below = text_of("reference/scores.md").split("\n## When each is measured")
    rows = rows_of(below.split("\n## ")[0])
    keys = [key for row in rows for key in re.findall(r"\w+", row[0])]
    assert sorted(keys) == sorted(METRICS)


def number(value, factor=1.0):
    return NONE if value is None else f"{factor * value:g}"


def test_the_page_of_scanners_is_what_the_catalog_says():
    rows = rows_of(text_of("reference/scanners.md"))
    known = scanners()
    machines = [
        [
            name,
            f"{one.scanner.manufacturer} {one.scanner.model}",
            number(one.scanner.field_strength),
            number(one.receive_shading),
            number(one.center_brightening),
            number(one.tone),
            number(one.scale),
        ]
        for name, one in known.items()
    ]
    sequences = [
        [
            name,
            suffix,
            runs.kind,
            *(number(time, 1000) for time in (runs.tr, runs.te, runs.ti)),
            number(runs.flip_angle, 180 / math.pi),
            number(runs.slice_thickness_mm),
            *(number(value) for value in (runs.blur_mm, runs.ringing, runs.snr)),
        ]
        for name, one in known.items()
        for suffix, runs in one.acquisitions.items()
    ]
    assert rows == machines + sequences


def test_the_scanner_on_the_page_can_be_simulated(tmp_path):
    (block,) = re.findall(
        r"^```toml\n(.*?)^```$", text_of("how-to/simulate.md"), re.MULTILINE | re.DOTALL
    )
    file = tmp_path / "attic.toml"
    file.write_text(block, encoding="utf-8")
    assert set(scanners(file)) == {*scanners(), "attic"}


def test_every_effect_is_on_the_page():
    _, below = text_of("how-to/simulate.md").split("\n## One effect alone")
    rows = rows_of(below.split("\n## ")[0])
    assert [row[0] for row in rows] == list(EFFECTS)
    changes = " ".join(row[1] for row in rows)
    shown = [float(found) for found in re.findall(r"\d[\d.]*", changes)]
    assert shown == [TONE, NOISE, BLUR_MM, SHADING, STRIPES]


def test_everything_that_can_be_planted_is_on_the_page():
    page = text_of("how-to/simulate.md")
    for plant in PLANTS:
        assert f"- `{plant}`" in page


@pytest.mark.parametrize("error", error_classes(), ids=lambda error: error.__name__)
def test_every_error_stands_in_the_tree_below_its_parent(error):
    page = text_of("reference/errors.md")
    tree = page.split("```text\n")[1].split("```")[0].splitlines()
    depth = {
        re.search(r"\w+", line)[0]: re.search(r"\w", line).start() for line in tree
    }
    assert f"| `{error.__name__}` |" in page
    parent = error.__mro__[1]
    if parent in error_classes():
        names = list(depth)
        above = names[: names.index(error.__name__)]
        nearest = [n for n in above if depth[n] < depth[error.__name__]][-1]
        assert nearest == parent.__name__


def test_the_tree_has_no_error_that_is_gone():
    page = text_of("reference/errors.md")
    known = {error.__name__ for error in error_classes()}
    assert set(re.findall(r"\w*Error\b", page)) <= known | {"ValueError"}


@pytest.mark.parametrize("score", score_definitions())
def test_every_score_is_explained(score):
    assert f"`{score}`" in text_of("explanation/how-scores-are-read.md")


def numbers_in_one_place():
    page = text_of("explanation/architecture.md")
    return re.findall(r"^\| `(mitame\.[\w.]+)` \| ([^|]+?) \|", page, re.MULTILINE)


@pytest.mark.parametrize(("name", "value"), numbers_in_one_place())
def test_a_number_on_the_page_is_the_number_in_the_code(name, value):
    assert str(looked_up(name)) == value


def looked_up(name):
    """Return what a dotted name stands for; of a dataclass, a field's default."""
    parts = name.split(".")
    last = next(n for n, part in enumerate(parts) if part != part.lower())
    found = importlib.import_module(".".join(parts[:last]))
    for part in parts[last:]:
        if is_dataclass(found):
            found = next(f.default for f in fields(found) if f.name == part)
        else:
            found = getattr(found, part)
    return found


def test_every_folder_is_in_the_table_and_in_the_picture():
    page = text_of("explanation/architecture.md")
    picture = page.split("```")[1]
    for folder in (ROOT / "src" / "mitame").iterdir():
        if (folder / "__init__.py").is_file():
            assert f"| `{folder.name}` |" in page
            assert folder.name in picture or folder.name == "testing"


def test_every_decision_is_on_the_front_page():
    front = text_of("index.md")
    pages = [p for p in DOCS.rglob("*.md") if p.name != "index.md"]
    missing = [p.name for p in pages if p.relative_to(DOCS).as_posix() not in front]
    assert not missing
