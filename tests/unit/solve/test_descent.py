import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.linear_model import Lasso

from mitame.core.errors import InputError
from mitame.solve import descent
from mitame.solve.descent import descend
from mitame.solve.penalties import L1, Groups, Nuclear, Variation

M, N = 60, 24
PENALTIES = {
    "l1": L1(6.0),
    "l1 with free entries": L1(6.0 * (np.arange(N) % 6 > 0)),
    "groups": Groups(np.array([0.0, 8.0, 8.0, 8.0]), np.arange(N) % 4),
    "nuclear": Nuclear(9.0, (4, 6)),
    "variation": Variation(9.0),
}


@pytest.fixture(params=PENALTIES)
def penalty(request):
    return PENALTIES[request.param]


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(M, N)) @ (np.eye(N) + 0.3)
    truth = np.repeat([2.0, 0.0, -1.0], N // 3)
    return matrix, matrix @ truth + rng.normal(0, 2, M), rng.uniform(0, 2, M)


def objective(matrix, target, weights, penalty, x):
    return (weights * (target - matrix @ x) ** 2).sum() / 2 + penalty.value(x)


def test_the_gap_bounds_how_far_from_the_best_it_is(problem, penalty):
    matrix, target, weights = problem
    at_zero = (weights * target**2).sum() / 2
    best = descend(matrix, target, penalty, weights=weights, tolerance=1e-13)
    for tolerance in (0.3, 1e-2, 1e-4, 1e-6):
        fit = descend(matrix, target, penalty, weights=weights, tolerance=tolerance)
        found = objective(matrix, target, weights, penalty, fit.x)
        assert fit.objective == pytest.approx(found, rel=1e-12)
        assert fit.gap <= tolerance
        assert found - best.objective <= (fit.gap + 1e-13) * at_zero


def test_the_gradient_is_balanced_by_the_penalty(problem, penalty):
    matrix, target, weights = problem
    x = descend(matrix, target, penalty, weights=weights, tolerance=1e-14).x
    slope = matrix.T @ (weights * (matrix @ x - target))
    # A step flattens what iterations left by rounding: jumps of 1e-9 are none.
    assert penalty.distance(penalty.prox(x, 1e-9), slope) < 1e-3
    assert np.abs(slope).max() > 1


def test_one_penalty_on_all_gives_scikit_learns_lasso(problem):
    matrix, target, _ = problem
    model = Lasso(alpha=6.0 / M, fit_intercept=False, tol=1e-14, max_iter=100_000)
    expected = model.fit(matrix, target).coef_
    found = descend(matrix, target, L1(6.0), tolerance=1e-14).x
    assert found == pytest.approx(expected, abs=1e-5)
    assert 0 < (expected == 0).sum() < N


def test_without_any_weight_it_is_least_squares(problem):
    matrix, target, _ = problem
    expected = np.linalg.lstsq(matrix, target, rcond=None)[0]
    found = descend(matrix, target, L1(0.0), tolerance=1e-14).x
    assert found == pytest.approx(expected, abs=1e-5)


def test_a_row_of_weight_two_is_a_row_twice(problem, penalty):
    matrix, target, _ = problem
    weights = 1.0 + (np.arange(M) < 10)
    twice = np.vstack([matrix, matrix[:10]]), np.concatenate([target, target[:10]])
    found = descend(matrix, target, penalty, weights=weights, tolerance=1e-12)
    assert found.x == pytest.approx(descend(*twice, penalty, tolerance=1e-12).x, 1e-4)


def test_a_sparse_matrix_gives_what_a_dense_one_does(problem, penalty):
    matrix, target, weights = problem
    matrix = matrix * (np.abs(matrix) > 1)
    given = {"weights": weights, "tolerance": 1e-12}
    dense = descend(matrix, target, penalty, **given)
    found = descend(sp.csr_array(matrix), target, penalty, **given)
    assert found.x == pytest.approx(dense.x, abs=1e-5)


@pytest.mark.parametrize("make", [np.asarray, sp.csr_array])
def test_a_large_matrix_is_no_steeper_than_found(make, problem, monkeypatch):
    matrix, target, weights = problem
    plain = descend(make(matrix), target, L1(6.0), weights=weights)
    monkeypatch.setattr(descent, "SMALL", 1)
    found = descend(make(matrix), target, L1(6.0), weights=weights)
    assert found.iterations == plain.iterations


def test_from_the_best_there_is_nothing_to_do(problem, penalty):
    matrix, target, _ = problem
    best = descend(matrix, target, penalty, tolerance=1e-9)
    again = descend(matrix, target, penalty, start=best.x, tolerance=1e-9)
    assert again.iterations == 0
    assert best.iterations > 0


def test_wide_problems_come_to_their_end_too():
    rng = np.random.default_rng(1)
    matrix, target = rng.normal(size=(20, 300)), rng.normal(size=20)
    fit = descend(matrix, target, L1(2.0), tolerance=1e-8)
    assert (fit.x != 0).sum() <= 20
    assert L1(2.0).distance(fit.x, matrix.T @ (matrix @ fit.x - target)) < 1e-2


def test_nothing_to_explain_is_explained_by_nothing(penalty):
    fit = descend(np.zeros((M, N)), np.ones(M), penalty)
    assert not fit.x.any()
    assert descend(np.eye(N), np.zeros(N), penalty).objective == 0


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"target": np.ones(3)}, r"target of shape \(3,\)"),
        ({"weights": np.ones(3)}, r"weights of shape \(3,\)"),
        ({"weights": np.full(M, -1.0)}, "below zero"),
        ({"target": np.full(M, np.nan)}, "not finite"),
        ({"start": np.ones(3)}, r"start has the shape \(3,\)"),
        ({"most": 3, "tolerance": 1e-9}, "After 3 steps the gap is .* above 1.0e-09"),
        ({"penalty": Nuclear(1.0, (5, 5))}, "for 25 entries; there are 24"),
    ],
)
def test_what_cannot_be_fitted_is_refused(problem, change, what):
    matrix, target, _ = problem
    given = {"matrix": matrix, "target": target, "penalty": L1(1.0), **change}
    with pytest.raises(InputError, match=what):
        descend(**given)
