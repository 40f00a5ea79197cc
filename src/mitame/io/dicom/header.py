"""What a DICOM header says about sequence, scanner, person and day."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

from pydicom import Dataset

from mitame.core.scanner import Scanner
from mitame.core.session import Suffix
from mitame.io import names, sidecar
from mitame.io.protocol import Protocol

CONVERTERS = {"nifti2dicom"}
"""Programs that write their own name where the scanner's belongs."""
DATES = ("StudyDate", "AcquisitionDate", "AcquisitionDateTime", "SeriesDate")
"""The study's day first: a scan past midnight belongs to the same visit."""
FLAIR_TI_S = (1.6, 3.0)
FLAIR_MIN_TR_S = 3.5
"""Fluid is nulled at a TI of 1.6 to 3 s, and needs a long TR to come back."""
NOT_ANATOMY = re.compile(
    r"(?<![a-z])(dwi|diff|adc|dti|trace|ep2d|epi(?![a-z])|bold|fmri|swi|swan|tof|angio"
    r"|mra|perf|asl|dsc|dce|field_?map|b[01](?![a-z0-9])|phase|mip|maps?(?![a-z])"
    r"|mapping|spectro|csi|stir|t2\*|t2star|ciss|fiesta)"
)
"""Words of series that are no T1w, T2w, PDw or FLAIR, whatever their timing."""
T1_FLAIR = re.compile(r"t1[ _-]?flair", re.I)
"""GE's name of an inversion-prepared T1w spin echo; its fluid is dark, not nulled."""
LOCALIZER = re.compile(r"locali[sz]er|\bloc\b|scout|survey|\d-?pl(ane)?\b", re.I)


def text(header: Dataset, name: str) -> str:
    """Return a text field, several values joined, or an empty string."""
    value = header.get(name)
    if value is None:
        return ""
    many = (
        value if not isinstance(value, str) and hasattr(value, "__iter__") else [value]
    )
    return " ".join(str(one) for one in many).strip()


def scanner(header: Dataset) -> Scanner | None:
    """Return the machine, or None if the header names none."""
    model = text(header, "ManufacturerModelName")
    if model in CONVERTERS:
        return None
    maker, serial = text(header, "Manufacturer"), text(header, "DeviceSerialNumber")
    strength = sidecar.number(header.get("MagneticFieldStrength"))
    if not (maker or model or serial or strength):
        return None
    return Scanner(maker, model, serial, strength or None)


def protocol(header: Dataset) -> Protocol:
    """Return how the image was acquired, in SI units."""
    angle = _number(header, "FlipAngle")
    described = f"{text(header, 'SeriesDescription')} {text(header, 'ProtocolName')}"
    agent = text(header, "ContrastBolusAgent").lower()
    given = agent not in {"", "no", "none"} or names.contrast_in(described)
    return Protocol(
        te=_seconds(header, "EffectiveEchoTime", "EchoTime"),
        tr=_seconds(header, "RepetitionTime"),
        ti=_seconds(header, "InversionTime", "InversionTimes"),
        flip_angle=None if angle is None else math.radians(angle),
        slice_thickness=_number(header, "SliceThickness"),
        description=text(header, "SeriesDescription"),
        contrast_agent=given or None,
        sex=sidecar.sex(text(header, "PatientSex")),
        age=_age(text(header, "PatientAge")),
    )


def day(header: Dataset) -> date | None:
    """Return the day of the scan."""
    days = (sidecar.iso_day(text(header, name)) for name in DATES)
    return next((found for found in days if found), None)


def is_localizer(header: Dataset) -> bool:
    """Whether this is a quick scan made to plan the others."""
    described = text(header, "SeriesDescription") or text(header, "ProtocolName")
    kind = text(header, "ImageType").upper()
    return "LOCALIZER" in kind or bool(LOCALIZER.search(described))


def sequence(header: Dataset) -> Suffix | None:
    """Return the sequence by its name, else by its timing, else None."""
    described = " ".join(
        text(header, name) for name in ("SeriesDescription", "ProtocolName")
    )
    if NOT_ANATOMY.search(described.lower()) or is_localizer(header):
        return None
    found = protocol(header)
    if _nulls_fluid(found):
        return "FLAIR"
    if T1_FLAIR.search(described):
        return "T1w"
    named = names.sequence_in(text(header, "SeriesDescription"))
    named = named or names.sequence_in(text(header, "ProtocolName"))
    return named or _by_timing(header, found)


def _nulls_fluid(found: Protocol) -> bool:
    if found.ti is None or found.tr is None:
        return False
    return FLAIR_TI_S[0] <= found.ti <= FLAIR_TI_S[1] and found.tr >= FLAIR_MIN_TR_S


def _by_timing(header: Dataset, found: Protocol) -> Suffix | None:
    """Return the weighting that TE and TR give; limits as in any MRI textbook."""
    kinds = text(header, "ScanningSequence").upper().split()
    variants = text(header, "SequenceVariant").upper().split()
    if found.te is None or found.tr is None or text(header, "AngioFlag") == "Y":
        return None
    if "GR" in kinds and "SE" not in kinds:
        spoiled = "SS" not in variants  # a balanced steady state is mixed
        prepared = "IR" in kinds or "MP" in variants
        short = found.te < 0.010 and (prepared or found.tr < 0.050)
        return "T1w" if spoiled and short else None
    if "SE" not in kinds or "IR" in kinds or "EP" in kinds:
        return None
    if found.tr < 1.0 and found.te < 0.030:
        return "T1w"
    if found.tr > 1.8:
        return "T2w" if found.te > 0.070 else "PDw" if found.te < 0.040 else None
    return None


def _seconds(header: Dataset, *tags: str) -> float | None:
    """Return the first of `tags`, DICOM milliseconds, in seconds; 0 is "not said"."""
    values = (_number(header, name) for name in tags)
    return next((value / 1000 for value in values if value), None)


def _number(header: Dataset, name: str) -> float | None:
    """Return a number; in Enhanced objects it stands in a functional group."""
    value = header.get(name)
    if value is None:
        value = _in_groups(header, name)
    if not isinstance(value, str) and hasattr(value, "__getitem__") and len(value):
        value = value[0]
    return sidecar.number(value)


def _in_groups(header: Dataset, name: str) -> Any:  # noqa: ANN401 - DICOM values
    shared = header.get("SharedFunctionalGroupsSequence") or []
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    for functional in [*shared, *per_frame[:1]]:
        for element in functional:
            if element.VR == "SQ" and element.value and name in element.value[0]:
                return element.value[0].get(name)
    return None


def _age(written: str) -> float | None:
    """Return years of an age string such as ``060Y`` or ``018M``."""
    found = re.fullmatch(r"(\d+)([DWMY]?)", written)
    if not found:
        return None
    per_year = {"D": 365.25, "W": 52.18, "M": 12.0}
    return int(found[1]) / per_year.get(found[2], 1.0)
