"""Greedy codes of many patches: a few atoms each, not a penalty, is what is asked for.

Order-recursive matching pursuit [1]_, also called orthogonal least squares: whichever
atom lowers the residual of the least-squares fit most is added, and all amounts are
fitted anew. Orthogonal matching pursuit looks at correlations alone, and so takes
another atom where atoms resemble each other. The recursion is that of [2]_.

References
----------
.. [1] S. F. Cotter, J. Adler, B. D. Rao, K. Kreutz-Delgado, "Forward sequential
   algorithms for best basis selection", IEE Proc. Vis. Image Signal Process. 146(5),
   235-244, 1999.
.. [2] M. Gharavi-Alkhansari, T. S. Huang, "A fast orthogonal matching pursuit
   algorithm", Proc. IEEE ICASSP 3, 1389-1392, 1998.
"""

from __future__ import annotations

import numpy as np

from mitame.core.errors import InputError
from mitame.solve import pursuit_kernels
from mitame.solve.coding import Atoms, Codes, Patches, require_finite, require_rows
from mitame.solve.threads import single_blas


def pursue(
    patches: Patches, atoms: Atoms, *, most: int, residual: float = 0.0
) -> Codes:
    """Return greedy codes of patches, the least-squares fit on the atoms they choose.

    Parameters
    ----------
    patches : array of float32, shape (n, d)
        One a row.
    atoms : array of float32, shape (n_atoms, d)
        The dictionary, of any lengths. An atom that the chosen ones span but for 1e-4
        of its squared length is not taken.
    most : int
        Atoms of a code, >= 1; a code may have fewer.
    residual : float
        Of a patch, squared length, >= 0: a code is long enough when no more is left.
        Single precision tells what is left to about 1e-6 of the patch's own.

    Returns
    -------
    Codes
        A patch that is 0, or not longer than the residual, has an empty one.

    Raises
    ------
    InputError
        If shapes do not fit, `most` is below one, or the residual below zero.
    ImplausibleError
        If a value is not finite.
    """
    require_rows(patches, atoms)
    require_finite(patches, atoms)
    if most < 1:
        raise InputError(f"Codes of {most} atoms are empty.", fix="Allow at least one.")
    if not 0 <= residual < np.inf:
        raise InputError(f"The residual is {residual}.", fix="Give zero or more.")
    unit, lengths = _unit(atoms)
    room = min(most, *atoms.shape)
    indices = np.zeros((len(patches), room), np.int32)
    values = np.zeros((len(patches), room), np.float32)
    counts = np.zeros(len(patches), np.int32)
    with single_blas():
        pursuit_kernels.pursue(
            np.ascontiguousarray(patches, np.float32), np.ascontiguousarray(unit.T),
            unit @ unit.T, residual, indices, values, counts,
        )  # fmt: skip
    kept = np.arange(room) < counts[:, None]
    used = indices[kept]
    starts = np.concatenate([np.zeros(1, np.int64), counts.cumsum(dtype=np.int64)])
    amounts = np.asarray(values[kept] / lengths[used], np.float32)
    return Codes(used, amounts, starts, len(atoms))


def _unit(atoms: Atoms) -> tuple[Atoms, Atoms]:
    """Return atoms of length 1, and their lengths; an atom that is 0 stays so."""
    lengths = np.linalg.norm(atoms, axis=1).astype(np.float32)
    lengths[lengths == 0] = 1
    return np.asarray(atoms / lengths[:, None], np.float32), lengths
