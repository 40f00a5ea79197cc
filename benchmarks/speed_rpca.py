"""Speed of the split into low-rank and sparse parts beside plain ways to do it.

Prints a Markdown table. The matrix is simulated, subjects x voxels in float32, its mean
removed: factors of subjects whose strengths fall slowly, as those of brains on one grid
do, with noise and lesions. Peers are the same method with the same start and tolerance
and a growth that comes to the same objective: inexact augmented Lagrangian steps in
numpy, with numpy's whole SVD and with scikit-learn's randomized one, of as many values
and rounds as that takes.
What is compared runs in one process, in turns; a time is the best of some rounds, with
the median in brackets. Beside it is how long processors were busy, which says more
where others compute too. The objective is that of the parts found; what they leave is
beside it. The floor is one reading of two arrays and one writing a step, at the speed
of copying measured between the rounds. With --folder nothing is compared: the matrix
and the parts are in files, and the peak of memory is printed.

Usage: python benchmarks/speed_rpca.py [--subjects N] [--voxels N] [--rounds N]
       [--quick] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median

import numba
import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_info

from mitame.solve.lowrank import noisy_pca, robust_pca

TOLERANCE, GROWTH, START = 1e-5, 1.5, 1.25
DECAY, STRENGTH, NOISE = 0.7, 0.1, 0.03
LESIONS, LESION = 0.01, 0.5
CHUNK = 50_000
GOALS = {"numpy, whole SVD": 40, "numpy, randomized SVD": 20}

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Split:
    """What a way of splitting comes to."""

    rank: int
    steps: int
    objective: float
    residual: float


@dataclass
class Way:
    """A way of splitting, its times and what it found."""

    run: Callable[[], Split]
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    found: Split | None = None

    def turn(self) -> None:
        """Run once, timed."""
        start, busy = time.perf_counter(), time.process_time()
        self.found = self.run()
        self.seconds.append(time.perf_counter() - start)
        self.processor.append(time.process_time() - busy)


def simulated(subjects: int, voxels: int, out: Floats) -> None:
    """Set `out` to a matrix like that of brains on one grid."""
    rng = np.random.default_rng(0)
    strengths = STRENGTH * np.arange(1, subjects + 1) ** -DECAY
    factors = (rng.normal(size=(subjects, subjects)) * strengths).astype(np.float32)
    for first in range(0, voxels, CHUNK):
        shape = subjects, min(CHUNK, voxels - first)
        part = factors @ rng.standard_normal(shape, np.float32)
        part += np.float32(NOISE) * rng.standard_normal(shape, np.float32)
        odd = rng.random(shape, np.float32) < LESIONS
        part += np.float32(LESION) * odd * rng.standard_normal(shape, np.float32)
        out[:, first : first + shape[1]] = part - part.mean(axis=0)


def ours(matrix: Floats) -> Split:
    """Return what `robust_pca` finds."""
    found = robust_pca(matrix, tolerance=TOLERANCE)
    return Split(found.rank, found.iterations, found.objective, found.residual)


def peer(matrix: Floats, randomized: bool) -> Split:
    """Return what the method finds in numpy, as it is written."""
    penalty = np.float32(matrix.shape[1] ** -0.5)
    norm, length = np.linalg.norm(matrix, 2), np.linalg.norm(matrix)
    multiplier = matrix / max(norm, np.abs(matrix).max() / penalty)
    sparse, weight = np.zeros_like(matrix), np.float32(START / norm)
    steps, left, wanted = 0, np.inf, 20
    while left >= TOLERANCE:
        given = matrix - sparse + multiplier / weight
        if randomized:
            count = min(len(matrix), wanted)
            u, s, v = randomized_svd(given, count, n_iter=4, random_state=0)
        else:
            u, s, v = np.linalg.svd(given, full_matrices=False)
        rank = int((s > 1 / weight).sum())
        # The authors' code asks for one more, or a twentieth of all more where all were
        # needed: with a rank as high as here it ends far above the objective.
        wanted = rank + (5 if rank < len(s) else 20)
        sizes = s[:rank] - 1 / weight
        low = (u[:, :rank] * sizes) @ v[:rank]
        beyond = matrix - low + multiplier / weight
        sparse = beyond - np.clip(beyond, -penalty / weight, penalty / weight)
        rest = matrix - low - sparse
        multiplier += weight * rest
        weight *= np.float32(GROWTH)
        left, steps = np.linalg.norm(rest) / length, steps + 1
    objective = sizes.sum(dtype=float) + penalty * np.abs(sparse).sum(dtype=float)
    return Split(rank, steps, float(objective), float(left))


@numba.njit(parallel=True)
def copied(matrix: Floats, out: Floats) -> None:
    """Copy on all threads."""
    for i in numba.prange(len(matrix)):
        out[i] = matrix[i]


def copying(matrix: Floats, out: Floats) -> float:
    """Return the bytes that are read or written in a second of copying."""
    start = time.perf_counter()
    copied(matrix, out)
    return 2 * matrix.nbytes / (time.perf_counter() - start)


def compared(matrix: Floats, rounds: int) -> None:
    """Print the table."""
    ways = {
        "mitame": Way(partial(ours, matrix)),
        "numpy, whole SVD": Way(partial(peer, matrix, randomized=False)),
        "numpy, randomized SVD": Way(partial(peer, matrix, randomized=True)),
    }
    room = np.zeros_like(matrix)
    few = np.ascontiguousarray(matrix[:, :5000])
    ours(few)
    copied(few, np.empty_like(few))
    speeds = []
    for _ in range(rounds):
        for way in ways.values():
            speeds += [copying(matrix, room) for _ in range(3)]
            way.turn()
    print("| way | time | times mitame | goal | processor | times mitame ", end="")
    print("| steps | rank | objective | left |\n|---|" + "--:|" * 9)
    own = ways["mitame"]
    for name, way in ways.items():
        least, busy, found = min(way.seconds), min(way.processor), way.found
        print(
            f"| {name} | {least:.3g} s ({median(way.seconds):.3g}) "
            f"| {least / min(own.seconds):.1f} | {GOALS.get(name, '')} "
            f"| {busy:.3g} s | {busy / min(own.processor):.1f} | {found.steps} "
            f"| {found.rank} | {found.objective:.7g} | {found.residual:.1e} |"
        )
    step = 1e3 * min(own.seconds) / own.found.steps
    floor = 1e3 * 3 * matrix.nbytes / max(speeds)
    print(
        f"\nA step of mitame, {step:.1f} ms, is {step / floor:.1f} times the floor of "
        f"{floor:.1f} ms (copying: {max(speeds) / 1e9:.1f} GB/s)."
    )


def in_files(subjects: int, voxels: int, folder: Path) -> None:
    """Print times and the peak of memory where all large arrays are in files."""
    path = folder / "matrix.npy"
    shape = subjects, voxels
    matrix = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    simulated(subjects, voxels, matrix)
    matrix.flush()
    del matrix
    matrix = np.load(path, mmap_mode="r")
    for split in (robust_pca, partial(noisy_pca, noise=NOISE)):
        with tempfile.TemporaryDirectory(dir=folder) as parts:
            start = time.perf_counter()
            found = split(matrix, folder=Path(parts))
            seconds = time.perf_counter() - start
            name = getattr(split, "func", split).__name__
            print(
                f"{name}: {seconds:.1f} s, {found.iterations} steps, "
                f"rank {found.rank}, left {found.residual:.1e}, "
                f"gap {found.gap:.1e}; {memory()}"
            )
            del found


def memory() -> str:
    """Return the peak of memory, and what of today's is not pages of files."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    status = Path("/proc/self/status").read_text().splitlines()
    own = next(int(line.split()[1]) for line in status if line.startswith("RssAnon"))
    return f"peak {peak:.2f} GB with pages of files, {own / 2**20:.2f} GB without now"


def main() -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=60)
    parser.add_argument("--voxels", type=int, default=235_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="a tenth of the voxels")
    parser.add_argument("--folder", type=Path, help="for files of 3 times the matrix")
    given = parser.parse_args()
    voxels = given.voxels // 10 if given.quick else given.voxels
    names = ("numpy", "numba", "scipy", "scikit-learn")
    threads = {one["num_threads"] for one in threadpool_info()}
    print(
        ", ".join(f"{name} {version(name)}" for name in names),
        f"; threads: {numba.get_num_threads()} of numba, {threads} of libraries; "
        f"{given.subjects} x {voxels}, tolerance {TOLERANCE}\n",
    )
    if given.folder:
        in_files(given.subjects, voxels, given.folder)
        return
    matrix = np.empty((given.subjects, voxels), np.float32)
    simulated(given.subjects, voxels, matrix)
    compared(matrix, given.rounds)


if __name__ == "__main__":
    main()
