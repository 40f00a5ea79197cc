import numpy as np
import pytest

from mitame.core.errors import ImplausibleError, InputError
from mitame.solve.pursuit import pursue


def unit(atoms):
    return (atoms / np.linalg.norm(atoms, axis=1, keepdims=True)).astype(np.float32)


def alike(n_atoms=60, d=25, seed=0):
    """Atoms that resemble each other, of many lengths: no two greedy ways agree."""
    rng = np.random.default_rng(seed)
    atoms = unit(rng.normal(size=(n_atoms, d)) + 2 * rng.normal(size=d))
    return atoms * rng.uniform(0.3, 3, (n_atoms, 1)).astype(np.float32)


def noise(n=40, d=25, seed=1):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def supports(codes):
    return [set(one.tolist()) for one in np.split(codes.indices, codes.starts[1:-1])]


def fitted(patch, atoms, chosen):
    """Return amounts of the least-squares fit on some atoms, and what is left."""
    words = atoms[sorted(chosen)].astype(np.float64).T
    amounts = np.linalg.lstsq(words, patch.astype(np.float64))[0]
    return amounts, ((patch - words @ amounts) ** 2).sum()


def left_by(patches, atoms, codes):
    return ((patches - codes.dense().astype(np.float64) @ atoms) ** 2).sum(axis=1)


def test_the_first_atom_is_the_best_correlated_one():
    atoms, patches = alike(), noise()
    best = np.abs(patches @ unit(atoms).T).argmax(axis=1)
    assert pursue(patches, atoms, most=1).indices.tolist() == best.tolist()


@pytest.mark.parametrize("most", [1, 2, 5, 12])
def test_a_code_is_the_least_squares_fit_on_its_atoms(most):
    atoms, patches = alike(), noise()
    codes = pursue(patches, atoms, most=most)
    assert codes.counts.tolist() == [most] * len(patches)
    for patch, chosen, dense in zip(
        patches, supports(codes), codes.dense(), strict=True
    ):
        amounts, _ = fitted(patch, atoms, chosen)
        assert dense[sorted(chosen)] == pytest.approx(amounts, rel=1e-3, abs=1e-4)


def test_every_atom_is_the_one_that_lowers_the_residual_most():
    atoms, patches = alike(), noise(10)
    before = [set() for _ in patches]
    for most in range(1, 7):
        now = supports(pursue(patches, atoms, most=most))
        for patch, old, new in zip(patches, before, now, strict=True):
            left = [
                fitted(patch, atoms, old | {k})[1]
                for k in range(len(atoms))
                if k not in old
            ]
            assert new > old
            assert fitted(patch, atoms, new)[1] <= min(left) * (1 + 1e-5)
        before = now


def test_a_code_ends_with_the_atom_that_reaches_the_residual():
    atoms, patches = alike(), noise()
    codes = pursue(patches, atoms, most=25, residual=4.0)
    assert (left_by(patches, atoms, codes) <= 4.0).all()
    assert len(set(codes.counts.tolist())) > 1
    for patch, count in zip(patches, codes.counts, strict=True):
        shorter = pursue(patch[None], atoms, most=int(count) - 1)
        assert left_by(patch[None], atoms, shorter)[0] > 4.0


def test_a_patch_within_the_residual_has_an_empty_code():
    patches = noise(3) * np.array([[0], [0.1], [1]], np.float32)
    bound = 1.001 * float((patches[1] ** 2).sum())
    codes = pursue(patches, alike(), most=4, residual=bound)
    assert codes.counts.tolist() == [0, 0, 4]
    assert pursue(patches, alike(), most=4).counts.tolist() == [0, 4, 4]


def test_a_sum_of_atoms_is_not_filled_up_with_rounding():
    atoms = unit(noise(30, 64))
    patches = (3 * atoms[:10] - 2 * atoms[10:20] + atoms[20:]).astype(np.float32)
    codes = pursue(patches, atoms, most=20)
    assert codes.counts.tolist() == [3] * 10
    assert codes.dense()[np.arange(10), np.arange(10)] == pytest.approx(3, abs=1e-5)


def test_atoms_that_are_nearly_the_same_do_not_blow_up():
    atoms = unit(noise(20, seed=3))
    near = atoms + 1e-4 * noise(20, seed=2)
    both = np.concatenate([atoms, atoms, near, unit(atoms[:10] + atoms[10:])])
    patches = noise()
    alone, codes = (pursue(patches, words, most=25) for words in (atoms, both))
    assert codes.counts.tolist() == [20] * len(patches)
    assert np.abs(codes.values).max() < 2 * np.abs(alone.values).max()
    left = left_by(patches, both, codes)
    assert left == pytest.approx(left_by(patches, atoms, alone), rel=0.02)


def test_a_code_has_no_room_for_more_atoms_than_a_patch_has_numbers():
    codes = pursue(noise(), alike(), most=10**9)
    assert 20 < codes.counts.max() <= 25


def test_an_atom_that_is_nothing_is_never_taken():
    atoms = alike()
    atoms[7] = 0
    codes = pursue(noise(), atoms, most=25)
    assert codes.uses()[7] == 0
    assert np.isfinite(codes.values).all()


def test_the_same_patch_has_the_same_code_wherever_it_stands():
    atoms, patches = alike(), noise(700)
    whole = pursue(patches, atoms, most=5).dense()
    alone = pursue(patches[300:301], atoms, most=5).dense()[0]
    assert alone == pytest.approx(whole[300], abs=1e-5)
    backward = pursue(patches[::-1], atoms, most=5).dense()
    assert backward[::-1] == pytest.approx(whole, abs=1e-5)


def test_codes_are_those_of_spams():
    spams = pytest.importorskip("spams")
    atoms, patches = unit(alike()), noise(200)
    theirs = spams.omp(
        np.asfortranarray(patches.T, np.float64),
        np.asfortranarray(atoms.T, np.float64),
        L=8,
        eps=3.0,
        numThreads=1,
    )
    ours = pursue(patches, atoms, most=8, residual=3.0).dense()
    assert ours == pytest.approx(theirs.T.toarray(), abs=1e-3)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"most": 0}, "empty"),
        ({"most": 3, "residual": -1.0}, "residual"),
        ({"most": 3, "residual": np.nan}, "residual"),
        ({"most": 3, "residual": np.inf}, "residual"),
    ],
)
def test_bounds_that_are_none_are_refused(options, what):
    with pytest.raises(InputError, match=what):
        pursue(noise(), alike(), **options)


def test_patches_of_another_length_are_refused():
    with pytest.raises(InputError, match="do not fit"):
        pursue(noise(d=24), alike(), most=3)


def test_values_that_are_not_finite_are_refused():
    patches = noise()
    patches[1, 2] = np.nan
    with pytest.raises(ImplausibleError, match="finite"):
        pursue(patches, alike(), most=3)
