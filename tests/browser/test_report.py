"""The report in a real browser: it is whole, quiet and its keys work."""

import json
import re

import numpy as np
import pytest

from mitame.compare.comparison import Comparison, Mark, SequenceComparison
from mitame.core.volume import Step, Volume
from mitame.present.report import write_comparison_report

pytestmark = pytest.mark.slow

WATCH = """<script>
window.seen = { errors: [], refused: [], states: [] };
window.onerror = (message) => { seen.errors.push(String(message)); };
document.addEventListener("securitypolicyviolation",
  (event) => { seen.refused.push(event.blockedURI); });
</script>"""

TELL = """<script>
const find = (query) => document.querySelector(query);
const press = (type, key) =>
  document.dispatchEvent(new KeyboardEvent(type, { key, bubbles: true }));
const state = () => ({
  captions: [...document.querySelectorAll(".reader figcaption")]
    .filter((caption) => getComputedStyle(caption).display !== "none")
    .map((caption) => caption.firstChild.textContent),
  over: getComputedStyle(find('[data-on="blink"] img + img')).visibility,
  outlines: getComputedStyle(find(".stack svg")).display,
  paths: document.querySelectorAll(".stack path").length,
  numbers: [...document.querySelectorAll(".stack text")].map((t) => t.textContent),
  slice: find("output").textContent,
});
const note = (name) => seen.states.push([name, state()]);
window.addEventListener("load", () => {
  note("start");
  press("keydown", "b"); note("b down"); press("keyup", "b"); note("b up");
  press("keydown", "p"); note("p down"); press("keyup", "p");
  press("keydown", "m"); note("m"); press("keydown", "m");
  press("keydown", "ArrowRight"); note("right");
  seen.images = [...document.images].every((image) => image.naturalWidth > 0);
  seen.resources = performance.getEntriesByType("resource").map((entry) => entry.name);
  const told = document.createElement("script");
  told.type = "application/json";
  told.id = "told";
  told.textContent = JSON.stringify(seen);
  document.body.append(told);
});
</script>"""


def comparison() -> Comparison:
    """A ball of brain whose upper part got brighter."""
    shape = (40, 48, 12)
    affine = np.diag([-3.0, 3.0, 8.0, 1.0])
    x, y, z = np.indices(shape) - (np.array(shape)[:, None, None, None] - 1) / 2
    brain = (x / 17) ** 2 + (y / 20) ** 2 + (z / 5) ** 2 < 1
    lesion = ((x - 6) ** 2 + (y - 4) ** 2 < 9) & (abs(z) < 2)
    flat = Volume(brain.astype(np.float32), affine)
    moved = flat.with_data(flat.data, Step("warp", {"transform": np.eye(4).tolist()}))
    current = flat.with_data(flat.data + 0.5 * lesion, Step("read"))
    center = affine[:3, :3] @ np.argwhere(lesion).mean(axis=0)
    sequence = SequenceComparison(
        flat,
        moved,
        current,
        moved.with_data(moved.data, Step("bilateral")),
        current.with_data(current.data - moved.data, Step("change")),
        current.with_data(np.full(shape, 0.03), Step("noise_level")),
        brain,
        (Mark(tuple(center), 8.3, 25.0, 0.5, 20.0),),
        lesion.astype(np.int32),
        {"noise_level": 0.03},
    )
    return Comparison({"FLAIR": sequence, "T1w": sequence})


@pytest.fixture(scope="module", params=["en", "ja"])
def page(request, tmp_path_factory):
    """The report, in each language."""
    path = tmp_path_factory.mktemp("report") / "page.html"
    write_comparison_report(path, comparison(), lang=request.param)
    return path


@pytest.fixture(scope="module")
def told(page, browse):
    """What a watched copy of the page told: errors, requests, and its states."""
    text = page.read_text(encoding="utf-8")
    copy = page.with_name("watched.html")
    text = text.replace("<title>", WATCH + "<title>", 1)
    copy.write_text(text.replace("</body>", TELL + "</body>"), encoding="utf-8")
    found = re.search(r'id="told">(.*?)</script>', browse(copy), flags=re.S)
    assert found, "The page did not get as far as its end."
    seen = json.loads(found[1])
    return {**seen, "states": dict(seen["states"])}


def test_the_page_asks_for_nothing_outside_itself(page, told):
    assert not re.search(r"https?://|url\(|@import", page.read_text(encoding="utf-8"))
    assert not [name for name in told["resources"] if not name.startswith("data:")]
    assert told["refused"] == []


def test_the_scripts_run_without_an_error(told):
    assert told["errors"] == []


def test_every_picture_can_be_drawn(told):
    assert told["images"] is True


def test_holding_b_shows_the_harmonized_prior_and_letting_go_the_current(told):
    start, held, after = (told["states"][name] for name in ("start", "b down", "b up"))
    assert (start["over"], held["over"], after["over"]) == (
        "hidden",
        "visible",
        "hidden",
    )
    assert held["captions"][1] == start["captions"][0]
    assert held["captions"][1] != start["captions"][1]
    assert after["captions"] == start["captions"]


def test_holding_p_shows_the_prior_and_the_difference_before(told):
    start, held = told["states"]["start"], told["states"]["p down"]
    changed = [a != b for a, b in zip(start["captions"], held["captions"], strict=True)]
    assert changed[:3] == [True, False, True]


def test_the_marks_are_outlined_and_m_hides_them(told):
    start, hidden = told["states"]["start"], told["states"]["m"]
    assert start["paths"] == 6  # three pictures in each of two readers
    assert set(start["numbers"]) == {"1"}
    assert start["outlines"] != "none"
    assert hidden["outlines"] == "none"


def test_the_arrow_goes_one_slice_up(told):
    start, above = told["states"]["start"]["slice"], told["states"]["right"]["slice"]
    numbers = [int(re.search(r"\d+", name)[0]) for name in (start, above)]
    assert numbers[1] == numbers[0] + 1
