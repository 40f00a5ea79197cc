"""Proton density and relaxation times per tissue and field strength, with sources.

Measured values of one tissue differ by a third between studies [1]_; the numbers
here are rounded, and chosen so that the two field strengths agree with each other.
Blood and fluid are at rest: no inflow, no flow void.

References
----------
.. [1] J. Z. Bojorquez et al., "What are normal relaxation times of tissues at 3 T?",
   Magnetic Resonance Imaging 35, 69-80, 2017.
.. [2] W. D. Rooney et al., "Magnetic field and tissue dependencies of human brain
   longitudinal 1H2O relaxation in vivo", MRM 57, 308-318, 2007.
.. [3] J. P. Wansapura et al., "NMR relaxation times in the human brain at 3.0 tesla",
   JMRI 9, 531-538, 1999.
.. [4] G. J. Stanisz et al., "T1, T2 relaxation and magnetization transfer in tissue
   at 3T", MRM 54, 507-512, 2005.
.. [5] E. F. Cox, P. A. Gowland, "Simultaneous quantification of T2 and T'2 using a
   combined gradient echo-spin echo sequence at ultrahigh field", MRM 64,
   1440-1445, 2010.
.. [6] A. M. Peters et al., "T2* measurements in human brain at 1.5, 3 and 7 T",
   Magnetic Resonance Imaging 25, 748-753, 2007.
.. [7] K. P. Whittall et al., "In vivo measurement of T2 distributions and water
   contents in normal human brain", MRM 37, 34-43, 1997.
.. [8] G. E. Gold et al., "Musculoskeletal MRI at 3.0 T: relaxation times and image
   contrast", AJR 183, 343-351, 2004.
.. [9] H. Lu et al., "Determining the longitudinal relaxation time (T1) of blood at
   3.0 Tesla", MRM 52, 679-682, 2004.
.. [10] J. M. Spijkerman et al., "T2 mapping of cerebrospinal fluid: 3 T versus 7 T",
   MAGMA 31, 415-424, 2018.
.. [11] V. L. Stevenson et al., "Variations in T1 and T2 relaxation times of normal
   appearing white matter and lesions in multiple sclerosis", Journal of the
   Neurological Sciences 178, 81-87, 2000.
.. [12] C. Badve et al., "MR fingerprinting of adult brain tumors: initial
   experience", AJNR 38, 492-499, 2017.
.. [13] I. L. Reichert et al., "Magnetic resonance imaging of cortical bone with
   ultrashort TE pulse sequences", Magnetic Resonance Imaging 23, 611-618, 2005.
.. [14] J. Du et al., "Qualitative and quantitative ultrashort echo time (UTE) imaging
   of cortical bone", Journal of Magnetic Resonance 207, 304-311, 2010.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, get_args

from mitame.core.errors import InputError

Tissue = Literal[
    "white_matter",
    "cortex",
    "deep_grey",
    "pallidum",
    "thalamus",
    "csf",
    "lesion",
    "infarct",
    "tumor",
    "artery",
    "vein",
    "muscle",
    "fat",
    "skin",
    "marrow",
    "bone",
    "eye",
    "mucosa",
    "choroid_plexus",
    "air",
]
"""The tissues of a head; `deep_grey` is caudate and putamen, `lesion` as in MS."""

TISSUES: tuple[Tissue, ...] = get_args(Tissue)

FIELD_STRENGTHS = (1.5, 3.0)
"""Tesla."""


@dataclass(frozen=True, slots=True)
class Relaxation:
    """What the signal equations need to know of one tissue at one field strength.

    Parameters
    ----------
    pd : float
        Density of the protons that give signal, relative to water = 1.
    t1, t2, t2_star : float
        Relaxation times, seconds, > 0; ``t2_star <= t2 <= t1``.
    """

    pd: float
    t1: float
    t2: float
    t2_star: float


# Per tissue: pd, then T1, T2, T2* in seconds at 1.5 T and at 3 T. Water contents of
# brain are Whittall's [7], T2* of brain are Peters' [6] where not said otherwise.
_Times = tuple[float, float, float]
_TABLE: dict[Tissue, tuple[float, _Times, _Times]] = {
    # T1 [2, 3]; T2 between [4] (72, 69 ms) and [5] (80, 71 ms).
    "white_matter": (0.70, (0.66, 0.076, 0.066), (0.85, 0.070, 0.053)),
    # T1 [2], at 3 T between [3] (1.33 s) and [4] (1.82 s); T2 [4, 5].
    "cortex": (0.83, (1.19, 0.090, 0.084), (1.45, 0.084, 0.066)),
    # T1 [2], at 3 T between its 1.5 T and 4 T; T2 as cortex less some iron.
    "deep_grey": (0.82, (1.03, 0.080, 0.057), (1.30, 0.070, 0.036)),
    # T1 after [2]; T2 and T2* our choice: twice the iron of caudate and putamen.
    "pallidum": (0.77, (0.75, 0.060, 0.042), (0.92, 0.050, 0.026)),
    # T1 after [2]; T2 our choice; T2* between white matter and cortex.
    "thalamus": (0.79, (0.97, 0.080, 0.065), (1.20, 0.074, 0.047)),
    # T1 [2], hardly depends on the field; T2 [10]; T2* is a guess, and long.
    "csf": (1.00, (4.10, 2.200, 1.000), (4.30, 2.000, 0.800)),
    # [11]; at 3 T lengthened as cortex is.
    "lesion": (0.85, (1.10, 0.125, 0.105), (1.30, 0.115, 0.090)),
    # Subacute, with edema: our choice between `lesion` and fluid.
    "infarct": (0.90, (1.40, 0.170, 0.140), (1.65, 0.155, 0.115)),
    # Between solid glioblastoma and low grade at 3 T [12]; at 1.5 T as cortex.
    "tumor": (0.88, (1.30, 0.130, 0.110), (1.60, 0.120, 0.085)),
    # T1 [4, 9]; T2 [4].
    "artery": (0.80, (1.44, 0.290, 0.200), (1.66, 0.275, 0.120)),
    # T1 [9]; T2 our choice: it falls steeply with the field in blood without oxygen.
    "vein": (0.80, (1.38, 0.120, 0.060), (1.58, 0.055, 0.022)),
    # T1 and T2 of muscle, fat and marrow [8]; their T2* is a guess.
    "muscle": (0.80, (1.13, 0.035, 0.030), (1.42, 0.032, 0.025)),
    "fat": (0.90, (0.288, 0.165, 0.050), (0.371, 0.133, 0.030)),
    # Diploe: fat between trabeculae, which have no signal.
    "marrow": (0.65, (0.288, 0.165, 0.020), (0.365, 0.133, 0.012)),
    # Our choice: fibrous tissue, bound water.
    "skin": (0.60, (0.85, 0.030, 0.015), (1.05, 0.028, 0.010)),
    # [13] at 1.5 T, [14] at 3 T; T2 is not measured apart from T2*.
    "bone": (0.15, (0.20, 0.00045, 0.00042), (0.22, 0.00042, 0.00039)),
    # Vitreous body: nearly water; our choice a little below CSF.
    "eye": (0.98, (3.80, 1.200, 0.500), (4.00, 1.000, 0.400)),
    # Our choice: swollen soft tissue, T2* short beside air. The label fills the nose,
    # whose folds have as much air between them; so the density is halved.
    "mucosa": (0.42, (1.10, 0.095, 0.030), (1.35, 0.085, 0.020)),
    # Our choice: folds full of blood, in fluid.
    "choroid_plexus": (0.85, (1.10, 0.095, 0.060), (1.35, 0.085, 0.040)),
    # No protons, so the times do not matter; finite, so that equations stay so.
    "air": (0.00, (1.00, 0.100, 0.100), (1.00, 0.100, 0.100)),
}


def relaxation(tissue: Tissue, field_strength: float) -> Relaxation:
    """Return proton density and relaxation times of `tissue`.

    Parameters
    ----------
    tissue : str
        One of `TISSUES`.
    field_strength : float
        1.5 or 3.0, tesla.

    Raises
    ------
    InputError
        If the tissue or the field strength is not in the table.

    Examples
    --------
    >>> relaxation("white_matter", 3.0).t1
    0.85
    """
    if tissue not in _TABLE:
        near = get_close_matches(str(tissue), TISSUES, n=1)
        raise InputError(
            f"No tissue is called {tissue!r}.",
            fix=f"Did you mean {near[0]!r}?" if near else f"Use one of {TISSUES}.",
        )
    if field_strength not in FIELD_STRENGTHS:
        known = " and ".join(f"{strength:g}" for strength in FIELD_STRENGTHS)
        raise InputError(
            f"No relaxation times at {field_strength:g} T.",
            fix=f"They are known at {known} T.",
        )
    pd, *times = _TABLE[tissue]
    return Relaxation(pd, *times[FIELD_STRENGTHS.index(field_strength)])
