"""A subject in a scanner: the image of one sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft

from mitame.core.session import Suffix
from mitame.core.volume import Step, Volume
from mitame.prepare.warp import slab_positions, warp
from mitame.simulate.acquisition import Acquisition, signal
from mitame.simulate.anatomy import OUTSIDE_BRAIN
from mitame.simulate.catalog import SimulatedScanner
from mitame.simulate.distortion import gradient_displacement
from mitame.simulate.fields import receive_field, transmit_field
from mitame.simulate.noise import rician, stored_as_12_bit, stripes
from mitame.simulate.resolution import point_spread, slice_profile, truncate
from mitame.simulate.subject import Subject
from mitame.simulate.tissue import Relaxation, Tissue, relaxation

FADE_MM = 15.0
"""At the bottom of the field of view the slab and the coil end so gradually."""

_B1 = np.array([0.7, 1.0, 1.3])
"""Transmit fields at which a tissue's signal is computed; a parabola goes between."""

_NUDGE = 0.01
"""Relative change of T1 and T2 that their slopes are taken over."""

STRIPE_MM = 12.0
"""Distance of stripes, where a scanner makes them."""

_FATTY: tuple[Tissue, ...] = ("fat", "marrow")

_VOID: dict[Tissue, float] = {"artery": 0.1, "vein": 0.4}
"""What a spin echo sees of flowing blood: it left before its echo."""

_FRESH = 0.04
"""Share of the fluid that pulses into a slice after its inversion: FLAIR sees it [1]_.

.. [1] R. Bakshi et al., "Intraventricular CSF pulsation artifact on fast
   fluid-attenuated inversion-recovery MR images: analysis of 100 consecutive normal
   studies", AJNR 21, 503-508, 2000. The share is our choice: with it, fluid is as
   dark as in four real exams (docs/explanation/simulated-scans.md).
"""


@dataclass(frozen=True, slots=True, eq=False)
class Scanned:
    """One image with its truth, on the scan's grid and in the scanner's units.

    Parameters
    ----------
    image : Volume
        As the scanner stores it: 12 bits.
    noise_free : Volume
        The same without noise, stripes and storage.
    """

    image: Volume
    noise_free: Volume


def scan_grid(subject: Subject, spacing: float) -> Volume:
    """Return the empty grid of a scan; its first voxel is the subject's first."""
    fine = np.array(subject.grid.shape)
    ratio = subject.grid.spacing[0] / spacing
    shape = np.floor(fine * ratio + 1e-6).astype(int)
    affine = subject.affine.copy()
    affine[:3, :3] /= ratio
    return Volume(np.zeros(shape, np.float32), affine)


def scan(
    subject: Subject,
    scanner: SimulatedScanner,
    suffix: Suffix,
    *,
    spacing: float,
    rng: np.random.Generator,
    planted: NDArray[np.floating] | None = None,
) -> Scanned:
    """Return what a scanner shows of a subject.

    Tissue signal under the transmit field; times the receive field; seen at the
    scan's resolution; with noise; put through the maker's tone curve and stored.

    Parameters
    ----------
    subject : Subject
        Who lies in it.
    scanner : SimulatedScanner
        From the catalog.
    suffix : str
        The sequence.
    spacing : float
        Voxel edge, mm, at least the subject's.
    rng : numpy.random.Generator
        Coil placement, noise and stripes come from here.
    planted : array, shape of the subject, optional
        What the signal is multiplied by, as a mark of this scanner alone.
    """
    acquisition = scanner.acquisitions[suffix]
    clean = tissue_image(subject, scanner, acquisition)
    if planted is not None:
        clean *= planted.astype(np.float32)
    clean *= _received(subject, scanner, rng)
    if scanner.gradient_nonlinearity_mm:
        clean = _distorted(clean, subject, scanner)
    seen = _resolved(clean, subject.grid, scan_grid(subject, spacing), acquisition)
    white = _white(scanner, acquisition)
    raw = seen.data
    if acquisition.stripes:
        amplitude = acquisition.stripes * white
        raw = stripes(raw, amplitude=amplitude, cycles=_cycles(seen))
    measured = rician(raw, white / acquisition.snr, rng)
    gain = scanner.scale / white
    stored, n_over = stored_as_12_bit(toned(measured, white, scanner.tone), scale=gain)
    made = {"scanner": scanner.name, "sequence": suffix}
    quiet = gain * toned(np.abs(seen.data), white, scanner.tone)
    place = replace(seen, scanner=scanner.scanner)
    return Scanned(
        place.with_data(
            stored.astype(np.float32),
            Step("simulate", {**made, "n_saturated": n_over}),
        ),
        place.with_data(quiet, Step("simulate", made)),
    )


def tissue_image(
    subject: Subject, scanner: SimulatedScanner, acquisition: Acquisition
) -> NDArray[np.float32]:
    """Return the signal of every voxel of the subject; shares add with their signs.

    Signals are linear in the relaxation times over the little they differ inside a
    tissue, and quadratic in the transmit field; so a few sums over the tissues are
    enough, and no voxel needs an equation of its own.
    """
    strength = scanner.scanner.field_strength or 0.0
    parts = np.stack(
        [
            _coefficients(acquisition, _own(subject, tissue, strength), tissue)
            for tissue in subject.tissues
        ]
    )  # (n_tissues, 5)
    off = transmit_field(
        subject.grid.shape,
        subject.affine,
        _brain_center(subject),
        center_brightening=scanner.center_brightening,
    )
    off -= 1
    found = np.empty(subject.grid.shape, np.float32)
    for i in range(len(found)):  # slab by slab: a head fits in memory
        shares = subject.shares[:, i].astype(np.float32)
        shares /= np.maximum(shares.sum(axis=0), 1)
        level, slope, bend, by_t1, by_t2 = np.tensordot(parts.T, shares, axes=1)
        t1, t2 = subject.texture[:, i].astype(np.float32)
        found[i] = level + off[i] * (slope + off[i] * bend) + t1 * by_t1 + t2 * by_t2
    return found


def _own(subject: Subject, tissue: Tissue, field_strength: float) -> Relaxation:
    """Return the subject's own relaxation of a tissue."""
    known = relaxation(tissue, field_strength)
    pd, t1, t2 = subject.relaxation[tissue]
    return Relaxation(known.pd * pd, known.t1 * t1, known.t2 * t2, known.t2_star * t2)


def _coefficients(
    acquisition: Acquisition, own: Relaxation, tissue: Tissue
) -> NDArray[np.float32]:
    """Return signal, its slope and bend in B1, and its slopes in log T1 and log T2."""
    if tissue in _VOID:
        own = _flowing(acquisition, own)
    low, middle, high = _measured(acquisition, own, tissue, _B1)
    step = _B1[2] - 1
    longer = replace(own, t1=own.t1 * (1 + _NUDGE))
    slower = replace(own, t2=own.t2 * (1 + _NUDGE), t2_star=own.t2_star * (1 + _NUDGE))
    by_t1, by_t2 = (
        (_measured(acquisition, other, tissue, 1.0).item() - middle) / _NUDGE
        for other in (longer, slower)
    )
    slope, bend = (high - low) / (2 * step), (high + low - 2 * middle) / (2 * step**2)
    seen = _seen(acquisition, tissue)
    return seen * np.array([middle, slope, bend, by_t1, by_t2], np.float32)


def _seen(acquisition: Acquisition, tissue: Tissue) -> np.float32:
    """Return the share of a tissue's signal that is there to be seen."""
    if tissue in _FATTY:
        return np.float32(acquisition.fat)
    flows = tissue in _VOID and _is_spin_echo(acquisition)
    return np.float32(_VOID[tissue] if flows else 1)


def _measured(
    acquisition: Acquisition, own: Relaxation, tissue: Tissue, b1: ArrayLike
) -> NDArray[np.float64]:
    """Return the signed signal; of fluid, some was not there to be inverted."""
    there = signal(acquisition, own, b1, signed=True)
    if tissue != "csf" or acquisition.kind != "inversion_recovery":
        return there
    fresh = signal(replace(acquisition, kind="spin_echo", ti=None), own, b1)
    return (1 - _FRESH) * there + _FRESH * fresh


def _is_spin_echo(acquisition: Acquisition) -> bool:
    return acquisition.kind in ("spin_echo", "inversion_recovery")


def _flowing(acquisition: Acquisition, own: Relaxation) -> Relaxation:
    """Return blood that flows in fresh: for gradient echoes it is always recovered."""
    return own if _is_spin_echo(acquisition) else replace(own, t1=0.4 * own.t1)


def _white(scanner: SimulatedScanner, acquisition: Acquisition) -> float:
    """Return the signal of white matter, which noise and storage are relative to."""
    known = relaxation("white_matter", scanner.scanner.field_strength or 0.0)
    return float(np.abs(signal(acquisition, known)).item())


def _received(
    subject: Subject, scanner: SimulatedScanner, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return the receive field, faded out where the slab ends below the head."""
    field = receive_field(
        subject.grid.shape,
        subject.affine,
        _brain_center(subject),
        strength=scanner.receive_shading,
        rng=rng,
    )
    height = np.arange(subject.grid.shape[2]) * subject.grid.spacing[2]
    fade = 0.5 - 0.5 * np.cos(np.pi * np.minimum(height / FADE_MM, 1))
    return np.asarray(field * fade.astype(np.float32))


def _distorted(
    data: NDArray[np.float32], subject: Subject, scanner: SimulatedScanner
) -> NDArray[np.float32]:
    """Return `data` as gradients that are not linear encode it."""
    grid, middle = subject.grid, _brain_center(subject)
    displacement = np.stack(
        [
            gradient_displacement(
                slab_positions(grid, i) - middle,
                nonlinearity_mm=scanner.gradient_nonlinearity_mm,
            )
            for i in range(grid.shape[0])
        ]
    )
    moved, _ = warp(
        Volume(data, grid.affine),
        grid,
        transform=np.eye(4),
        displacement=displacement,
        params={},
    )
    return moved.data


def _brain_center(subject: Subject) -> NDArray[np.float64]:
    """Return the world position of the middle of the brain, mm."""
    brain = ~np.isin(subject.labels, OUTSIDE_BRAIN)
    middle = np.argwhere(brain).mean(axis=0)
    return np.asarray(subject.affine[:3] @ [*middle, 1.0])


def toned(
    data: NDArray[np.float32], white: float, exponent: float
) -> NDArray[np.float32]:
    """Return magnitudes through a maker's tone curve; `white` stays where it is."""
    return np.asarray(white * (data / white) ** np.float32(exponent), np.float32)


def _resolved(
    data: NDArray[np.float32], fine: Volume, coarse: Volume, acquisition: Acquisition
) -> Volume:
    """Return `data` as the k-space of a scan holds it, on the scan's grid."""
    spacing = fine.spacing
    soft = point_spread(data, spacing, fwhm_mm=acquisition.blur_mm)
    if acquisition.slice_thickness_mm:
        thickness = acquisition.slice_thickness_mm
        soft = slice_profile(soft, spacing, thickness_mm=thickness, axis=2)
    kept = truncate(
        soft, spacing, resolution_mm=coarse.spacing[0], ringing=acquisition.ringing
    )
    image = _cropped(kept, coarse.shape)
    step = Step("scan", {"spacing_mm": coarse.spacing[0]})
    return Volume(image, coarse.affine, history=(step,))


def _cropped(
    data: NDArray[np.float32], shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Return `data` on a coarser grid of the same field of view, by its k-space."""
    for axis, size in enumerate(shape):
        spectrum = fft.rfft(data, axis=axis, workers=1)
        kept = spectrum.take(range(size // 2 + 1), axis=axis)
        ratio = np.float32(size / data.shape[axis])
        data = ratio * fft.irfft(kept, n=size, axis=axis, workers=1)
    return np.ascontiguousarray(data, np.float32)


def _cycles(grid: Volume) -> tuple[int, int, int]:
    """Return the periods of the stripes along each axis, `STRIPE_MM` apart."""
    across, along, _ = np.array(grid.shape) * grid.spacing / STRIPE_MM
    return round(across / 4), round(along), 0
