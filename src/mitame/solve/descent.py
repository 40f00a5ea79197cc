"""Penalized least squares, to a certified distance from the best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import svds

from mitame.core.errors import InputError
from mitame.solve.loops import Doubles
from mitame.solve.penalties import Penalty

CHECK = 10
"""Steps after which the gap is measured: it costs half a step."""

SAFE = 1.01
"""Over the largest singular value found: it is found from below."""

SMALL = 200
"""A matrix with a side no longer has all its singular values computed."""


@dataclass(frozen=True)
class Fit:
    """What a descent came to.

    Parameters
    ----------
    x : array, shape (n,)
    gap : float
        By how much the objective is above the least one at most, as a share of the
        objective at x = 0.
    objective : float
    iterations : int
    """

    x: Doubles
    gap: float
    objective: float
    iterations: int


def descend(
    matrix: NDArray[np.floating] | sp.sparray,
    target: NDArray[np.floating],
    penalty: Penalty,
    *,
    weights: NDArray[np.floating] | None = None,
    start: Doubles | None = None,
    tolerance: float = 1e-6,
    most: int = 10_000,
) -> Fit:
    r"""Return the x least in a sum of squares and a penalty.

    .. math::

        \min_x \tfrac{1}{2} \sum_i w_i (y_i - (A x)_i)^2 + \Omega(x)

    by accelerated proximal gradient steps [1]_ that begin anew where they lead astray
    [2]_. scikit-learn's coordinate descent is faster, but knows one penalty, with one
    weight; this one takes any of `mitame.solve.penalties`, and stops by a gap that
    bounds the error of the objective, whatever the penalty.

    Parameters
    ----------
    matrix : array or sparse array, shape (m, n)
        A, finite.
    target : array, shape (m,)
        y, finite.
    penalty : Penalty
        :math:`\Omega`.
    weights : array, shape (m,), optional
        w >= 0; one unless given.
    start : array, shape (n,), optional
        x to start from; zero unless given.
    tolerance : float
        `Fit.gap` at which to stop, > 0.
    most : int
        Steps allowed.

    Raises
    ------
    InputError
        If shapes do not match, numbers are not finite, a weight is below zero, or the
        tolerance is not reached.

    References
    ----------
    .. [1] A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for
       linear inverse problems", SIAM Journal on Imaging Sciences 2(1), 2009.
    .. [2] B. O'Donoghue, E. Candès, "Adaptive restart for accelerated gradient
       schemes", Foundations of Computational Mathematics 15, 2015.

    Examples
    --------
    >>> from mitame.solve.penalties import L1
    >>> descend(np.eye(3), np.array([3.0, 0.5, -2]), L1(1.0)).x.round(3).tolist()
    [2.0, 0.0, -1.0]
    """
    problem = _Problem.of(matrix, target, penalty, weights)
    x = np.zeros(problem.matrix.shape[1]) if start is None else np.array(start, float)
    if x.shape != (problem.matrix.shape[1],):
        raise InputError(
            f"The start has the shape {x.shape}, the matrix {problem.matrix.shape}.",
            fix="Give one number for each column.",
        )
    step = 1 / problem.steepness()
    image = problem.matrix @ x
    ahead, ahead_image, momentum = x, image, 1.0
    for count in range(most + 1):
        if count % CHECK == 0 or count == most:
            objective, gap = problem.judged(x, image)
            if gap <= tolerance:
                return Fit(x, gap, objective, count)
        slope = problem.matrix.T @ (ahead_image - problem.target)
        new = penalty.prox(ahead - step * slope, step)
        new_image = problem.matrix @ new
        if (ahead - new) @ (new - x) > 0:
            momentum = 1.0
        further = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        speed = (momentum - 1) / further
        ahead = new + speed * (new - x)
        ahead_image = new_image + speed * (new_image - image)
        x, image, momentum = new, new_image, further
    raise InputError(
        f"After {most} steps the gap is {gap:.1e}, above {tolerance:.1e}.",
        fix="Allow more steps, or give a larger tolerance.",
    )


@dataclass(frozen=True)
class _Problem:
    """Least squares with weights in it, and what of its image costs nothing."""

    matrix: Doubles | sp.csr_array
    target: Doubles
    penalty: Penalty
    free: Doubles

    @classmethod
    def of(
        cls,
        matrix: NDArray[np.floating] | sp.sparray,
        target: NDArray[np.floating],
        penalty: Penalty,
        weights: NDArray[np.floating] | None,
    ) -> _Problem:
        """Return it if the shapes match and the numbers are finite."""
        rows = np.ones(len(target)) if weights is None else np.asarray(weights, float)
        if matrix.ndim != 2 or not (np.shape(target) == rows.shape == matrix.shape[:1]):
            raise InputError(
                f"A matrix of shape {matrix.shape} has a target of shape "
                f"{np.shape(target)} and weights of shape {rows.shape}.",
                fix="Give one target and one weight for each row.",
            )
        numbers = matrix.data if sp.issparse(matrix) else matrix
        finite = all(np.isfinite(one).all() for one in (numbers, target, rows))
        if not finite or (rows < 0).any():
            raise InputError(
                "A number is not finite, or a weight is below zero.",
                fix="Give finite numbers, and weights of 0 and above.",
            )
        roots = np.sqrt(rows)
        if sp.issparse(matrix):
            scaled = sp.csr_array(sp.diags_array(roots) @ matrix)
        else:
            scaled = roots[:, None] * np.asarray(matrix, float)
        image = scaled @ penalty.free(matrix.shape[1])
        left, sizes, _ = np.linalg.svd(image, full_matrices=False)
        kept = sizes > sizes.max(initial=0) * max(image.shape) * np.finfo(float).eps
        return cls(scaled, roots * target, penalty, left[:, kept])

    def steepness(self) -> float:
        """Return a bound of the curvature of the squares."""
        if min(self.matrix.shape) <= SMALL:
            thin = self.matrix if self.matrix.shape[0] <= SMALL else self.matrix.T
            gram = thin @ thin.T
            dense = gram.toarray() if isinstance(gram, sp.sparray) else gram
            found = np.linalg.eigvalsh(dense)[-1]
        else:
            start = np.ones(min(self.matrix.shape))
            found = (
                svds(self.matrix, 1, v0=start, return_singular_vectors=False)[0] ** 2
            )
        return float(SAFE * found) or 1.0

    def judged(self, x: Doubles, image: Doubles) -> tuple[float, float]:
        """Return the objective and its gap.

        The dual point is what the fit leaves, but for what is free, made so small that
        the penalty outweighs it everywhere.
        """
        tiny = float(np.finfo(float).tiny)
        left = self.target - image
        objective = left @ left / 2 + self.penalty.value(x)
        point = left - self.free @ (self.free.T @ left)
        over = self.penalty.dual(self.matrix.T @ point)
        best = float(point @ self.target) / max(float(point @ point), tiny)
        point *= min(max(best, 0.0), 1 / max(over, tiny))
        gap = objective - (point @ self.target - point @ point / 2)
        whole = self.target @ self.target / 2
        return float(objective), float(gap / whole) if whole else float(gap)
