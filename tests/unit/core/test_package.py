import json
import subprocess
import sys

import pytest

import mitame

# Run in a process of its own, so that nothing has been imported before.
PROBE = """
import json, locale, os, random, signal, sys, warnings
import numpy
def state():
    return [
        dict(os.environ), os.getcwd(), sys.path, repr(warnings.filters),
        repr(numpy.geterr()), repr(numpy.get_printoptions()), locale.getlocale(),
        repr(numpy.random.get_state()[1][:5]), repr(random.getstate()[1][:5]),
        repr(signal.getsignal(signal.SIGINT)), repr(sys.excepthook),
        repr(sys.stdout), sys.getrecursionlimit(),
    ]
before = state()
import mitame
print(json.dumps({"same": before == state(), "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def imported():
    words = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROBE],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not words.stderr
    return json.loads(words.stdout)


def test_importing_mitame_changes_no_global_state(imported):
    assert imported["same"]


@pytest.mark.parametrize(
    "heavy",
    ["torch", "SimpleITK", "scipy", "nibabel", "matplotlib", "nilearn", "typer"],
)
def test_importing_mitame_is_light(imported, heavy):
    assert heavy not in imported["modules"]


def test_the_public_names_are_what_is_imported():
    public = {
        name
        for name, value in vars(mitame).items()
        if not name.startswith("_") and getattr(value, "__module__", None)
    }
    assert public == set(mitame.__all__)
    assert list(mitame.__all__) == sorted(mitame.__all__)
    assert len(mitame.__all__) <= 25
