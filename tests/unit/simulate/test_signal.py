import numpy as np
import pytest

from mitame.core.errors import InputError
from mitame.simulate.signal import (
    inversion_recovery,
    mprage,
    spin_echo,
    spin_echo_b1,
    spoiled_gradient_echo,
)

ECHO = {"tr": 3.0, "te": 0.1}
FLAIR = {"tr": 9.0, "te": 0.12, "ti": 2.4}
QUICK = {"tr": 0.02, "te": 0.003, "flip_angle": 0.3}
TRAIN = {
    "tr": 2.3,
    "ti": 0.9,
    "te": 0.003,
    "flip_angle": 0.16,
    "echo_spacing": 0.0071,
    "n_excitations": 176,
}
EQUATIONS = [
    pytest.param(spin_echo, ECHO, id="spin echo"),
    pytest.param(inversion_recovery, FLAIR, id="inversion recovery"),
    pytest.param(spoiled_gradient_echo, QUICK, id="gradient echo"),
    pytest.param(mprage, TRAIN, id="mprage"),
]


def bloch(t1, *, tr, ti, flip_angle, echo_spacing, n_excitations, inversion=-1.0):
    """Longitudinal magnetization before the middle excitation, cycle after cycle."""

    def relaxed(m, time):
        return 1 + (m - 1) * np.exp(-time / t1)

    middle = n_excitations // 2
    m = 1.0
    for _ in range(60):
        clock = 0.0
        m *= inversion
        for n in range(n_excitations):
            moment = ti + (n - middle) * echo_spacing
            m = relaxed(m, moment - clock)
            clock = moment
            if n == middle:
                seen = m
            m *= np.cos(flip_angle)
        m = relaxed(m, tr - clock)
    return seen


@pytest.mark.parametrize(("equation", "sequence"), EQUATIONS)
def test_no_protons_no_signal(equation, sequence):
    assert equation(0.0, 0.83, 0.05, **sequence) == 0


@pytest.mark.parametrize(("equation", "sequence"), EQUATIONS)
def test_twice_the_protons_give_twice_the_signal(equation, sequence):
    one, two = equation([0.4, 0.8], 0.83, 0.05, **sequence)
    assert two == pytest.approx(2 * one)


@pytest.mark.parametrize(("equation", "sequence"), EQUATIONS)
def test_the_signal_decays_over_the_echo_time_with_its_own_time(equation, sequence):
    slow = equation(1.0, 0.83, np.inf, **sequence)
    found = equation(1.0, 0.83, 0.05, **sequence)
    assert found == pytest.approx(slow * np.exp(-sequence["te"] / 0.05))


@pytest.mark.parametrize(("equation", "sequence"), EQUATIONS)
def test_maps_broadcast_against_each_other(equation, sequence):
    pd, t1, t2 = np.ones((4, 1, 1)), np.full((3, 1), 0.8), np.full(2, 0.07)
    assert equation(pd, t1, t2, **sequence).shape == (4, 3, 2)


@pytest.mark.parametrize(("equation", "sequence"), EQUATIONS)
def test_milliseconds_are_refused(equation, sequence):
    with pytest.raises(InputError, match="in seconds"):
        equation(1.0, 0.83, 0.05, **{**sequence, "te": 3.0e3})
    with pytest.raises(InputError, match=r"0 < te"):
        equation(1.0, 0.83, 0.05, **{**sequence, "te": 0.0})


def test_a_spin_echo_recovers_over_the_repetition_time():
    found = spin_echo(0.7, 1.2, np.inf, **ECHO)
    assert found == pytest.approx(0.7 * (1 - np.exp(-3.0 / 1.2)))


def test_a_long_repetition_time_leaves_density_and_decay():
    found = spin_echo(0.7, 1.2, 0.08, tr=1e3, te=0.1)
    assert found == pytest.approx(0.7 * np.exp(-0.1 / 0.08))


def test_a_short_echo_time_leaves_density_and_recovery():
    found = spin_echo(0.7, 1.2, 0.08, tr=2.0, te=1e-9)
    assert found == pytest.approx(0.7 * (1 - np.exp(-2.0 / 1.2)))


def test_fluid_is_nulled_at_its_time():
    # A long repetition time: the null is at T1 ln 2.
    sequence = {"tr": 500.0, "te": 0.1, "ti": 4.3 * np.log(2)}
    assert inversion_recovery(1.0, 4.3, 2.0, **sequence) < 1e-12
    assert inversion_recovery(1.0, 3.0, 2.0, **sequence) > 0.1


def test_the_null_comes_earlier_at_a_short_repetition_time():
    ti = 4.3 * (np.log(2) - np.log1p(np.exp(-9.0 / 4.3)))
    assert inversion_recovery(1.0, 4.3, 2.0, tr=9.0, te=0.1, ti=ti) < 1e-12


def test_without_inversion_time_all_is_inverted():
    sequence = {"tr": 9.0, "te": 1e-9, "ti": 0.0}
    found = inversion_recovery(0.7, 4.3, 2.0, **sequence, signed=True)
    assert found == pytest.approx(-0.7 * (1 - np.exp(-9.0 / 4.3)))
    assert inversion_recovery(0.7, 4.3, 2.0, **sequence) == pytest.approx(-found)


def test_a_pulse_that_inverts_nothing_leaves_a_spin_echo():
    found = inversion_recovery(0.7, 1.2, 0.08, **FLAIR, inversion=1.0)
    assert found == pytest.approx(spin_echo(0.7, 1.2, 0.08, tr=9.0, te=0.12))


def test_a_right_angle_instead_of_an_inversion_saturates():
    found = inversion_recovery(0.7, 1.2, np.inf, **FLAIR, inversion=0.0)
    assert found == pytest.approx(0.7 * (1 - np.exp(-2.4 / 1.2)))


def test_an_inversion_time_after_the_echo_is_refused():
    with pytest.raises(InputError, match=r"inversion time of 8\.95 s"):
        inversion_recovery(1.0, 4.3, 2.0, tr=9.0, te=0.1, ti=8.95)
    with pytest.raises(InputError, match="inversion time of -1"):
        inversion_recovery(1.0, 4.3, 2.0, tr=9.0, te=0.1, ti=-1)


def test_full_recovery_leaves_density_and_decay():
    found = spoiled_gradient_echo(0.7, 1e-6, 0.05, **QUICK)
    assert found == pytest.approx(0.7 * np.sin(0.3) * np.exp(-0.003 / 0.05))


def test_right_angle_is_saturation_recovery():
    found = spoiled_gradient_echo(
        1.0, 0.83, np.inf, **{**QUICK, "flip_angle": np.pi / 2}
    )
    assert found == pytest.approx(1 - np.exp(-0.02 / 0.83))


def test_the_brightest_angle_is_ernsts():
    ernst = np.arccos(np.exp(-0.02 / 0.83))
    angles = ernst * np.array([0.98, 1.0, 1.02])
    found = spoiled_gradient_echo(1.0, 0.83, 0.05, tr=0.02, te=0.003, flip_angle=angles)
    assert found.argmax() == 1
    # There the cosine of the angle is what relaxation leaves.
    left = np.cos(ernst)
    value = np.sin(ernst) * (1 - left) / (1 - left**2) * np.exp(-0.003 / 0.05)
    assert found[1] == pytest.approx(value)


@pytest.mark.parametrize("angle", [0.0, -0.1, 9.0])
def test_an_angle_in_degrees_is_refused(angle):
    with pytest.raises(InputError, match="radians"):
        spoiled_gradient_echo(1, 1, 1, **{**QUICK, "flip_angle": [0.3, angle]})
    with pytest.raises(InputError, match="radians"):
        mprage(1, 1, 1, **{**TRAIN, "flip_angle": angle})


@pytest.mark.parametrize("t1", [0.3, 0.85, 1.45, 4.3])
@pytest.mark.parametrize("inversion", [-1.0, -0.8, 1.0])
@pytest.mark.parametrize("change", [{}, {"n_excitations": 1}, {"n_excitations": 121}])
def test_mprage_is_what_brute_force_finds(t1, inversion, change):
    sequence = {**TRAIN, **change}
    timing = {key: value for key, value in sequence.items() if key != "te"}
    wanted = 0.7 * np.sin(0.16) * np.exp(-0.003 / 0.05)
    wanted *= bloch(t1, **timing, inversion=inversion)
    found = mprage(0.7, t1, 0.05, **sequence, inversion=inversion, signed=True)
    assert found == pytest.approx(wanted, rel=1e-9)
    assert mprage(0.7, t1, 0.05, **sequence, inversion=inversion) == abs(found)


def test_a_transmit_map_is_one_angle_after_the_other():
    angles = np.array([0.1, 0.16, 0.2])
    together = mprage(0.7, 0.85, 0.05, **{**TRAIN, "flip_angle": angles})
    alone = [mprage(0.7, 0.85, 0.05, **{**TRAIN, "flip_angle": a}) for a in angles]
    np.testing.assert_allclose(together, alone)


def test_one_hard_excitation_after_an_inversion_is_inversion_recovery():
    sequence = {**TRAIN, "n_excitations": 1, "flip_angle": np.pi / 2}
    found = mprage(0.7, 1.2, np.inf, **sequence, signed=True)
    wanted = inversion_recovery(0.7, 1.2, np.inf, tr=2.3, te=0.003, ti=0.9, signed=True)
    assert found == pytest.approx(wanted)


def test_a_train_without_pause_or_inversion_is_a_plain_gradient_echo():
    spacing = 0.01
    found = mprage(
        0.7, 0.85, 0.05, tr=100 * spacing, ti=50 * spacing, te=0.003, flip_angle=0.2,
        echo_spacing=spacing, n_excitations=100, inversion=1.0,
    )  # fmt: skip
    plain = spoiled_gradient_echo(0.7, 0.85, 0.05, tr=spacing, te=0.003, flip_angle=0.2)
    assert found == pytest.approx(plain)


@pytest.mark.parametrize(
    "change", [{"ti": 0.5}, {"tr": 1.4}, {"n_excitations": 0}, {"ti": 900.0}]
)
def test_a_train_that_does_not_fit_is_refused(change):
    with pytest.raises(InputError, match="do not fit"):
        mprage(1.0, 0.85, 0.05, **{**TRAIN, **change})


def test_a_spin_echo_is_whole_at_the_nominal_field_and_gone_at_twice():
    np.testing.assert_allclose(spin_echo_b1([0.0, 1.0, 2.0]), [0, 1, 0], atol=1e-12)


def test_two_thirds_of_the_field_leave_the_cube_of_a_sine():
    # Excitation by 60 degrees, refocusing by 120: sin(60) sin(60)^2.
    assert spin_echo_b1(2 / 3) == pytest.approx(np.sin(np.pi / 3) ** 3)


def test_too_much_field_costs_what_too_little_does():
    assert spin_echo_b1(1.25) == pytest.approx(spin_echo_b1(0.75))
