"""A headless browser that opens one page and tells what became of it."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
    "--virtual-time-budget=5000",
    "--dump-dom",
)


@pytest.fixture(scope="session")
def browse() -> Callable[[Path], str]:
    """Return the page as it stands in the browser after its scripts ran."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip(f"No browser is here; install one of {', '.join(NAMES)}.")

    def dump(page: Path) -> str:
        with tempfile.TemporaryDirectory() as profile:
            command = [browser, *SWITCHES, f"--user-data-dir={profile}", page.as_uri()]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=120, check=True
            )
        return done.stdout

    return dump
