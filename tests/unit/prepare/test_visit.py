from dataclasses import replace

import numpy as np
import pytest

from mitame.core.volume import Step
from mitame.prepare.visit import together


def shown_as_t2w(session):
    """The same head with fluid bright, as another sequence."""
    data = session["T1w"].data
    turned = np.where(data == 0, 0, 1.6 - data).astype(np.float32)
    volume = session["T1w"].with_data(turned, Step("look"))
    return replace(session, volumes={"T2w": volume})


@pytest.fixture(scope="module")
def visit(real_head):
    """T1w, and T2w turned in the scanner on a grid of its own."""
    t1w = real_head((3, 3, 3), seed=1)
    return t1w, shown_as_t2w(real_head((2.5, 3, 4), degrees=(4, -3, 6), seed=2))


@pytest.fixture(scope="module")
def laid(visit):
    return together(visit)


def test_one_session_is_itself_and_comes_back_itself(visit):
    whole, back = together(visit[:1])
    assert whole is visit[0]
    assert back(whole) == [whole]


def test_all_sequences_lie_on_the_first_ones_grid(visit, laid, real_head):
    whole, _ = laid
    assert set(whole) == {"T1w", "T2w"}
    whole["T2w"].require_same_grid(visit[0]["T1w"])
    there = shown_as_t2w(real_head((3, 3, 3), noise=0))["T2w"].data
    inside = whole.require_brain()
    assert inside.sum() > 0.85 * visit[0].require_brain().sum()
    assert np.corrcoef(whole["T2w"].data[inside], there[inside])[0, 1] > 0.95


def test_what_was_not_changed_comes_back_to_the_bit(visit, laid):
    whole, back = laid
    for own, session in zip(back(whole), visit, strict=True):
        for suffix, volume in session.items():
            assert np.array_equal(own[suffix].data, volume.data)
            own[suffix].require_same_grid(volume)


def test_what_was_changed_comes_back_where_it_was(visit, laid):
    whole, back = laid
    x = (whole.reference.affine @ [*(np.array(whole.reference.shape) / 2), 1])[0]
    place = np.indices(whole.reference.shape)
    world = np.tensordot(whole.reference.affine[0, :3], place, 1)
    world = world + whole.reference.affine[0, 3]
    ramp = {s: v.data + (world - x).astype(np.float32) / 100 for s, v in whole.items()}
    own = back(whole.with_data(ramp, Step("ramp")))[1]["T2w"]
    before = visit[1]["T2w"]
    grid = np.tensordot(before.affine[0, :3], np.indices(before.shape), 1)
    expected = (grid + before.affine[0, 3] - x) / 100
    inside = visit[1].require_brain()
    found = own.data - before.data
    assert found[inside] == pytest.approx(expected[inside], abs=0.01)  # 1 mm
    assert not own.data[before.data == 0].any()
    assert [step.name for step in own.history[-2:]] == ["ramp", "edit laid back"]
