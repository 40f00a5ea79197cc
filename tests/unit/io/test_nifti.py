import gzip
import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.transform import Rotation

from mitame.core.errors import (
    GridMismatchError,
    ImplausibleError,
    InputError,
    MetadataError,
    OutputError,
)
from mitame.core.volume import GRID_TOLERANCE_MM, Volume
from mitame.io import nifti

GEOMETRY = ["dim", "pixdim", "xyzt_units", "qform_code", "sform_code"]
GEOMETRY += ["quatern_b", "quatern_c", "quatern_d"]
GEOMETRY += ["qoffset_x", "qoffset_y", "qoffset_z", "srow_x", "srow_y", "srow_z"]


def save(path: Path, data: np.ndarray, affine: np.ndarray | None = None) -> Path:
    nib.save(nib.Nifti1Image(data, np.eye(4) if affine is None else affine), path)
    return path


def damage(path: Path, offset: int, new: bytes) -> Path:
    """Overwrite header bytes in a plain .nii."""
    content = bytearray(path.read_bytes())
    content[offset : offset + len(new)] = new
    path.write_bytes(content)
    return path


def test_reads_values_place_and_only_the_file_name(nifti_file, noise, oblique):
    volume = nifti.read(nifti_file)
    np.testing.assert_array_equal(volume.data, noise)
    np.testing.assert_allclose(volume.affine, oblique, atol=1e-5)
    assert volume.history[0].params == {"file": "sub-01_T1w.nii.gz"}


def test_slope_and_intercept_are_applied(tmp_path, noise):
    image = nib.Nifti1Image(noise.astype(np.int16), np.eye(4))
    image.header.set_slope_inter(0.5, 10)
    nib.save(image, tmp_path / "a.nii")
    volume = nifti.read(tmp_path / "a.nii")
    np.testing.assert_allclose(volume.data, noise * 0.5 + 10)
    assert volume.data.dtype == np.float32


def test_a_trailing_axis_of_one_is_no_fourth_dimension(tmp_path, noise):
    path = save(tmp_path / "a.nii.gz", noise[..., None])
    assert nifti.read(path).shape == (36, 34, 5)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"no file .*gone\.nii"):
        nifti.read(tmp_path / "gone.nii.gz")


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "a.nii.gz").touch()
    with pytest.raises(InputError, match="is empty"):
        nifti.read(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("kept", [40, 0.5, 0.95])
def test_a_file_cut_short_is_told(nifti_file, kept):
    whole = nifti_file.read_bytes()
    nifti_file.write_bytes(whole[: kept if kept > 1 else int(len(whole) * kept)])
    with pytest.raises(InputError, match="cannot be read as NIfTI") as caught:
        nifti.read(nifti_file)
    assert "export it again" in caught.value.fix
    assert str(nifti_file.parent) not in str(caught.value)


def test_a_plain_file_cut_short_is_told(tmp_path, noise):
    path = save(tmp_path / "a.nii", noise)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match="cannot be read"):
        nifti.read(path)


@pytest.mark.parametrize(
    "content", [b"hello" * 200, gzip.compress(b"x" * 2000)], ids=["text", "gzip"]
)
def test_something_else_under_a_nifti_name_is_told(tmp_path, content):
    (tmp_path / "a.nii.gz").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as NIfTI"):
        nifti.read(tmp_path / "a.nii.gz")


def test_damaged_compressed_bytes_are_told(nifti_file):
    content = bytearray(nifti_file.read_bytes())
    content[len(content) // 2 :][:40] = b"\xff" * 40
    content[200:240] = b"\xff" * 40
    nifti_file.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as NIfTI"):
        nifti.read(nifti_file)


def test_a_time_series_is_refused(tmp_path):
    path = save(tmp_path / "a.nii", np.random.default_rng(0).random((5, 5, 5, 2)))
    with pytest.raises(InputError, match="4-D"):
        nifti.read(path)


@pytest.mark.parametrize("shape", [(9, 9, 1), (2, 9, 9), (9, 9)])
def test_a_single_slice_is_refused(tmp_path, shape):
    path = save(tmp_path / "a.nii", np.random.default_rng(0).random(shape))
    with pytest.raises(InputError, match=r"slices|-D"):
        nifti.read(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_nan_and_infinity_are_counted(tmp_path, value):
    data = np.arange(125.0).reshape(5, 5, 5)
    data[1, 2, 3] = value
    with pytest.raises(ImplausibleError, match="1 of 125"):
        nifti.read(save(tmp_path / "a.nii", data))


def test_values_beyond_float32_are_told(tmp_path):
    data = np.arange(125.0).reshape(5, 5, 5)
    data[0, 0, 0] = 1e300
    with pytest.raises(ImplausibleError, match="infinite"):
        nifti.read(save(tmp_path / "a.nii", data))


@pytest.mark.parametrize("value", [0, 7])
def test_a_constant_image_is_refused(tmp_path, value):
    path = save(tmp_path / "a.nii", np.full((5, 5, 5), value, np.int16))
    with pytest.raises(ImplausibleError, match=f"Every voxel .* is {value}"):
        nifti.read(path)


def test_color_is_refused(tmp_path):
    rgb = np.zeros((5, 5, 5), dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    with pytest.raises(InputError, match="color or complex"):
        nifti.read(save(tmp_path / "a.nii", rgb))


def test_complex_is_refused(tmp_path):
    with pytest.raises(InputError, match="color or complex"):
        nifti.read(save(tmp_path / "a.nii", np.ones((5, 5, 5), np.complex64)))


def test_a_singular_affine_is_refused(tmp_path, noise):
    path = save(tmp_path / "a.nii", noise)
    damage(path, 280, np.array([1, 1, 0, 0, 1, 1, 0, 0], np.float32).tobytes())
    with pytest.raises(ImplausibleError, match="singular"):
        nifti.read(path)


def test_voxels_of_no_size_are_refused(tmp_path, noise):
    path = damage(save(tmp_path / "a.nii", noise), 280, bytes(48))
    with pytest.raises(ImplausibleError, match="gives voxels of"):
        nifti.read(path)


def test_without_any_orientation_left_and_right_are_unknown(tmp_path, noise):
    path = damage(save(tmp_path / "a.nii", noise), 252, bytes(4))
    with pytest.raises(MetadataError, match="which side is left"):
        nifti.read(path)


@pytest.mark.parametrize("unit", ["micron", "meter"])
def test_voxels_in_other_units_are_refused(tmp_path, noise, unit):
    image = nib.Nifti1Image(noise, np.eye(4))
    image.header.set_xyzt_units(unit)
    nib.save(image, tmp_path / "a.nii")
    with pytest.raises(MetadataError, match=unit):
        nifti.read(tmp_path / "a.nii")


def test_an_absurd_size_is_refused_before_memory_is_asked_for(tmp_path, noise):
    path = save(tmp_path / "a.nii", noise)
    damage(path, 42, np.array([30000, 30000, 30000], np.int16).tobytes())
    with pytest.raises(ImplausibleError, match="claims"):
        nifti.read(path)


def test_grid_needs_no_pixels(nifti_file, oblique):
    shape, affine = nifti.grid(nifti_file)
    assert shape == (36, 34, 5)
    np.testing.assert_allclose(affine, oblique, atol=1e-5)


@st.composite
def affines(draw):
    angles = draw(st.tuples(*[st.floats(-3, 3)] * 3))
    edges = draw(st.tuples(*[st.floats(0.3, 6)] * 3))
    flips = draw(st.tuples(*[st.sampled_from([-1, 1])] * 3))
    offset = draw(st.tuples(*[st.floats(-200, 200)] * 3))
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one, two = [n for n in range(3) if n != axis]
        step = np.eye(3)
        step[one, one] = step[two, two] = np.cos(angle)
        step[one, two], step[two, one] = -np.sin(angle), np.sin(angle)
        turn = turn @ step
    affine = np.eye(4)
    affine[:3, :3] = turn * edges * flips
    affine[:3, 3] = offset
    return affine


images = arrays(np.float32, (4, 3, 5), elements=st.floats(-1e6, 1e6, width=32))
codes = st.integers(0, 4)


@settings(max_examples=40, deadline=None)
@given(affine=affines(), data=images)
def test_written_and_read_again_is_the_same(tmp_path_factory, affine, data):
    data.flat[0], data.flat[1] = 0, 1  # a constant image is refused
    path = tmp_path_factory.mktemp("there") / "a.nii.gz"
    nifti.write(path, Volume(data, affine))
    back = nifti.read(path)
    np.testing.assert_array_equal(back.data, data)
    np.testing.assert_allclose(back.affine, affine, atol=1e-3)
    header = nib.load(path).header
    exact = np.allclose(header.get_qform(), affine, atol=GRID_TOLERANCE_MM)
    assert (header["qform_code"], header["sform_code"]) == (exact, 1)


def test_a_grid_that_no_quaternion_can_hold_is_in_the_sform_alone(tmp_path):
    data = np.arange(60, dtype=np.float32).reshape(4, 3, 5)
    turns = Rotation.from_rotvec([[3.1406, 0, 0], [3.0, 0, 0]]).as_matrix()
    for turn, code in zip(turns, (0, 1), strict=True):
        affine = np.eye(4)
        affine[:3, :3] = 2 * turn
        path = tmp_path / f"{code}.nii.gz"
        nifti.write(path, Volume(data, affine))
        header = nib.load(path).header
        assert header["qform_code"] == code
        np.testing.assert_allclose(header.get_sform(), affine, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    affine=affines(),
    qform=codes,
    sform=codes,
    endian=st.sampled_from("<>"),
    extra=st.sampled_from([(), (1,)]),
    cls=st.sampled_from([nib.Nifti1Image, nib.Nifti2Image]),
)
def test_the_geometry_of_like_is_kept_bit_for_bit(
    tmp_path_factory, affine, qform, sform, endian, extra, cls
):
    if qform == sform == 0:
        sform = 1
    folder = tmp_path_factory.mktemp("like")
    data = np.arange(60, dtype=np.int16).reshape(4, 3, 5, *extra)
    header = cls.header_class(endianness=endian)
    image = cls(data, affine, header)
    image.set_qform(affine, qform)
    image.set_sform(affine, sform)
    nib.save(image, folder / "in.nii.gz")
    volume = nifti.read(folder / "in.nii.gz")
    nifti.write(folder / "out.nii.gz", volume, like=folder / "in.nii.gz")
    before, after = (nib.load(folder / n) for n in ("in.nii.gz", "out.nii.gz"))
    assert after.shape == before.shape
    assert after.affine.tobytes() == before.affine.tobytes()
    for name in GEOMETRY:
        assert after.header[name].tobytes() == before.header[name].tobytes(), name
    np.testing.assert_array_equal(after.get_fdata(), before.get_fdata())


def test_a_written_file_says_what_it_is_and_nothing_of_the_patient(
    tmp_path, noise, oblique
):
    image = nib.Nifti1Image(noise, oblique)
    image.header["db_name"] = image.header["aux_file"] = b"Someone Real"
    image.header["descrip"] = b"Someone Real"
    image.header.extensions.append(nib.nifti1.Nifti1Extension(6, b"Someone Real"))
    like = tmp_path / "in.nii.gz"
    nib.save(image, like)
    nifti.write(tmp_path / "out.nii.gz", nifti.read(like), like=like)
    content = gzip.decompress((tmp_path / "out.nii.gz").read_bytes())
    assert b"Someone" not in content
    header = nib.load(tmp_path / "out.nii.gz").header
    assert bytes(header["descrip"]).rstrip(b"\0") == nifti.DESCRIPTION
    assert header.get_data_dtype() == np.float32


def test_the_same_volume_gives_the_same_bytes(tmp_path, noise, oblique):
    volume = Volume(noise, oblique)
    nifti.write(tmp_path / "a.nii.gz", volume)
    nifti.write(tmp_path / "b.nii.gz", volume)
    one, two = ((tmp_path / n).read_bytes() for n in ("a.nii.gz", "b.nii.gz"))
    assert one == two
    assert one[3] == 0  # gzip: no file name
    assert one[4:8] == bytes(4)  # gzip: no time


def test_a_sheared_grid_is_kept_in_the_sform_alone(tmp_path, noise):
    affine = np.eye(4)
    affine[0, 1] = 0.3
    nifti.write(tmp_path / "a.nii", Volume(noise, affine))
    header = nib.load(tmp_path / "a.nii").header
    assert (header["qform_code"], header["sform_code"]) == (0, 1)
    np.testing.assert_allclose(nifti.read(tmp_path / "a.nii").affine, affine, atol=1e-6)


def test_another_grid_than_like_is_refused(tmp_path, nifti_file, noise, oblique):
    moved = oblique.copy()
    moved[0, 3] += 0.5
    for volume in (Volume(noise, moved), Volume(noise[1:], oblique)):
        with pytest.raises(GridMismatchError, match="differ by up to"):
            nifti.write(tmp_path / "out.nii.gz", volume, like=nifti_file)
    assert not list(tmp_path.glob("*out*"))


def test_nothing_is_overwritten(nifti_file, noise, oblique):
    before = nifti_file.read_bytes()
    with pytest.raises(OutputError, match="already there"):
        nifti.write(nifti_file, Volume(noise, oblique))
    assert nifti_file.read_bytes() == before


def test_an_unknown_ending_is_refused(tmp_path, noise, oblique):
    with pytest.raises(OutputError, match=re.escape(".nii.gz")):
        nifti.write(tmp_path / "a.mgz", Volume(noise, oblique))


def test_a_mask_is_bytes_on_the_same_grid(tmp_path, nifti_file, noise):
    volume = nifti.read(nifti_file)
    mask = noise > 2000
    nifti.write_mask(tmp_path / "m.nii.gz", mask, volume, like=nifti_file)
    image = nib.load(tmp_path / "m.nii.gz")
    assert image.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asarray(image.dataobj), mask)
    with pytest.raises(GridMismatchError):
        nifti.write_mask(tmp_path / "n.nii.gz", mask[1:], volume)


@pytest.mark.data
def test_real_scans_keep_their_header_geometry(tmp_path, data_folder):
    like = data_folder / "ms-longitudinal/patient12/study1_T1W.nii.gz"
    nifti.write(tmp_path / "out.nii.gz", nifti.read(like), like=like)
    before, after = (nib.load(p).header for p in (like, tmp_path / "out.nii.gz"))
    for name in GEOMETRY:
        assert after[name].tobytes() == before[name].tobytes(), name
