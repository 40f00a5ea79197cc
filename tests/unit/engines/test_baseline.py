"""Every engine must beat doing nothing on a simulated pair of scanners."""

import numpy as np
import pytest

from mitame.core.errors import InputError, ModelError
from mitame.core.volume import Step
from mitame.engines.identity import Identity
from mitame.engines.named import engine_class, engine_names, variant_of
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(6.0)


def scan(seed, *, target=False):
    plain = phantom_session(GRID, gain=1 / 800, noise=12, seed=seed)
    data = plain["T1w"].data
    if target:
        shading = np.linspace(0.9, 1.15, GRID.shape[1])[None, :, None]
        data = 1.2 * shading * np.sign(data) * np.abs(data) ** 0.7
    return plain.with_data({"T1w": data.astype(np.float32)}, Step("scan"))


def error(session, truth):
    return float(np.abs(session["T1w"].data - truth["T1w"].data)[truth.brain].mean())


# WhiteStripe brings every scan to the spread of its stripe of white matter. Shading
# widens the stripe, and the simulated target has shading: all contrast is stretched,
# and the error is 0.56 where doing nothing leaves 0.235. Elements change what differs
# beyond chance, which three people a group cannot tell: test_elements.py has more.
@pytest.mark.parametrize(
    "name", sorted(set(engine_names()) - {"identity", "whitestripe", "elements"})
)
def test_an_engine_beats_identity(name, quick):
    source = [scan(n) for n in range(3)]
    target = [scan(n, target=True) for n in range(3)]
    unseen, truth = scan(9), scan(9, target=True)
    after = quick(name)().fit(source, target).transform(unseen)
    assert error(after, truth) < 0.5 * error(unseen, truth)


def test_identity_changes_no_intensity():
    session = scan(1)
    after = Identity().fit([], []).transform(session)
    assert np.array_equal(after["T1w"].data, session["T1w"].data)
    assert after["T1w"].history[-1] == Step("identity")


@pytest.mark.parametrize(
    ("wrong", "meant"), [("nyull", "nyul"), ("bilatral", "bilateral")]
)
def test_a_misspelt_engine_is_answered_with_the_near_name(wrong, meant):
    with pytest.raises(InputError, match=wrong) as error:
        engine_class(wrong)
    assert f"Did you mean {meant}?" in error.value.fix


def test_a_name_like_no_other_is_answered_with_the_list():
    with pytest.raises(InputError) as error:
        engine_class("xyz")
    assert "Did you mean" not in error.value.fix
    assert ", ".join(engine_names()) in error.value.fix


@pytest.mark.parametrize("name", engine_names())
def test_no_engine_loads_from_an_empty_folder(name, tmp_path):
    with pytest.raises(ModelError):
        engine_class(name).load(tmp_path)


def test_a_variant_is_there_to_be_studied_but_not_offered():
    name = variant_of("dictionary", "plain")
    assert name not in engine_names()
    assert engine_class(name).__name__ == "PlainDictionary"


@pytest.mark.parametrize(
    ("engine", "variant", "fix"),
    [("dictionary", "plane", "plain"), ("dict", "plain", "no --variant")],
)
def test_a_variant_that_is_not_there_is_told(engine, variant, fix):
    with pytest.raises(InputError, match="has no variant") as error:
        variant_of(engine, variant)
    assert fix in error.value.fix
