"""Which machine made an image."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scanner:
    """One physical scanner, as DICOM names it.

    Two images come from the same scanner when their `Scanner` values are equal.
    A field the header leaves out is empty; a header that names nothing at all
    gives no `Scanner` (``None``), not an empty one.

    Parameters
    ----------
    manufacturer, model : str
        Manufacturer (0008,0070) and Manufacturer's Model Name (0008,1090).
    serial : str
        Device Serial Number (0018,1000), or a pseudonym for it.
    field_strength : float, optional
        Magnetic Field Strength (0018,0087), tesla.

    Examples
    --------
    >>> print(Scanner("Siemens", "Avanto", "", 1.5))
    Siemens Avanto 1.5 T
    """

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    field_strength: float | None = None

    def __str__(self) -> str:
        strength = "" if self.field_strength is None else f"{self.field_strength:g} T"
        named = [part for part in (self.manufacturer, self.model, strength) if part]
        return " ".join(named) or "unnamed scanner"
