import numpy as np
import pytest
from sklearn.decomposition import MiniBatchDictionaryLearning

from mitame.core.errors import InputError
from mitame.solve import learn_kernels as kernels
from mitame.solve.coding import lasso
from mitame.solve.learn import learn_atoms


def unit(atoms):
    return (atoms / np.linalg.norm(atoms, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def planted():
    """Patches made of 3 of 40 atoms, and the atoms."""
    rng = np.random.default_rng(0)
    atoms = unit(rng.normal(size=(40, 30)))
    code = np.zeros((20_000, 40), np.float32)
    for row in code:
        row[rng.choice(40, 3, replace=False)] = rng.choice([-1, 1], 3) * rng.uniform(
            0.5, 1.5, 3
        )
    noise = 0.02 * rng.normal(size=(len(code), 30))
    return (code @ atoms + noise).astype(np.float32), atoms


def objective(patches, atoms, penalty):
    code = lasso(patches, atoms, penalty).dense()
    left = 0.5 * ((patches - code @ atoms) ** 2).sum(axis=1)
    return float((left + penalty * np.abs(code).sum(axis=1)).mean())


def test_planted_atoms_are_found(planted):
    patches, atoms = planted
    found = learn_atoms(patches, 40, 0.2, passes=6, seed=0)
    nearest = np.abs(atoms @ found.T).max(axis=1)
    assert (nearest > 0.95).mean() >= 0.9


def test_the_objective_is_no_worse_than_a_well_known_library_s(planted):
    patches, _ = planted
    ours = learn_atoms(patches, 60, 0.1, passes=2, seed=0)
    theirs = MiniBatchDictionaryLearning(
        60, alpha=0.1, batch_size=512, max_iter=10, random_state=0, n_jobs=1,
        transform_algorithm="lasso_lars", fit_algorithm="lars",
    ).fit(patches[:4000])  # fmt: skip
    held = patches[-2000:]
    there = objective(held, unit(theirs.components_), 0.1)
    assert objective(held, ours, 0.1) < 1.02 * there


def test_atoms_are_of_length_one(planted):
    found = learn_atoms(planted[0][:3000], 50, 0.1, seed=1)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_more_passes_code_better(planted):
    patches = planted[0][:4000]
    once, often = (
        objective(patches, learn_atoms(patches, 50, 0.1, passes=n, seed=1), 0.1)
        for n in (1, 8)
    )
    assert often < once


def test_one_seed_is_one_dictionary(planted):
    patches = planted[0][:3000]
    one, again, other = (learn_atoms(patches, 50, 0.1, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_improving_never_codes_worse(planted):
    patches, atoms = planted
    rng = np.random.default_rng(3)
    start = unit(atoms + 0.3 * rng.normal(size=atoms.shape))
    code = lasso(patches[:2000], start, 0.1).dense()
    better = start.copy()
    kernels.improve(better, code.T @ code, code.T @ patches[:2000])
    before, after = (
        ((patches[:2000] - code @ one) ** 2).sum() for one in (start, better)
    )
    assert after < before


def test_atoms_are_improved_one_after_the_other():
    rng = np.random.default_rng(4)
    n_atoms = 2 * kernels.GROUP + 5
    start = unit(rng.normal(size=(n_atoms, 20)))
    code = rng.normal(size=(500, n_atoms)) * (rng.random((500, n_atoms)) < 0.1)
    code[:, 3] = 0  # nobody uses it: it stays
    gram, cross = code.T @ code, code.T @ rng.normal(size=(500, 20))
    expected = start.astype(float)
    for j in range(n_atoms):
        best = cross[j] - gram[j] @ expected + gram[j, j] * expected[j]
        if np.linalg.norm(best) > 0:
            expected[j] = best / np.linalg.norm(best)
    found = start.copy()
    kernels.improve(found, gram.astype(np.float32), cross.astype(np.float32))
    assert found == pytest.approx(expected, abs=1e-4)
    assert found[3] == pytest.approx(start[3])


def test_codes_are_tallied_as_their_products(planted):
    patches, atoms = planted
    codes = lasso(patches[:300], atoms, 0.1)
    gram = np.ones((40, 40), np.float32)
    cross = np.ones((40, 30), np.float32)
    kernels.tally(codes.indices, codes.values, codes.starts, patches[:300], gram, cross)
    dense = codes.dense()
    assert gram == pytest.approx(1 + dense.T @ dense, abs=1e-3)
    assert cross == pytest.approx(1 + dense.T @ patches[:300], abs=1e-3)


def test_an_atom_nobody_uses_is_replaced(planted):
    patches = planted[0][:6000].copy()
    patches[:, 0] = 0  # so no patch has anything there
    found = learn_atoms(patches, 60, 0.1, passes=3, seed=0)
    uses = lasso(patches, found, 0.1).uses()
    assert (uses > 0).all()


def test_too_few_patches_are_refused():
    with pytest.raises(InputError, match="cannot start 50 atoms"):
        learn_atoms(np.ones((60, 5), np.float32)[:40], 50, 0.1, seed=0)
