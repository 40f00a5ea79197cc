from dataclasses import replace

import numpy as np
import pytest

from mitame.compare.pair import harmonize_pair, judge
from mitame.core.errors import ImplausibleError
from mitame.core.volume import Step, Volume
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(3.0)
HEAD = phantom_session(GRID, gain=1 / 800)
FOCUS = (32.0, -18.0, 22.0)


def ball(grid=GRID, radius_mm=6.0):
    index = np.moveaxis(np.indices(grid.shape), 0, -1)
    place = index @ grid.affine[:3, :3].T + grid.affine[:3, 3]
    return np.linalg.norm(place - FOCUS, axis=-1) < radius_mm


def noise(seed, shape=GRID.shape, sd=0.02):
    return np.random.default_rng(seed).normal(0, sd, shape)


def other_look(data):
    """Softer and shaded, as another scanner shows it."""
    shading = np.exp(0.2 * np.linspace(-1, 1, data.shape[1]))[None, :, None]
    return 1.3 * shading * np.sign(data) * np.abs(data) ** 0.7


def image(data):
    """Return an image with the history that `judge` reads the gain from."""
    gain = Step("bilateral", {"gain_low": 0.9, "gain_high": 1.1})
    return Volume(data.astype(np.float32), GRID.affine, None, (gain, Step("unorient")))


def judged(change):
    clean = HEAD["T1w"].data
    prior = image(clean + noise(1))
    return judge(prior, prior, image(clean + noise(2) + change), prior, HEAD.brain)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_planted_change_is_the_one_mark(sign):
    found = judged(sign * 0.3 * ball())
    assert len(found.marks) == 1
    assert np.linalg.norm(np.array(found.marks[0].center) - FOCUS) < 1.5
    assert np.sign(found.marks[0].mean_change) == sign
    assert found.numbers["n_marks"] == 1
    assert found.numbers["changed_ml"] == pytest.approx(found.marks[0].volume_ml)
    assert (found.mark_labels == 1)[ball(radius_mm=4.0)].all()


@pytest.mark.parametrize("change", [0, 1])
def test_the_change_is_current_minus_harmonized(change):
    found = judged(change * 0.3 * ball())
    np.testing.assert_array_equal(
        found.change.data, found.current.data - found.harmonized.data
    )
    assert not found.edit.data.any()
    assert (found.noise.data > 0).all()


def test_nothing_planted_gives_no_mark():
    found = judged(0)
    assert found.marks == ()
    assert found.numbers["changed_ml"] == 0


def test_the_numbers_are_what_their_names_say():
    found = judged(0)
    brain = HEAD.brain
    apart = np.abs(found.change.data)[brain]
    assert found.numbers["difference_after"] == pytest.approx(np.median(apart))
    assert found.numbers["noise_level"] == pytest.approx(0.02 * 2**0.5, rel=0.05)
    assert found.numbers["brain_ml"] == pytest.approx(brain.sum() * 0.027, rel=1e-6)
    assert found.numbers["edit_median"] == 0
    assert (found.numbers["gain_low"], found.numbers["gain_high"]) == (0.9, 1.1)


def test_a_scan_against_itself_has_no_change():
    same = image(HEAD["T1w"].data + noise(1))
    found = judge(same, same, same, same, HEAD.brain)
    assert found.marks == ()
    assert found.numbers["correlation_after"] == pytest.approx(1)


@pytest.fixture(scope="module")
def harmonized(real_head):
    """A scan with a new focus; its prior, once shifted and of another look, twice."""
    now = real_head((4, 3, 4), seed=1)
    shift = np.eye(4)
    shift[:3, 3] = (4, -3, 2)  # prior world to template world
    before = real_head((4, 4, 3), truth=shift, seed=2)
    look = other_look(before["T1w"].data).astype(np.float32)
    before = before.with_data({"T1w": look}, Step("look"))
    sick = now["T1w"].data - 0.3 * ball(now["T1w"])
    now = now.with_data({"T1w": sick.astype(np.float32)}, Step("focus"))
    # Mutual information is a millimeter off where coils shade: the distortion that
    # is fitted after it must take that as well.
    off = np.eye(4)
    off[:3, 3] = (0.6, -0.5, 0.4)
    motion = off @ np.linalg.inv(shift)  # current world to prior world
    return now, *harmonize_pair("T1w", before, now, motion)


def test_the_prior_lies_on_the_current_grid_in_the_current_look(harmonized):
    now, moved, result = harmonized
    result["T1w"].require_same_grid(now["T1w"])
    apart = [
        np.median(np.abs(s["T1w"].data - now["T1w"].data)[moved.brain])
        for s in (moved, result)
    ]
    assert apart[1] < 0.25 * apart[0]
    assert apart[1] < 0.0255  # 0.0264 without the distortion that is taken out


def test_a_new_focus_stays_in_the_difference(harmonized):
    now, moved, result = harmonized
    change = now["T1w"].data - result["T1w"].data
    where = ball(now["T1w"]) & moved.brain
    assert change[where].mean() == pytest.approx(-0.3, rel=0.1)


def test_two_heads_that_do_not_agree_are_refused(real_head):
    now = real_head((4, 4, 4))
    moved = Volume(np.roll(now["T1w"].data, 4, axis=0), now["T1w"].affine)
    before = replace(now, volumes={"T1w": moved})
    with pytest.raises(ImplausibleError, match="same patient") as error:
        harmonize_pair("T1w", before, now, np.eye(4))
    assert "same sequence" in error.value.fix
