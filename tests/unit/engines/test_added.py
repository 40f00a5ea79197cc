import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from mitame.engines.added import EDGE_VOXELS, fading


@pytest.mark.parametrize("seed", range(3))
def test_an_edit_reaches_as_far_beyond_the_brain_as_a_dilation(seed):
    rng = np.random.default_rng(seed)
    brain = rng.random((20, 24, 17)) > 0.997
    brain[0, 5, 5] = brain[10, 23, 16] = True  # at the border of the grid, too
    near, fade = fading(brain)
    expected = binary_dilation(brain, iterations=EDGE_VOXELS)
    assert np.array_equal(near, expected)
    assert (fade[brain] == 1).all()
    corners = np.ones((3, 3, 3))
    reached = binary_dilation(brain, corners, iterations=EDGE_VOXELS + 4)
    assert not fade[~reached].any()
