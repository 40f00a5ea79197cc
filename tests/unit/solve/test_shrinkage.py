import numpy as np
import pytest

from mitame.solve.coding import lasso
from mitame.solve.loops import BLOCK
from mitame.solve.shrinkage import Shrinkage


def shrunk(values, threshold):
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


@pytest.fixture
def made():
    rng = np.random.default_rng(0)
    given = [
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((2 * BLOCK + 7, 20), (30, 20), (30, 20), (30, 5))
    ]
    threshold = rng.uniform(2, 8, 30).astype(np.float32)
    patches, encode, atoms, decode = given
    return patches, Shrinkage(encode, atoms / 20, threshold, steps=2), decode


def test_two_steps_are_two_steps(made):
    patches, shrinkage, _ = made
    expected = shrunk(patches @ shrinkage.encode.T, shrinkage.threshold)
    for _ in range(2):
        left = patches - expected @ shrinkage.atoms
        expected = shrunk(expected + left @ shrinkage.encode.T, shrinkage.threshold)
    found = shrinkage.codes(patches)
    assert found == pytest.approx(expected, abs=1e-4)
    assert 0.1 < (found == 0).mean() < 0.9


def test_what_is_decoded_is_the_codes_times_the_atoms(made):
    patches, shrinkage, decode = made
    expected = shrinkage.codes(patches) @ decode
    assert shrinkage.decoded(patches, decode) == pytest.approx(expected, abs=1e-4)


def test_many_steps_from_the_lasso_come_to_the_lasso():
    rng = np.random.default_rng(1)
    atoms = rng.standard_normal((12, 20)).astype(np.float32)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    patches = rng.standard_normal((50, 20)).astype(np.float32)
    bound = np.float32(np.linalg.norm(atoms, 2) ** 2)
    threshold = np.full(12, 0.5 / bound, np.float32)
    steady = Shrinkage(atoms / bound, atoms, threshold, steps=500)
    expected = lasso(patches, atoms, 0.5).dense()
    assert steady.codes(patches) == pytest.approx(expected, abs=1e-3)


def test_no_patch_has_no_code(made):
    _, shrinkage, decode = made
    assert shrinkage.decoded(np.empty((0, 20), np.float32), decode).shape == (0, 5)
