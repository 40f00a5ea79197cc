"""What the pages say to do can be done: examples run, commands exist, links lead."""

import contextlib
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import numpy as np
import pytest
import typer

import mitame.compare.visits
import mitame.prepare.bias
import mitame.prepare.brain
import mitame.prepare.template
from mitame.cli.main import app, outcome
from mitame.compare.prepared import Prepared
from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.engines.named import GROUP

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ENGLISH, JAPANESE = ROOT / "README.md", ROOT / "README.ja.md"
TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]
SHELL = ("bash", "console", "sh")
NOT_RUN = ("git", "make", "source", "pip")
"""What sets up the environment that this very test runs in."""

HEAVY = (
    (mitame.prepare.brain, "brain_mask"),
    (mitame.prepare.template, "to_template"),
    (mitame.prepare.bias, "bias_field"),
    (mitame.compare.visits, "compare_pair"),
)
"""Pages share their scans, so each of these need be computed only once a scan."""

pytestmark = pytest.mark.timeout(900)


def blocks(page, *languages):
    """Return the fenced blocks of a page in one of `languages`."""
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [content for language, content in found if language in languages]


def commands(page):
    """Return the shell commands of a page, one a line, without their comments."""
    lines = "".join(blocks(page, *SHELL)).splitlines()
    return [line.split("   #")[0].removeprefix("$ ") for line in lines if line]


def is_run(command):
    return command.split()[0] not in NOT_RUN


def prose(page):
    """Return a page without its fenced blocks."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Done:
    """What became of one command."""

    status: int
    stdout: str
    stderr: str


@pytest.fixture(scope="module")
def heavy_work_once():
    """Let each scan's brain, place and bias field be found once for this file."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name in HEAVY:
            patch.setattr(module, name, remembered(getattr(module, name)))
        yield


def remembered(function):
    """Return `function` with an answer kept for the same positional arguments."""
    answers = {}

    @wraps(function)
    def once(*args, **kwargs):
        key = tuple(map(fingerprint, args))
        if key not in answers:
            answers[key] = function(*args, **kwargs)
        return answers[key]

    return once


def fingerprint(value):
    if isinstance(value, Prepared):
        return fingerprint(value.native), fingerprint(value.session)
    if isinstance(value, Session):
        return tuple((suffix, fingerprint(value[suffix])) for suffix in value)
    if isinstance(value, Volume):
        return fingerprint(value.data), fingerprint(value.affine)
    if isinstance(value, np.ndarray):
        return hashlib.sha256(np.ascontiguousarray(value)).hexdigest()
    return repr(value)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    return tmp_path_factory.mktemp("as-in-the-readme")


@pytest.fixture(scope="module")
def ran(workspace, heavy_work_once):
    """Run the commands of README and tutorials in order; return what became of them."""
    pages = [ENGLISH, JAPANESE, *TUTORIALS]
    asked = dict.fromkeys(c for page in pages for c in commands(page) if is_run(c))
    return {command: do(command, workspace) for command in asked}


def do(command, folder):
    if command.startswith("mitame"):
        return do_here(shlex.split(command), folder)
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": here},
        capture_output=True,
        encoding="utf-8",
    )
    return Done(done.returncode, done.stdout, done.stderr)


def do_here(words, folder):
    """Run mitame in this process, where heavy work is remembered."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        status = outcome(words[1:])
    return Done(status, stdout.getvalue(), stderr.getvalue())


@pytest.mark.slow
@pytest.mark.parametrize("page", [ENGLISH, JAPANESE, *TUTORIALS], ids=name_of)
def test_every_command_of_a_page_works(page, ran):
    failed = {c: ran[c] for c in commands(page) if is_run(c) and ran[c].status != 0}
    assert not failed


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p, "python")], ids=name_of)
def test_every_python_block_runs(page, ran, workspace, tmp_path, monkeypatch):
    for name in ("example", "example-model"):
        (tmp_path / name).symlink_to(workspace / name)
    monkeypatch.chdir(tmp_path)
    names = {"__name__": page.stem}  # the blocks of a page build on one another
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), names)


@pytest.mark.slow
def test_the_tutorial_shows_what_compare_prints(ran):
    page = DOCS / "tutorials" / "first-comparison.md"
    (command,) = (c for c in commands(page) if c.startswith("mitame compare"))
    shown = "".join(blocks(page, "text"))
    any_number = re.compile(r"\d+\.\d+")  # the last digit may differ by machine
    assert any_number.sub("#", ran[command].stdout) in any_number.sub("#", shown)


@pytest.mark.slow
def test_every_result_file_is_on_the_page_of_files(ran, workspace):
    page = (DOCS / "reference" / "files.md").read_text(encoding="utf-8")
    results = [
        p for p in workspace.rglob("*") if p.is_file() and p.parent.name != "example"
    ]
    assert len(results) > 15
    for path in results:
        assert on_the_page_of_files(path.name) in page


def on_the_page_of_files(name):
    """Return what stands there for a file: only `desc` and whole names matter."""
    found = re.search(r"_desc-(\w+?)_(?=[A-Za-z0-9]+\.)", name)
    if found:
        return f"_desc-{found[1]}_"
    if re.fullmatch(r"sub-\d+_ses-[a-z0-9]+_(T1w|T2w|FLAIR)\.(nii\.gz|json)", name):
        return "`sub-…_ses-<scanner>_<sequence>.nii.gz`"
    return name


@pytest.mark.slow
def test_every_field_of_a_sidecar_is_on_the_page_of_files(ran, workspace):
    page = (DOCS / "reference" / "files.md").read_text(encoding="utf-8")
    sidecars = list(workspace.rglob("*_desc-*.json"))
    assert sidecars
    for path in sidecars:
        for field in json.loads(path.read_text(encoding="utf-8")):
            assert f"`{field}`" in page


@pytest.mark.parametrize(
    ("page", "command"),
    [(p, c) for p in PAGES for c in commands(p) if c.startswith("mitame ")],
    ids=lambda given: given if isinstance(given, str) else name_of(given),
)
def test_every_command_on_a_page_has_arguments_the_program_takes(page, command):
    words = shlex.split(command)[1:]
    if words == ["--help"]:
        return
    known = typer.main.get_command(app).commands
    assert words[0] in known
    known[words[0]].make_context(words[0], words[1:])  # raises on a wrong option


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_on_a_page_exists(page):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    asked = [c.split()[1] for c in commands(page) if c.startswith("make ")]
    asked += re.findall(r"`make ([a-z]+)`", prose(page))
    assert set(asked) <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if link.startswith(("http://", "https://")):
            continue
        path, _, heading = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), link
        assert there.is_relative_to(ROOT), link
        if heading:
            assert heading in headings(there), link


def headings(page):
    """Return the anchors that a page's headings get."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_both_readmes_have_the_same_commands():
    assert commands(ENGLISH) == commands(JAPANESE)


def test_both_readmes_have_the_same_python():
    japanese = [b.replace(', lang="ja"', "") for b in blocks(JAPANESE, "python")]
    assert blocks(ENGLISH, "python") == japanese


def test_both_readmes_have_the_same_numbers():
    numbers = [re.findall(r"\.\d{2,4}\b", prose(page)) for page in (ENGLISH, JAPANESE)]
    assert numbers[0] == numbers[1]
    assert len(numbers[0]) > 30


@pytest.mark.parametrize("page", [ENGLISH, DOCS / "index.md"], ids=name_of)
def test_the_notice_stands_on_the_front_pages(page):
    notice = "Research software; not a medical device; not for primary diagnosis."
    assert notice in page.read_text(encoding="utf-8")


def test_the_readme_shows_every_command():
    text = ENGLISH.read_text(encoding="utf-8")
    for name in typer.main.get_command(app).commands:
        assert f"mitame {name}" in text


def test_the_entry_point_on_the_page_is_of_the_group_that_is_read():
    (block,) = blocks(DOCS / "how-to" / "add-an-engine.md", "toml")
    assert list(tomllib.loads(block)["project"]["entry-points"]) == [GROUP]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_folder_of_somebodys_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(home|work|root|tmp|Users)/", text)
