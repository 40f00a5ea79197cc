from itertools import pairwise

import pytest

from mitame.core.errors import InputError
from mitame.simulate.tissue import FIELD_STRENGTHS, TISSUES, relaxation

SOLID = [tissue for tissue in TISSUES if tissue != "air"]


@pytest.mark.parametrize("tissue", SOLID)
def test_relaxation_toward_the_field_is_slower_in_a_stronger_field(tissue):
    assert relaxation(tissue, 1.5).t1 < relaxation(tissue, 3.0).t1


@pytest.mark.parametrize("tissue", SOLID)
def test_transverse_relaxation_is_not_slower_in_a_stronger_field(tissue):
    weak, strong = relaxation(tissue, 1.5), relaxation(tissue, 3.0)
    assert weak.t2 >= strong.t2
    assert weak.t2_star >= strong.t2_star


@pytest.mark.parametrize("field_strength", FIELD_STRENGTHS)
@pytest.mark.parametrize("tissue", TISSUES)
def test_the_times_of_a_tissue_are_in_the_order_nature_has_them(tissue, field_strength):
    found = relaxation(tissue, field_strength)
    assert 0 < found.t2_star <= found.t2 <= found.t1
    assert 0 <= found.pd <= 1


@pytest.mark.parametrize("field_strength", FIELD_STRENGTHS)
def test_white_matter_relaxes_before_grey_matter_before_fluid(field_strength):
    order = ("white_matter", "thalamus", "deep_grey", "cortex", "csf")
    times = [relaxation(tissue, field_strength) for tissue in order]
    assert all(a.t1 < b.t1 for a, b in pairwise(times))
    assert times[0].t2 < times[3].t2 < times[4].t2
    assert times[0].pd < times[3].pd < times[4].pd == 1


@pytest.mark.parametrize("field_strength", FIELD_STRENGTHS)
def test_iron_shortens_the_transverse_times_of_the_pallidum(field_strength):
    iron = relaxation("pallidum", field_strength)
    for other in ("white_matter", "thalamus", "deep_grey"):
        assert iron.t2 < relaxation(other, field_strength).t2
        assert iron.t2_star < relaxation(other, field_strength).t2_star


@pytest.mark.parametrize("field_strength", FIELD_STRENGTHS)
@pytest.mark.parametrize("sick", ["lesion", "infarct", "tumor"])
def test_disease_has_more_water_than_white_matter_and_less_than_fluid(
    sick, field_strength
):
    white, fluid = (relaxation(t, field_strength) for t in ("white_matter", "csf"))
    found = relaxation(sick, field_strength)
    assert white.t1 < found.t1 < fluid.t1
    assert white.t2 < found.t2 < fluid.t2
    assert white.pd < found.pd < fluid.pd


@pytest.mark.parametrize("field_strength", FIELD_STRENGTHS)
def test_venous_blood_decays_before_arterial(field_strength):
    vein, artery = (relaxation(t, field_strength) for t in ("vein", "artery"))
    assert vein.t2 < artery.t2


def test_white_matter_and_cortex_are_within_what_was_measured():
    # Bojorquez 2017 reviews 3 T: white matter 0.70 to 1.1 s, grey 0.97 to 1.9 s.
    assert 0.70 < relaxation("white_matter", 3.0).t1 < 1.1
    assert 0.97 < relaxation("cortex", 3.0).t1 < 1.9
    # Rooney 2007 measures 0.656 and 1.188 s at 1.5 T.
    assert relaxation("white_matter", 1.5).t1 == pytest.approx(0.656, rel=0.02)
    assert relaxation("cortex", 1.5).t1 == pytest.approx(1.188, rel=0.02)


def test_air_has_no_protons():
    assert relaxation("air", 1.5).pd == relaxation("air", 3.0).pd == 0


def test_an_unknown_field_strength_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"at 7 T.*1\.5 and 3 T"):
        relaxation("csf", 7.0)


def test_a_misspelt_tissue_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"'white_mater'.*mean 'white_matter'"):
        relaxation("white_mater", 3.0)
