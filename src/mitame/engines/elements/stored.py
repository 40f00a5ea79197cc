"""Elements as words of a model file, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitame.core.errors import ModelError
from mitame.core.volume import Volume
from mitame.engines.elements.additions import Noise, Stripes
from mitame.engines.elements.element import Element, Field, Level, Tone
from mitame.engines.elements.fields import N_FIELDS
from mitame.engines.elements.filters import Blur, Ringing
from mitame.engines.elements.placed import Placed

KINDS: dict[str, Callable[..., Element]] = {
    kind.__name__: kind for kind in (Level, Field, Blur, Ringing, Noise, Stripes, Tone)
}
"""Those that are only numbers, by the names they have in model files."""


TISSUES = ("Level", "Placed")
"""Those of how bright a tissue is."""


def in_words(
    element: Element, places: dict[str, NDArray[Any]], prefix: str
) -> dict[str, Any]:
    """Return an element as plain values; `places` is given what is an image.

    Parameters
    ----------
    element : Element
        Which.
    places : dict of str to array
        Arrays of the file; those of the element are put in.
    prefix : str
        What their names begin with.
    """
    if not isinstance(element, Placed):
        return {"kind": type(element).__name__, **asdict(element)}  # type: ignore[call-overload]
    keys = []
    for n, place in enumerate(element.places):
        key = f"{prefix}_{element.name.replace(' ', '_')}_{n}"
        places[key] = place.data > 0.5
        places[f"{key}_affine"] = place.affine
        keys.append(key)
    level = asdict(element.level)
    return {"kind": "Placed", "name": element.name, "level": level, "places": keys}


def of_words(words: Mapping[str, Any], places: Mapping[str, NDArray[Any]]) -> Element:
    """Return the element that `in_words` wrote.

    Raises
    ------
    ModelError
        If its field is made of other functions than this version's, or sizes of its
        tissue mean something else.
    """
    known = _plain(words)
    kind = known.pop("kind")
    if kind in TISSUES and "shown" not in known.get("level", known):
        raise ModelError(
            f"Sizes of the model's {known['name']} do not say what images show of it.",
            fix="Fit it again with this version of mitame.",
        )
    if kind == "Field" and known["n"] != N_FIELDS:
        raise ModelError(
            f"The model's bias field has {known['n']} numbers, this version's has "
            f"{N_FIELDS}.",
            fix="Fit it again with this version of mitame.",
        )
    if kind != "Placed":
        return KINDS[kind](**known)
    where = tuple(
        Volume(places[key].astype(np.float32), places[f"{key}_affine"])
        for key in words["places"]
    )
    return Placed(known["name"], Level(**_plain(words["level"])), where)


def _plain(words: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of a dataclass: what JSON made lists were tuples."""
    fields = {k: v for k, v in words.items() if k != "size"}
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
