"""Cascading failure: lines that bear more than their limit for too long trip, and leave more to the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from .grid import PowerGrid
from .trips import Trip

__all__ = ["Relays"]

Floats = npt.NDArray[np.float64]


class Relays:
    """One for each line, that counts for how long it has borne too much."""

    def __init__(self, grid: PowerGrid, patience: int) -> None:
        self._limit = grid.limit
        self._patience = patience
        self._since = np.full(len(grid.limit), -1, np.int64)

    def due(self, flows: Floats, tick: int, dt: float) -> list[Trip]:
        """Look at the flows before a tick, and return what trips now."""
        beyond = np.abs(flows) > self._limit
        self._since[~beyond] = -1
        self._since[beyond & (self._since < 0)] = tick
        due = np.flatnonzero(beyond & (tick - self._since >= self._patience))
        self._since[due] = -1
        return [Trip(tick * dt, line=line) for line in due.tolist()]
