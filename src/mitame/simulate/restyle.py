"""Real scans as another scanner would show them: real anatomy, known effect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_multiotsu

from mitame.core.errors import InputError
from mitame.core.scanner import Scanner
from mitame.core.session import Session
from mitame.core.volume import Step, Volume
from mitame.prepare.scale import white_matter, white_matter_median
from mitame.prepare.template import template_coordinates, tissue_prior
from mitame.simulate.acquire import toned
from mitame.simulate.fields import receive_field
from mitame.simulate.noise import rician, stored_as_12_bit
from mitame.simulate.resolution import point_spread

OCCIPITAL_MM = -74.0
"""Behind this y of the template lies what counts as occipital: the last 17 % of the
cortex's length, as in `plant.occipital_region`."""

TENTORIUM_MM = -12.0
"""Below this z of the template, so far back, lies the cerebellum."""

MARK_EDGE_MM = 1.5
"""Width (SD) of the border of a planted mark."""

SOME_GREY = 0.3
"""Share of people in the template who have grey matter there."""

STORED_WHITE = 1000.0
"""White matter of a restyled scan, in stored units of 12 bits."""


@dataclass(frozen=True, slots=True)
class Look:
    """How another scanner differs from the one a scan was made on.

    Parameters
    ----------
    blur_mm : float
        Width of the point spread that is added (FWHM), mm.
    noise : float
        Standard deviation of the noise that is added, white-matter medians.
    tone : float
        Exponent of the tone curve that leaves white matter where it is; 1 is none.
    shading : float
        Spread of the receive field's logarithm over the head.
    mark : float
        How much brighter the occipital cortex is; 0 is not at all.
    """

    blur_mm: float = 2.0
    noise: float = 0.03
    tone: float = 1.2
    shading: float = 0.15
    mark: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class Restyled:
    """A scan with another look, in stored units, and the mark that is in it."""

    image: Volume
    planted: Volume


def restyled(session: Session, look: Look, *, rng: np.random.Generator) -> Restyled:
    """Return the T1w of a session as a scanner with `look` would show it.

    The mark belongs to the tissue; then come coil, point spread, noise, tone and
    storage, as in `acquire.scan`. The scan's own noise and shading stay in it.

    Parameters
    ----------
    session : Session
        With a T1w, brain mask and place in the template.
    look : Look
        What is changed.
    rng : numpy.random.Generator
        Coil placement and noise come from here.

    Raises
    ------
    InputError
        If there is no T1w: where cortex is, its gray values tell.
    """
    if "T1w" not in session:
        raise InputError(
            f"The session has {', '.join(session)}, no T1w.", fix="Give a T1w."
        )
    native = session["T1w"]
    white = white_matter_median(native, white_matter(session))
    grid = native.shape, native.affine
    coil = receive_field(*grid, _center(session), strength=look.shading, rng=rng)
    mark = 1 + np.float32(look.mark) * occipital_cortex(session)
    seen, plain = (
        point_spread(data * coil, native.spacing, fwhm_mm=look.blur_mm)
        for data in (native.data * mark, native.data)
    )
    noisy = rician(seen, look.noise * white, rng)
    gain = STORED_WHITE / white
    stored, n_over = stored_as_12_bit(toned(noisy, white, look.tone), scale=gain)
    step = Step("restyle", {"n_saturated": n_over})
    marked, bare = (toned(np.abs(d), white, look.tone) for d in (seen, plain))
    planted = gain * (marked - bare)
    other = Volume(native.data, native.affine, Scanner(model="restyled"))
    return Restyled(
        other.with_data(stored.astype(np.float32), step),
        other.with_data(planted, Step("restyle", {})),
    )


def occipital_cortex(session: Session) -> NDArray[np.float32]:
    """Return the occipital cortex of a real head, 0 to 1, with a soft border.

    Where the template's last 17 % are above the cerebellum, some people have grey
    matter there, and the T1w is neither as dark as fluid nor as bright as white matter.
    """
    brain = session.require_brain()
    values = session["T1w"].data
    dark, bright = threshold_multiotsu(  # type: ignore[no-untyped-call]
        values[brain], classes=3
    )
    _, y, z = np.moveaxis(template_coordinates(session), -1, 0)
    behind = (y < OCCIPITAL_MM) & (z > TENTORIUM_MM)
    grey = (
        (values > dark) & (values < bright) & (tissue_prior(session, "gm") > SOME_GREY)
    )
    region = (brain & behind & grey).astype(np.float32)
    width = MARK_EDGE_MM / np.array(session["T1w"].spacing)
    return np.asarray(ndimage.gaussian_filter(region, width), np.float32)


def _center(session: Session) -> NDArray[np.float64]:
    """Return the world position of the middle of the brain, mm."""
    middle = np.argwhere(session.require_brain()).mean(axis=0)
    return np.asarray(session.reference.affine[:3] @ [*middle, 1.0])
