import re

import pytest

from mitame.core import errors
from mitame.core.errors import InputError, MitameError

CLASSES = [c for c in vars(errors).values() if isinstance(c, type)]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_says_what_is_wrong_and_what_to_do(kind):
    error = kind("Three of 8 voxels are NaN.", fix="Repair the file.")
    assert error.what == "Three of 8 voxels are NaN."
    assert error.fix == "Repair the file."
    assert str(error) == "Three of 8 voxels are NaN. Repair the file."


@pytest.mark.parametrize("kind", CLASSES)
def test_no_error_goes_without_a_fix(kind):
    with pytest.raises(TypeError, match="fix"):
        kind("Three of 8 voxels are NaN.")


def test_the_tree_in_the_docstring_is_the_tree_of_classes():
    drawn, above = {}, []
    for line in errors.__doc__.splitlines():
        entry = re.match(r"( *)[*-] (\w+)", line)
        if entry:
            depth = len(entry[1]) // 2
            above[depth:] = [entry[2]]
            drawn[entry[2]] = above[depth - 1] if depth else "Exception"
    assert drawn == {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES}


def test_every_error_is_caught_as_mitames_own():
    assert all(issubclass(kind, MitameError) for kind in CLASSES)
    assert issubclass(InputError, ValueError)
