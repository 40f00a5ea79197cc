import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from mitame.core.errors import InputError, ModelError
from mitame.core.volume import Step, Volume
from mitame.engines.identity import Identity
from mitame.guard.guard import Guard
from mitame.model import Model, fit_guarded
from mitame.prepare.orient import Orient
from mitame.prepare.pipeline import Preparation
from mitame.prepare.scale import ScaleToWhiteMatter
from mitame.testing.people import people
from mitame.testing.phantom import CENTER, head_grid, phantom_session

PREPARATION = Preparation((Orient(), ScaleToWhiteMatter()))
"""Of phantoms, which bring their brain and template along."""


def turned_grid(flips=(1, 1, 1), turn=(0, 0, 0), order=(0, 1, 2)):
    """Return a grid around the head with any axes; voxels are 5 x 6 x 7 mm."""
    spacing = np.array([5.0, 6.0, 7.0])
    shape = np.ceil(250 / spacing).astype(int)
    affine = np.eye(4)
    axes = (np.diag(np.array(flips) * spacing))[:, list(order)]
    affine[:3, :3] = Rotation.from_euler("xyz", turn, degrees=True).as_matrix() @ axes
    shape = shape[list(order)]
    affine[:3, 3] = CENTER - affine[:3, :3] @ ((shape - 1) / 2)
    return Volume(np.zeros(shape, np.float32), affine)


GRIDS = {
    "straight": turned_grid(),
    "flipped": turned_grid(flips=(-1, -1, 1)),
    "left-handed": turned_grid(flips=(-1, 1, 1)),
    "sagittal": turned_grid(order=(1, 2, 0), flips=(1, -1, -1)),
    "oblique": turned_grid(turn=(12, -7, 20), flips=(-1, 1, -1), order=(0, 2, 1)),
}


def look(session):
    """Return `session` as another scanner shows it: softer, seven times brighter."""
    top = 800.0
    data = {
        s: 7 * top * np.sign(v.data) * (np.abs(v.data) / top) ** 0.7
        for s, v in session.items()
    }
    return session.with_data(data, Step("look"))


def scan(seed, *, grid=None, gain=1.0, suffixes=("T1w",)):
    grid = head_grid(6.0) if grid is None else grid
    return phantom_session(grid, suffixes=suffixes, gain=gain, noise=10, seed=seed)


def fitted(engine="nyul", suffixes=("T1w",)):
    source = [scan(n, suffixes=suffixes) for n in range(2)]
    target = [look(scan(n, suffixes=suffixes)) for n in range(2, 4)]
    return Model.fit(PREPARATION, engine, source, target, about={"study": "test"})


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("engine", ["nyul", "bilateral"])
def test_the_native_grid_comes_back_exactly(engine, grid):
    native = scan(9, grid=GRIDS[grid])
    found = fitted(engine).harmonize(native)["T1w"]
    for volume in (found.result, found.source, found.edit):
        assert volume.shape == native["T1w"].shape
        assert np.array_equal(volume.affine, native["T1w"].affine)
        assert volume.scanner == native["T1w"].scanner


@pytest.mark.parametrize("grid", GRIDS)
def test_every_voxel_is_back_in_its_place(grid):
    native = scan(9, grid=GRIDS[grid])
    found = fitted("identity").harmonize(native)["T1w"]
    ratio = found.result.data[native.brain] / native["T1w"].data[native.brain]
    np.testing.assert_allclose(ratio, np.median(ratio), rtol=1e-5)


@pytest.mark.parametrize("gain", [0.01, 300.0])
@pytest.mark.parametrize("engine", ["nyul", "bilateral", "histogram"])
def test_source_gain_is_gone_from_the_result(engine, gain):
    model = fitted(engine)
    plain = model.harmonize(scan(9))["T1w"].result
    bright = model.harmonize(scan(9, gain=gain))["T1w"].result
    brain = scan(9).brain
    medians = [np.median(volume.data[brain]) for volume in (plain, bright)]
    assert medians[1] == pytest.approx(medians[0], rel=0.02)
    np.testing.assert_allclose(bright.data, plain.data, rtol=1e-3, atol=1e-3)


def test_the_result_is_on_the_scale_of_the_target():
    found = fitted().harmonize(scan(9))["T1w"]
    truth, _ = PREPARATION.apply(look(scan(9)))
    brain = scan(9).brain
    apart = np.abs(found.result.data - truth["T1w"].data)[brain]
    assert np.median(apart) < 0.02
    assert np.median(np.abs(found.source.data - truth["T1w"].data)[brain]) > 0.02


def test_what_was_given_is_left_as_it_was():
    native = scan(9)
    before = native["T1w"].data.copy(), native.brain.copy()
    fitted().harmonize(native)
    assert np.array_equal(native["T1w"].data, before[0])
    assert np.array_equal(native.brain, before[1])
    assert native["T1w"].history == ()


def test_the_edit_is_result_minus_source():
    found = fitted().harmonize(scan(9))["T1w"]
    np.testing.assert_array_equal(
        found.edit.data, found.result.data - found.source.data
    )
    assert np.abs(found.edit.data).max() > 0.05


def test_the_source_is_the_scan_times_one_gain():
    native = scan(9, gain=3.0)
    source = fitted().harmonize(native)["T1w"].source
    gain = source.history[-1].params["gain"]
    np.testing.assert_allclose(source.data, gain * native["T1w"].data, rtol=1e-5)


def test_what_was_done_is_in_the_history_in_order():
    result = fitted().harmonize(scan(9))["T1w"].result
    names = [step.name for step in result.history]
    assert names == ["orient", "scale", "nyul", "unorient"]


def test_each_sequence_comes_back():
    both = ("T1w", "FLAIR")
    found = fitted(suffixes=both).harmonize(scan(9, suffixes=both))
    assert list(found) == list(both)


@pytest.mark.parametrize("engine", ["identity", "nyul", "bilateral"])
def test_a_saved_model_gives_the_same_result(engine, tmp_path):
    model = fitted(engine)
    model.save(tmp_path / "model")
    back = Model.load(tmp_path / "model")
    assert back.preparation == model.preparation
    assert (back.engine_name, back.about) == (engine, {"study": "test"})
    results = [m.harmonize(scan(9))["T1w"].result for m in (model, back)]
    assert np.array_equal(results[0].data, results[1].data)
    assert results[0].history == results[1].history


def test_equal_models_are_equal_files(tmp_path):
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        fitted().save(folder)
    for name in ("model.json", "engine/model.json", "engine/arrays.npz"):
        one, two = (folder / name for folder in folders)
        assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("grid", ["flipped", "oblique"])
def test_a_limited_result_lies_on_the_native_grid(grid, tmp_path):
    native = scan(9, grid=GRIDS[grid])
    fitted("bilateral").save(tmp_path / "model")
    model = Model.load(tmp_path / "model")
    full, limited = (
        model.harmonize(native, limited=one)["T1w"].result for one in (False, True)
    )
    limited.require_same_grid(native["T1w"])
    names = [step.name for step in limited.history]
    assert names == [
        "orient", "scale", "bilateral", "limited", "known marks", "unorient"
    ]  # fmt: skip
    apart = np.abs(limited.data - full.data)[native.brain]
    assert 0 < np.median(apart) < 0.05


def test_a_model_from_before_the_guard_says_that_it_has_to_be_fitted_again(tmp_path):
    old = replace(fitted(), guard=None)
    old.save(tmp_path / "model")
    with pytest.raises(ModelError, match="before there was a limited mode") as error:
        Model.load(tmp_path / "model").harmonize(scan(9), limited=True)
    assert "Fit it again" in error.value.fix


class Remembers(Identity):
    """Keeps the subjects it was fitted on."""

    def fit(self, source, target):
        self.seen = [[session.subject for session in some] for some in (source, target)]
        return self


class RemembersPairs(Remembers):
    needs_pairs = True


def group(n):
    return [
        replace(one, subject=str(number))
        for number, one in enumerate(people(n, seed=1, spacing=8.0))
    ]


@pytest.mark.parametrize("engine", [Remembers(), RemembersPairs()])
def test_every_fourth_source_scan_is_kept_from_the_engine(engine, monkeypatch):
    told = {}
    monkeypatch.setattr(
        Guard, "fit", lambda _, seen, held: told.update(seen=seen, held=held)
    )
    fit_guarded(engine, group(12), group(12))
    rest = [str(n) for n in range(12) if n % 4]
    assert engine.seen == [rest, rest]  # nobody who is kept is in the target group
    assert [one.subject for one in told["seen"]] == rest
    assert [one.subject for one in told["held"]] == ["0", "4", "8"]


def nobody(_, seen, held):
    """In place of `Guard.fit`, which takes long."""


def test_of_other_people_the_engine_has_all_target_scans(monkeypatch):
    monkeypatch.setattr(Guard, "fit", nobody)
    others = [replace(one, subject=f"other {one.subject}") for one in group(5)]
    nameless = [replace(one, subject=None) for one in group(2)]
    engine, _ = fit_guarded(Remembers(), group(12), [*others, *nameless])
    assert len(engine.seen[1]) == 7


def test_nobody_is_kept_if_that_left_no_target_group(monkeypatch):
    monkeypatch.setattr(Guard, "fit", nobody)
    engine, _ = fit_guarded(Remembers(), group(12), [group(1)[0]])
    assert [len(some) for some in engine.seen] == [12, 1]


def test_of_few_scans_none_is_kept(monkeypatch):
    told = []
    monkeypatch.setattr(Guard, "fit", lambda _, seen, held: told.append((seen, held)))
    engine, _ = fit_guarded(Remembers(), group(11), group(3))
    assert engine.seen[0] == [str(n) for n in range(11)]
    assert [len(some) for some in told[0]] == [11, 0]


def test_a_result_has_a_verdict():
    found = fitted("bilateral").harmonize(scan(9))["T1w"]
    assert found.verdict is not None


def test_an_unknown_engine_is_answered_with_the_near_name():
    with pytest.raises(InputError, match="nyull") as error:
        fitted("nyull")
    assert "nyul?" in error.value.fix


@pytest.mark.parametrize("empty", ["source", "target"])
def test_an_empty_group_is_named(empty):
    groups = {"source": [scan(1)], "target": [scan(2)], empty: []}
    with pytest.raises(InputError, match=empty) as error:
        Model.fit(PREPARATION, "nyul", **groups)
    assert f"--{empty}" in error.value.fix


def test_a_sequence_the_model_does_not_know_is_refused():
    with pytest.raises(InputError, match="FLAIR"):
        fitted().harmonize(scan(9, suffixes=("FLAIR",)))


def break_half(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text[: len(text) // 2])


def break_format(folder):
    words = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(words | {"format": 99}))


def break_step(folder):
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"orient"', '"twist"'))


def break_words(folder):
    words = json.loads((folder / "model.json").read_text())
    del words["meta"]["preparation"]
    (folder / "model.json").write_text(json.dumps(words))


def break_arrays(folder):
    path = folder / "engine" / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-10])


def lose_engine(folder):
    (folder / "engine" / "model.json").unlink()


def lose_guard(folder):
    shutil.rmtree(folder / "guard")


@pytest.mark.parametrize(
    "damage",
    [
        break_half,
        break_format,
        break_step,
        break_words,
        break_arrays,
        lose_engine,
        lose_guard,
    ],
)
def test_a_damaged_model_is_refused(damage, tmp_path):
    folder = tmp_path / "model"
    fitted().save(folder)
    damage(folder)
    with pytest.raises(ModelError) as error:
        Model.load(folder)
    assert error.value.fix


def test_the_engine_s_folder_is_not_the_model(tmp_path):
    fitted().save(tmp_path / "model")
    with pytest.raises(ModelError, match="engine"):
        Model.load(tmp_path / "model" / "engine")


def test_a_lost_way_back_does_not_go_unseen():
    class Astray(Orient):
        def apply(self, session):
            turned, _ = super().apply(session)
            return turned, lambda result: result

    model = replace(fitted(), preparation=Preparation((Astray(), ScaleToWhiteMatter())))
    with pytest.raises(InputError, match="affines"):
        model.harmonize(scan(9, grid=GRIDS["flipped"]))
