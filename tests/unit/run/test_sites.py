import zlib
from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, InputError
from mitame.core.volume import Step, Volume
from mitame.evaluate.network import Training
from mitame.io import nifti
from mitame.prepare.pipeline import keep
from mitame.run import evaluate as module
from mitame.run.scans import collect
from mitame.run.sites import count_site_steps, evaluate_sites
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
WHITE = 800.0
SOURCES = [f"{n:02}" for n in range(1, 7)]
TARGETS = [f"{n:02}" for n in range(11, 17)]


class Ready:
    """A preparation that knows the phantom."""

    def apply(self, session):
        scaled = {
            s: v.with_data(v.data / np.float32(WHITE), Step("scale", {}))
            for s, v in session.items()
        }
        known = phantom_session(GRID)
        return replace(known, volumes=scaled, subject=session.subject), keep


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(module, "default_preparation", Ready)
    few = Training(spacing=5.0, epochs=20)
    monkeypatch.setattr("mitame.evaluate.network.Training", lambda: few)


def write(folder, subject, what, *, scale=WHITE, noise=0.02, grid=GRID):
    """A phantom on disk, with noise of its own."""
    rng = np.random.default_rng([int(subject), zlib.crc32(what.encode())])
    data = phantom_session(grid)["T1w"].data / WHITE
    data = scale * (data + rng.normal(0, noise, data.shape))
    path = folder / f"sub-{subject}_ses-{what}_T1w.nii.gz"
    path.unlink(missing_ok=True)
    nifti.write(path, Volume(data.astype(np.float32), grid.affine))
    return path


@pytest.fixture
def groups(tmp_path):
    """Six of a noisy scanner, harmonized to no noise at all more than six others."""
    for subject in SOURCES:
        write(tmp_path, subject, "source", noise=0.1)
        write(tmp_path, subject, "result", scale=1.0)
    for subject in TARGETS:
        write(tmp_path, subject, "target")
    return [
        collect([str(tmp_path / f"*{what}*")])
        for what in ("result", "target", "source")
    ]


def test_scanners_are_told_apart_before_and_not_after(groups):
    steps = []
    (found,) = evaluate_sites(*groups, rescale=False, seed=0, progress=steps.append)
    assert found.suffix == "T1w"
    assert (found.n_sources, found.n_targets) == (6, 6)
    assert found.before.worse == 1
    assert found.after.worse < 0.8
    assert len(steps) == count_site_steps(*groups[:2])


def test_a_result_without_its_source_is_named(groups):
    results, targets, sources = groups
    with pytest.raises(InputError, match="has 0 source scans"):
        next(evaluate_sites(results, targets, sources[1:], rescale=False, seed=0))


def test_target_scans_of_another_sequence_are_refused(groups):
    results, targets, sources = groups
    other = [replace(scan, suffix="T2w") for scan in targets]
    with pytest.raises(InputError, match="results have T1w, the target scans are T2w"):
        next(evaluate_sites(results, other, sources, rescale=False, seed=0))


def test_a_result_on_another_grid_is_refused(groups, tmp_path):
    write(tmp_path, "01", "result", scale=1.0, grid=head_grid(6.0))
    with pytest.raises(GridMismatchError, match="not on one grid"):
        next(evaluate_sites(*groups, rescale=False, seed=0))


def test_results_in_other_units_are_refused(groups, tmp_path):
    write(tmp_path, "01", "result")
    with pytest.raises(InputError, match="white matter"):
        next(evaluate_sites(*groups, rescale=False, seed=0))
