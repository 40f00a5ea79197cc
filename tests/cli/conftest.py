"""Real processes: started, signaled, and their end waited for."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from mitame.engines.identity import Identity
from mitame.model import Model
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation

Start = Callable[..., subprocess.Popen]

RUN = "from mitame.cli.main import run; run()"


@pytest.fixture
def start(tmp_path) -> Iterator[Start]:
    """Start `mitame`, or `code` with its arguments; none is left at the end."""
    started: list[subprocess.Popen] = []
    (tmp_path / "temporary").mkdir()
    environment = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    environment.pop("MITAME_DATA", None)

    def begin(*arguments: object, code: str = RUN) -> subprocess.Popen:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def model(tmp_path) -> Path:
    """A model that changes nothing and needs no brain."""
    about = {"source": {"sequences": ["T1w"]}}
    engine = Identity().fit([], [])
    Model(Preparation((Orient(),)), "identity", engine, about).save(tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def scans(tmp_path) -> Path:
    """Six scans that take a moment each to write."""
    rng = np.random.default_rng(4)
    (tmp_path / "scans").mkdir()
    for number in range(1, 7):
        data = rng.normal(100, 20, (72, 72, 72)).astype(np.float32)
        image = nib.Nifti1Image(data, np.diag([2.0, 2.0, 2.0, 1.0]))
        nib.save(image, tmp_path / "scans" / f"sub-0{number}_T1w.nii")
    return tmp_path / "scans"
