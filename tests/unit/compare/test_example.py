"""The whole road on a head: two visits, two scanners, one new dark spot."""

import numpy as np
import pytest

from mitame.compare.visits import compare
from mitame.io.scan import read_visit
from mitame.run.example import SPOT_MM, SPOT_RADIUS_MM, write_example

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    files = write_example(tmp_path_factory.mktemp("example"))
    comparison = compare(*(read_visit(file) for file in files))
    return comparison.sequences["T1w"]


def test_the_largest_mark_is_the_spot(found):
    spot = found.marks[0]
    assert np.linalg.norm(np.array(spot.center) - SPOT_MM) < 4
    assert spot.mean_change < 0
    assert spot.diameter_mm == pytest.approx(2 * SPOT_RADIUS_MM, abs=4)


def test_there_are_few_other_marks(found):
    assert len(found.marks) <= 4
    assert sum(mark.volume_ml for mark in found.marks[1:]) < found.marks[0].volume_ml


def test_the_prior_looks_like_the_current_scan(found):
    numbers = found.numbers
    assert numbers["difference_after"] < 0.4 * numbers["difference_before"]
    assert numbers["rotation_deg"] == pytest.approx(8, abs=0.5)
    found.harmonized.require_same_grid(found.current)
    found.change.require_same_grid(found.current)
