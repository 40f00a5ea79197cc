import numpy as np
import pytest

from mitame.solve.coding import lasso
from mitame.solve.shrinkage import BLOCK, Shrinkage


def shrunk(values, threshold):
    return np.sign(values) * np.maximum(np.abs(values) - threshold, 0)


@pytest.fixture
def made():
    rng = np.random.default_rng(0)
    given = [
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((2 * BLOCK + 7, 20), (30, 20), (30, 30), (30, 5))
    ]
    threshold = rng.uniform(0.5, 2, 30).astype(np.float32)
    patches, encode, again, atoms = given
    return patches, Shrinkage(encode, again / 20, threshold, steps=2), atoms


def test_two_steps_are_two_steps(made):
    patches, shrinkage, _ = made
    start = patches @ shrinkage.encode.T
    expected = shrunk(start, shrinkage.threshold)
    for _ in range(2):
        expected = shrunk(start + expected @ shrinkage.again.T, shrinkage.threshold)
    found = shrinkage.codes(patches)
    assert found == pytest.approx(expected, abs=1e-4)
    assert 0.1 < (found == 0).mean() < 0.9


def test_what_is_decoded_is_the_codes_times_the_atoms(made):
    patches, shrinkage, atoms = made
    expected = shrinkage.codes(patches) @ atoms
    assert shrinkage.decoded(patches, atoms) == pytest.approx(expected, abs=1e-4)


def test_many_steps_from_the_lasso_come_to_the_lasso():
    rng = np.random.default_rng(1)
    atoms = rng.standard_normal((12, 20)).astype(np.float32)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    patches = rng.standard_normal((50, 20)).astype(np.float32)
    gram = atoms @ atoms.T
    bound = np.float32(np.linalg.norm(gram, 2))
    steady = Shrinkage(
        atoms / bound,
        np.eye(12, dtype=np.float32) - gram / bound,
        np.full(12, 0.5 / bound, np.float32),
        steps=500,
    )
    expected = lasso(patches, atoms, 0.5).dense()
    assert steady.codes(patches) == pytest.approx(expected, abs=1e-3)


def test_no_patch_has_no_code(made):
    _, shrinkage, atoms = made
    assert shrinkage.decoded(np.empty((0, 20), np.float32), atoms).shape == (0, 5)
