"""The links of a topology, ready for sums over neighbours of what agents have.

Rows are held once, as offsets, indices and weights; complete topologies and groups need only the sums of their groups.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from .edges import starts
from .errors import InvalidType, InvalidValue
from .topology import Topology

__all__ = ["Links", "check", "ends_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Values = npt.NDArray[Any]

ENDS_AT_A_TIME = 2**20
"""Edge ends that are gathered at a time: so many numbers stay in the caches, whatever the size of the topology."""


def check(topology: object, n: int) -> None:
    """Say what is wrong unless this is a topology of n agents."""
    if not isinstance(topology, Topology):
        raise InvalidType(f"topology must be an emerge.Topology, not {topology!r}")
    if len(topology) != n:
        raise InvalidValue(f"the topology has {len(topology)} agents, but there are phases of {n}")


def ends_of(topology: Topology, n: int) -> tuple[Ints, Ints]:
    """Return the two ends of the links of a topology of n agents."""
    check(topology, n)
    edges = topology.edges
    return np.ascontiguousarray(edges[:, 0]), np.ascontiguousarray(edges[:, 1])


class Links:
    """Sums over the neighbours that each agent senses."""

    def __init__(self, topology: Topology, n: int) -> None:
        check(topology, n)
        self.topology = topology
        rule = topology._graph.rule
        if rule is not None and len(rule) == 2:
            self._sizes = np.array(rule[0], np.int64)
            self._between: Floats | None = np.array(rule[1]).reshape(self._sizes.size, -1)
            return
        self._between = None
        degree, self._indices, self._weights = topology._rows()
        self._offsets = starts(degree)
        self._some = np.flatnonzero(degree)
        self._pieces = np.unique(
            np.searchsorted(self._offsets[self._some], np.arange(0, max(1, self._indices.size), ENDS_AT_A_TIME))
        )

    def sums(self, each: Values) -> Values:
        """Return for each agent the sum over its neighbours of weight times what they have; shape (n,) both."""
        return self._sums(each, self._between) if self._between is not None else self._added(each, self._weights)

    def strengths(self, each: Floats) -> Floats:
        """Return for each agent the sum over its neighbours of the size of the weight times what they have."""
        if self._between is not None:
            return self._sums(each, np.abs(self._between))
        return self._added(each, None if self._weights is None else np.abs(self._weights))

    def _sums(self, each: Values, between: Floats) -> Values:
        """Add up by groups; nobody senses itself."""
        own = np.repeat(np.diagonal(between), self._sizes)
        totals = np.add.reduceat(each, np.cumsum(self._sizes) - self._sizes)
        sums: Values = np.repeat(between @ totals, self._sizes) - own * each
        return sums

    def _added(self, each: Values, weights: Floats | None) -> Values:
        """Add up row by row, some rows at a time."""
        sums = np.zeros_like(each)
        for begin, end in zip(self._pieces, [*self._pieces[1:], self._some.size], strict=True):
            rows = self._some[begin:end]
            if rows.size == 0:
                continue
            first, last = self._offsets[rows[0]], self._offsets[rows[-1] + 1]
            ends = each[self._indices[first:last]]
            if weights is not None:
                ends = ends * weights[first:last]
            sums[rows] = np.add.reduceat(ends, self._offsets[rows] - first)
        return sums
