import numpy as np
import pytest

from mitame.simulate.plant import (
    REGIONS,
    Lesion,
    choose_lesions,
    occipital_region,
    plant_lesions,
    regions,
)


def rng(seed=0):
    return np.random.default_rng(seed)


def middle_of(person, share=0.9):
    """World position of the deepest white matter."""
    where = np.argwhere(person.share("white_matter") > share)
    x, y, z = person.affine[:3] @ [*where[len(where) // 2], 1.0]
    return float(x), float(y), float(z)


def test_there_are_ten_regions_and_more():
    assert len(regions()) >= 10
    assert len(set(regions())) == len(regions())


@pytest.mark.parametrize("kind", ["ms", "infarct", "tumor"])
def test_a_lesion_has_its_place_size_and_strength(person, kind):
    center = middle_of(person)
    lesion = Lesion(kind, "left white matter", center, 15.0, 0.6)
    sick, labels = plant_lesions(person, [lesion], rng())
    tissue = {"ms": "lesion", "infarct": "infarct", "tumor": "tumor"}[kind]
    share = sick.share(tissue)
    assert share.max() == pytest.approx(0.6, abs=0.02)
    places = np.argwhere(labels == 1) @ person.affine[:3, :3].T + person.affine[:3, 3]
    assert np.linalg.norm(places.mean(axis=0) - center) < 4
    volume = (labels == 1).sum() * person.grid.spacing[0] ** 3
    assert (6 * volume / np.pi) ** (1 / 3) <= 15 * 1.3
    assert np.array_equal(share > 0.3, labels == 1)


def test_fluid_skull_and_air_keep_their_place(person):
    center = middle_of(person)
    sick, _ = plant_lesions(
        person, [Lesion("ms", "left white matter", center, 15.0, 1.0)], rng()
    )
    solid = np.isin(person.labels, [v for group in REGIONS.values() for v in group])
    assert not sick.share("lesion")[~solid].any()


def test_chosen_lesions_are_apart_and_where_the_labels_name_a_region(person):
    found = choose_lesions(person, 8, rng())
    assert found == choose_lesions(person, 8, rng())
    assert len(found) == 8
    for number, one in enumerate(found):
        assert 2 <= one.diameter_mm <= 15
        assert one.region.endswith(("white matter", "cortex"))  # all that it has
        for other in found[:number]:
            gap = np.linalg.norm(np.subtract(one.center, other.center))
            assert gap > (one.diameter_mm + other.diameter_mm) / 2


def test_the_occipital_region_is_cortex_at_the_back_of_both_sides(person):
    region = occipital_region(person)
    cortex = np.argwhere(np.isin(person.labels, (3, 42)))
    where = np.argwhere(region > 0.3)
    back, front = cortex[:, 1].min(), cortex[:, 1].max()
    assert where[:, 1].max() < back + 0.25 * (front - back)
    middle = person.labels.shape[0] / 2
    assert where[:, 0].min() < middle < where[:, 0].max()
    assert region.max() <= 1
    assert region.min() >= 0
