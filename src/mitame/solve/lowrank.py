"""Split a wide matrix into a low-rank and a sparse part, with or without noise.

Rows are few (subjects), columns many (voxels), so that the singular values come from
the small Gram matrix, and a step is one compiled reading of the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import InputError
from mitame.solve.loops import Doubles, Floats
from mitame.solve.lowrank_kernels import exact_step, last_step, noisy_step
from mitame.solve.threads import single_blas
from mitame.solve.wide import Shrunk, Wide, room

START = 1.25
"""Of the first weight, over the largest singular value: as in the method's paper."""

SETTLED = 3e-3
"""Share of the matrix that parts leave once they hardly change any more: from there on
the weight grows by the square of what it grew by."""

FINE = 1e-7
"""Of all squares together: what is above it, sums in float32 tell well enough."""

CHECK = 10
"""Steps after which the gap is measured: it costs half a step."""


@dataclass(frozen=True)
class LowRank:
    """A matrix as ``left @ right + sparse``, and how good that is.

    Parameters
    ----------
    left : array of float32, shape (n, rank)
        Orthonormal columns.
    right : array of float32, shape (rank, p)
        Orthogonal rows, the longest first; their lengths are the singular values.
    sparse : array of float32, shape (n, p)
    objective : float
        What was minimized, at these parts.
    gap : float
        By what share of it the objective is above the least one at most: certified by
        a dual point. Where nothing may be left, of parts that leave nothing:
        ``sparse = matrix - left @ right``.
    residual : float
        Length of what both parts leave, over that of the matrix.
    iterations : int
    """

    left: Floats
    right: Floats
    sparse: Floats
    objective: float
    gap: float
    residual: float
    iterations: int

    @property
    def rank(self) -> int:
        """Return the rank of the low-rank part."""
        return len(self.right)

    def low_rank(self, columns: slice = slice(None)) -> Floats:
        """Return some columns of the low-rank part, which is never there as a whole."""
        return np.asarray(self.left @ self.right[:, columns], np.float32)


def robust_pca(
    matrix: NDArray[np.floating],
    *,
    penalty: float | None = None,
    tolerance: float = 1e-5,
    growth: float = 1.45,
    most: int = 500,
    folder: Path | None = None,
) -> LowRank:
    r"""Split a matrix into a low-rank and a sparse part that leave nothing.

    .. math::

        \min_{L, S} \|L\|_* + \lambda \|S\|_1 \quad \text{with} \quad L + S = M

    by the inexact augmented Lagrangian method [1]_.

    Parameters
    ----------
    matrix : array, shape (n, p), n <= p
        M; finite, not all zero. What is not float32 in rows is copied; a `np.memmap`
        that is may be larger than memory.
    penalty : float, optional
        :math:`\lambda > 0`; :math:`1 / \sqrt{p}` unless given, as in [2]_.
    tolerance : float
        `LowRank.residual` at which to stop, > 0; float32 reaches about 1e-6.
    growth : float
        Of the weight of what is left, from one step to the next, > 1, until the parts
        are settled, and its square from there on. With less there are more steps, and
        the objective is nearer to the least one: see `LowRank.gap`.
    most : int
        Steps allowed.
    folder : Path, optional
        Where the parts are kept, as `sparse.npy` and `right.npy`, instead of in memory.

    Raises
    ------
    InputError
        If the matrix cannot be split, or the tolerance is not reached.
    OutputError
        If nothing can be written to `folder`.

    References
    ----------
    .. [1] Z. Lin, M. Chen, Y. Ma, "The augmented Lagrange multiplier method for exact
       recovery of corrupted low-rank matrices", arXiv:1009.5055, algorithm 5.
    .. [2] E. J. Candès et al., "Robust principal component analysis?", Journal of the
       ACM 58(3), 2011.
    """
    work = Wide.on(matrix, penalty)
    if not growth > 1:
        raise InputError(f"The growth is {growth}.", fix="Give one above 1, as 1.5.")
    weight = START / work.norm
    scale = 1 / (weight * max(work.norm, work.largest / work.penalty))
    state = room(work.matrix.shape, folder, "sparse")
    np.multiply(work.matrix, np.float32(scale), out=state)
    bound, share, square = 2 * scale * work.largest, 1.0, work.square * (1 + scale) ** 2
    steps, left = 0, np.inf
    while not left < tolerance:
        if steps == most:
            raise _too_few(most, "residual", left, tolerance)
        more = growth if left > SETTLED else growth**2
        bounds = np.float32(bound), np.float32(work.penalty / weight)
        shares = np.float32(share), np.float32(1 / more)
        shrunk = Shrunk.by(square, 1 / weight)
        fine = FINE * np.trace(square) * (more * weight) ** 2 > 1
        with single_blas():
            exact_step(
                work.matrix, state, shrunk.whole, bounds, shares, fine,
                work.gram, work.sums,
            )  # fmt: skip
        square = work.gram.sum(axis=0)
        left = work.relative(work.sums[:, 0].sum())
        bound, share, weight = work.penalty / weight, 1 / more, weight * more
        steps += 1
    end = _End(weight, bound, share, np.inf, np.inf)
    return _finished(work, state, square, end, steps, folder)


def noisy_pca(
    matrix: NDArray[np.floating],
    *,
    noise: float,
    penalty: float | None = None,
    tolerance: float = 1e-4,
    most: int = 500,
    folder: Path | None = None,
) -> LowRank:
    r"""Split a matrix into a low-rank part, a sparse part and noise.

    .. math::

        \min_{L, S} \|L\|_* + \lambda \|S\|_1 + \frac{\mu}{2} \|M - L - S\|_F^2, \quad
        \mu = \frac{1}{\sigma \sqrt{2 p}}

    which is stable principal component pursuit [1]_, by accelerated steps [2]_ between
    L and S. Each time the gap is seen one step does not go ahead: to begin anew where
    steps lead astray, as well, saved none.

    Parameters
    ----------
    matrix, penalty, most, folder
        As for `robust_pca`.
    noise : float
        :math:`\sigma > 0`, standard deviation of the noise of an entry.
    tolerance : float
        `LowRank.gap` at which to stop, > 0; float32 reaches about 1e-5.

    Raises
    ------
    InputError
        If the matrix cannot be split, or the tolerance is not reached.
    OutputError
        If nothing can be written to `folder`.

    References
    ----------
    .. [1] Z. Zhou et al., "Stable principal component pursuit", ISIT 2010.
    .. [2] A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for
       linear inverse problems", SIAM Journal on Imaging Sciences 2(1), 2009.
    """
    work = Wide.on(matrix, penalty)
    if not 0 < noise < np.inf:
        raise InputError(f"The noise is {noise}.", fix="Give its standard deviation.")
    weight = 1 / (noise * np.sqrt(2 * work.matrix.shape[1]))
    bound = work.penalty / weight
    kept = room(work.matrix.shape, folder, "sparse")
    state, other = kept, room(work.matrix.shape, folder, None)
    state[:], other[:] = 0, 0
    gram_left = np.empty_like(work.gram)
    square, momentum, speed, gap = work.square, 1.0, 0.0, np.inf
    for step in range(1, most + 1):
        seen = gram_left if step % CHECK == 0 or step == most else gram_left[:0]
        further = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        # From where the gap is seen the last step may start: from S as it is.
        after = 0.0 if len(seen) else (momentum - 1) / further
        shrunk = Shrunk.by(square, 1 / weight)
        speeds = np.float32(speed), np.float32(after)
        with single_blas():
            noisy_step(
                work.matrix,
                (other, state),
                shrunk.whole,
                np.float32(bound),
                speeds,
                work.gram,
                seen,
                work.sums,
            )
        state, other = other, state
        square = work.gram.sum(axis=0)
        size, squares, product = work.sums[:, :3].sum(axis=0)
        if len(seen):
            found = shrunk.values.sum() + work.penalty * size + weight / 2 * squares
            both = np.array([squares, product])
            gap = _gap(found, seen.sum(axis=0), both, weight, weight)
            if gap < tolerance:
                break
        momentum, speed = further, after
    else:
        raise _too_few(most, "gap", gap, tolerance)
    if state is not kept:
        kept[:] = state
    del state, other
    end = _End(weight, bound, 0.0, weight, gap)
    return _finished(work, kept, square, end, step, folder)


@dataclass(frozen=True)
class _End:
    """Where the steps of a method stop: numbers for the last one.

    `fidelity` is the weight of squares that may be left, infinite where none may be;
    `gap` is what is known of it already.
    """

    weight: float
    bound: float
    share: float
    fidelity: float
    gap: float


def _gap(
    objective: float, inner: Doubles, sums: Doubles, weight: float, fidelity: float
) -> float:
    """Return how much of an objective is above that of a dual point, as a share.

    The point is the part within the bound, of which the Gram matrix is given, and the
    squares and products with the matrix: times the weight, so that no entry is above
    the penalty, and then so much less that no singular value is above one.
    """
    squares, product = sums
    top = weight * np.sqrt(np.linalg.eigvalsh(inner)[-1])
    scale = weight / max(1.0, top)
    dual = scale * product - scale**2 * squares / (2 * fidelity)
    return float((objective - dual) / objective)


def _finished(
    work: Wide,
    state: Floats,
    square: Doubles,
    end: _End,
    steps: int,
    folder: Path | None,
) -> LowRank:
    """Return what one more step finds, written out."""
    shrunk = Shrunk.by(square, 1 / end.weight)
    factors = shrunk.parts(max(1, shrunk.rank))  # a file cannot be empty
    right = room((len(factors[1]), state.shape[1]), folder, "right")
    bounds = np.float32(end.bound), np.float32(work.penalty / end.weight)
    numbers = bounds, np.float32(end.share), right, work.gram, work.sums
    with single_blas():
        last_step(work.matrix, state, factors, *numbers)
    sums = work.sums.sum(axis=0)
    size, squares, rest = sums[0], sums[3], sums[4]
    nuclear, exact = shrunk.values.sum(), np.isinf(end.fidelity)
    objective = nuclear + work.penalty * size
    objective += 0.0 if exact else end.fidelity / 2 * squares
    allowed = nuclear + work.penalty * rest if exact else objective
    inner = work.gram.sum(axis=0)
    gap = _gap(allowed, inner, sums[1:3], end.weight, end.fidelity)
    return LowRank(
        left=factors[0][:, : shrunk.rank],
        right=right[: shrunk.rank],
        sparse=state,
        objective=float(objective),
        gap=min(gap, end.gap),
        residual=work.relative(squares),
        iterations=steps + 1,
    )


def _too_few(most: int, what: str, found: float, wanted: float) -> InputError:
    """Return the error for a tolerance that was not reached."""
    return InputError(
        f"After {most} steps the {what} is {found:.1e}, above {wanted:.1e}.",
        fix="Allow more steps, or give a larger tolerance.",
    )
