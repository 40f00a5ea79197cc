import numpy as np
import pytest

from mitame.core.volume import Volume
from mitame.prepare.agreement import agreement
from mitame.testing.phantom import head_grid, phantom, phantom_session

GRID = head_grid(3.0)
HEAD = phantom_session(GRID, gain=1 / 800)


def noise(seed):
    return np.random.default_rng(seed).normal(0, 0.02, GRID.shape)


def other_look(data):
    """Softer and shaded, as another scanner shows it."""
    shading = np.exp(0.2 * np.linspace(-1, 1, data.shape[1]))[None, :, None]
    return 1.3 * shading * np.sign(data) * np.abs(data) ** 0.7


def image(data):
    return Volume(data.astype(np.float32), GRID.affine)


def one(seed, suffix="T1w", look=lambda data: data):
    clean = phantom(GRID, suffix=suffix, gain=1 / 800).data
    return image(look(clean) + noise(seed))


def test_one_head_agrees_with_itself_in_any_look():
    assert agreement(one(1), one(2), HEAD.brain) > 0.8
    assert agreement(one(1), one(2, look=other_look), HEAD.brain) > 0.7


def test_a_bright_corner_is_no_detail():
    shading = np.exp(np.linspace(-1, 1, GRID.shape[0]))[:, None, None]
    shaded = image(one(2).data * shading)
    assert agreement(one(1), shaded, HEAD.brain) > 0.7


def test_two_sequences_do_not_agree():
    assert agreement(one(1), one(2, "T2w"), HEAD.brain) < 0
    # Fluid is dark in both, so the phantom's FLAIR is not as far from its T1w.
    same = agreement(one(1), one(2), HEAD.brain)
    assert agreement(one(1), one(2, "FLAIR"), HEAD.brain) < same - 0.15


def test_a_head_out_of_place_does_not_agree(real_head):
    head = real_head((3, 3, 3))
    moved = Volume(np.roll(head["T1w"].data, 4, axis=0), head["T1w"].affine)
    assert agreement(head["T1w"], head["T1w"], head.brain) == pytest.approx(1)
    assert agreement(head["T1w"], moved, head.brain) < 0.3


def test_agreement_does_not_depend_on_who_comes_first():
    pair = one(1), one(2, look=other_look)
    assert agreement(*pair, HEAD.brain) == pytest.approx(
        agreement(*pair[::-1], HEAD.brain)
    )
