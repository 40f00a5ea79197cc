"""Shared by all tests: where the real scans are, and one thread per BLAS."""

import os
import signal
from pathlib import Path

import pytest

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # read once, when numpy is first imported

# A run in the background inherits ignored signals, and so would the processes it
# tests; a handler, unlike "ignore", is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The real scans: MITAME_DATA, or shared/data beside the repository."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("MITAME_DATA", beside))
    if not folder.is_dir():
        pytest.skip("The real scans are not here; name their folder in MITAME_DATA.")
    return folder
