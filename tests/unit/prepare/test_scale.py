import numpy as np
import pytest

from mitame.core.errors import ImplausibleError, InputError
from mitame.core.session import Session
from mitame.core.volume import Volume
from mitame.prepare.scale import ScaleToWhiteMatter, white_matter
from mitame.testing.phantom import head_grid, phantom, phantom_session, tissues

SUFFIXES = ("T1w", "T2w", "FLAIR", "PDw")


def test_white_matter_becomes_one_in_every_sequence():
    scaled, _ = ScaleToWhiteMatter().apply(phantom_session(suffixes=SUFFIXES))
    grid = head_grid()
    white = tissues(grid.shape, grid.affine)["wm"] > 0.98
    for volume in scaled.values():
        assert np.median(volume.data[white]) == pytest.approx(1, rel=0.02)


def test_the_gain_is_gone_and_written_down():
    scaled, _ = ScaleToWhiteMatter().apply(phantom_session(gain=7.0))
    plain, _ = ScaleToWhiteMatter().apply(phantom_session())
    np.testing.assert_allclose(scaled["T1w"].data, plain["T1w"].data, atol=1e-5)
    assert scaled["T1w"].history[-1].params["gain"] * 7 == pytest.approx(
        plain["T1w"].history[-1].params["gain"]
    )


def test_nothing_is_clipped_and_zero_stays_zero():
    session = phantom_session(noise=200.0)
    scaled, _ = ScaleToWhiteMatter().apply(session)
    gain = np.float32(scaled["T1w"].history[-1].params["gain"])
    np.testing.assert_allclose(scaled["T1w"].data, session["T1w"].data * gain)
    assert scaled["T1w"].data.min() < 0


def test_a_large_bright_lesion_hardly_moves_the_scale():
    session = phantom_session()
    x = np.indices(session.reference.shape)[0]
    lesion = white_matter(session) & (x < session.reference.shape[0] * 0.4)
    sick = np.where(lesion, 3 * session["T1w"].data, session["T1w"].data)
    ill = Session(
        {"T1w": Volume(sick, session.reference.affine)},
        brain=session.brain,
        to_template=session.to_template,
    )
    healthy, _ = ScaleToWhiteMatter().apply(session)
    scaled, _ = ScaleToWhiteMatter().apply(ill)
    gains = [s["T1w"].history[-1].params["gain"] for s in (healthy, scaled)]
    assert gains[1] == pytest.approx(gains[0], rel=0.03)


def test_a_negative_image_is_refused():
    with pytest.raises(ImplausibleError, match="median"):
        ScaleToWhiteMatter().apply(phantom_session(gain=-1.0))


def test_a_brain_mask_is_needed():
    with pytest.raises(InputError, match="brain mask") as error:
        ScaleToWhiteMatter().apply(Session({"T1w": phantom()}))
    assert "FindBrain" in error.value.fix


def test_a_place_in_the_template_is_needed():
    session = Session({"T1w": phantom()}, brain=phantom_session().brain)
    with pytest.raises(InputError, match="template"):
        ScaleToWhiteMatter().apply(session)
