"""Interactions of three agents, told one by one: checked, and sorted by who takes part in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidType, InvalidValue

__all__ = ["rows_of", "triples"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def triples(value: object) -> Ints:
    """Return a read-only array of triads, each of three different agents."""
    given = admit.numbers(value, "triads")
    if given.size == 0:
        given = np.empty((0, 3), np.int64)
    if given.ndim != 2 or given.shape[1] != 3:
        raise InvalidValue(f"triads must be rows of three agents, shape (m, 3), not {given.shape}")
    if given.dtype.kind not in "iu":
        raise InvalidType(f"triads must be whole numbers, not {given.dtype}")
    triads = given.astype(np.int64)
    one, two, three = triads.T
    again = (one == two) | (two == three) | (three == one)
    for wrong, says in (((triads < 0).any(axis=1), "is below 0"), (again, "stands there twice")):
        if wrong.any():
            k = int(wrong.argmax())
            raise InvalidValue(f"triad {k} is {tuple(triads[k].tolist())}, where an agent {says}")
    triads.flags.writeable = False
    return triads


def rows_of(triads: Ints, strengths: float | Floats, n: int) -> tuple[Ints, npt.NDArray[np.int32], Floats | None]:
    """Return where the triads of each of n agents start, the other two of each, and strengths unless all are 1."""
    if triads.size and triads.max() >= n:
        k = int((triads.max(axis=1) >= n).argmax())
        raise InvalidValue(f"triad {k} is {tuple(triads[k].tolist())}, but agents go from 0 to {n - 1}")
    agent = triads.T.ravel()
    order = np.argsort(agent, kind="stable")
    start = np.zeros(n + 1, np.int64)
    np.cumsum(np.bincount(agent, minlength=n), out=start[1:])
    others = np.concatenate([triads[:, [1, 2]], triads[:, [2, 0]], triads[:, [0, 1]]])
    pairs = np.ascontiguousarray(others[order], np.int32)
    if isinstance(strengths, float):
        return start, pairs, None if strengths == 1.0 else np.full(len(pairs), strengths)
    return start, pairs, np.tile(strengths, 3)[order]
