"""Phases as unit vectors, which every measure of order adds up: e^{i m θ}, 0 for agents that have failed.

What is given is checked here, once, for all measures: phases of one moment or of several, who has failed, groups.
Sine and cosine are those that a tick computes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from . import admit
from ._engine import REACH
from ._engine import phasors as phasors_of
from .errors import InvalidValue

__all__ = ["MOMENT_MAX", "Groups", "angles", "living_of", "phasors", "series_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Complexes = npt.NDArray[np.complex128]
Bools = npt.NDArray[np.bool_]

TURN = 2 * np.pi

MOMENT_MAX = 100_000
"""Highest moment: phases times it are still within reach of the engine's sine."""


def angles(value: object, name: str = "phase") -> Floats:
    """Return phases as float64, shape (n,) or (times, n), finite, or say what is allowed."""
    array = np.asarray(admit.numbers(value, name), np.float64, order="C")
    if array.ndim not in (1, 2) or array.shape[-1] == 0:
        raise InvalidValue(f"{name} must have shape (n,) or (times, n), with at least one agent, not {array.shape}")
    return _finite(array, name)


def series_of(value: object, name: str, each: str) -> npt.NDArray[np.float64]:
    """Return real numbers that were recorded, shape (times, things), finite, at least one time and thing."""
    array = np.asarray(admit.numbers(value, name), np.float64, order="C")
    if array.ndim != 2 or 0 in array.shape:
        raise InvalidValue(f"{name} must have shape (times, {each}), with at least one of each, not {array.shape}")
    return _finite(array, name)


def living_of(failed: object, n: int) -> Bools | None:
    """Return who has not failed, or None if nobody has; `failed` are numbers of agents, or None."""
    if failed is None:
        return None
    out = admit.agents(failed, n, "failed")
    if out.size == 0:
        return None
    living = np.ones(n, np.bool_)
    living[out] = False
    return living


def phasors(phase: Floats, moment: int = 1, living: Bools | None = None) -> Complexes:
    """Return e^{i m θ} of admitted phases, in their shape; 0 for those who do not live."""
    angle = phase if moment == 1 else phase * moment
    if max(abs(angle.min(initial=0.0)), abs(angle.max(initial=0.0))) > REACH:
        angle = np.mod(phase, TURN) * moment
    pairs = np.empty((*phase.shape, 2))
    phasors_of(angle.reshape(-1), pairs.reshape(-1))
    vectors: Complexes = pairs.view(np.complex128)[..., 0]
    if living is not None:
        vectors[..., ~living] = 0.0
    return vectors


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """Which group each agent is in, checked, and the agents in the order of their groups."""

    label: Ints
    order: Ints
    first: Ints

    @classmethod
    def of(cls, value: object) -> Groups:
        """Check labels, one whole number for each agent, such that no group from 0 to the largest is empty."""
        array = admit.numbers(value, "groups")
        if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "iu":
            raise InvalidValue(
                f"groups must be one whole number for each agent, not an array of {array.dtype} of shape {array.shape}"
            )
        if array.min() < 0 or array.max() >= array.size:
            raise InvalidValue("groups must be numbered from 0 on without gaps: no number may exceed those of agents")
        label = array.astype(np.int64)
        sizes = np.bincount(label)
        if not sizes.all():
            raise InvalidValue(f"groups must be numbered from 0 on without gaps, but nobody is in {sizes.argmin()}")
        return cls(label, np.argsort(label, kind="stable"), np.cumsum(sizes) - sizes)

    def __len__(self) -> int:
        return len(self.first)

    def sums(self, each: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Return the sums over each group of what agents, the last axis, have."""
        total: npt.NDArray[np.generic] = np.add.reduceat(each[..., self.order], self.first, axis=-1)
        return total


def _finite(array: Floats, name: str) -> Floats:
    if not np.isfinite(array).all():
        where = tuple(int(axis[0]) for axis in np.nonzero(~np.isfinite(array)))
        raise InvalidValue(
            f"{name} must be finite, but entry {where if len(where) > 1 else where[0]} is {array[where]}"
        )
    return array
