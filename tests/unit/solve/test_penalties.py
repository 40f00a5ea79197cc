import numpy as np
import pytest
from scipy.optimize import lsq_linear

from mitame.core.errors import InputError
from mitame.solve.penalties import L1, Groups, Nuclear, Variation

N = 24
RNG = np.random.default_rng(3)
SOME_FREE = RNG.uniform(0.2, 1.5, N) * (np.arange(N) % 5 > 0)
PENALTIES = {
    "l1": L1(0.7),
    "weighted l1": L1(SOME_FREE),
    "groups": Groups(0.8, np.arange(N) % 7),
    "weighted groups": Groups(np.array([0.0, 0.5, 2.0]), np.arange(N) % 3),
    "nuclear": Nuclear(4.0, (4, 6)),
    "variation": Variation(0.9),
}


@pytest.fixture(params=PENALTIES)
def penalty(request):
    return PENALTIES[request.param]


def somewhere(penalty, rng, step=0.8):
    """Return a point where the penalty is not smooth."""
    return penalty.prox(rng.normal(0, 1.5, N), step)


def test_what_the_prox_takes_off_is_a_subgradient(penalty):
    rng = np.random.default_rng(0)
    for step in (0.1, 0.7, 2.0):
        x = rng.normal(0, 1.5, N)
        z = penalty.prox(x, step)
        slope = (x - z) / step
        assert penalty.distance(z, -slope) < 1e-9
        for other in rng.normal(0, 2, (50, N)):
            above = penalty.value(z) + slope @ (other - z)
            assert penalty.value(other) >= above - 1e-9


def test_no_point_near_the_prox_or_far_is_better(penalty):
    rng = np.random.default_rng(1)
    x, step = rng.normal(0, 1.5, N), 0.6
    z = penalty.prox(x, step)

    def objective(point):
        return step * penalty.value(point) + ((x - point) ** 2).sum() / 2

    for size in (1e-3, 0.1, 3.0):
        for move in rng.normal(0, size, (100, N)):
            assert objective(z + move) >= objective(z) + (move @ move) / 2 - 1e-9


def test_the_distance_is_the_speed_of_a_tiny_proximal_step(penalty):
    rng = np.random.default_rng(2)
    for _ in range(5):
        x, slope, step = somewhere(penalty, rng), rng.normal(0, 1, N), 1e-7
        speed = np.linalg.norm(x - penalty.prox(x - step * slope, step)) / step
        assert penalty.distance(x, slope) == pytest.approx(speed, rel=1e-4)
        assert speed > 0.1


def test_from_the_dual_on_only_what_is_free_is_left(penalty):
    z = np.random.default_rng(4).normal(0, 1.5, N)
    most = penalty.dual(z)
    assert penalty.value(penalty.prox(z, 1.001 * most)) < 1e-9
    assert penalty.value(penalty.prox(z, 0.99 * most)) > 1e-4


def test_the_dual_bounds_products_of_what_is_not_free(penalty):
    rng = np.random.default_rng(5)
    z = rng.normal(0, 1.5, N)
    free = penalty.free(N)
    z -= free @ np.linalg.lstsq(free, z, rcond=None)[0]
    for x in rng.normal(0, 1, (50, N)):
        assert z @ x <= penalty.dual(z) * penalty.value(x) + 1e-9


def test_what_is_free_costs_nothing_and_stays(penalty):
    rng = np.random.default_rng(6)
    free = penalty.free(N)
    x = free @ rng.normal(0, 1, free.shape[1])
    assert penalty.value(x) == pytest.approx(0, abs=1e-12)
    assert penalty.prox(x, 1.0) == pytest.approx(x)
    assert penalty.distance(x, np.zeros(N)) == pytest.approx(0, abs=1e-12)


def test_values_are_sums_of_magnitudes_lengths_singular_values_and_steps():
    x = np.array([3.0, -4.0, 0.0, 5.0])
    assert L1(np.array([1.0, 2.0, 9.0, 0.0])).value(x) == 11
    weights = np.array([2.0, 1.0])
    assert Groups(weights, np.array([0, 0, 1, 1])).value(x) == 15
    assert Nuclear(2.0, (2, 2)).value(np.array([3.0, 0, 0, -4])) == pytest.approx(14)
    assert Variation(0.5).value(x) == 8


def test_a_matrix_is_shrunk_by_its_singular_values():
    x = np.random.default_rng(7).normal(size=(4, 6))
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    expected = (left * np.maximum(sizes - 0.6 * 1.5, 0)) @ right
    found = Nuclear(0.6, (4, 6)).prox(x.ravel(), 1.5)
    assert found.reshape(4, 6) == pytest.approx(expected)
    assert np.linalg.matrix_rank(expected) < 4


@pytest.mark.parametrize("n", [1, 2, 3, 40, 300])
@pytest.mark.parametrize("weight", [0.05, 1.0, 8.0])
def test_flattening_is_what_its_dual_says(n, weight):
    rng = np.random.default_rng(n)
    x = np.cumsum(rng.normal(size=n)) + np.repeat(rng.normal(0, 3, n // 5 + 1), 5)[:n]
    found = Variation(weight).prox(x, 1.0)
    if n == 1:
        assert found == pytest.approx(x)
        return
    difference = np.diff(np.eye(n), axis=0)
    inner = lsq_linear(
        difference.T, x, (-weight, weight), method="bvls", tol=1e-14, max_iter=2000
    )
    assert found == pytest.approx(x - difference.T @ inner.x, abs=1e-5)


def test_a_steep_line_is_flattened_to_its_mean():
    x = np.linspace(-3, 5, 30)
    assert Variation(1.0).prox(x, 1e4) == pytest.approx(np.ones(30))


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: L1(-1.0), "least weight is -1.0"),
        (lambda: L1(np.array([1.0, np.nan])), "nan"),
        (lambda: Groups(np.array([1.0, -2.0]), np.array([0, 1])), "-2.0"),
        (lambda: Groups(1.0, np.array([[0, 1]])), r"shape \(1, 2\)"),
        (lambda: Groups(1.0, np.array([-1, 1])), "number < 0"),
        (lambda: Nuclear(0.0, (2, 2)), "weight is 0.0"),
        (lambda: Variation(np.inf), "weight is inf"),
        (lambda: L1(np.ones(3)).free(4), "for 3 entries; there are 4"),
        (lambda: Groups(1.0, np.array([0, 1])).free(4), "for 2 entries"),
        (lambda: Nuclear(1.0, (2, 3)).free(4), "for 6 entries"),
    ],
)
def test_what_is_no_penalty_is_refused(make, what):
    with pytest.raises(InputError, match=what):
        make()
