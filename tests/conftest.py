"""Shared by all tests: where the real scans are, and one thread per BLAS."""

import os
from pathlib import Path

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # read once, when numpy is first imported


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real scans: MITAME_DATA, or shared/data beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MITAME_DATA", beside))
    if not folder.is_dir():
        pytest.skip("The real scans are not here; name their folder in MITAME_DATA.")
    return folder
