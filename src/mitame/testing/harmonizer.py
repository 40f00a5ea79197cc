"""The promises every engine keeps, as one call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mitame.core.errors import InputError, MitameError, NotFittedError
from mitame.core.harmonizer import Harmonizer
from mitame.core.session import Session, Suffix
from mitame.core.volume import Step, Volume
from mitame.testing.phantom import CENTER, INTENSITY, head_grid, phantom_session

TRAINING_MM = 8.0
NOISE = 10.0
"""Standard deviation, in the phantom's own units; its white matter is at 800."""

AIR = 0.04
"""Below this share of the white matter a voxel of the phantom is air: zero."""

OWN_LOOK = 0.03
"""Median change of the target's own images that is still little; white matter is 1."""

HOT = (10.0, 20.0)
"""Far above anything in training, in white-matter medians."""


def check_harmonizer(make: Callable[[], Harmonizer]) -> None:
    """Run every promise on fresh engines.

    The images are phantoms, prepared: white matter at 1, brain and template known.
    Source and target are the same anatomy on one grid, in two looks, so engines
    with and without pairs can be checked.

    Parameters
    ----------
    make : callable
        Returns a new engine, unfitted; a class without required arguments will do.

    Raises
    ------
    AssertionError
        On the first promise that is broken; the message says which.

    Examples
    --------
    >>> from mitame.engines.identity import Identity
    >>> check_harmonizer(Identity)
    """
    source, target = _group(_as_is), _group(_other_look)
    probe = _scan(_turned_grid(), seed=9)
    _require_refusal_when_unfitted(make(), probe)
    engine = make()
    given = (*source, *target, probe)
    before = [_numbers(session) for session in given]
    assert engine.fit(source, target) is engine, "`fit` returns the engine"
    result = engine.transform(probe)
    after = [_numbers(session) for session in given]
    for was, now in zip(before, after, strict=True):
        for old, new in zip(was, now, strict=True):
            assert np.array_equal(old, new), "what was given is left as it was"
    _require_kept_identity(probe, result)
    _require_sound_intensities(probe, result)
    _require_repeatable(make, engine, source, target, probe)
    _require_saved_whole(engine, probe)
    _require_no_guess(engine)
    _require_no_ceiling(engine, probe)
    own = make().fit(target, target).transform(target[0])
    _require_own_look_kept(target[0], own)


def _require_refusal_when_unfitted(engine: Harmonizer, probe: Session) -> None:
    error = _refusal(engine, probe)
    assert isinstance(error, NotFittedError), "an unfitted engine says that it is"
    assert "fit" in error.fix, "the error of an unfitted engine says to call `fit`"
    with TemporaryDirectory() as folder:
        try:
            engine.save(Path(folder) / "engine")
        except NotFittedError:
            return
    raise AssertionError("an unfitted engine is not saved")


def _require_kept_identity(probe: Session, result: Session) -> None:
    assert set(result) == set(probe), "every sequence comes back, and no other"
    who = ("subject", "date")
    assert all(getattr(result, name) == getattr(probe, name) for name in who), (
        "whose visit it is, and when, is kept"
    )
    for suffix, volume in probe.items():
        new = result[suffix]
        assert new.shape == volume.shape, "the grid is kept"
        assert np.array_equal(new.affine, volume.affine), "the affine is kept"
        assert new.scanner == volume.scanner, "who made the image is kept"
        assert len(new.history) == len(volume.history) + 1, "what was done is recorded"
        assert new.history[:-1] == volume.history, "the history there was is kept"


def _require_sound_intensities(probe: Session, result: Session) -> None:
    for suffix, volume in probe.items():
        new = result[suffix].data
        assert new.dtype == np.float32, "intensities are float32"
        assert np.isfinite(new).all(), "no NaN comes out"
        assert not new[volume.data == 0].any(), "background stays background"


def _require_repeatable(
    make: Callable[[], Harmonizer],
    engine: Harmonizer,
    source: list[Session],
    target: list[Session],
    probe: Session,
) -> None:
    first, second = engine.transform(probe), engine.transform(probe)
    assert _equal(first, second), "the same scan gives the same result"
    again = make().fit(source, target).transform(probe)
    assert _equal(first, again), "the same training gives the same engine"


def _require_saved_whole(engine: Harmonizer, probe: Session) -> None:
    expected = engine.transform(probe)
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "engine"
        engine.save(folder)
        back = type(engine).load(folder)
    # The folder is gone: a loaded engine needs no file any more.
    assert _equal(back.transform(probe), expected), "a saved engine is the same engine"


def _require_no_guess(engine: Harmonizer) -> None:
    """Raise unless a sequence never seen is refused, or left exactly as it was."""
    stranger = _scan(head_grid(TRAINING_MM), suffix="FLAIR")
    error = _refusal(engine, stranger)
    if error is None:
        result = engine.transform(stranger)
        assert _equal(result, stranger), "a sequence never seen is not guessed at"
        return
    assert isinstance(error, InputError), "a sequence never seen is an InputError"
    for suffix in ("T1w", "FLAIR"):
        assert suffix in str(error), "what is known and what was given are named"


def _require_no_ceiling(engine: Harmonizer, probe: Session) -> None:
    """Intensities above those of training stay the brightest, and apart."""
    data = probe["T1w"].data.copy()
    inside = np.argwhere(probe.require_brain())
    places = [tuple(inside[len(inside) // part]) for part in (3, 2)]
    for place, value in zip(places, HOT, strict=True):
        data[place] = value
    result = engine.transform(_with(probe, data, Step("hot")))["T1w"].data
    warm, hot = (result[place] for place in places)
    for place in places:
        data[place] = 0
    assert result[data != 0].max() < warm < hot, "nothing is clipped"


def _require_own_look_kept(scan: Session, result: Session) -> None:
    brain = scan.require_brain()
    change = np.abs(result["T1w"].data - scan["T1w"].data)[brain]
    assert np.median(change) < OWN_LOOK, "the target's own images change little"


def _refusal(engine: Harmonizer, session: Session) -> MitameError | None:
    """Return the error with which `engine` refuses `session`, if it does."""
    try:
        engine.transform(session)
    except MitameError as error:
        return error
    return None


def _group(look: Callable[[NDArray[np.float32]], NDArray[np.float32]]) -> list[Session]:
    grid = head_grid(TRAINING_MM)
    scans = [_scan(grid, seed=seed) for seed in range(3)]
    return [_with(scan, look(scan["T1w"].data), Step("look")) for scan in scans]


def _as_is(data: NDArray[np.float32]) -> NDArray[np.float32]:
    return data


def _other_look(data: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `data` with a softer contrast, brighter on one side; zero stays zero."""
    shading = np.linspace(0.9, 1.1, data.shape[0], dtype=np.float32)
    return np.asarray(np.sign(data) * np.abs(data) ** 0.8 * shading[:, None, None])


def _scan(grid: Volume, *, seed: int = 0, suffix: Suffix = "T1w") -> Session:
    white = INTENSITY[suffix]["wm"]
    noise = NOISE * white / INTENSITY["T1w"]["wm"]
    scan = phantom_session(
        grid, suffixes=(suffix,), gain=1 / white, noise=noise, seed=seed
    )
    data = scan[suffix].data
    air = (np.abs(data) < AIR) & ~scan.require_brain()
    named = replace(scan, subject="phantom", date=date(2024, 5, 1))
    return _with(named, np.where(air, np.float32(0), data), Step("scale", {"gain": 1}))


def _with(scan: Session, data: NDArray[np.float32], step: Step) -> Session:
    return scan.with_data({next(iter(scan)): data}, step)


def _turned_grid() -> Volume:
    """Return an oblique grid of unequal voxels: a lost affine shows."""
    spacing = np.array([8.0, 6.0, 9.0])
    shape = np.array([30, 42, 28])
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", (8, -5, 10), degrees=True).as_matrix()
    affine[:3, :3] = turn * spacing
    affine[:3, 3] = CENTER - affine[:3, :3] @ ((shape - 1) / 2)
    return Volume(np.zeros(shape, np.float32), affine)


def _numbers(session: Session) -> list[NDArray[np.generic]]:
    """Return copies of all arrays of a session."""
    arrays = [volume.data.copy() for volume in session.values()]
    return [*arrays, session.require_brain().copy(), session.require_template().copy()]


def _equal(one: Session, other: Session) -> bool:
    return set(one) == set(other) and all(
        np.array_equal(one[suffix].data, other[suffix].data) for suffix in one
    )
