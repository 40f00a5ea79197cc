"""What each element does, and that a difference is told by the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from mitame.core.errors import ImplausibleError, InputError, ModelError
from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.elements import Elements
from mitame.engines.elements.additions import Noise, Stripes
from mitame.engines.elements.around import gray_around, lattice
from mitame.engines.elements.candidates import as_shown, candidates
from mitame.engines.elements.element import Element, Field, Level, Tone
from mitame.engines.elements.engine import scans_of
from mitame.engines.elements.fields import N_FIELDS, field_over, fields_at
from mitame.engines.elements.filters import Blur, Ringing
from mitame.engines.elements.fit import found_between
from mitame.engines.elements.giving import Groups
from mitame.engines.elements.ground import Ground
from mitame.engines.elements.measures import (
    FIRST_FIELD,
    FIRST_GRAY,
    FOLLOWS,
    PARTS,
    UNSURE,
    Measures,
    unsure,
)
from mitame.engines.elements.moved import moved
from mitame.engines.elements.placed import Placed
from mitame.engines.elements.places import reach
from mitame.engines.elements.search import Found
from mitame.engines.elements.spectrum import spectrum
from mitame.engines.elements.stored import of_words
from mitame.engines.elements.stripes import find_wave, power
from mitame.engines.noise import noise_level
from mitame.prepare.regions import REGIONS, SIDES, region_of
from mitame.prepare.template import (
    FIELD_MM,
    MIDDLE_MM,
    template_coordinates,
    template_grid,
)
from mitame.simulate.fields import receive_field
from mitame.solve.smooth import gaussian
from mitame.testing.people import NOISE, people

GRAY, FLUID = 0.7, 0.3
WAVE = (0.0, 14.5 / 256, 0.0)
ONE = np.ones(1)
TOP_OF_CEREBELLUM = 4.0
"""Millimeters of the template."""

EXACT: dict[str, tuple[Element, np.ndarray]] = {
    "tone": (Tone(), 0.2 * ONE),
    "contrast": (Level("contrast", GRAY, (0.0, FLUID, 1.0)), 0.1 * ONE),
    "fluid": (Level("fluid", FLUID, (0.0, GRAY, 1.0)), 0.3 * ONE),
    "bright fluid": (Level("fluid", 2.5, (0.0, GRAY, 1.0)), 0.3 * ONE),
    "field": (Field(N_FIELDS), np.linspace(-0.1, 0.1, N_FIELDS)),
}
OTHERS: dict[str, Element] = {
    "sharpness": Blur(NOISE),
    "ringing": Ringing(NOISE),
    "noise": Noise(),
    "stripes": Stripes(WAVE),
}
EFFECTS: dict[str, tuple[Element, np.ndarray]] = {
    "tone curve": (Tone(), 0.25 * ONE),
    "bias field": (Field(N_FIELDS), 0.1 * np.eye(N_FIELDS)[5]),
    "noise": (Noise(), 3 * NOISE**2 * ONE),
    "stripes": (Stripes(WAVE), 0.05**2 * ONE),
}


def occipital(name: str = "brighter place") -> Placed:
    """Return gray matter that is brighter in the occipital cortex."""
    labels = [
        REGIONS.index(f"{side} occipital {tissue}") + 1
        for side in SIDES
        for tissue in ("cortex", "white matter")
    ]
    level = Level("contrast", GRAY, (0.0, FLUID, 1.0))
    return Placed(name, level, (region_of(labels),))


@pytest.fixture(scope="module")
def one() -> tuple[np.ndarray, Ground]:
    """Return an image and its ground."""
    session = people(1, seed=5)[0]
    return session["T1w"].data, Ground(session)


@pytest.fixture(scope="module")
def groups() -> tuple[list[Session], list[Session]]:
    """Return two groups of people on one scanner."""
    everyone = people(16, seed=1)
    return everyone[:8], everyone[8:]


def changed(group: list[Session], element: Element, size: np.ndarray) -> list[Session]:
    """Return a group on a scanner with more of an element."""
    found = []
    for session in group:
        image = element.apply(session["T1w"].data, Ground(session), size)
        volume = session["T1w"].with_data(image, Step("changed", {}))
        found.append(session.with_volumes({"T1w": volume}))
    return found


def without_cerebellum(session: Session) -> Session:
    """Return a scan whose field of view ends above the cerebellum."""
    brain = session.require_brain().copy()
    brain[template_coordinates(session)[..., 2] < TOP_OF_CEREBELLUM] = False
    return Session({"T1w": session["T1w"]}, brain=brain, to_template=np.eye(4))


def difference(source: list[Session], target: list[Session]) -> Found:
    """Return what two groups differ in."""
    return found_between(scans_of(source, "T1w"), scans_of(target, "T1w"), seed=0)


@pytest.mark.parametrize("name", EXACT)
def test_a_size_is_undone_by_its_negative(name, one):
    image, ground = one
    element, size = EXACT[name]
    there = element.apply(image, ground, size)
    assert np.abs(there - image).max() > 0.01
    assert np.allclose(element.apply(there, ground, -size), image, atol=1e-5)


@pytest.mark.parametrize("size", [0.2, -0.2])
def test_a_tissue_that_becomes_brighter_makes_no_more_noise(size, one):
    image, ground = one
    element, _ = EXACT["contrast"]
    more = element.apply(image, ground, size * ONE)
    before, after = (noise_level(x, ground.brain) for x in (image, more))
    assert after == pytest.approx(before, rel=0.03)


@pytest.mark.parametrize("name", [*EXACT, *OTHERS])
def test_no_size_changes_nothing(name, one):
    image, ground = one
    element = EXACT[name][0] if name in EXACT else OTHERS[name]
    same = element.apply(image, ground, np.zeros(element.n))
    assert np.allclose(same, image, atol=1e-5)


def test_tone_is_a_power_under_which_white_matter_stays(one):
    _, ground = one
    image = np.full(ground.brain.shape, 0.5, np.float32)
    image[0] = 1
    found = Tone().apply(image, ground, np.log([2.0]))
    assert np.allclose(found[0], 1)
    assert np.allclose(found[1:], 0.25)


def test_a_level_moves_one_tissue_in_proportion_to_its_share(one):
    _, ground = one
    image = np.zeros(ground.brain.shape, np.float32)
    for n, value in enumerate((0, FLUID, GRAY, (GRAY + 1) / 2, 1)):
        image[:, :, 8 * n : 8 * n + 8] = value
    level = Level("contrast", GRAY, (0.0, FLUID, 1.0))
    # The bias field is on top of everything.
    found = level.apply(image * ground.shading, ground, np.array([0.1]))
    edit = found / ground.shading - image
    assert np.allclose(edit[:, 0, 4:40:8], [0, 0, 0.07, 0.035, 0], atol=1e-6)


def test_sizes_of_a_tissue_are_what_images_show(groups):
    scans = scans_of(groups[0], "T1w")
    level = as_shown(Level("contrast", GRAY, (0.0, FLUID, 1.0)), scans)
    assert 0.2 < level.shown < 0.9
    image, ground = scans[0].image, scans[0].ground
    edit = (level.apply(image, ground, np.array([0.1])) - image)[ground.brain]
    there = edit > edit.max() / 2
    more = edit[there].mean() / image[ground.brain][there].mean()
    assert more == pytest.approx(0.1, rel=0.1)


def test_nothing_of_a_tissue_is_as_fine_as_the_grid(one):
    _, ground = one
    sheets = np.ones(ground.brain.shape, np.float32)
    sheets[:, ::2] = GRAY
    level = Level("contrast", GRAY, (0.0, FLUID, 1.0))
    edit = level.apply(sheets * ground.shading, ground, np.array([0.1]))
    edit = edit / ground.shading - sheets
    inside = edit[4:-4, 4:-4, 4:-4]
    assert inside == pytest.approx(0.035, abs=1e-3)  # half of it is everywhere


def test_a_field_is_the_sum_of_its_functions(one):
    _, ground = one
    size = np.random.default_rng(0).normal(size=N_FIELDS)
    found = ground.field(size).ravel()[ground.sampled]
    assert np.allclose(found, ground.design[:, 1:] @ size, atol=1e-4)


def test_far_outside_the_brain_a_field_goes_on_as_it_is_at_its_border():
    grid = template_grid(8.0)
    affine, shape = grid.affine.copy(), grid.shape
    affine[:3, :3] *= 2  # twice as far in all directions
    affine[:3, 3] += affine[:3, 3] - np.array(MIDDLE_MM)
    size = np.random.default_rng(0).normal(size=N_FIELDS)
    found = field_over(affine, shape, size)
    place = np.argwhere(np.ones(shape, bool)) @ affine[:3, :3].T + affine[:3, 3]
    assert found.ravel() == pytest.approx(fields_at(place) @ size, abs=1e-3)
    away = place - np.array(MIDDLE_MM)
    outer = np.linalg.norm(2 * away / np.array(FIELD_MM), axis=1) > 1.2
    farther = fields_at(1.5 * away + np.array(MIDDLE_MM))
    assert farther[outer] == pytest.approx(fields_at(place)[outer], abs=1e-4)


def test_the_length_of_a_fields_coefficients_is_its_spread_over_the_brain():
    session = people(1, seed=0, spacing=3.0)[0]
    ground = Ground(session)
    size = np.random.default_rng(0).normal(size=N_FIELDS)
    spread = ground.field(size)[ground.brain].std()
    assert spread == pytest.approx(np.linalg.norm(size), rel=0.1)


def test_a_coil_is_told_from_white_matter_alone(one):
    _, ground = one
    session = people(1, seed=5)[0]
    volume, inside = session["T1w"], ground.brain
    middle = np.argwhere(inside).mean(axis=0)
    center = volume.affine[:3, :3] @ middle + volume.affine[:3, 3]
    coil = receive_field(
        volume.shape,
        volume.affine,
        center,
        strength=0.15,
        rng=np.random.default_rng(0),
    )
    told = ground.slow_part(volume.data * coil) - ground.slow_part(volume.data)
    true = np.log(coil[inside])
    wrong = true - ground.field(told)[inside]
    assert np.std(wrong) < 0.35 * np.std(true)


def test_blur_is_a_gaussian_of_the_given_width_and_keeps_the_noise(one):
    _, ground = one
    rng = np.random.default_rng(0)
    noise = rng.normal(1, 0.05, ground.brain.shape).astype(np.float32)
    found = Blur(0.05).apply(noise, ground, np.array([100.0]))
    assert noise_level(found, ground.brain) == pytest.approx(0.05, rel=0.1)
    edge = np.ones(ground.brain.shape, np.float32)
    edge[20, 24, 20] = 2000.0
    seen = Blur(0.0).apply(edge, ground, np.array([100.0]))[:, 24, 20] - 1
    half = np.interp(5.0, 4.0 * np.arange(5), seen[20:25])  # at half its width
    assert half / seen[20] == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize(
    ("least", "kept"), [(0.02, 0.05), (0.037, 0.044), (0.045, 0.045)]
)
def test_what_is_clearly_a_scans_own_noise_stays(least, kept, one):
    _, ground = one
    rng = np.random.default_rng(0)
    noisy = rng.normal(1, 0.05, ground.brain.shape).astype(np.float32)
    found = Blur(least).apply(noisy, ground, np.array([100.0]))
    assert noise_level(found, ground.brain) == pytest.approx(kept, rel=0.06)


def test_some_scans_stand_for_all(groups):
    source, target = (scans_of(group, "T1w") for group in groups)
    elements, measures = candidates(source, target)
    both = Groups(source, target, elements, measures)
    sizes = {"tone curve": np.array([0.2])}
    some, every = (both.difference(sizes, most=most) for most in (4, None))
    before = both.difference({})
    assert np.linalg.norm(some - every) < 0.05 * np.linalg.norm(every - before)
    assert some.tolist() != every.tolist()


def test_ringing_takes_the_finest_detail_most(one):
    image, ground = one
    softer = Ringing(0.0).apply(image, ground, np.array([-0.9]))
    slow, fine = (spectrum(softer, ground) - spectrum(image, ground))[:2]
    assert fine < 1.5 * slow < 0


def test_where_a_field_darkens_an_image_its_noise_stays(one):
    image, ground = one
    size = 0.3 * np.eye(N_FIELDS)[0]
    gain = np.exp(ground.field(size))
    darker = Field(N_FIELDS, 0.05).apply(image, ground, size) - image * gain
    half = gain < 0.8
    wanted = 0.05 * np.sqrt(1 - gain[half] ** 2)
    assert np.std(darker[half] / wanted) == pytest.approx(1, rel=0.05)
    assert not darker[gain > 1].any()


def test_the_power_of_stripes_is_their_squared_amplitude(one):
    image, ground = one
    striped = Stripes(WAVE).apply(image, ground, np.array([0.1**2]))
    more = power(striped, ground, WAVE) - power(image, ground, WAVE)
    assert more == pytest.approx(0.1**2, rel=0.3)


def test_the_power_of_a_wave_is_that_of_the_image_without_what_is_slow(one):
    image, ground = one
    wave = (0.03, 0.05, -0.02)
    slow = gaussian(image, 10 / np.array(ground.spacing))
    place = np.argwhere(ground.brain) * ground.spacing
    turns = np.exp(-2j * np.pi * place @ wave)
    wanted = np.abs(((image - slow)[ground.brain] * turns).sum()) * 2 / len(place)
    assert power(image, ground, wave) == pytest.approx(wanted**2, rel=1e-3)


def test_stripes_are_found_where_one_group_has_them(groups):
    source, target = groups
    striped = changed(target, Stripes(WAVE), np.array([0.05**2]))
    ours, theirs, other = (
        [(s["T1w"].data, Ground(s)) for s in group]
        for group in (source, target, striped)
    )
    assert find_wave(ours, theirs, 0) is None
    found = find_wave(ours, other, 0)
    assert found is not None
    assert np.allclose(np.abs(found), WAVE, atol=0.3 / 256)  # either way is one wave


def test_stripes_that_were_added_are_taken_away(one):
    image, ground = one
    element, size = EFFECTS["stripes"]
    more = element.apply(image, ground, size)
    less = moved(element, more, ground, -size)
    inside = ground.brain
    assert np.std((less - image)[inside]) < 0.5 * np.std((more - image)[inside])


def test_noise_that_was_added_is_taken_away(one):
    image, ground = one
    element, size = EFFECTS["noise"]
    more = element.apply(image, ground, size)
    less = moved(element, more, ground, -size)
    levels = [noise_level(x, ground.brain) for x in (image, more, less)]
    assert levels[1] > 1.3 * levels[0]
    assert levels[2] == pytest.approx(levels[0], rel=0.1)


def test_what_is_measured_of_an_image_without_white_matter_is_not_a_number(one):
    image, ground = one
    found = Measures(tones=(0.5, 1.0)).of(np.zeros_like(image), ground)
    assert not np.isfinite(found).any()


def test_no_field_is_told_without_white_matter():
    session = people(1, seed=5)[0]
    dark = session["T1w"].with_data(0 * session["T1w"].data, Step("dark", {}))
    with pytest.raises(ImplausibleError, match="Hardly any white matter"):
        _ = Ground(session.with_volumes({"T1w": dark})).shading


def test_a_field_of_another_version_is_refused():
    words = {"kind": "Field", "n": 19, "noise": 0.0, "name": "bias field"}
    with pytest.raises(ModelError, match=f"19 numbers, this version's has {N_FIELDS}"):
        of_words(words, {})


def test_sizes_of_tissue_that_are_not_those_of_images_are_refused():
    words = {"kind": "Level", "name": "contrast", "at": 0.7, "others": [0.0, 1.0]}
    with pytest.raises(ModelError, match="contrast do not say what images show"):
        of_words(words, {})


def test_of_brighter_gray_matter_its_deep_parts_are_unsure():
    difference = np.zeros(FIRST_GRAY + 20)
    difference[FIRST_GRAY], difference[FIRST_GRAY + 1] = 0.2, 0.1
    found = unsure(difference)
    deep = FIRST_GRAY + 1 + PARTS.index("deep gray")
    assert found[deep] == pytest.approx(FOLLOWS * 0.2)
    assert found[FIRST_GRAY + 1] == pytest.approx(UNSURE * 0.1)
    assert np.count_nonzero(found) == 3


def test_without_fields_none_is_looked_for_nor_measured(groups):
    source, target = (scans_of(group, "T1w") for group in groups)
    shaded = scans_of(changed(groups[1], *EFFECTS["bias field"]), "T1w")
    elements, measures = candidates(source, shaded, fields=False)
    assert "bias field" not in {element.name for element in elements}
    ours, theirs = (measures.of(s.image, s.ground) for s in (target[0], shaded[0]))
    assert np.isnan(theirs[FIRST_FIELD:FIRST_GRAY]).all()
    assert np.allclose(ours[FIRST_GRAY], theirs[FIRST_GRAY], atol=0.01)
    assert found_between(source, shaded, 0, fields=False).sizes == {}


def test_the_summary_of_a_brighter_field_is_its_coefficients(one):
    image, ground = one
    size = 0.1 * np.eye(N_FIELDS)[3]
    brighter = Field(N_FIELDS).apply(image, ground, size)
    measures = Measures(tones=(0.5, 1.0))
    shift = measures.of(brighter, ground) - measures.of(image, ground)
    assert np.linalg.norm(shift) == pytest.approx(0.1, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", EFFECTS)
def test_one_effect_is_named_first_with_its_size(name, groups):
    source, target = groups
    element, size = EFFECTS[name]
    found = difference(source, changed(target, element, size))
    assert next(iter(found.sizes)) == name
    assert found.energy[name] > 0.8 * sum(found.energy.values())
    assert np.allclose(found.sizes[name], size, atol=0.3 * float(np.abs(size).max()))


def test_nothing_is_named_between_groups_of_one_scanner(groups):
    assert difference(*groups).sizes == {}


def test_the_engine_gives_what_was_found_and_its_file_says_so(groups, tmp_path):
    source, target = groups
    toned = changed(target, *EFFECTS["tone curve"])
    engine = Elements().fit(source, toned)
    before, wanted = source[0]["T1w"].data, changed(source[:1], *EFFECTS["tone curve"])
    result = engine.transform(source[0])["T1w"].data
    brain = source[0].require_brain()
    gaps = [np.abs(x - wanted[0]["T1w"].data)[brain].mean() for x in (result, before)]
    assert gaps[0] < 0.4 * gaps[1]
    engine.save(tmp_path)
    again = Elements.load(tmp_path).transform(source[0])["T1w"].data
    assert np.array_equal(again, result)
    assert '"kind": "Tone"' in (tmp_path / "model.json").read_text()


def test_a_placed_level_moves_nothing_elsewhere(one):
    image, ground = one
    element = occipital()
    found = element.apply(image, ground, np.array([0.2]))
    there = ground.there(element.places[0]) > 0
    assert np.array_equal(found[~there], image[~there])
    gray = GRAY * ground.shading
    inside = ground.there(element.places[0]) == 1
    more = element.apply(gray, ground, np.array([0.2])) / gray
    assert more[inside] == pytest.approx(1.2, abs=0.02)


def test_how_bright_gray_is_does_not_depend_on_how_much_there_is():
    # Beside much white matter and beside little, without bias field.
    shape = lattice().shape
    cells = np.repeat(np.arange(np.prod(shape)), 8)
    more_gray = np.unravel_index(cells, shape)[1] < shape[1] // 2
    rng = np.random.default_rng(0)
    gray = rng.random(len(cells)) < np.where(more_gray, 0.8, 0.2)
    around = gray_around(np.where(gray, GRAY, 1.1), cells, (0.5, 1.0))
    assert np.allclose(around, GRAY, atol=1e-5)


def test_how_bright_gray_is_stays_unknown_where_there_is_none():
    shape = lattice().shape
    cells = np.repeat(np.arange(np.prod(shape) // 2), 8)  # half of the lattice
    has_gray = np.unravel_index(cells, shape)[2] < shape[2] // 2
    around = gray_around(np.where(has_gray, GRAY, 1.1), cells, (0.5, 1.0))
    known = np.isfinite(around)
    assert np.allclose(around[known], GRAY, atol=1e-5)
    assert known[0, 0, 0]
    assert not known[0, 0, -1]  # no gray
    assert not known[-1, 0, 0]  # no brain


@pytest.mark.parametrize("cut", [2, 8])
def test_what_some_scans_do_not_show_is_not_compared(cut, groups):
    source, target = (
        [without_cerebellum(s) for s in group[:cut]] + group[cut:] for group in groups
    )
    scans = scans_of(source, "T1w"), scans_of(target, "T1w")
    elements, measures = candidates(*scans)
    found = Groups(*scans, elements, measures)
    assert 0 < len(found.known) - found.known.sum() <= 2  # it, and its sides
    assert np.isfinite(np.concatenate(found.own)).all()
    assert "frontal cortex" in found.elements
    # Where nobody has it, it cannot differ.
    assert ("cerebellum" in found.elements) == (cut == 2)


@pytest.mark.parametrize(("size", "kept"), [(1, True), (4, False)])
def test_what_lies_elsewhere_for_the_most_part_is_another_place(size, kept):
    grid = template_grid(2.0)
    seed, t = np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.float32)
    seed[20:30, 20:30, 20:30] = 1
    t[25 : 25 + 5 * size, 22:28, 22:28] = 5
    place = reach(t, np.ones(grid.shape, bool), [grid.with_data(seed, Step("s", {}))])
    wanted = t > 0 if kept else seed > 0
    assert np.array_equal(place.data > 0, wanted)


@pytest.mark.parametrize(
    ("noise", "size", "ratio"),
    [("less", 3, 1.0), ("less", -0.5, 0.71), ("match", 3, 2.0), ("keep", -0.5, 1.0)],
)
def test_noise_is_added_only_if_it_is_asked_for(noise, size, ratio, groups):
    session = groups[0][0]
    engine = Elements(noise=noise)
    before = noise_level(session["T1w"].data, session.require_brain())
    engine.elements_ = {"T1w": [(Noise(), size * before**2 * ONE)]}
    after = noise_level(engine.transform(session)["T1w"].data, session.require_brain())
    assert after / before == pytest.approx(ratio, rel=0.1)


def test_what_scanners_add_last_is_taken_first(groups):
    session = groups[0][0]
    tone, blur = EFFECTS["tone curve"], (Blur(0.0), 9.0 * ONE)
    there = changed([session], *tone)[0]
    engine = Elements()
    # In the order in which scanners add them; the target has less of both.
    engine.elements_ = {"T1w": [(blur[0], -blur[1]), (tone[0], -tone[1])]}
    got = engine.transform(there)["T1w"].data
    wanted = moved(blur[0], session["T1w"].data, Ground(session), -blur[1])
    assert np.allclose(got, wanted, atol=1e-4)


def test_a_filter_is_undone_as_far_as_there_is_signal(groups):
    session = groups[0][0]
    clear, ground = gaussian(session["T1w"].data, 0.5), Ground(session)
    rng = np.random.default_rng(0)

    def error(noise: float) -> float:
        blurred = moved(Blur(0.0), clear, ground, 25.0 * ONE)
        given = blurred + np.float32(noise) * rng.standard_normal(clear.shape)
        got = moved(Blur(0.0), given.astype(np.float32), ground, -25.0 * ONE)
        before, after = (
            np.linalg.norm((x - clear)[ground.brain]) for x in (given, got)
        )
        return float(after / before)

    assert error(0.0) < 0.5
    assert error(0.02) < 0.95
    assert error(0.2) == pytest.approx(1.0, abs=0.05)


def test_noise_of_another_name_is_an_error():
    with pytest.raises(InputError, match="no noise 'more'"):
        Elements(noise="more")


@pytest.mark.slow
def test_a_bright_occipital_cortex_is_found_and_taken_away(groups, tmp_path):
    source, target = groups
    size = np.array([0.3])
    marked = changed(target, occipital(), size)
    there, back = (
        Elements().fit(*pair) for pair in ((source, marked), (marked, source))
    )
    ((element, found),) = there.elements_["T1w"]
    assert element.name == "brighter place"
    # The mark is of the tissue, sizes are what images show of it.
    assert found == pytest.approx(size * element.level.shown, rel=0.25)
    plain, bright = target[0]["T1w"].data, marked[0]["T1w"].data
    mark = bright - plain
    where = mark > 0.5 * mark.max()
    back.save(tmp_path)
    left = Elements.load(tmp_path).transform(marked[0])["T1w"].data - plain
    assert abs(left[where].mean()) < 0.25 * mark[where].mean()


def test_groups_without_a_common_sequence_are_an_error(groups):
    source, _ = groups
    other = [s.with_volumes({"T2w": s["T1w"]}) for s in source]
    with pytest.raises(InputError, match="no sequence in common"):
        Elements().fit(source, other)
