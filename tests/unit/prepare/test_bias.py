import numpy as np
import pytest

from mitame.core.errors import ImplausibleError, InputError
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.bias import CorrectBias, bias_field, shrink_factors
from mitame.testing.phantom import head_grid, phantom, phantom_session


def shaded(spacing=6.0):
    session = phantom_session(head_grid(spacing), noise=10.0)
    volume = session["T1w"]
    middle = np.reshape(volume.shape, (3, 1, 1, 1)) / 2
    i, j, _ = (np.indices(volume.shape) - middle) / middle
    field = np.exp(0.5 * i - 0.4 * j).astype(np.float32)
    return session.with_data({"T1w": volume.data * field}, Step("shade")), field


def test_a_known_field_is_found():
    session, field = shaded()
    found = bias_field(session["T1w"], session.brain)
    # What N4 takes for shading in the unshaded phantom is no matter of the field.
    own = bias_field(phantom_session(noise=10.0)["T1w"], session.brain)
    rest = np.log(field / (found / own))[session.brain]
    assert rest.std() < 0.2 * np.log(field)[session.brain].std()


def test_the_brightness_of_the_brain_stays():
    session, _ = shaded()
    corrected, _ = CorrectBias().apply(session)
    ratio = (corrected["T1w"].data / session["T1w"].data)[session.brain]
    assert np.log(ratio).mean() == pytest.approx(0, abs=1e-4)


def test_the_whole_head_is_corrected_by_a_smooth_field():
    session, _ = shaded()
    field = bias_field(session["T1w"], session.brain)
    assert field.shape == session.reference.shape
    assert (field > 0).all()
    assert np.abs(np.diff(np.log(field), axis=0)).max() < 0.2


def test_thick_slices_are_not_shrunk_away():
    grid = head_grid(3.0)
    thick = Volume(np.zeros((58, 74, 9)), grid.affine @ np.diag([1, 1, 6, 1.0]))
    assert shrink_factors(thick, 4.0) == [1, 1, 1]
    fine = Volume(np.zeros((58, 74, 9)), grid.affine @ np.diag([0.3, 0.3, 2, 1.0]))
    assert shrink_factors(fine, 4.0) == [4, 4, 1]


def test_no_brain_mask_no_correction():
    with pytest.raises(InputError, match="brain mask"):
        CorrectBias().apply(Session({"T1w": phantom()}))


def test_an_empty_image_is_refused():
    with pytest.raises(ImplausibleError, match="above zero"):
        CorrectBias().apply(phantom_session(gain=-1.0))
