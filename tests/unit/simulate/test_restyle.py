from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.prepare.scale import white_matter
from mitame.prepare.template import template_coordinates
from mitame.simulate.restyle import (
    OCCIPITAL_MM,
    STORED_WHITE,
    TENTORIUM_MM,
    Look,
    occipital_cortex,
    restyled,
)
from mitame.testing.phantom import INTENSITY, head_grid, phantom_session, tissues

NOTHING = Look(blur_mm=0, noise=0, tone=1, shading=0, mark=0)
SESSION = phantom_session(head_grid(4.0))
WHITE = INTENSITY["T1w"]["wm"]


def look_of(seed=0, **changes):
    """The phantom as a look shows it, white matter at 1, and the mark."""
    rng = np.random.default_rng(seed)
    found = restyled(SESSION, replace(NOTHING, **changes), rng=rng)
    return found.image.data / STORED_WHITE, found.planted.data / STORED_WHITE


def native():
    return SESSION["T1w"].data / WHITE


def deep_white():
    share = tissues(SESSION.reference.shape, SESSION.reference.affine)["wm"]
    return white_matter(SESSION) & (share > 0.99)


def test_no_look_changes_nothing_but_storage():
    image, planted = look_of()
    assert image == pytest.approx(native(), abs=0.6 / STORED_WHITE)
    assert not planted.any()


def test_the_image_is_where_the_scan_is_and_says_what_it_is():
    found = restyled(SESSION, NOTHING, rng=np.random.default_rng(0))
    assert np.array_equal(found.image.affine, SESSION.reference.affine)
    assert found.image.scanner != SESSION["T1w"].scanner
    assert found.image.history[-1].name == "restyle"
    assert (found.image.data == found.image.data.round()).all()


def test_noise_has_the_size_that_was_asked_for():
    image, _ = look_of(noise=0.04)
    assert np.std((image - native())[deep_white()]) == pytest.approx(0.04, rel=0.1)


def test_the_tone_leaves_white_matter_where_it_is():
    image, _ = look_of(tone=1.3)
    assert image == pytest.approx(native() ** 1.3, abs=0.6 / STORED_WHITE)


def test_blur_softens_edges():
    image, _ = look_of(blur_mm=8.0)
    steps = [np.abs(np.diff(data, axis=0)).max() for data in (image, native())]
    assert steps[0] < 0.8 * steps[1]


def test_shading_is_smooth_and_drawn_anew():
    one, other = (look_of(seed=seed, shading=0.2)[0] for seed in (0, 1))
    ratio = one[deep_white()]
    assert 0.02 < ratio.std() < 0.2  # of 0.2 over the whole head
    assert np.abs(one - other)[deep_white()].max() > 0.02


def test_the_mark_is_cortex_at_the_back_above_the_cerebellum():
    region = occipital_cortex(SESSION) > 0.5
    _, y, z = template_coordinates(SESSION)[region].T
    assert y.max() < OCCIPITAL_MM + 4
    assert z.min() > TENTORIUM_MM - 4
    share = tissues(SESSION.reference.shape, SESSION.reference.affine)
    assert share["gm"][region].mean() > 0.7


def test_what_was_planted_is_what_differs():
    plain, _ = look_of(tone=1.2, blur_mm=3.0)
    marked, planted = look_of(tone=1.2, blur_mm=3.0, mark=0.3)
    assert marked - plain == pytest.approx(planted, abs=1.1 / STORED_WHITE)
    region = occipital_cortex(SESSION) > 0.5
    assert planted[region].mean() > 0.1
    assert np.abs(planted[occipital_cortex(SESSION) < 1e-3]).max() < 0.02


def test_same_seed_same_scan():
    look = Look()
    one, again = (
        restyled(SESSION, look, rng=np.random.default_rng(5)).image.data
        for _ in range(2)
    )
    assert np.array_equal(one, again)


def test_a_session_without_t1w_is_refused():
    other = phantom_session(head_grid(8.0), suffixes=("T2w",))
    with pytest.raises(InputError, match="T2w, no T1w"):
        restyled(other, Look(), rng=np.random.default_rng(0))
