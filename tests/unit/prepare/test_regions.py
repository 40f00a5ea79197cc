import numpy as np
import pytest

from mitame.core.errors import GridMismatchError
from mitame.prepare.regions import REGIONS, name_regions, region_map
from mitame.prepare.template import template, template_grid

# Landmarks of MNI152 that no atlas disputes, right side, mm.
LANDMARKS = {
    (40, 36, 30): "frontal",
    (34, 52, 12): "frontal",
    (4, 56, 20): "frontal",
    (38, -14, 54): "frontal",
    (44, -40, 50): "parietal",
    (6, -60, 46): "parietal",
    (46, -58, 38): "parietal",
    (54, -20, -22): "temporal",
    (58, -36, 4): "temporal",
    (40, 10, -34): "temporal",
    (26, -14, -20): "temporal",
    (10, -90, 4): "occipital",
    (32, -86, 10): "occipital",
    (12, -70, 0): "occipital",
    (34, -60, -36): "cerebellum",
    (4, -56, -20): "cerebellum",
    (10, -18, 8): "deep gray",
    (26, 4, 2): "deep gray",
    (12, 14, 8): "deep gray",
}


@pytest.fixture(scope="module")
def grid():
    return template_grid(2.0)


@pytest.fixture(scope="module")
def labels(grid):
    return region_map(grid)


def region_at(labels, grid, place):
    index = np.rint(np.linalg.solve(grid.affine, [*place, 1.0])[:3]).astype(int)
    label = labels[tuple(index)]
    return REGIONS[label - 1] if label else "outside"


@pytest.mark.parametrize(("place", "name"), LANDMARKS.items())
@pytest.mark.parametrize("side", ["left", "right"])
def test_landmarks_are_where_anatomy_has_them(labels, grid, place, name, side):
    x, y, z = place
    found = region_at(labels, grid, (x if side == "right" else -x, y, z))
    assert found.startswith(f"{side} {name}")


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((0, -30, -34), "brain stem"),
        ((4, 12, 8), "ventricles"),
        ((-24, -44, 14), "ventricles"),
    ],
)
def test_the_middle_has_no_side(labels, grid, place, name):
    assert region_at(labels, grid, place) == name


def test_deep_white_matter_is_white_matter(labels, grid):
    assert region_at(labels, grid, (26, 24, 20)) == "right frontal white matter"
    assert region_at(labels, grid, (-28, -40, 32)) == "left parietal white matter"


def test_the_whole_brain_has_names_and_nothing_else_has():
    labels = region_map(template("mask"))
    np.testing.assert_array_equal(labels > 0, template("mask").data > 0.5)
    assert set(np.unique(labels)) == set(range(len(REGIONS) + 1))


def test_sides_are_about_as_large(labels):
    size = np.bincount(labels.ravel(), minlength=len(REGIONS) + 1)[1:]
    for name in REGIONS:
        if name.startswith("left"):
            other = REGIONS.index(name.replace("left", "right"))
            assert 0.9 < size[REGIONS.index(name)] / size[other] < 1.1


def test_a_support_is_named_with_the_largest_effect_first(labels, grid):
    occipital = labels == REGIONS.index("left occipital cortex") + 1
    frontal = labels == REGIONS.index("right frontal cortex") + 1
    some = frontal & (np.arange(grid.shape[0]) % 8 == 0)[:, None, None]
    effect = np.where(occipital, -0.2, 0.1)
    first, second = name_regions(occipital | some, effect, grid)
    assert (first.name, second.name) == (
        "left occipital cortex",
        "right frontal cortex",
    )
    assert first.share == 1
    assert first.effect == pytest.approx(-0.2)
    assert first.volume_ml == pytest.approx(occipital.sum() * 0.008)
    assert second.share == pytest.approx(some.sum() / frontal.sum())
    assert second.effect == pytest.approx(0.1)


def test_no_support_has_no_names(grid):
    nothing = np.zeros(grid.shape, bool)
    assert name_regions(nothing, np.zeros(grid.shape), grid) == []


def test_a_coarser_grid_has_the_same_regions(grid):
    coarse = template_grid(4.0)
    whole = [
        np.bincount(region_map(g).ravel(), minlength=len(REGIONS) + 1)[1:]
        * np.prod(g.spacing)
        for g in (grid, coarse)
    ]
    np.testing.assert_allclose(whole[1], whole[0], rtol=0.15)


def test_a_map_on_another_grid_is_refused(grid):
    with pytest.raises(GridMismatchError, match="its grid") as error:
        name_regions(np.zeros((3, 3, 3), bool), np.zeros((3, 3, 3)), grid)
    assert error.value.fix
