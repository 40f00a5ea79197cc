"""Compile every loop of this folder now: `python -m mitame.solve.compiled`.

Numba keeps what it compiled beside the source, for this processor. `make setup` calls
this, so that the first scan of a new user need not wait for it.
"""

from __future__ import annotations

import numpy as np

from mitame.solve.clusters import enhanced
from mitame.solve.coding import lasso
from mitame.solve.lattice import sample_grid
from mitame.solve.learn import learn_atoms
from mitame.solve.lowrank import noisy_pca, robust_pca
from mitame.solve.patches import box, take, together
from mitame.solve.penalties import Variation
from mitame.solve.polynomial import POWERS, over_grid
from mitame.solve.pursuit import pursue
from mitame.solve.shrinkage import Shrinkage
from mitame.solve.smooth import gaussian
from mitame.solve.total_variation import Mask, fewest_pieces


def compile_loops() -> None:
    """Call each loop once, with arrays as its users give them."""
    rng = np.random.default_rng(0)
    shape = (6, 6, 6)
    volumes = rng.normal(size=(1, *shape)).astype(np.float32)
    centers, cube = np.argwhere(volumes[0] > -np.inf), box(1, 1, 1)
    rows = take(volumes, centers, cube)
    wide = np.zeros((len(rows), 2 * len(cube)), np.float32)
    take(volumes, centers, cube, out=wide[:, : len(cube)])
    together(rows, centers, cube, shape)

    atoms = learn_atoms(rows, 8, 1.0, seed=0)
    lasso(rows, atoms, 1.0).decode(atoms)
    pursue(rows, atoms, most=2)
    threshold = np.ones(len(atoms), np.float32)
    Shrinkage(atoms, atoms, threshold, 1).decoded(rows, atoms)

    Variation(1.0).prox(np.arange(4.0), 1.0)
    matrix = rng.normal(size=(4, 50)).astype(np.float32)
    robust_pca(matrix, tolerance=0.1)
    noisy_pca(matrix, noise=1.0, tolerance=0.1)

    image = volumes[0].copy()
    image.setflags(write=False)  # as a volume's is: another type to the compiler
    gaussian(image, 1.0)
    lattice = np.zeros((2, 2, 2, 2), np.float32)
    sample_grid(lattice, np.eye(3, 4), volumes[0])
    over_grid(np.zeros((POWERS,) * 3), np.eye(3, 4), shape, 1.0)
    inside = np.ones(shape, bool)
    found = fewest_pieces(rows[:, 0].copy(), Mask.of(inside), l1=0.1, l2=0.1)
    enhanced(found.values, inside, size_power=0.2)


if __name__ == "__main__":
    compile_loops()
