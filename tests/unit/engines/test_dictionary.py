from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import GridMismatchError, InputError, ModelError
from mitame.core.volume import Step
from mitame.engines.dictionary import Dictionary
from mitame.engines.dictionary.code import TrainedCode, source_atoms
from mitame.engines.dictionary.train import Training, train_code
from mitame.engines.patchwise.features import Features, Window
from mitame.testing.harmonizer import check_harmonizer
from mitame.testing.phantom import head_grid, phantom_session

GRID = head_grid(8.0)
SMALL = {"n_atoms": 16, "epochs": 2, "samples": 3000}


def pair(seed, suffixes=("T1w",), grid=GRID):
    """A person on a noisy soft scanner and on a steep one."""
    subject = f"{seed:02d}"
    source = phantom_session(
        grid, suffixes=suffixes, gain=1 / 800, noise=20, seed=3 * seed
    )
    clean = phantom_session(grid, suffixes=suffixes, gain=1 / 800)
    steep = clean.with_volumes(
        {
            s: v.with_data(np.abs(v.data) ** np.float32(1.4), Step("look"))
            for s, v in clean.items()
        }
    )
    return replace(source, subject=subject), replace(steep, subject=subject)


def groups(n=3, **options):
    source, target = zip(*(pair(seed, **options) for seed in range(n)), strict=True)
    return list(source), list(target)


@pytest.fixture(scope="module")
def fitted():
    return Dictionary(**SMALL).fit(*groups())


def test_it_keeps_the_promises_of_an_engine():
    check_harmonizer(lambda: Dictionary(**SMALL))


def test_a_scan_of_somebody_new_gets_nearer_to_its_target(fitted):
    source, target = pair(9)
    brain = source.require_brain()
    before, after = (
        np.abs(one["T1w"].data - target["T1w"].data)[brain].mean()
        for one in (source, fitted.transform(source))
    )
    assert after < 0.4 * before


def test_the_code_adds_to_what_comes_before_it(fitted):
    source, target = pair(9)
    brain = source.require_brain()
    base = fitted.base_.transform(source)
    before, after = (
        np.abs(one["T1w"].data - target["T1w"].data)[brain].mean()
        for one in (base, fitted.transform(source))
    )
    assert after < before


def test_the_history_tells_what_the_engine_was_made_with(fitted):
    step = fitted.transform(pair(9)[0])["T1w"].history[-1]
    assert step.name == "dictionary"
    assert step.params["n_atoms"] == SMALL["n_atoms"]


def test_several_sequences_are_one_patch():
    engine = Dictionary(**SMALL).fit(*groups(suffixes=("T1w", "T2w")))
    source, _ = pair(9, suffixes=("T1w", "T2w"))
    assert set(engine.transform(source)) == {"T1w", "T2w"}
    with pytest.raises(InputError, match="T1w, T2w together, not T1w"):
        engine.transform(pair(9)[0])


def test_other_voxels_are_brought_to_those_of_training(fitted):
    source, target = pair(9, grid=head_grid(6.0))
    result = fitted.transform(source)
    brain = source.require_brain()
    before, after = (
        np.abs(one["T1w"].data - target["T1w"].data)[brain].mean()
        for one in (source, result)
    )
    assert result["T1w"].shape == source["T1w"].shape
    assert after < 0.5 * before


def test_unequal_groups_are_no_pairs():
    source, target = groups()
    with pytest.raises(InputError, match="3 sources and 2 targets"):
        Dictionary(**SMALL).fit(source, target[:2])


def test_two_people_are_no_pair():
    source, target = groups()
    with pytest.raises(InputError, match="00 and 01 are no pair"):
        Dictionary(**SMALL).fit(source[:1], target[1:2])


def test_two_grids_are_no_pair():
    source, target = pair(0)[0], pair(0, grid=head_grid(7.0))[1]
    with pytest.raises(GridMismatchError):
        Dictionary(**SMALL).fit([source], [target])


def test_no_common_sequence_is_refused():
    source, target = pair(0)[0], pair(0, suffixes=("T2w",))[1]
    with pytest.raises(InputError, match="No sequence"):
        Dictionary(**SMALL).fit([source], [target])


def test_a_saved_engine_is_the_same_bytes_again(fitted, tmp_path):
    fitted.save(tmp_path / "one")
    Dictionary.load(tmp_path / "one").save(tmp_path / "two")
    for path in (tmp_path / "one").rglob("*.*"):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()


def test_a_corrupted_bundle_is_told(fitted, tmp_path):
    fitted.save(tmp_path / "one")
    path = tmp_path / "one" / "arrays.npz"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(bytes(data))
    with pytest.raises(ModelError):
        Dictionary.load(tmp_path / "one")


def test_a_code_of_an_earlier_layout_is_told(fitted):
    arrays = fitted.arrays()
    del arrays["atoms"]
    with pytest.raises(ModelError, match=r"lacks atoms.*Fit it again"):
        Dictionary(**SMALL).take_back(arrays)


def test_a_code_is_shrunk_again_and_again():
    rng = np.random.default_rng(0)
    atoms = rng.normal(size=(20, 8)).astype(np.float32)
    atoms /= np.linalg.norm(atoms, axis=1, keepdims=True)
    bound = np.linalg.norm(atoms @ atoms.T, 2)
    threshold = np.full(20, 0.1 / bound, np.float32)
    code = TrainedCode(atoms / np.float32(bound), atoms, threshold, atoms)
    patches = rng.normal(size=(50, 8)).astype(np.float32)
    found = code.codes(patches)
    expected = np.zeros((50, 20))
    for _ in range(2):  # iterative soft thresholding of the lasso, two steps
        ahead = expected + (patches - expected @ atoms) @ atoms.T / bound
        expected = np.sign(ahead) * np.maximum(np.abs(ahead) - 0.1 / bound, 0)
    assert found == pytest.approx(expected, abs=1e-5)
    assert code.apply(patches) == pytest.approx(found @ atoms, abs=1e-5)


def test_training_finds_the_code_two_dictionaries_share():
    rng = np.random.default_rng(0)
    n_atoms, d = 24, 12  # more atoms than numbers: no linear map finds the code
    one, other = rng.normal(size=(2, n_atoms, d)).astype(np.float32)
    code = np.zeros((8000, n_atoms), np.float32)
    rows = np.arange(len(code))
    code[rows, rng.integers(n_atoms, size=len(code))] = rng.uniform(1, 2, len(code))
    source, target = code @ one, code @ other
    found = train_code(source, target, Training(n_atoms=64, epochs=40, rate=3e-2))
    left = ((found.apply(source) - target) ** 2).mean()
    weights = np.linalg.lstsq(source, target)[0]
    linear = ((source @ weights - target) ** 2).mean()
    assert left < 0.25 * linear


def test_the_linear_map_is_the_best_one():
    source, _ = pair(1)
    window = Window(("T1w",), 8.0, 1, 1)
    centers = np.argwhere(source.require_brain())
    rows = window.rows(source, source, centers)
    weights = np.random.default_rng(0).normal(size=(rows.shape[1], 27))
    wanted = (rows @ weights).astype(np.float32)
    fitted, left = Features.fit(window, rows, wanted)
    assert np.abs(left).mean() < 0.02 * np.abs(rows @ weights).mean()
    assert fitted.linear(rows) + left == pytest.approx(rows @ weights, abs=1e-2)
    assert fitted.patches(rows).std() == pytest.approx(1, rel=1e-3)


def test_the_atoms_of_the_source_are_what_its_codes_stand_for():
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(3000, 8)).astype(np.float32)
    encode = rng.normal(size=(12, 8)).astype(np.float32)
    blank = np.zeros_like(encode)
    threshold = np.full(12, 2, np.float32)
    threshold[3] = 1e6  # never used
    code = TrainedCode(encode, blank, threshold, encode)
    atoms, use = source_atoms(code, patches)
    codes = code.codes(patches)
    left = patches - codes @ atoms
    assert np.abs(codes.T @ left).max() < 1e-2 * np.abs(codes.T @ patches).max()
    np.testing.assert_allclose(use, (codes != 0).mean(axis=0))
    assert use[3] == 0
    assert not atoms[3].any()


def test_a_place_is_coded_and_not_shown(tmp_path):
    groups = zip(*(pair(seed) for seed in range(2)), strict=True)
    engine = Dictionary(**SMALL, coordinates=True).fit(*map(list, groups))
    assert engine.source_.shape == (16, 128)
    assert engine.atoms().source.shape == (16, 1, 5, 5, 5)
    engine.save(tmp_path / "one")
    source, _ = pair(9)
    again = Dictionary.load(tmp_path / "one").from_code(source)
    for one, other in zip(engine.from_code(source), again, strict=True):
        assert np.array_equal(one["T1w"].data, other["T1w"].data)


def test_atoms_are_shown_in_the_shape_of_patches(fitted):
    found = fitted.atoms()
    assert found.source.shape == (16, 1, 5, 5, 5)
    assert found.target.shape == (16, 1, 3, 3, 3)
    assert found.use.max() > 0


@pytest.mark.parametrize(("shape", "deep"), [("2d", 1), ("2.5d", 3)])
def test_patches_may_be_flat(shape, deep, tmp_path):
    engine = Dictionary(**SMALL, shape=shape).fit(*groups())
    source, target = pair(9)
    brain = source.require_brain()
    before, after = (
        np.abs(one["T1w"].data - target["T1w"].data)[brain].mean()
        for one in (engine.base_.transform(source), engine.transform(source))
    )
    assert after < before
    assert engine.atoms().target.shape == (16, 1, 3, 3, deep)
    engine.save(tmp_path / "one")
    again = Dictionary.load(tmp_path / "one").from_code(source)
    for one, other in zip(engine.from_code(source), again, strict=True):
        assert np.array_equal(one["T1w"].data, other["T1w"].data)


def test_both_sides_of_a_code_are_the_source_and_its_estimate(fitted):
    source, target = pair(9)
    own, theirs = fitted.from_code(source)
    brain = source.require_brain()
    apart = [
        np.abs(own["T1w"].data - one["T1w"].data)[brain].mean()
        for one in (source, target)
    ]
    assert apart[0] < apart[1]  # 16 atoms are few
    assert np.array_equal(theirs["T1w"].data, fitted.transform(source)["T1w"].data)
