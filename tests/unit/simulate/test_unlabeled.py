import numpy as np
import pytest

from mitame.simulate.anatomy import OTHER, Anatomy
from mitame.simulate.unlabeled import unlabeled_shares


def ball(shape, middle, radius):
    away = np.indices(shape) - np.reshape(middle, (3, 1, 1, 1))
    return (away**2).sum(axis=0) < radius**2


@pytest.fixture(scope="module")
def head():
    """A ball of soft tissue in its skin, with an eye, and a cerebellum in fluid."""
    shape = (90, 90, 70)
    labels = np.zeros(shape, np.int16)
    labels[ball(shape, (45, 45, 35), 34)] = 511
    labels[ball(shape, (45, 45, 35), 32)] = OTHER
    labels[ball(shape, (45, 68, 35), 6)] = 506
    labels[ball(shape, (45, 38, 35), 24)] = 24
    labels[ball(shape, (45, 32, 35), 18)] = 8
    labels[ball(shape, (45, 34, 35), 7)] = 7
    labels[ball(shape, (45, 50, 35), 3)] = 15
    affine = np.eye(4)
    affine[:3, 3] = (-45, -45, -35)
    return Anatomy("ball", labels, affine)


@pytest.fixture(scope="module")
def more(head):
    return unlabeled_shares(head, np.random.default_rng(0))


def test_what_is_added_is_taken_from_another_tissue(more):
    assert np.abs(sum(more.values())).max() < 1e-6


def test_every_share_stays_between_nothing_and_all(head, more):
    for tissue, added in more.items():
        share = head.tissue(tissue) + added
        assert share.min() > -1e-6
        assert share.max() < 1 + 1e-6


def test_fat_lies_under_the_skin_and_around_the_eye(head, more):
    soft = head.labels == OTHER
    from_middle = np.sqrt(((np.indices(soft.shape).T - (45, 45, 35)) ** 2).sum(-1)).T
    outer = soft & (from_middle > 30)
    inner = soft & (from_middle < 26)
    beside_eye = np.zeros_like(soft)
    beside_eye[42:48, 68:72, 20:26] = True
    assert more["fat"][outer].mean() > 0.75
    assert more["fat"][inner & ~_near_eye(soft.shape)].mean() < 0.35
    assert more["fat"][beside_eye & soft].mean() > 0.8


def _near_eye(shape):
    return ball(shape, (45, 68, 35), 22)


def test_leaves_of_the_cerebellum_are_some_millimeters_apart(head, more):
    lines = more["csf"][45, 14:24, 20:50].astype(float)  # midline, bottom to top
    lines -= lines.mean(axis=1, keepdims=True)
    spectrum = (np.abs(np.fft.rfft(lines, axis=1)) ** 2).mean(axis=0)
    period = 30 / (1 + np.argmax(spectrum[1:]))
    assert 2 < period < 8
    assert lines.std() > 0.05


def test_fissures_and_laminae_alternate(head, more):
    cortex = head.labels == 8
    fluid, white = more["csf"][cortex], more["white_matter"][cortex]
    fissure = fluid > 0.3
    assert fissure.mean() > 0.03
    assert white[fissure].mean() < 0.3 * white[~fissure].mean()
    outside = np.isin(head.labels, (0, 7, 15, 24, 511))
    assert not more["csf"][outside].any()


def test_an_average_head_without_a_cerebellum_has_no_leaves(head):
    labels = np.where(np.isin(head.labels, (7, 8, 15)), 24, head.labels)
    plain = Anatomy("plain", labels.astype(np.int16), head.affine)
    more = unlabeled_shares(plain, np.random.default_rng(0))
    assert not more["csf"].any()
    assert not more["white_matter"].any()


def test_same_chance_same_head(head, more):
    again = unlabeled_shares(head, np.random.default_rng(0))
    other = unlabeled_shares(head, np.random.default_rng(1))
    assert all(np.array_equal(more[tissue], again[tissue]) for tissue in more)
    assert not np.array_equal(more["csf"], other["csf"])
