import numpy as np
import pytest
from sklearn.decomposition import sparse_encode

from mitame.core.errors import ImplausibleError, InputError
from mitame.solve.coding import FIRST_ROOM, Codes, duality_gap, lasso

SURE = 1e-6
ROUNDED = 3e-6
"""Relative gaps; the latter where a penalty is a hundredth of a patch, and what single
precision rounds is a thousandth of that."""


def unit(atoms):
    return (atoms / np.linalg.norm(atoms, axis=1, keepdims=True)).astype(np.float32)


def dictionary(n_atoms=100, d=49, seed=0):
    return unit(np.random.default_rng(seed).normal(size=(n_atoms, d)))


def patches_of(atoms, n=400, used=4, noise=0.05, seed=1):
    """Sums of a few atoms, with noise."""
    rng = np.random.default_rng(seed)
    code = rng.normal(size=(n, len(atoms))) * (
        rng.random((n, len(atoms))) < used / len(atoms)
    )
    data = code @ atoms + noise * rng.normal(size=(n, atoms.shape[1]))
    return data.astype(np.float32)


@pytest.mark.parametrize("n_atoms", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("penalty", [0.02, 0.3, 2.0])
def test_codes_are_optimal(n_atoms, penalty):
    atoms = dictionary(n_atoms)
    patches = patches_of(atoms)
    codes = lasso(patches, atoms, penalty)
    gaps = duality_gap(patches, atoms, codes, penalty)
    assert gaps.max() < (SURE if penalty > 0.1 else ROUNDED)


def test_codes_have_the_subgradient_of_an_optimum():
    atoms = dictionary()
    patches = patches_of(atoms)
    dense = lasso(patches, atoms, 0.2).dense()
    left = (patches - dense @ atoms) @ atoms.T
    on = dense != 0
    assert left[on] == pytest.approx(0.2 * np.sign(dense[on]), abs=1e-4)
    assert np.abs(left[~on]).max() <= 0.2 * (1 + 2e-4)


def test_codes_are_those_of_a_well_known_library():
    atoms = dictionary()
    patches = patches_of(atoms, n=50)
    theirs = sparse_encode(
        patches.astype(float), atoms.astype(float), algorithm="lasso_lars", alpha=0.2
    )
    assert lasso(patches, atoms, 0.2).dense() == pytest.approx(theirs, abs=1e-4)


def test_a_penalty_above_every_correlation_gives_empty_codes():
    atoms = dictionary()
    patches = patches_of(atoms)
    largest = float(np.abs(patches @ atoms.T).max())
    assert not lasso(patches, atoms, 1.001 * largest).counts.any()
    assert lasso(patches, atoms, 0.99 * largest).counts.sum() == 1


def test_orthogonal_atoms_are_soft_thresholds():
    atoms = np.eye(64, dtype=np.float32)
    patches = patches_of(atoms, n=100)
    expected = np.sign(patches) * np.maximum(np.abs(patches) - 0.1, 0)
    assert lasso(patches, atoms, 0.1).dense() == pytest.approx(expected, abs=1e-5)


def test_long_codes_get_the_room_they_need():
    atoms = dictionary(300, 120)
    patches = patches_of(atoms, n=300, used=90)
    codes = lasso(patches, atoms, 0.01)
    assert codes.counts.max() > FIRST_ROOM
    assert (codes.counts >= 0).all()
    assert duality_gap(patches, atoms, codes, 0.01).max() < ROUNDED


def test_atoms_that_are_the_same_are_no_trap():
    atoms = dictionary(40)
    rng = np.random.default_rng(2)
    near = unit(atoms + 1e-4 * rng.normal(size=atoms.shape))
    sums = unit(atoms[:20] + atoms[20:])
    both = np.concatenate([atoms, atoms, near, sums])
    patches = patches_of(atoms)
    codes = lasso(patches, both, 0.05)
    assert duality_gap(patches, both, codes, 0.05).max() < ROUNDED


def test_atoms_need_not_be_of_one_length():
    atoms = dictionary() * np.linspace(0.5, 3, 100, dtype=np.float32)[:, None]
    patches = patches_of(atoms)
    codes = lasso(patches, atoms, 0.3)
    assert duality_gap(patches, atoms, codes, 0.3).max() < ROUNDED


def test_a_gap_tells_codes_that_are_no_optimum():
    atoms = dictionary()
    patches = patches_of(atoms)
    good = lasso(patches, atoms, 0.2)
    bad = Codes(good.indices, good.values * 1.05, good.starts, good.n_atoms)
    used = good.counts > 0
    assert (duality_gap(patches, atoms, bad, 0.2)[used] > 1e-5).all()
    assert (
        duality_gap(patches, atoms, lasso(patches, atoms, 0.3), 0.2)[used] > 0
    ).all()


def test_a_flat_patch_has_an_empty_code():
    atoms = dictionary()
    patches = np.zeros((3, 49), np.float32)
    codes = lasso(patches, atoms, 0.1)
    assert not codes.counts.any()
    assert not duality_gap(patches, atoms, codes, 0.1).any()


def test_a_code_is_decoded_to_its_sum():
    atoms = dictionary()
    codes = lasso(patches_of(atoms), atoms, 0.2)
    other = dictionary(100, 30, seed=5)
    assert codes.decode(other) == pytest.approx(codes.dense() @ other, abs=1e-5)


def test_uses_are_counted():
    atoms = dictionary()
    codes = lasso(patches_of(atoms), atoms, 0.2)
    assert codes.uses().tolist() == (codes.dense() != 0).sum(axis=0).tolist()


def test_the_same_patch_has_the_same_code_wherever_it_stands():
    atoms = dictionary()
    patches = patches_of(atoms, n=700)
    whole = lasso(patches, atoms, 0.2).dense()
    alone = lasso(patches[300:301], atoms, 0.2).dense()[0]
    assert alone == pytest.approx(whole[300], abs=1e-6)
    backward = lasso(patches[::-1], atoms, 0.2).dense()
    assert backward[::-1] == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("penalty", [0.0, -1.0, np.nan, np.inf])
def test_a_penalty_that_is_none_is_refused(penalty):
    atoms = dictionary()
    with pytest.raises(InputError, match="penalty"):
        lasso(patches_of(atoms), atoms, penalty)


def test_patches_of_another_length_are_refused():
    with pytest.raises(InputError, match="do not fit"):
        lasso(np.zeros((3, 48), np.float32), dictionary(), 0.1)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (299, 48)])
def test_values_that_are_not_finite_are_refused(wrong, place):
    atoms = dictionary()
    patches = patches_of(atoms, n=300)
    patches[place] = wrong
    with pytest.raises(ImplausibleError, match="finite"):
        lasso(patches, atoms, 0.1)


def test_atoms_that_are_not_finite_are_refused():
    atoms = dictionary()
    patches = patches_of(atoms)
    atoms[7, 3] = np.nan
    with pytest.raises(ImplausibleError, match="finite"):
        lasso(patches, atoms, 0.1)
