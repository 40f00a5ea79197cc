"""The loop over a grid that reads a lattice at every voxel."""

from __future__ import annotations

import numpy as np
from numba import prange

from mitame.solve.loops import Doubles, Floats, inline, parallel


@inline
def _between(place: np.float32, n: int) -> tuple[int, np.float32]:
    """Return the node below a place, and how far it is to the next, 0 to 1."""
    low = int(min(max(np.floor(place), np.float32(0)), np.float32(n - 2)))
    return low, min(max(place - np.float32(low), np.float32(0)), np.float32(1))


@parallel
def over_grid(
    lattice: Floats,
    to_node: Doubles,
    last: Floats,
    found: Floats,
) -> None:
    """Set `found` to a lattice at every voxel: see `lattice.sample_grid`."""
    n_i, n_j, n_k, n_last = lattice.shape
    for i in prange(last.shape[0]):
        for j in range(last.shape[1]):
            start = to_node[:, 0] * i + to_node[:, 1] * j + to_node[:, 3]
            for k in range(last.shape[2]):
                a, u = _between(np.float32(start[0] + to_node[0, 2] * k), n_i)
                b, v = _between(np.float32(start[1] + to_node[1, 2] * k), n_j)
                c, w = _between(np.float32(start[2] + to_node[2, 2] * k), n_k)
                d, t = _between(last[i, j, k], n_last)
                total = np.float32(0)
                for x in range(2):
                    along_i = u if x else 1 - u
                    for y in range(2):
                        along_j = along_i * (v if y else 1 - v)
                        for z in range(2):
                            low = lattice[a + x, b + y, c + z, d]
                            high = lattice[a + x, b + y, c + z, d + 1]
                            weight = along_j * (w if z else 1 - w)
                            total += weight * (low + t * (high - low))
                found[i, j, k] = total
