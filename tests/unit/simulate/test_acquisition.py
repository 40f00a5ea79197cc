from dataclasses import replace

import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate import signal as equations
from mitame.simulate.acquisition import NEEDS, Acquisition, signal
from mitame.simulate.tissue import Relaxation, relaxation

TISSUE = Relaxation(0.7, 1.2, 0.08, 0.05)
B1 = np.array([0.8, 1.0, 1.2])
ECHO = Acquisition(kind="spin_echo", tr=3.0, te=0.1)
FLAIR = Acquisition(kind="inversion_recovery", tr=9.0, te=0.12, ti=2.4)
QUICK = Acquisition(kind="spoiled_gradient_echo", tr=0.02, te=0.003, flip_angle=0.3)
TRAIN = Acquisition(
    kind="mprage", tr=2.3, te=0.003, ti=0.9, flip_angle=0.16,
    echo_spacing=0.0071, n_excitations=176,
)  # fmt: skip
ALL = [ECHO, FLAIR, QUICK, TRAIN]


def test_a_spin_echo_follows_its_equation_and_loses_to_the_transmit_field():
    wanted = equations.spin_echo(0.7, 1.2, 0.08, tr=3.0, te=0.1)
    np.testing.assert_allclose(
        signal(ECHO, TISSUE, B1), wanted * equations.spin_echo_b1(B1)
    )


def test_an_inversion_recovery_is_inverted_fully_whatever_the_transmit_field():
    wanted = equations.inversion_recovery(0.7, 1.2, 0.08, tr=9.0, te=0.12, ti=2.4)
    np.testing.assert_allclose(
        signal(FLAIR, TISSUE, B1), wanted * equations.spin_echo_b1(B1)
    )


def test_a_gradient_echo_turns_by_the_angle_the_field_makes_and_decays_with_t2_star():
    wanted = equations.spoiled_gradient_echo(
        0.7, 1.2, 0.05, tr=0.02, te=0.003, flip_angle=0.3 * B1
    )
    np.testing.assert_allclose(signal(QUICK, TISSUE, B1), wanted)


def test_an_mprage_turns_by_the_angle_the_field_makes_and_decays_with_t2_star():
    wanted = equations.mprage(
        0.7, 1.2, 0.05, tr=2.3, ti=0.9, te=0.003, flip_angle=0.16 * B1,
        echo_spacing=0.0071, n_excitations=176,
    )  # fmt: skip
    np.testing.assert_allclose(signal(TRAIN, TISSUE, B1), wanted)


@pytest.mark.parametrize("acquisition", ALL, ids=lambda a: a.kind)
def test_without_a_map_the_field_is_nominal(acquisition):
    assert signal(acquisition, TISSUE) == signal(acquisition, TISSUE, 1.0)


@pytest.mark.parametrize(
    "acquisition", [FLAIR, replace(TRAIN, n_excitations=41)], ids=lambda a: a.kind
)
def test_slow_tissue_is_still_inverted_where_asked_for_signs(acquisition):
    slow = Relaxation(1.0, 8.0, 2.0, 1.0)
    kept = signal(acquisition, slow, signed=True)
    assert kept < 0
    assert signal(acquisition, slow) == -kept


@pytest.mark.parametrize("acquisition", ALL, ids=lambda a: a.kind)
def test_air_is_dark_everywhere(acquisition):
    assert (signal(acquisition, relaxation("air", 3.0), B1) == 0).all()


@pytest.mark.parametrize("acquisition", ALL, ids=lambda a: a.kind)
def test_a_kind_has_what_it_needs_and_nothing_else(acquisition):
    for name in NEEDS[acquisition.kind]:
        with pytest.raises(InputError, match=f"needs '{name}'"):
            replace(acquisition, **{name: None})
    for name in set(NEEDS["mprage"]) - set(NEEDS[acquisition.kind]):
        with pytest.raises(InputError, match=f"no use for '{name}'"):
            replace(acquisition, **{name: 1})


@pytest.mark.parametrize(
    "change",
    [
        {"slice_thickness_mm": 0.0},
        {"blur_mm": -1.0},
        {"ringing": 1.5},
        {"ringing": -0.1},
        {"snr": 0.0},
        {"snr": np.nan},
        {"stripes": -0.1},
    ],
    ids=str,
)
def test_a_number_out_of_its_range_is_refused_by_name(change):
    ((name, value),) = change.items()
    with pytest.raises(InputError, match=rf"{name} is {value}"):
        replace(ECHO, **change)


def test_a_broken_count_of_excitations_is_refused():
    with pytest.raises(InputError, match=r"160\.5 excitations"):
        replace(TRAIN, n_excitations=160.5)


def test_times_out_of_order_are_refused_at_once():
    with pytest.raises(InputError, match="out of order"):
        replace(ECHO, te=100.0)
    with pytest.raises(InputError, match="do not fit"):
        replace(TRAIN, tr=1.0)


def test_an_unknown_kind_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match=r"'epi'.*mprage, spoiled"):
        Acquisition(kind="epi", tr=1.0, te=0.1)
