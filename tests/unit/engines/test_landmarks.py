from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitame.core.errors import InputError
from mitame.core.volume import Step
from mitame.engines.histogram import Histogram
from mitame.engines.nyul import Nyul
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(6.0)
ENGINES = [Histogram, Nyul]


def visit(seed=0, *, tone=lambda x: x, suffixes=("T1w",)):
    """Return a prepared visit; `tone` maps what the scanner saw to what it shows."""
    plain = phantom_session(GRID, suffixes=suffixes, gain=1 / 800, noise=15, seed=seed)
    data = {s: tone(plain[s].data).astype(np.float32) for s in suffixes}
    return plain.with_data(data, Step("tone"))


def off(one, other, suffix="T1w"):
    """Median difference in the brain; white matter is 1."""
    brain = one.brain
    return float(np.median(np.abs(one[suffix].data - other[suffix].data)[brain]))


def gamma(x):
    return 1.4 * np.sign(x) * np.abs(x) ** 0.7


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("tone", [lambda x: 3.7 * x, gamma], ids=["gain", "gamma"])
def test_a_tone_curve_of_the_scanner_is_undone(engine, tone):
    source = [visit(n) for n in range(2)]
    target = [visit(n, tone=tone) for n in range(2, 4)]
    truth = visit(9, tone=tone)
    before = visit(9)
    after = engine().fit(source, target).transform(before)
    assert off(after, truth) < 0.02 * off(before, truth)


@pytest.mark.parametrize("engine", ENGINES)
def test_each_sequence_has_landmarks_of_its_own(engine):
    both = ("T1w", "T2w")
    target = visit(1, tone=gamma, suffixes=both)
    fitted = engine().fit([], [target])
    after = fitted.transform(visit(2, suffixes=both))
    truth = visit(2, tone=gamma, suffixes=both)
    for suffix in both:
        assert off(after, truth, suffix) < 0.05


@pytest.mark.parametrize("engine", ENGINES)
def test_every_target_scan_counts_the_same(engine):
    target = [
        visit(n, tone=lambda x, gain=gain: gain * x) for n, gain in ((1, 1), (2, 3))
    ]
    after = engine().fit([], target).transform(visit(3))
    assert off(after, visit(3, tone=lambda x: 2 * x)) < 0.02


@pytest.mark.parametrize("engine", ENGINES)
@given(exponent=st.floats(0.3, 3), gain=st.floats(0.1, 10), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=10)
def test_order_is_kept_and_zero_stays_zero(engine, exponent, gain, seed):
    def tone(x):
        return gain * np.sign(x) * np.abs(x) ** exponent

    scan = visit(seed)
    data = np.where(GRID_AIR, np.float32(0), scan["T1w"].data)
    scan = scan.with_data({"T1w": data}, Step("air"))
    after = engine().fit([], [visit(seed + 100, tone=tone)]).transform(scan)
    moved = after["T1w"].data
    assert not moved[data == 0].any()
    order = np.argsort(data[data > 0])
    assert (np.diff(moved[data > 0][order]) >= -1e-5 * gain).all()


GRID_AIR = phantom_session(GRID)["T1w"].data < 1.0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_coarsely_stored_scan_is_moved_without_a_jump(engine):
    # Eight bits: many of the upper percentiles are one and the same number.
    coarse = visit(1, tone=lambda x: np.rint(40 * x))
    after = engine().fit([], [visit(2)]).transform(coarse)
    assert off(after, visit(1)) < 0.03
    back = engine().fit([], [coarse]).transform(visit(2))
    brightest = np.sort(back["T1w"].data[back.brain])[-50:]
    assert (np.diff(brightest) > 0).all(), "what is brighter stays brighter"


@pytest.mark.parametrize("engine", ENGINES)
def test_what_was_moved_where_is_written_down(engine):
    fitted = engine().fit([], [visit(1, tone=gamma)])
    step = fitted.transform(visit(2))["T1w"].history[-1]
    assert step.name == engine.name
    assert step.params["target"] == fitted.target_["T1w"].tolist()
    assert len(step.params["landmarks"]) == len(fitted.quantiles)


@pytest.mark.parametrize("engine", ENGINES)
def test_quantiles_of_ones_own_are_saved_with_the_rest(engine, tmp_path):
    fitted = engine(quantiles=(0.1, 0.5, 0.9)).fit([], [visit(1, tone=gamma)])
    fitted.save(tmp_path / "engine")
    back = engine.load(tmp_path / "engine")
    assert tuple(back.quantiles) == (0.1, 0.5, 0.9)
    assert off(back.transform(visit(2)), fitted.transform(visit(2))) == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_session_without_a_brain_is_refused(engine):
    fitted = engine().fit([], [visit(1)])
    with pytest.raises(InputError, match="brain mask") as error:
        fitted.transform(replace(visit(2), brain=None))
    assert "repare" in error.value.fix
