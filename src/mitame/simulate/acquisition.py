"""One sequence as a scanner runs it: its timing, its resolution, its noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitame.core.errors import InputError
from mitame.simulate.signal import (
    inversion_recovery,
    mprage,
    spin_echo,
    spin_echo_b1,
    spoiled_gradient_echo,
)
from mitame.simulate.tissue import Relaxation

Kind = Literal["mprage", "spoiled_gradient_echo", "spin_echo", "inversion_recovery"]
"""The signal equations of `mitame.simulate.signal`."""

KINDS: tuple[Kind, ...] = get_args(Kind)

NEEDS: dict[Kind, tuple[str, ...]] = {
    "mprage": ("ti", "flip_angle", "echo_spacing", "n_excitations"),
    "spoiled_gradient_echo": ("flip_angle",),
    "spin_echo": (),
    "inversion_recovery": ("ti",),
}
"""What each kind needs besides `tr` and `te`; it has no use for the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acquisition:
    """One sequence of one scanner.

    Parameters
    ----------
    kind : str
        One of `KINDS`: which signal equation.
    tr, te : float
        Repetition and echo time, seconds; of an `mprage`, from inversion to inversion.
    ti : float, optional
        Inversion time, seconds; `mprage` and `inversion_recovery` only.
    flip_angle : float, optional
        Nominal, radians; `mprage` and `spoiled_gradient_echo` only.
    echo_spacing : float, optional
        Between excitations, seconds; `mprage` only.
    n_excitations : int, optional
        Per inversion; `mprage` only.
    slice_thickness_mm : float, optional
        Of a 2-D acquisition, > 0; ``None`` is 3-D and isotropic.
    blur_mm : float
        Full width at half maximum of the point spread, >= 0.
    ringing : float
        0 (smooth window in k-space) to 1 (hard edge, Gibbs ringing).
    snr : float
        White matter over the standard deviation of the noise, > 0.
    stripes : float
        Amplitude of a spurious plane wave relative to white matter, >= 0.
    fat : float
        What fat suppression, or water excitation, leaves of fat's signal, 0 to 1.

    Raises
    ------
    InputError
        If a number is out of its range, missing, or of no use to the kind.
    """

    kind: Kind
    tr: float
    te: float
    ti: float | None = None
    flip_angle: float | None = None
    echo_spacing: float | None = None
    n_excitations: int | None = None
    slice_thickness_mm: float | None = None
    blur_mm: float = 0.0
    ringing: float = 0.0
    snr: float = 50.0
    stripes: float = 0.0
    fat: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(
                f"No signal equation is called {self.kind!r}.",
                fix=f"Use one of {', '.join(KINDS)}.",
            )
        _require_timing(self)
        _require_quality(self)
        # The equation checks the order of the times; better now than in the middle.
        signal(self, Relaxation(1.0, 1.0, 0.1, 0.1))


def signal(
    acquisition: Acquisition,
    relaxation: Relaxation,
    b1: ArrayLike = 1.0,
    *,
    signed: bool = False,
) -> NDArray[np.float64]:
    """Return what one tissue gives in one acquisition.

    Inversions are adiabatic, so the transmit field acts on the other pulses only.

    Parameters
    ----------
    acquisition : Acquisition
        The sequence.
    relaxation : Relaxation
        The tissue, at the scanner's field strength.
    b1 : array_like, shape (...)
        Transmit field relative to nominal; flip angles are multiplied by it.
    signed : bool
        Keep the sign of a magnetization that is still inverted. Shares of tissue in
        one voxel add with their signs, before the magnitude is taken.

    Returns
    -------
    array, shape (...)
        In units where fully relaxed water gives 1.
    """
    pd, t1 = relaxation.pd, relaxation.t1
    t2, t2_star = relaxation.t2, relaxation.t2_star
    times = {"tr": acquisition.tr, "te": acquisition.te}
    if acquisition.kind == "spin_echo":
        return spin_echo_b1(b1) * spin_echo(pd, t1, t2, **times)
    if acquisition.kind == "inversion_recovery":
        ti = _given(acquisition.ti)
        return spin_echo_b1(b1) * inversion_recovery(
            pd, t1, t2, **times, ti=ti, signed=signed
        )
    angle = np.asarray(b1, dtype=np.float64) * _given(acquisition.flip_angle)
    if acquisition.kind == "spoiled_gradient_echo":
        return spoiled_gradient_echo(pd, t1, t2_star, **times, flip_angle=angle)
    return mprage(
        pd,
        t1,
        t2_star,
        **times,
        ti=_given(acquisition.ti),
        flip_angle=angle,
        echo_spacing=_given(acquisition.echo_spacing),
        n_excitations=int(_given(acquisition.n_excitations)),
        signed=signed,
    )


def _given(value: float | None) -> float:
    """Return a number whose presence `Acquisition` has checked."""
    assert value is not None  # noqa: S101 - our mistake
    return value


def _require_timing(acquisition: Acquisition) -> None:
    kind = acquisition.kind
    for name in NEEDS["mprage"]:
        value = getattr(acquisition, name)
        if (value is not None) != (name in NEEDS[kind]):
            wrong = "needs" if value is None else "has no use for"
            raise InputError(
                f"An acquisition of kind {kind!r} {wrong} {name!r}.",
                fix=f"Give tr, te{''.join(f', {need}' for need in NEEDS[kind])}.",
            )


def _require_quality(acquisition: Acquisition) -> None:
    count = acquisition.n_excitations
    if count is not None and not isinstance(count, int):
        raise InputError(f"{count} excitations.", fix="Give a whole number.")
    thickness = acquisition.slice_thickness_mm
    _require("slice_thickness_mm", 1.0 if thickness is None else thickness, above=0)
    _require("blur_mm", acquisition.blur_mm)
    _require("ringing", acquisition.ringing, most=1)
    _require("snr", acquisition.snr, above=0)
    _require("stripes", acquisition.stripes)
    _require("fat", acquisition.fat, most=1)


def _require(
    name: str, value: float, *, above: float | None = None, most: float | None = None
) -> None:
    enough = value >= 0 if above is None else value > above
    if not (isfinite(value) and enough and (most is None or value <= most)):
        least = "0 or more" if above is None else f"more than {above:g}"
        top = "" if most is None else f", at most {most:g}"
        raise InputError(f"{name} is {value}.", fix=f"Give {least}{top}.")
