"""A small comparison with a known lesion, in any axis order."""

from datetime import date

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from mitame.compare.comparison import Comparison, Mark, SequenceComparison
from mitame.core.scanner import Scanner
from mitame.core.volume import Step, Volume

NUMBERS = {
    "noise_level": 0.031,
    "difference_before": 0.12,
    "difference_after": 0.04,
    "correlation_before": 0.91,
    "correlation_after": 0.98,
    "edit_median": 0.08,
    "brain_ml": 612.0,
    "n_marks": 1.0,
    "changed_ml": 1.2,
    "rotation_deg": 2.0,
    "translation_mm": 3.5,
    "gain_low": 0.9,
    "gain_high": 1.2,
}
LESION = (30.0, 12.0, 6.0)  # world mm: right, anterior, superior


def tilt(degrees: float) -> np.ndarray:
    """Turn about the patient's left-right axis, then a little about the others."""
    a, b = np.deg2rad(degrees), np.deg2rad(degrees / 2)
    about_x = [[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]
    about_z = [[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]]
    return np.array(about_x) @ np.array(about_z)


def affine_for(axes: str, spacing=(2.0, 2.0, 5.0), shape=(56, 68, 26), oblique=0.0):
    """Return the affine of a grid centered on zero whose axes point to `axes`."""
    directions = {"R": (1, 0, 0), "A": (0, 1, 0), "S": (0, 0, 1)}
    directions |= {b: tuple(-np.array(directions[a])) for a, b in ("RL", "AP", "SI")}
    affine = np.eye(4)
    turn = tilt(oblique)
    for axis, letter in enumerate(axes):
        affine[:3, axis] = turn @ np.array(directions[letter]) * spacing[axis]
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def world_of(shape, affine):
    """Return x, y and z of every voxel."""
    places = np.indices(shape).reshape(3, -1)
    world = affine[:3, :3] @ places + affine[:3, 3:]
    return world.reshape(3, *shape)


def head(shape, affine, lesion=0.0):
    """Return an ellipsoid brain of 1, a skull around it, and a lesion on the right."""
    x, y, z = world_of(shape, affine)
    radius = np.sqrt((x / 46) ** 2 + (y / 56) ** 2 + (z / 50) ** 2)
    brain = radius < 1
    tissue = 1 + 0.2 * np.sin(x / 7) * np.cos(y / 9)
    data = np.where(brain, tissue, np.where((radius > 1.08) & (radius < 1.15), 0.5, 0))
    where = sum((a - b) ** 2 for a, b in zip((x, y, z), LESION, strict=True)) < 7**2
    return (data + lesion * where).astype(np.float32), brain


def lesion_labels(shape, affine):
    """Return 1 where the lesion of `head` is."""
    world = world_of(shape, affine)
    away = sum((a - b) ** 2 for a, b in zip(world, LESION, strict=True))
    return (away < 7**2).astype(np.int32)


def make_sequence(axes="LPS", *, lesion=0.6, oblique=0.0, numbers=None, move="warp"):
    shape = (56, 68, 26)
    affine = affine_for(axes, shape=shape, oblique=oblique)
    rng = np.random.default_rng(0)
    x, _, _ = world_of(shape, affine)
    plain, brain = head(shape, affine)
    bright, _ = head(shape, affine, lesion)
    gain = (1.2 - 0.004 * x).astype(np.float32)
    noise = np.full(shape, 0.03, np.float32)
    native_affine = affine_for("RAS", (1.5, 1.5, 4.0), (76, 90, 32))
    native, _ = head((76, 90, 32), native_affine)
    read = Step("read", {"file": "/secret/Taro Yamada/prior.nii.gz"})
    prior_native = Volume(300 * native, native_affine, Scanner("Maker", "One", "", 1.5))
    prior_native = prior_native.with_data(prior_native.data, read)
    moved = Step(move, {"transform": np.eye(4).tolist()})
    prior = prior_native.with_grid(plain / gain, affine, moved)
    grain = gaussian_filter(rng.normal(0, 0.08, shape), 0.7).astype(np.float32)
    current = Volume(bright + grain * brain, affine, Scanner("Maker", "Two", "", 3.0))
    harmonized = prior.with_data(plain, Step("bilateral", {"gain_limit": 2.0}))
    change = current.with_data(current.data - plain, Step("change"))
    labels = lesion_labels(shape, affine) if lesion else np.zeros(shape, np.int32)
    marks = (Mark(LESION, 1.44, 14.0, lesion, 20.0),) if lesion else ()
    return SequenceComparison(
        prior_native,
        prior,
        current,
        harmonized,
        change,
        current.with_data(noise, Step("noise")),
        brain,
        marks,
        labels,
        NUMBERS if numbers is None else numbers,
    )


@pytest.fixture
def sequence_of():
    """The maker of sequence comparisons."""
    return make_sequence


@pytest.fixture
def grid_of():
    """The maker of affines."""
    return affine_for


@pytest.fixture(scope="session")
def comparison():
    """One sequence with one lesion, right, anterior and superior."""
    return Comparison(
        {"FLAIR": make_sequence()}, "sub-01", date(2024, 1, 1), date(2025, 1, 31)
    )


@pytest.fixture(scope="session")
def pages(comparison, tmp_path_factory):
    """The report in each language."""
    from mitame.present.report import write_comparison_report

    folder = tmp_path_factory.mktemp("pages")
    texts = {}
    for lang in ("en", "ja"):
        path = folder / f"{lang}.html"
        settings = {"engine": "bilateral", "prior": "/secret/Taro Yamada/p.nii.gz"}
        write_comparison_report(path, comparison, lang=lang, settings=settings)
        texts[lang] = path.read_text(encoding="utf-8")
    return texts
