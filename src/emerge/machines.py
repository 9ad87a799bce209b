"""What turns in a power grid: inertia and damping of generators and loads, and the least inertia of a bus."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import InvalidValue

__all__ = ["Machines"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SMALLEST = 1e-9
"""Inertia of a bus on which nothing turns and that no line holds: some number greater than 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Machines:
    """Inertia and damping of the machines in a power grid, each per unit of its own rating.

    Parameters
    ----------
    generator_inertia : float or array_like, default 4.0
        Inertia constant H of generators in s: energy of rotation by rating. At least 0; one, or one for each.
    generator_damping : float or array_like, default 2.0
        What a generator feeds in less, in units of its rating, where frequency is higher by 1 (by 100 %); at least 0.
    load_inertia : float or array_like, default 0.5
        Inertia constant of loads, by their power; at least 0. Motors have some, heaters none.
    load_damping : float or array_like, default 1.0
        What a load takes more, in units of its power, where frequency is higher by 1; at least 0.
    fastest : float, default 1000.0
        No bus swings or comes to rest faster than this, in rad/s: where less inertia would let it, it gets more.
        Greater than 0.

    Raises
    ------
    InvalidType, InvalidValue
        If a parameter is of the wrong type or range.

    Notes
    -----
    The defaults are round numbers of the usual order, not those of any one grid: case files hold none. Generators
    have no governors: what they do about frequency is their damping. A bus without machines would have no inertia, and
    its angle would follow the others' at once; it gets the least that the integrator's ticks can resolve,
    2 · (sum of its lines' capacities) / fastest².

    References
    ----------
    P. Kundur, Power System Stability and Control, McGraw-Hill 1994, sections 3.9 and 7.1.

    Examples
    --------
    >>> from emerge.machines import Machines
    >>> Machines(generator_inertia=6.0).generator_inertia
    6.0
    """

    generator_inertia: float | Floats = 4.0
    generator_damping: float | Floats = 2.0
    load_inertia: float | Floats = 0.5
    load_damping: float | Floats = 1.0
    fastest: float = 1000.0

    def __post_init__(self) -> None:
        for name in ("generator_inertia", "generator_damping", "load_inertia", "load_damping"):
            object.__setattr__(self, name, _constants(getattr(self, name), name))
        object.__setattr__(self, "fastest", admit.real(self.fastest, "fastest", above=0.0))

    def _fitting(self, generators: int, loads: int) -> None:
        """Refuse arrays of another length than there are generators, or loads (one for each bus)."""
        for kind, number in (("generator", generators), ("load", loads)):
            for name in (f"{kind}_inertia", f"{kind}_damping"):
                value = getattr(self, name)
                if not isinstance(value, float) and len(value) != number:
                    raise InvalidValue(f"{name} must be one number or {number}, one for each {kind}, not {len(value)}")

    def _inertia(self, n: int, at: Ints, rating: Floats, load: Floats, frequency: float) -> Floats:
        """Return 2 H S / ω of the buses, of generators `at` some of them with a rating, and a load at each bus."""
        total = np.bincount(at, self.generator_inertia * rating, n) + self.load_inertia * np.abs(load)
        return total * 2 / (2 * pi * frequency)

    def _damping(self, n: int, at: Ints, rating: Floats, load: Floats, frequency: float) -> Floats:
        """Return D S / ω of the buses."""
        total = np.bincount(at, self.generator_damping * rating, n) + self.load_damping * np.abs(load)
        return total / (2 * pi * frequency)

    def _least(self, stiffness: Floats, damping: Floats) -> Floats:
        """Return the least inertia of buses whose lines' capacities add up to these, with such damping.

        No eigenvalue of M⁻¹L is greater than the largest 2 Lᵢᵢ/Mᵢ (Gershgorin), and none of L grows as angles open;
        by itself a bus comes to rest at the rate Dᵢ/Mᵢ.
        """
        return np.maximum(np.maximum(2 * stiffness / self.fastest**2, damping / self.fastest), SMALLEST)


def _constants(value: object, name: str) -> float | Floats:
    """Check one constant or one for each: finite, at least 0."""
    array = np.array(admit.numbers(value, name), np.float64)
    if array.ndim == 0:
        return admit.real(array.item(), name, least=0.0)
    if array.ndim != 1:
        raise InvalidValue(f"{name} must be one number or a list of them, not of shape {array.shape}")
    if (admit.finite(array, name) < 0).any():
        raise InvalidValue(f"{name} must be at least 0, but entry {int(np.argmin(array))} is {array.min():g}")
    array.flags.writeable = False
    return array
