import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mitame.core.errors import ModelError, OutputError
from mitame.io import bundle
from mitame.io.staging import is_ours

ARRAYS = {"b": np.arange(6.0).reshape(2, 3), "a": np.array([True, False])}


@settings(max_examples=20, deadline=None)
@given(
    meta=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False)),
    array=arrays(st.sampled_from([np.float32, np.int16]), array_shapes()),
)
def test_what_is_written_comes_back(tmp_path_factory, meta, array):
    folder = tmp_path_factory.mktemp("model")
    bundle.write(folder, meta, {"x": array})
    words, numbers = bundle.read(folder)
    assert words == meta
    assert numbers["x"].dtype == array.dtype
    np.testing.assert_array_equal(numbers["x"], array)


def test_equal_models_are_equal_bytes(tmp_path):
    for name in ("one", "two"):
        bundle.write(tmp_path / name, {"n": 1}, ARRAYS)
    for file in ("model.json", "arrays.npz"):
        one, two = ((tmp_path / n / file).read_bytes() for n in ("one", "two"))
        assert one == two
    assert is_ours(tmp_path / "one")


def test_objects_are_never_written(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        bundle.write(tmp_path / "m", {}, {"x": np.array([{}], dtype=object)})
    assert not (tmp_path / "m").exists()


def test_a_bundle_is_not_overwritten(tmp_path):
    bundle.write(tmp_path, {}, ARRAYS)
    with pytest.raises(OutputError):
        bundle.write(tmp_path, {}, ARRAYS)


def test_a_folder_without_a_model_is_told(tmp_path):
    with pytest.raises(ModelError, match=r"no readable .*model\.json"):
        bundle.read(tmp_path)


@pytest.mark.parametrize(
    "words", ["", "{", "[]", '{"params": {}}', '{"format": 1, "meta": 3}', b"\xff\xfe"]
)
def test_damaged_words_are_told(tmp_path, words):
    bundle.write(tmp_path, {}, ARRAYS)
    content = words if isinstance(words, bytes) else words.encode()
    (tmp_path / "model.json").write_bytes(content)
    with pytest.raises(ModelError, match="is damaged"):
        bundle.read(tmp_path)


def test_damaged_numbers_are_told(tmp_path):
    bundle.write(tmp_path, {}, ARRAYS)
    content = (tmp_path / "arrays.npz").read_bytes()
    (tmp_path / "arrays.npz").write_bytes(content[:-7])
    with pytest.raises(ModelError, match="is damaged"):
        bundle.read(tmp_path)


def test_numbers_of_another_model_are_told(tmp_path):
    bundle.write(tmp_path / "one", {}, ARRAYS)
    bundle.write(tmp_path / "two", {}, {"b": ARRAYS["b"] + 1})
    swapped = (tmp_path / "two" / "arrays.npz").read_bytes()
    (tmp_path / "one" / "arrays.npz").write_bytes(swapped)
    with pytest.raises(ModelError, match=r"arrays\.npz is not what"):
        bundle.read(tmp_path / "one")


def test_another_format_is_told_with_both_numbers(tmp_path):
    bundle.write(tmp_path, {}, ARRAYS)
    words = json.loads((tmp_path / "model.json").read_text()) | {"format": 99}
    (tmp_path / "model.json").write_text(json.dumps(words))
    with pytest.raises(ModelError, match="format 99; this version reads format 1"):
        bundle.read(tmp_path)
