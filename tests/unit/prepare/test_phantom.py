import numpy as np

from mitame.core.volume import Volume
from mitame.testing.phantom import head_grid, phantom, phantom_session, tissues


def test_tissues_share_every_voxel():
    grid = head_grid()
    shares = tissues(grid.shape, grid.affine)
    total = sum(shares.values())
    assert total.max() <= 1 + 1e-9
    assert min(share.min() for share in shares.values()) >= -1e-9


def test_the_head_stays_in_its_place_on_another_grid():
    grid = head_grid()
    turned = Volume(np.zeros(grid.shape[::-1]), grid.affine[:, [2, 1, 0, 3]])
    np.testing.assert_allclose(
        phantom(turned).data, phantom(grid).data.transpose(2, 1, 0), atol=1e-3
    )


def test_the_brain_has_the_size_of_a_brain():
    session = phantom_session(head_grid(4.0))
    assert 1200 < session.brain.sum() * 0.064 < 1600


def test_the_same_seed_gives_the_same_noise():
    one, two, three = (phantom(noise=9.0, seed=seed).data for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, three)
