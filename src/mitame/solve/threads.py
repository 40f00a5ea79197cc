"""One thread of BLAS inside each thread of a compiled loop."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

# Compiled loops call the BLAS that SciPy brings: it must be there to be limited.
import scipy.linalg  # noqa: F401
from threadpoolctl import ThreadpoolController


def single_blas() -> AbstractContextManager[object]:
    """Return a context in which a matrix product has one thread.

    A threaded product inside each of a kernel's threads is several times slower.
    """
    alone: AbstractContextManager[object] = _libraries().limit(
        limits=1, user_api="blas"
    )
    return alone


@cache
def _libraries() -> ThreadpoolController:
    """Return what is loaded; finding out takes milliseconds, so it is done once."""
    return ThreadpoolController()
