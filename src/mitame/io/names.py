"""What a file name says: BIDS entities, the sequence, and whether it is a mask."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mitame.core.session import SUFFIXES, Suffix

_ENDING = re.compile(r"\.nii(\.gz)?$|\.dcm$|\.json$", re.IGNORECASE)
_ENTITY = re.compile(r"([a-z]+)-([A-Za-z0-9+]+)")
_MASK = re.compile(
    r"\w*masks?|gt|lesions?|labels?|seg|segmentation|[a-z]seg|probseg|aparc\+aseg"
)
_DIFFERENCE = {"edit", "change", "noise", "planted"}
"""`desc` of the maps mitame writes beside a scan."""
_CONTRAST = re.compile(
    r"(t1w?)?(gd|gado|gadolinium|ce|postcontrast|contrast|postgd)|t1w?c"
)
_NO_CONTRAST = {"precontrast", "noncontrast", "nocontrast", "nogd"}
_SEQUENCES: dict[Suffix, re.Pattern[str]] = {
    "FLAIR": re.compile(r"(2d|3d)?(t2)?w?flair(2d|3d)?|darkfluid"),
    "T1w": re.compile(
        r"(2d|3d)?t1(w|wi|c|wc|ce|wce|gd|wgd|3d|2d|mprage)?|mprage|mp2rage|spgr|fspgr"
        r"|bravo|mpr|tfl|tfl3d"
    ),
    "T2w": re.compile(r"(2d|3d)?t2(w|wi|3d|2d|tse|fse)?"),
    "PDw": re.compile(r"pd(w|wi)?"),
}


@dataclass(frozen=True, slots=True)
class Name:
    """A file name taken apart.

    Parameters
    ----------
    stem : str
        The name without its ending.
    entities : dict of str to str
        BIDS entities in their order; empty unless the name starts with ``sub-``.
    suffix : Suffix, optional
        The sequence the name tells, BIDS or not.
    contrast_agent : bool, optional
        Whether the name tells of a contrast agent.
    is_scan : bool
        False for masks, label maps, difference maps and phase images.
    """

    stem: str
    entities: dict[str, str]
    suffix: Suffix | None
    contrast_agent: bool | None
    is_scan: bool


def parse(path: Path) -> Name:
    """Return what the name of `path` says; nothing is opened.

    Examples
    --------
    >>> parse(Path("sub-01_ses-2_T1w.nii.gz")).entities
    {'sub': '01', 'ses': '2'}
    >>> parse(Path("study1_T1W.nii.gz")).suffix
    'T1w'
    >>> parse(Path("brainmask.nii.gz")).is_scan
    False
    """
    stem = _ENDING.sub("", path.name)
    entities = _entities(stem)
    parts = stem.split("_")
    is_scan = not any(_MASK.fullmatch(part.lower()) for part in parts)
    if entities:
        suffix = _exact_suffix(parts[-1])
        contrast = True if "ce" in entities else None
        is_scan = is_scan and entities.get("desc") not in _DIFFERENCE
        is_scan = is_scan and entities.get("part", "mag") == "mag"
    else:
        suffix, contrast = sequence_in(stem), contrast_in(stem)
    return Name(stem, entities, suffix, contrast, is_scan)


def sequence_in(text: str) -> Suffix | None:
    """Return the sequence that free text names, or None when it names none or two.

    Examples
    --------
    >>> sequence_in("t2_tse_dark-fluid_tra"), sequence_in("Ax T1 +C")
    ('FLAIR', 'T1w')
    """
    words = _words(text)
    found: set[Suffix] = {
        suffix
        for suffix, pattern in _SEQUENCES.items()
        if any(pattern.fullmatch(word) for word in words)
    }
    if found == {"FLAIR", "T2w"}:  # "T2 FLAIR" is the usual FLAIR
        return "FLAIR"
    return found.pop() if len(found) == 1 else None


def contrast_in(text: str) -> bool | None:
    """Return whether free text tells of a contrast agent; None when it is silent."""
    words = _words(text)
    if any(word in _NO_CONTRAST for word in words):
        return False
    given = any(_CONTRAST.fullmatch(word) for word in words) or "+c" in text.lower()
    return True if given else None


def label(text: str) -> str:
    """Return `text` with only the characters a BIDS label may hold."""
    return re.sub(r"[^A-Za-z0-9]", "", text)


def _entities(stem: str) -> dict[str, str]:
    if not stem.startswith("sub-"):
        return {}
    found: Iterable[re.Match[str] | None] = map(_ENTITY.fullmatch, stem.split("_"))
    return {pair[1]: pair[2] for pair in found if pair}


def _exact_suffix(part: str) -> Suffix | None:
    return next((known for known in SUFFIXES if known.lower() == part.lower()), None)


def _words(text: str) -> list[str]:
    joined = re.sub(r"dark[-_ ]fluid", "darkfluid", text.lower())
    joined = re.sub(r"(pre|non|no|post)[-_ ]contrast", r"\1contrast", joined)
    return [word for word in re.split(r"[^a-z0-9*]+", joined) if word]
