"""Speed of sparse coding, greedy pursuit and learning beside SPAMS and scikit-learn.

Prints a Markdown table. Patches are real, of the T1w heads of ixi-hh-3t, over the
brain's median, mean removed: squares of 7 x 7 voxels with their differences as further
channels, or cubes of 7 x 7 x 3 voxels. The penalty is the one at which codes have 3.4
(256 atoms) and 6.5 atoms (512) on average; for cubes 5. What is compared runs in one
process, in turns; a time is the best of 3 after a warm-up, with the median in brackets.
A goal is met only where our objective or residual is no worse. Last, a whole head of
1 mm through a dictionary, from file to file, too. Needs `pip install 'mitame[speed]'`.

Usage: python benchmarks/speed.py [--only coding,pursuit,training,first,head]
       [--patches N] [--shape squares|cubes]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import numba
import numpy as np
import spams
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_array
from sklearn.decomposition import MiniBatchDictionaryLearning, sparse_encode
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_info

from mitame.core.session import Session
from mitame.core.volume import Step
from mitame.engines.dictionary import Dictionary
from mitame.io import nifti
from mitame.model import Model
from mitame.prepare.default import default_preparation
from mitame.solve.coding import Codes, duality_gap, lasso
from mitame.solve.learn import first_atoms, learn_atoms
from mitame.solve.patches import box, take
from mitame.solve.pursuit import pursue

DATA = Path(os.environ.get("MITAME_DATA", Path(__file__).parents[2] / "shared/data"))
HEAD = DATA / "dicom_demo" / "studyforrest02_3T_T1.nii.gz"
HELD_OUT_HEADS, HELD_OUT = 8, 20_000
SHAPES = {"squares": (3, 3, 0), "cubes": (3, 3, 1)}
ATOMS_USED = {"squares": {256: 3.4, 512: 6.5}, "cubes": {256: 5.0, 512: 5.0}}
"""By a code, on average: the penalty is chosen so."""
MOST = 8
"""Atoms of a greedy code."""
SEED = 0
ROUNDS = 3
REST = 0.1
"""Seconds before each timing: threads that spin after a call would slow the next."""
WORSE = 1e-5
"""An objective that is higher by less, relative to the peer's, is no worse."""
SKLEARN_CODED, SKLEARN_LEARNED, SKLEARN_BATCH = 1000, 2048, 256
"""Patches that scikit-learn is timed on; it would take hours for all."""
KINDS = ("float64", "float32")
"""In float32, as ours is, scikit-learn's coordinate descent seldom comes to its end."""
SPAMS_BATCH = 512
CORES = len(os.sched_getaffinity(0))
FIRST_CALL = """
import sys, time, numpy
from mitame.solve.coding import lasso
given = numpy.load(sys.argv[1])
start = time.perf_counter()
lasso(given["patches"], given["atoms"], float(given["penalty"]))
print(time.perf_counter() - start)
"""

Floats = NDArray[np.float32]
Sparse = csr_array | csc_matrix | NDArray[np.floating]
Call = Callable[[], Any]


@dataclass(frozen=True)
class Times:
    """Seconds of some rounds, times `scale`."""

    seconds: tuple[float, ...]
    scale: float = 1.0

    @property
    def least(self) -> float:
        """Return the best."""
        return min(self.seconds) * self.scale

    def __str__(self) -> str:
        scaled = " scaled" if self.scale != 1 else ""
        return f"{self.least:.3g} s ({median(self.seconds) * self.scale:.3g}){scaled}"


@dataclass(frozen=True)
class Quality:
    """What is as small as can be: a mean objective or residual, ours and the peer's."""

    name: str
    ours: float
    peer: float

    @classmethod
    def of_lasso(
        cls, patches: Floats, atoms: Floats, penalty: float, codes: Sparse
    ) -> Quality:
        """Return the objective of our codes and of other ones."""
        peer = objective(patches, atoms, codes, penalty)
        return cls("objective", own_objective(patches, atoms, penalty), peer)


@dataclass(frozen=True)
class Material:
    """Patches to code and to learn from, others to judge by, and how long codes are."""

    patches: Floats
    held: Floats
    used: dict[int, float]

    def dictionary(self, n_atoms: int) -> tuple[Floats, float]:
        """Return atoms learned from some of the patches, and the penalty for them."""
        few, wanted = self.patches[:20_000], self.used[n_atoms]
        start = first_atoms(few, n_atoms, np.random.default_rng(SEED))
        atoms = learn_atoms(few, n_atoms, penalty_for(few, start, wanted), seed=SEED)
        return atoms, penalty_for(few, atoms, wanted)


@dataclass
class Report:
    """Rows of the table, and what is said below it."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(
        self, what: str, ours: Times, peer: Times, goal: float, quality: Quality | None
    ) -> None:
        """Add a row; the goal is how many times faster, at least."""
        ratio = peer.least / ours.least
        worse = quality is not None and quality.ours > quality.peer * (1 + WORSE)
        met = "yes" if ratio >= goal and not worse else "no"
        cells = (str(ours), str(peer), f"{ratio:.3g}", f">= {goal:g}", met)
        self.rows.append((what, *cells))
        if quality:
            values = f"ours {quality.ours:.7g}, peer {quality.peer:.7g}"
            self.notes.append(f"{what}: mean {quality.name} {values}")

    def show(self) -> None:
        """Print the machine, the table and the notes."""
        print(f"{CORES} cores; numba with {numba.get_num_threads()} threads", end="")
        for name in ("numpy", "numba", "scikit-learn", "spams-bin"):
            print(f"; {name} {version(name)}", end="")
        print(f"; OPENBLAS_CORETYPE {os.environ.get('OPENBLAS_CORETYPE', 'not set')}")
        for pool in threadpool_info():
            words = (pool["internal_api"], pool["version"], pool.get("architecture"))
            print(f"- {Path(pool['filepath']).name}: {words}, {pool['num_threads']}")
        heads = ("what: peer", "ours", "peer", "ratio", "goal", "met")
        print()
        for cells in (heads, ("---",) * len(heads), *self.rows):
            print("| " + " | ".join(cells) + " |")
        print("\n" + "\n".join(f"- {note}" for note in self.notes))


def clocked(call: Call) -> float:
    """Return the seconds of one call."""
    time.sleep(REST)
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def timed(*calls: Call) -> list[Times]:
    """Return the times of calls, made in turns after a warm-up of each."""
    for call in calls:
        call()
    rounds = [[clocked(call) for call in calls] for _ in range(ROUNDS)]
    return [Times(column) for column in zip(*rounds, strict=True)]


def fastest(calls: list[partial[Any]]) -> partial[Any]:
    """Return the call that takes least: a peer at its best."""
    for call in calls:
        call()
    return min(calls, key=clocked)


def boxes(head: Path, n: int, shape: str, rng: np.random.Generator) -> Floats:
    """Return `n` patches from the brain of a head.

    Squares have the differences along both their axes as further channels.
    """
    data = nifti.read(head).data
    mask = head.with_name(head.name.replace("_T1w", "_brainmask"))
    brain = nifti.read(mask).data > 0
    centers = rng.choice(np.argwhere(brain), n, replace=False)
    seen = data / np.median(data[brain])
    also = [np.gradient(seen, axis=axis) for axis in (0, 1)]
    channels = np.stack([seen, *also] if shape == "squares" else [seen])
    rows = take(channels.astype(np.float32), centers, box(*SHAPES[shape]))
    size = rows.shape[1] // len(channels)
    rows[:, :size] -= rows[:, :size].mean(axis=1, keepdims=True)
    return rows


def gathered(heads: list[Path], n: int, shape: str, rng: np.random.Generator) -> Floats:
    """Return `n` patches from all heads, in random order."""
    each = -(-n // len(heads))
    rows = np.concatenate([boxes(head, each, shape, rng) for head in heads])
    return np.ascontiguousarray(rng.permutation(rows)[:n])


def penalty_for(patches: Floats, atoms: Floats, wanted: float) -> float:
    """Return the penalty at which codes have as many atoms as wanted, on average."""
    few = patches[:5000]
    high = float(np.abs(few @ atoms.T).max())
    low = high / 1000
    for _ in range(15):
        middle = float(np.sqrt(low * high))
        used = lasso(few, atoms, middle).counts.mean()
        low, high = (middle, high) if used > wanted else (low, middle)
    return high


def sparse(codes: Codes) -> csr_array:
    """Return our codes in the form of the peers'."""
    shape = (len(codes.counts), codes.n_atoms)
    return csr_array((codes.values, codes.indices, codes.starts), shape=shape)


def exact(codes: Sparse) -> csr_array:
    """Return a double-precision copy; scipy sorts indices in place, shared or not."""
    return csr_array(codes, dtype=np.float64, copy=True)


def residual(patches: Floats, atoms: Floats, codes: Sparse) -> float:
    """Return the mean squared residual of codes, one a row."""
    left = patches - exact(codes) @ atoms
    return float((left**2).sum(axis=1).mean())


def objective(patches: Floats, atoms: Floats, codes: Sparse, penalty: float) -> float:
    """Return the mean objective of the lasso for codes, one a row."""
    size = float(abs(exact(codes)).sum()) / len(patches)
    return residual(patches, atoms, codes) / 2 + penalty * size


def own_objective(patches: Floats, atoms: Floats, penalty: float) -> float:
    """Return the mean objective of our codes."""
    codes = sparse(lasso(patches, atoms, penalty))
    return objective(patches, atoms, codes, penalty)


def columns(rows: Floats) -> Floats:
    """Return rows as SPAMS wants them."""
    return np.asfortranarray(rows.T)


def coding(report: Report, given: Material) -> None:
    """Time the lasso beside its peers, and the matrix product that is its floor."""
    patches = given.patches
    few = patches[:SKLEARN_CODED]
    for n_atoms in (256, 512):
        atoms, penalty = given.dictionary(n_atoms)
        ours = partial(lasso, patches, atoms, penalty)
        theirs = partial(
            spams.lasso, columns(patches), columns(atoms),
            lambda1=penalty, mode=2, numThreads=CORES,
        )  # fmt: skip
        product = np.empty((len(patches), n_atoms), np.float32)
        multiply = partial(np.matmul, patches, atoms.T, out=product)
        slow = [sklearn_lasso(few, atoms, penalty, kind) for kind in KINDS]
        own, peer, floor, *parts = timed(ours, theirs, multiply, *slow)
        what = f"lasso, {n_atoms} atoms"
        quality = Quality.of_lasso(patches, atoms, penalty, theirs().T)
        report.add(f"{what}: SPAMS lasso", own, peer, 6, quality)
        report.add(f"{what}: one matrix product", own, floor, 0.25, None)
        for kind, call, part in zip(KINDS, slow, parts, strict=True):
            whole = Times(part.seconds, len(patches) / len(few))
            quality = Quality.of_lasso(few, atoms, penalty, call())
            name = f"{what}: scikit-learn lasso_cd, {kind}"
            report.add(name, own, whole, 500, quality)
            jobs = call.keywords["n_jobs"]
            report.notes.append(f"{name}: n_jobs={jobs}, scaled from {len(few)}")
        rate = 2e-9 * patches.size * n_atoms / floor.least
        report.notes += [
            f"{what}: penalty {penalty:.4g}, {ours().counts.mean():.2f} atoms used",
            f"{what}: largest gap {largest_gap(patches, atoms, penalty):.1e}",
            f"{what}: the matrix product runs at {rate:.0f} GFLOP/s",
        ]


def sklearn_lasso(
    patches: Floats, atoms: Floats, penalty: float, kind: str
) -> partial[Any]:
    """Return scikit-learn's call in a precision, with as many jobs as suit it best."""
    given = patches.astype(kind), atoms.astype(kind)
    call = partial(sparse_encode, *given, algorithm="lasso_cd", alpha=penalty)
    return fastest([partial(call, n_jobs=n) for n in (1, CORES)])


def largest_gap(patches: Floats, atoms: Floats, penalty: float) -> float:
    """Return the largest duality gap of our codes, relative to a patch."""
    parts = np.array_split(patches, -(-len(patches) // 10_000))
    return max(
        float(duality_gap(p, atoms, lasso(p, atoms, penalty), penalty).max())
        for p in parts
    )


def pursuit(report: Report, given: Material) -> None:
    """Time greedy codes: of MOST atoms, or fewer where little is left of a patch."""
    patches = given.patches
    little = 0.1 * float((patches**2).sum(axis=1).mean())
    for n_atoms, bound in ((256, 0.0), (512, 0.0), (256, little), (512, little)):
        atoms, _penalty = given.dictionary(n_atoms)
        ours = partial(pursue, patches, atoms, most=MOST, residual=bound)
        theirs = partial(
            spams.omp, columns(patches), columns(atoms),
            L=MOST, eps=bound, numThreads=CORES,
        )  # fmt: skip
        own, peer = timed(ours, theirs)
        left = [residual(patches, atoms, c) for c in (sparse(ours()), theirs().T)]
        what = f"pursuit, {n_atoms} atoms, residual {bound:.3g}: SPAMS omp"
        report.add(what, own, peer, 2, Quality("residual", *left))
        used = ours().counts.mean(), theirs().nnz / len(patches)
        report.notes.append(f"{what}: {used[0]:.3f} atoms used, peer {used[1]:.3f}")


def training(report: Report, given: Material) -> None:
    """Time one pass over all patches, everybody from the same first atoms."""
    patches, held, n_atoms = given.patches, given.held, 512
    start = first_atoms(patches, n_atoms, np.random.default_rng(SEED))
    _, penalty = given.dictionary(n_atoms)
    few = patches[:SKLEARN_LEARNED]
    slow = fastest(
        [
            partial(sklearn_atoms, few, start, penalty, fit=fit, n_jobs=n, kind=kind)
            for fit, kind in (("lars", "f4"), ("lars", "f8"), ("cd", "f8"))
            for n in (1, CORES)
        ]
    )
    ours = partial(learn_atoms, patches, n_atoms, penalty, seed=SEED)
    theirs = partial(spams_atoms, columns(patches), columns(start), penalty)
    own, peer, part = timed(ours, theirs, slow)
    reached = [own_objective(held, a, penalty) for a in (ours(), theirs(), slow())]
    whole = Times(part.seconds, len(patches) / len(few))
    what = f"training, {n_atoms} atoms, {len(patches)} patches"
    quality = Quality("objective of held-out patches", reached[0], reached[2])
    report.add(f"{what}: scikit-learn", own, whole, 50, quality)
    quality = Quality("objective of held-out patches", reached[0], reached[1])
    report.add(f"{what}: SPAMS trainDL", own, peer, 4, quality)
    before = own_objective(held, start, penalty)
    report.notes += [
        f"{what}: penalty {penalty:.4g}; one pass each, all from the same first atoms, "
        f"whose objective is {before:.7g}",
        f"{what}: scikit-learn ({slow.keywords}) has seen {len(few)} patches: its time "
        "is scaled linearly, its objective is that of the part and no match for ours; "
        "that of SPAMS, the same method over all patches, is the one to look at",
    ]


def sklearn_atoms(
    patches: Floats, start: Floats, penalty: float, *, fit: str, n_jobs: int, kind: str
) -> Floats:
    """Return the atoms of scikit-learn after one pass."""
    model = MiniBatchDictionaryLearning(
        len(start), alpha=penalty, max_iter=1, fit_algorithm=fit, n_jobs=n_jobs,
        batch_size=SKLEARN_BATCH, dict_init=start.astype(kind), random_state=SEED,
        tol=0, max_no_improvement=None,
    )  # fmt: skip
    found = model.fit(patches.astype(kind)).components_
    return np.ascontiguousarray(found, np.float32)


def spams_atoms(turned: Floats, start: Floats, penalty: float) -> Floats:
    """Return the atoms of SPAMS after one pass, as rows."""
    found = spams.trainDL(
        turned, D=start, lambda1=penalty, mode=2, numThreads=CORES, verbose=False,
        batchsize=SPAMS_BATCH, iter=-(-turned.shape[1] // SPAMS_BATCH),
    )  # fmt: skip
    return np.ascontiguousarray(found.T, np.float32)


def first(report: Report, given: Material) -> None:
    """Time the first call of a process, with nothing compiled and with all."""
    patches = given.patches
    atoms, penalty = given.dictionary(256)
    with tempfile.TemporaryDirectory() as folder:
        stored = Path(folder, "given.npz")
        np.savez(stored, patches=patches[:1000], atoms=atoms, penalty=penalty)
        empty = [first_call(stored, Path(folder, str(i))) for i in range(ROUNDS)]
        kept = [first_call(stored, Path(folder, "0")) for _ in range(ROUNDS)]
    for what, seconds, goal in (("cached", kept, "<= 0.5 s"), ("empty", empty, "")):
        met = ("yes" if min(seconds) <= 0.5 else "no") if goal else ""
        cells = (str(Times(tuple(seconds))), "", "", goal, met)
        report.rows.append((f"first lasso of 1000 patches, numba cache {what}", *cells))


def first_call(given: Path, cache: Path) -> float:
    """Return the seconds that the first call of a fresh process takes."""
    command = [sys.executable, "-c", FIRST_CALL, str(given)]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def head(report: Report, _: Material) -> None:
    """Time a dictionary on a head of 1 mm; what it learned does not change the time."""
    native = Session({"T1w": nifti.read(HEAD)}, "1")
    prepared, _ = default_preparation().apply(native)
    darker = np.float32(0.9) * prepared["T1w"].data
    other = prepared.with_data({"T1w": darker}, Step("darker", {}))
    for n_atoms in (512, 1024):
        engine = Dictionary(n_atoms=n_atoms, samples=20_000, epochs=1)
        engine.fit([prepared], [other])
        (taken,) = timed(partial(engine.transform, prepared))
        met = "yes" if taken.least <= 2 else "no"
        what = f"transform of a prepared head of 1 mm, {n_atoms} atoms"
        report.rows.append((what, str(taken), "", "", "<= 2 s", met))
        report.notes.append(f"{what}: {int(prepared.require_brain().sum())} voxels")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder, "model")
        Model(default_preparation(), "dictionary", engine, {}).save(model)
        outs = [Path(folder, str(n)) for n in range(ROUNDS)]
        rounds = [clocked(partial(applied, model, out)) for out in outs]
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    met = "yes" if min(rounds) <= 60 and gigabytes <= 4 else "no"
    what = f"mitame apply, a head of 1 mm, 1024 atoms, {gigabytes:.1f} GB"
    goal = "<= 60 s, 4 GB"
    report.rows.append((what, str(Times(tuple(rounds))), "", "", goal, met))


def applied(model: Path, out: Path) -> None:
    """Run `mitame apply` on the head."""
    program = str(Path(sys.executable).with_name("mitame"))
    command = [program, "apply", str(model), str(HEAD), "-o", str(out)]
    subprocess.run(command, check=True, capture_output=True)


PARTS = {
    "coding": coding,
    "pursuit": pursuit,
    "training": training,
    "first": first,
    "head": head,
}


def main() -> None:
    """Read the arguments, run the parts, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS), help="parts, comma between")
    parser.add_argument("--patches", type=int, default=200_000)
    parser.add_argument("--shape", choices=SHAPES, default="squares")
    given = parser.parse_args()
    chosen = given.only.split(",")
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"no such part: {sorted(unknown)}; there are {sorted(PARTS)}")
    heads = sorted((DATA / "ixi-hh-3t").glob("*_T1w.nii.gz"))
    if len(heads) <= HELD_OUT_HEADS:
        parser.error(f"{len(heads)} T1w heads in {DATA / 'ixi-hh-3t'}; need 9")
    rng = np.random.default_rng(SEED)
    held_out = min(HELD_OUT, given.patches)
    material = Material(
        gathered(heads[:-HELD_OUT_HEADS], given.patches, given.shape, rng),
        gathered(heads[-HELD_OUT_HEADS:], held_out, given.shape, rng),
        ATOMS_USED[given.shape],
    )
    warnings.simplefilter("ignore", ConvergenceWarning)
    report = Report()
    for part in chosen:
        PARTS[part](report, material)
    report.show()


if __name__ == "__main__":
    main()
