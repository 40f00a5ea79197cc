"""Radio-frequency fields over a head: what a coil receives and what it transmits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import CubicSpline

from mitame.core.errors import InputError

HEAD_HALF_AXES_MM = (80.0, 100.0, 95.0)
"""Of an adult head with its scalp: right, front, up."""

N_ELEMENTS = 8
ELEMENT_RADIUS_MM = 50.0
COIL_TO_HEAD = 1.3
"""How far the elements stand from the head's center, in half axes of the head."""

RANDOM_SHARE = 0.3
"""Of the random part beside the coil's: the head never lies quite in the middle."""

NODE_MM = 12.0
"""The fields bend over centimeters; this is fine enough to one in a thousand."""

_Field = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def receive_field(
    shape: Sequence[int],
    affine: ArrayLike,
    brain_center: ArrayLike,
    *,
    strength: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    r"""Return how brightly a head coil sees each place.

    Eight loops stand around and above the head; each sees a place at distance d in
    proportion to :math:`(R^2 + d^2)^{-3/2}`, and the root of the sum of squares is
    what a scanner shows [1]_. A random quadratic is added to the logarithm of this,
    which is then given `strength` as its standard deviation over the head.

    Parameters
    ----------
    shape : sequence of int
        Of the grid, (i, j, k).
    affine : array_like, shape (4, 4)
        Voxel indices to world mm, RAS+; the field stays in its place in the world.
    brain_center : array_like, shape (3,)
        World position of the middle of the head, mm.
    strength : float
        Standard deviation of the logarithm over the head, 0 to 1; 0 is uniform.
    rng : numpy.random.Generator
        For the random quadratic.

    Returns
    -------
    array of float32, shape (i, j, k)
        Above zero; geometric mean 1 over the head.

    Raises
    ------
    InputError
        If `strength` is out of range.

    References
    ----------
    .. [1] P. B. Roemer et al., "The NMR phased array", MRM 16, 192-225, 1990.
    """
    _require_strength(strength)
    bend = rng.normal(size=9)
    head = _head_points()
    coil, chance = _standardized(_coil, head), _standardized(_quadratic(bend), head)
    both = _standardized(lambda x: coil(x) + RANDOM_SHARE * chance(x), head)
    logarithm = _over_grid(both, shape, affine, brain_center)
    return np.asarray(np.exp(np.float32(strength) * logarithm))


def transmit_field(
    shape: Sequence[int],
    affine: ArrayLike,
    center: ArrayLike,
    *,
    center_brightening: float,
) -> NDArray[np.float32]:
    r"""Return the transmit field relative to nominal: strongest in the middle.

    At 3 T half a wavelength in tissue is about the size of a head, so the waves of
    the body coil add up in the middle and cancel toward the edge [1]_ [2]_:

    .. math::

        b_1 = 1 + s \cos(\pi \min(r, 1))

    where r is 0 in the middle and 1 on the surface of the head.

    Parameters
    ----------
    shape : sequence of int
        Of the grid, (i, j, k).
    affine : array_like, shape (4, 4)
        Voxel indices to world mm, RAS+; the field stays in its place in the world.
    center : array_like, shape (3,)
        World position of the middle of the head, mm.
    center_brightening : float
        s, 0 to 1; about 0.03 at 1.5 T and 0.25 at 3 T.

    Returns
    -------
    array of float32, shape (i, j, k)
        1 + s in the middle, 1 - s on the head's surface and outside.

    Raises
    ------
    InputError
        If `center_brightening` is out of range.

    References
    ----------
    .. [1] C. M. Collins et al., "Central brightening due to constructive
       interference with, without, and despite dielectric resonance", JMRI 21,
       192-196, 2005.
    .. [2] P.-F. Van de Moortele et al., "B1 destructive interferences and spatial
       phase patterns at 7 T with a head transceiver array coil", MRM 54, 1503-1518,
       2005.
    """
    _require_strength(center_brightening)
    wave = _over_grid(_standing_wave, shape, affine, center)
    return 1 + np.float32(center_brightening) * wave


def _require_strength(strength: float) -> None:
    if not 0 <= strength < 1:
        raise InputError(f"A field strength of {strength}.", fix="Give 0 up to 1.")


def _standing_wave(place: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.cos(np.pi * np.minimum(np.linalg.norm(place, axis=-1), 1)))


def _coil(place: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the logarithm of the root sum of squares of all elements."""
    half = np.array(HEAD_HALF_AXES_MM)
    turn = 2 * np.pi * np.arange(N_ELEMENTS) / N_ELEMENTS
    up = np.where(np.arange(N_ELEMENTS) % 2, 0.7, -0.2)  # by turns dome and sides
    out = np.sqrt(1 - up**2)
    elements = np.stack([out * np.cos(turn), out * np.sin(turn), up], axis=-1)
    seen = np.zeros(place.shape[:-1])
    for element in COIL_TO_HEAD * elements * half:
        square = ((place * half - element) ** 2).sum(axis=-1)
        seen += (ELEMENT_RADIUS_MM**2 + square) ** -3
    return np.asarray(np.log(seen) / 2)


def _quadratic(coefficients: NDArray[np.float64]) -> _Field:
    def at(place: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y, z = np.moveaxis(np.tanh(place / 2), -1, 0)  # tame outside the head
        terms = [x, y, z, x * x, y * y, z * z, x * y, y * z, x * z]
        pairs = zip(coefficients, terms, strict=True)
        return np.asarray(sum(c * term for c, term in pairs))

    return at


def _head_points() -> NDArray[np.float64]:
    """Return points spread evenly over the head, in half axes from its middle."""
    axis = np.linspace(-1, 1, 21)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return np.asarray(points[np.linalg.norm(points, axis=-1) <= 1])


def _standardized(field: _Field, head: NDArray[np.float64]) -> _Field:
    """Return `field` with mean 0 and standard deviation 1 over the head."""
    values = field(head)
    mean, spread = values.mean(), values.std()
    return lambda place: (field(place) - mean) / spread


def _over_grid(
    field: _Field, shape: Sequence[int], affine: ArrayLike, center: ArrayLike
) -> NDArray[np.float32]:
    """Return `field` at every voxel: computed on coarse nodes, cubic in between."""
    matrix = np.asarray(affine, dtype=np.float64)
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    nodes = [
        np.linspace(0, n - 1, max(2, int(np.ceil((n - 1) * edge / NODE_MM)) + 1))
        if n > 1
        else np.array([0.0, 1.0])
        for n, edge in zip(shape, spacing, strict=True)
    ]
    index = np.stack(np.meshgrid(*nodes, indexing="ij"), axis=-1)
    world = index @ matrix[:3, :3].T + matrix[:3, 3]
    values = field((world - np.asarray(center)) / HEAD_HALF_AXES_MM)
    for axis, n in enumerate(shape):
        values = CubicSpline(nodes[axis], values, axis=axis)(np.arange(n))
    return values.astype(np.float32)
