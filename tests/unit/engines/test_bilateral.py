from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.volume import Step
from mitame.engines.bilateral import Bilateral
from mitame.prepare.template import template_coordinates
from mitame.testing.phantom import CENTER, head_grid, phantom_session, tissues

GRID = head_grid(4.0)
SHARE = tissues(GRID.shape, GRID.affine)
PLACE = template_coordinates(phantom_session(GRID))
FOCUS = (30.0, -20.0, 20.0)
"""In the white matter, world mm."""


def look(data):
    """A second scanner: shading from side to side, and a softer contrast."""
    x, y, _ = np.moveaxis(PLACE, -1, 0)
    shading = np.exp(0.15 * np.sin(x / 40) + 0.1 * (y + 18) / 84)
    return shading * np.sign(data) * np.abs(data) ** 0.75


def ball(center=FOCUS, radius_mm=8.0):
    return np.linalg.norm(PLACE - center, axis=-1) < radius_mm


def shell(center=FOCUS, inner=10.0, outer=16.0):
    around = ball(center, outer) & ~ball(center, inner)
    return around & (SHARE["wm"] > 0.9)


def visit(seed, *, other_look=False, focus=0.0, noise=15.0, suffixes=("T1w",)):
    """Return a prepared visit; `focus` is added in a ball before the look."""
    plain = phantom_session(GRID, suffixes=suffixes, gain=1 / 800)
    rng = np.random.default_rng(seed)
    data = {}
    for suffix in suffixes:
        seen = plain[suffix].data + focus * ball()
        seen = look(seen) if other_look else seen
        noisy = seen + rng.normal(0, noise / 800, seen.shape)
        data[suffix] = noisy.astype(np.float32)
    return plain.with_data(data, Step("look"))


def off(one, other, where):
    return float(np.median(np.abs(one["T1w"].data - other["T1w"].data)[where]))


def contrast(session):
    data = session["T1w"].data
    return float(data[ball()].mean() - data[shell()].mean())


def test_shading_and_tone_of_a_pair_are_gone():
    source, target = visit(1), visit(2, other_look=True)
    after = Bilateral().fit_pair(source, target).transform(source)
    truth = visit(0, other_look=True, noise=0.0)
    clean = visit(0, noise=0.0)
    tissue = (SHARE["wm"] > 0.95) | (SHARE["gm"] > 0.95)
    moved = Bilateral().fit_pair(source, target).transform(clean)
    assert off(moved, truth, tissue) < 0.1 * off(clean, truth, tissue)
    noise = np.hypot(15, 15) / 800
    assert off(after, target, source.brain) < 1.1 * noise


@pytest.mark.parametrize("focus", [0.3, -0.3])
def test_what_is_new_today_is_not_painted_into_the_prior(focus):
    source = visit(1)
    target = visit(2, other_look=True, focus=focus)
    after = Bilateral().fit_pair(source, target).transform(source)
    planted = contrast(target) - contrast(visit(2, other_look=True))
    change = contrast(target) - contrast(after)
    assert change == pytest.approx(planted, rel=0.1)


# Nothing but the focus is brighter than white matter here, so what the gain is up
# there is only known from below.
@pytest.mark.parametrize(("focus", "lost"), [(-0.3, 0.1), (0.3, 0.35)])
def test_what_was_there_before_keeps_its_contrast(focus, lost):
    source = visit(1, focus=focus)
    after = Bilateral().fit_pair(source, visit(2, other_look=True)).transform(source)
    truth = visit(1, other_look=True, focus=focus)
    assert contrast(after) == pytest.approx(contrast(truth), rel=lost)


def test_each_sequence_of_a_pair_has_a_gain_of_its_own():
    both = ("T1w", "FLAIR")
    source = visit(1, suffixes=both)
    target = visit(2, other_look=True, suffixes=both)
    engine = Bilateral().fit_pair(source, target)
    assert set(engine.fields_) == set(both)
    for suffix in both:
        alone = [s.with_volumes({suffix: s[suffix]}) for s in (source, target)]
        field = Bilateral().fit_pair(*alone).fields_[suffix]
        np.testing.assert_array_equal(field.gain, engine.fields_[suffix].gain)


def test_a_pair_must_lie_on_one_grid():
    other = phantom_session(head_grid(5.0), gain=1 / 800)
    with pytest.raises(GridMismatchError):
        Bilateral().fit_pair(visit(1), other)


def stranger(seed, *, other_look=False):
    """Return one of a group: another place in the template, another brightness."""
    rng = np.random.default_rng(seed)
    shift = np.eye(4)
    shift[:3, 3] = rng.uniform(-4, 4, 3)
    given = visit(seed, other_look=other_look)
    gain = np.float32(rng.uniform(0.98, 1.02))
    scaled = given.with_data({"T1w": gain * given["T1w"].data}, Step("gain"))
    return replace(scaled, to_template=shift)


def regions():
    """Both tissues in each octant of the brain."""
    side = np.array(CENTER) < PLACE
    octant = side @ np.array([1, 2, 4])
    for tissue in ("wm", "gm"):
        for number in range(8):
            yield (SHARE[tissue] > 0.9) & (octant == number)


def gap(group, other):
    """Mean distance of the group medians over the regions."""
    one, two = (np.stack([s["T1w"].data for s in g]) for g in (group, other))
    apart = [abs(np.median(one[:, r]) - np.median(two[:, r])) for r in regions()]
    return float(np.mean(apart))


def test_two_groups_of_strangers_come_to_look_alike():
    source = [stranger(n) for n in range(4)]
    target = [stranger(n, other_look=True) for n in range(10, 14)]
    unseen = [stranger(n) for n in range(20, 24)]
    engine = Bilateral().fit(source, target)
    after = [engine.transform(session) for session in unseen]
    assert gap(after, target) < 0.3 * gap(unseen, target)


def test_groups_without_a_common_sequence_are_refused():
    other = visit(2, suffixes=("FLAIR",))
    with pytest.raises(InputError, match="no sequence in common") as error:
        Bilateral().fit([visit(1)], [other])
    assert "same sequence" in error.value.fix


def test_settings_and_fields_are_saved(tmp_path):
    engine = Bilateral(spacing=20.0, tuning=3.0, rounds=2)
    engine.fit_pair(visit(1), visit(2, other_look=True))
    engine.save(tmp_path / "engine")
    back = Bilateral.load(tmp_path / "engine")
    assert vars(back).keys() == vars(engine).keys()
    assert (back.spacing, back.tuning, back.rounds) == (20.0, 3.0, 2)
    after = [e.transform(visit(3))["T1w"].data for e in (engine, back)]
    assert np.array_equal(*after)


def test_gain_and_place_follow_the_head_not_the_grid():
    engine = Bilateral().fit_pair(visit(1), visit(2, other_look=True))
    scan = phantom_session(GRID, gain=1 / 800)
    flipped = phantom_session(
        replace(GRID, affine=GRID.affine @ mirror(GRID.shape[0])), gain=1 / 800
    )
    one = engine.transform(scan)["T1w"].data
    other = engine.transform(flipped)["T1w"].data[::-1]
    np.testing.assert_allclose(other, one, atol=1e-4)


def mirror(n):
    """Return the matrix that counts the first axis from the other end."""
    turn = np.diag([-1.0, 1, 1, 1])
    turn[0, 3] = n - 1
    return turn


def test_the_gain_is_written_down_as_it_was_in_the_brain():
    engine = Bilateral().fit_pair(visit(1), visit(2, other_look=True))
    scan = visit(3, noise=0.0)
    after = engine.transform(scan)["T1w"]
    step = after.history[-1]
    ratio = after.data[scan.brain] / scan["T1w"].data[scan.brain]
    low, high = np.quantile(ratio, (0.05, 0.95))
    assert step.params["gain_low"] == pytest.approx(low, rel=1e-3)
    assert step.params["gain_high"] == pytest.approx(high, rel=1e-3)
