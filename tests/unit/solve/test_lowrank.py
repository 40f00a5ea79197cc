from functools import partial

import numba
import numpy as np
import pytest

from mitame.core.errors import InputError, OutputError
from mitame.solve import lowrank
from mitame.solve.lowrank import SETTLED, noisy_pca, robust_pca
from mitame.solve.lowrank_kernels import PART, TILE

N, WIDTH = 12, PART + TILE + 5
NOISE = 0.05


def planted(noise=0.0, *, n=N, width=WIDTH, seed=0):
    """Return a matrix, and the low-rank and the sparse part it is made of."""
    rng = np.random.default_rng(seed)
    low = rng.normal(size=(n, 2)) @ rng.normal(size=(2, width))
    sparse = 5 * rng.normal(size=(n, width)) * (rng.random((n, width)) < 0.03)
    matrix = low + sparse + noise * rng.normal(size=(n, width))
    return matrix.astype(np.float32), low, sparse


def soft(x, bound):
    return np.sign(x) * np.maximum(np.abs(x) - bound, 0)


def shrunk(x, bound):
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    return (left * soft(sizes, bound)) @ right


def slow_exact(matrix, penalty, growth, steps):
    """Return the parts by the inexact augmented Lagrangian method as it is written."""
    matrix = matrix.astype(float)
    norm = np.linalg.norm(matrix, 2)
    multiplier = matrix / max(norm, np.abs(matrix).max() / penalty)
    sparse, weight, left = np.zeros_like(matrix), 1.25 / norm, 1.0
    for _ in range(steps):
        low = shrunk(matrix - sparse + multiplier / weight, 1 / weight)
        sparse = soft(matrix - low + multiplier / weight, penalty / weight)
        multiplier += weight * (matrix - low - sparse)
        weight *= growth if left > SETTLED else growth**2
        left = np.linalg.norm(matrix - low - sparse) / np.linalg.norm(matrix)
    return low, sparse


def slow_noisy(matrix, penalty, weight, steps):
    """Return the parts by plain steps between them."""
    sparse = np.zeros(matrix.shape)
    for _ in range(steps):
        low = shrunk(matrix - sparse, 1 / weight)
        sparse = soft(matrix - low, penalty / weight)
    return low, sparse


def objective(matrix, low, sparse, penalty, weight=0.0):
    left = matrix.astype(float) - low - sparse
    sizes = np.linalg.svd(low.astype(float), compute_uv=False)
    size = np.abs(sparse.astype(float)).sum()
    return sizes.sum() + penalty * size + weight / 2 * (left**2).sum()


@pytest.mark.parametrize("growth", [1.2, 1.5])
@pytest.mark.parametrize("penalty", [None, 0.03])
def test_the_exact_parts_are_those_of_the_method_as_it_is_written(growth, penalty):
    matrix, _, _ = planted()
    found = robust_pca(matrix, growth=growth, penalty=penalty)
    penalty = penalty or WIDTH**-0.5
    low, sparse = slow_exact(matrix, penalty, growth, found.iterations)
    assert found.low_rank() == pytest.approx(low, abs=2e-4)
    assert found.sparse == pytest.approx(sparse, abs=2e-4)
    expected = objective(matrix, low, sparse, penalty)
    assert found.objective == pytest.approx(expected, rel=1e-5)
    assert found.rank == np.linalg.matrix_rank(low, tol=1e-4)
    assert found.residual < 1e-5


def test_planted_parts_are_recovered():
    matrix, low, sparse = planted(n=40, width=1500)
    found = robust_pca(matrix, growth=1.1)
    assert found.rank == 2
    assert np.linalg.norm(found.low_rank() - low) < 0.002 * np.linalg.norm(low)
    assert np.linalg.norm(found.sparse - sparse) < 0.002 * np.linalg.norm(sparse)


def test_under_noise_the_parts_are_recovered_but_for_what_noise_hides():
    matrix, low, sparse = planted(NOISE, n=40, width=1500)
    found = noisy_pca(matrix, noise=NOISE)
    assert found.rank == 2
    assert np.linalg.norm(found.low_rank() - low) < 0.06 * np.linalg.norm(low)
    large = np.abs(sparse) > 6 * NOISE
    assert (np.abs(found.sparse[large]) > 0).mean() > 0.98
    left = matrix - found.low_rank() - found.sparse
    assert np.abs(left).max() <= np.sqrt(2) * NOISE * 1.001


@pytest.mark.parametrize(
    ("tolerance", "most"), [(0.9, 3), (0.9, 4), (0.1, 500), (1e-3, 500), (1e-6, 500)]
)
def test_no_other_parts_under_noise_are_better_by_more_than_the_gap(tolerance, most):
    matrix, _, _ = planted(NOISE)
    found = noisy_pca(matrix, noise=NOISE, tolerance=tolerance, most=most)
    penalty, weight = WIDTH**-0.5, 1 / (NOISE * np.sqrt(2 * WIDTH))
    here = objective(matrix, found.low_rank(), found.sparse, penalty, weight)
    assert found.objective == pytest.approx(here, rel=1e-6)
    assert found.gap <= tolerance
    best = objective(matrix, *slow_noisy(matrix, penalty, weight, 400), penalty, weight)
    assert here * (1 - tolerance) <= best
    assert here * (1 - found.gap) <= best * (1 + 1e-6)


def test_the_gap_of_exact_parts_bounds_how_far_from_the_best_they_are():
    matrix, penalty = planted()[0], WIDTH**-0.5
    low, _ = slow_exact(matrix, penalty, 1.03, 250)
    best = objective(matrix, low, matrix - low, penalty)
    gaps = []
    for growth, tolerance in ((1.5, 0.5), (2.5, 1e-5), (1.5, 1e-5), (1.1, 1e-5)):
        found = robust_pca(matrix, growth=growth, tolerance=tolerance)
        low = found.low_rank()
        here = objective(matrix, low, matrix - low, penalty)
        assert best * (1 - 1e-6) <= here
        assert here * (1 - found.gap) <= best * (1 + 1e-6)
        gaps.append(found.gap)
    assert gaps[1:] == sorted(gaps[1:], reverse=True)
    assert gaps[-1] < 0.01


@pytest.mark.parametrize("split", [robust_pca, partial(noisy_pca, noise=NOISE)])
def test_what_is_said_of_the_parts_is_so(split):
    matrix = planted(NOISE)[0]
    found = split(matrix)
    eye = np.eye(found.rank)
    assert found.left.T @ found.left == pytest.approx(eye, abs=1e-5)
    lengths = np.linalg.norm(found.right, axis=1)
    assert (np.diff(lengths) <= 0).all()
    rows = found.right / lengths[:, None]
    assert rows @ rows.T == pytest.approx(eye, abs=1e-3)
    left = matrix - found.low_rank() - found.sparse
    expected = np.linalg.norm(left) / np.linalg.norm(matrix)
    assert found.residual == pytest.approx(expected, rel=0.01)
    some = slice(300, 500)
    assert found.low_rank(some) == pytest.approx(found.low_rank()[:, some], abs=1e-5)


@pytest.mark.parametrize("split", [robust_pca, partial(noisy_pca, noise=NOISE)])
@pytest.mark.parametrize("width", [N, TILE, 3 * PART - 1])
def test_any_width_is_split_by_any_number_of_threads_in_the_same_way(split, width):
    matrix = planted(NOISE, width=width)[0]
    several = split(matrix)
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        one = split(matrix)
    finally:
        numba.set_num_threads(before)
    assert several.iterations == one.iterations
    assert several.low_rank() == pytest.approx(one.low_rank(), abs=1e-5)
    assert several.sparse == pytest.approx(one.sparse, abs=1e-5)


@pytest.mark.parametrize("split", [robust_pca, partial(noisy_pca, noise=NOISE)])
@pytest.mark.parametrize("tolerance", [0.1, 1e-4])
def test_from_a_file_and_in_files_the_parts_are_the_same(split, tolerance, tmp_path):
    matrix = planted(NOISE)[0]
    np.save(tmp_path / "matrix.npy", matrix)
    mapped = np.load(tmp_path / "matrix.npy", mmap_mode="r")
    folder = tmp_path / "parts"
    folder.mkdir()
    expected = split(matrix, tolerance=tolerance)
    found = split(mapped, folder=folder, tolerance=tolerance)
    assert (found.sparse == expected.sparse).all()
    assert (found.right == expected.right).all()
    assert found.gap == expected.gap
    assert sorted(path.name for path in folder.iterdir()) == ["right.npy", "sparse.npy"]
    assert (np.load(folder / "sparse.npy") == expected.sparse).all()
    assert (np.load(folder / "right.npy") == expected.right).all()
    with pytest.raises(OutputError, match="is there already"):
        split(mapped, folder=folder)


@pytest.mark.parametrize("split", [robust_pca, partial(noisy_pca, noise=NOISE)])
def test_what_is_given_stays_as_it_is(split):
    matrix = planted(NOISE)[0]
    before = matrix.copy()
    split(matrix)
    assert (matrix == before).all()
    wide = np.asfortranarray(matrix.astype(float))
    assert (split(wide).sparse == split(matrix).sparse).all()


def test_noise_alone_has_no_low_rank_part(tmp_path):
    matrix = NOISE * np.random.default_rng(0).normal(size=(N, WIDTH))
    found = noisy_pca(matrix, noise=2 * NOISE, folder=tmp_path)
    assert found.rank == 0
    assert not found.low_rank().any()
    assert found.low_rank().shape == matrix.shape


def test_steps_that_go_ahead_are_fewer_than_plain_ones(monkeypatch):
    matrix = planted(NOISE)[0]
    ahead = noisy_pca(matrix, noise=NOISE / 4, tolerance=1e-5)
    # With the gap seen after each step none goes ahead.
    monkeypatch.setattr(lowrank, "CHECK", 1)
    with pytest.raises(InputError, match="the gap is"):
        noisy_pca(matrix, noise=NOISE / 4, tolerance=1e-5, most=2 * ahead.iterations)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"matrix": np.ones(5)}, r"shape \(5,\)"),
        ({"matrix": np.ones((5, 4))}, r"shape \(5, 4\)"),
        ({"matrix": np.zeros((4, 5))}, "zero everywhere"),
        ({"matrix": np.full((4, 5), np.nan)}, "not finite"),
        ({"penalty": 0.0}, "penalty is 0.0"),
        ({"most": 3}, "After 3 steps the .* is .* above"),
    ],
)
@pytest.mark.parametrize("split", [robust_pca, partial(noisy_pca, noise=NOISE)])
def test_what_cannot_be_split_is_refused(split, change, what):
    with pytest.raises(InputError, match=what):
        split(**{"matrix": planted(NOISE)[0], "tolerance": 1e-7, **change})


def test_growth_and_noise_have_their_ranges(tmp_path):
    matrix = planted()[0]
    with pytest.raises(InputError, match="The growth is"):
        robust_pca(matrix, growth=1.0)
    with pytest.raises(InputError, match="The noise is"):
        noisy_pca(matrix, noise=0.0)
    with pytest.raises(OutputError, match="Nothing can be kept in"):
        robust_pca(matrix, folder=tmp_path / "none")
