from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError, NotFittedError
from mitame.core.volume import Step
from mitame.engines.dictionary.plain import PlainDictionary
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(6.0)
SMALL = {"n_atoms": 40, "samples": 4000, "passes": 1, "reach": 2}


def pair(seed, suffixes=("T1w",)):
    """A person on a noisy scanner, and on one that shows a steeper contrast."""
    subject = f"{seed:02d}"
    options = {"suffixes": suffixes, "gain": 1 / 800}
    source = phantom_session(GRID, noise=16, seed=5 * seed, **options)
    clean = phantom_session(GRID, **options)
    steep = clean.with_volumes(
        {
            s: v.with_data(np.abs(v.data) ** np.float32(1.3), Step("look"))
            for s, v in clean.items()
        }
    )
    return replace(source, subject=subject), replace(steep, subject=subject)


def fitted(suffixes=("T1w",), **options):
    source, target = zip(*(pair(seed, suffixes) for seed in range(2)), strict=True)
    return PlainDictionary(**(SMALL | options)).fit(source, target)


@pytest.fixture(scope="module")
def weak():
    return fitted(penalty=0.002)


@pytest.fixture(scope="module")
def strong():
    return fitted(penalty=0.2)


def test_a_new_scan_gets_nearer_to_its_target(weak):
    source, target = pair(7)
    brain = source.require_brain()
    before, after = (
        np.abs(one["T1w"].data - target["T1w"].data)[brain].mean()
        for one in (source, weak.transform(source))
    )
    assert after < 0.85 * before


def test_a_strong_penalty_uses_fewer_atoms_and_is_smoother(weak, strong):
    source, _ = pair(7)
    results = [engine.transform(source)["T1w"] for engine in (weak, strong)]
    few, fewer = (r.history[-1].params["atoms_a_patch"] for r in results)
    assert fewer < 0.5 * few
    inside = source.require_brain()
    rough, smooth = (
        np.abs(np.diff(r.data, axis=0))[inside[1:]].mean() for r in results
    )
    assert smooth < 0.9 * rough


def test_the_rest_of_the_head_stays_as_it_is(weak):
    source, _ = pair(7)
    outside = ~source.require_brain()
    result = weak.transform(source)["T1w"].data
    assert np.array_equal(result[outside], source["T1w"].data[outside])


def test_differences_are_channels_of_the_source_alone():
    with_, without = (fitted(differences=flag) for flag in (True, False))
    assert with_.source_.shape[1] == 3 * without.source_.shape[1]
    assert with_.target_.shape == without.target_.shape


def test_several_sequences_are_one_patch():
    engine = fitted(("T1w", "T2w"))
    assert set(engine.transform(pair(7, ("T1w", "T2w"))[0])) == {"T1w", "T2w"}
    with pytest.raises(InputError, match="T1w, T2w together, not T1w"):
        engine.transform(pair(7)[0])


def test_a_saved_engine_is_the_same_engine(weak, tmp_path):
    weak.save(tmp_path / "one")
    source, _ = pair(7)
    again = PlainDictionary.load(tmp_path / "one").transform(source)
    assert np.array_equal(again["T1w"].data, weak.transform(source)["T1w"].data)


def test_an_unfitted_engine_says_so(tmp_path):
    with pytest.raises(NotFittedError):
        PlainDictionary().transform(pair(0)[0])
    with pytest.raises(NotFittedError):
        PlainDictionary().save(tmp_path / "one")


def test_both_sides_of_a_code_are_the_source_and_its_estimate(weak):
    source, target = pair(7)
    own, theirs = weak.from_code(source)
    brain = source.require_brain()
    apart = [
        np.abs(own["T1w"].data - one["T1w"].data)[brain].mean()
        for one in (source, target)
    ]
    assert apart[0] < 0.6 * apart[1]
    assert np.array_equal(theirs["T1w"].data, weak.transform(source)["T1w"].data)


def test_atoms_are_shown_without_their_differences(weak):
    found = weak.atoms()
    assert found.source.shape == found.target.shape == (40, 1, 5, 5, 1)
    assert np.array_equal(found.target.reshape(40, -1), weak.target_)
    assert 0 < found.use.max() <= 1
