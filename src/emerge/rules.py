"""Topologies that are told by a rule, written out: degrees, neighbours and rows of lattices and of groups.

The engine stores no edges of these (`em_lattice.h`, `em_groups.h`); whoever wants to see or edit them gets arrays from
here. A rule is what `_engine.Graph.rule` returns: sizes and weights of groups, or sides, reach and wraps of a lattice.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from . import generate
from .edges import graph_of, rows_of

__all__ = ["Groups", "Lattice", "degrees", "neighbours", "rows", "weighted"]

Ints = npt.NDArray[np.int64]
Halves = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Groups = tuple[tuple[int, ...], tuple[float, ...]]
Lattice = tuple[tuple[int, ...], int, bool]


def weighted(rule: Groups | Lattice) -> bool:
    """Say whether any edge has a weight that is not 1."""
    return len(rule) == 2 and any(weight not in (0.0, 1.0) for weight in rule[1])


def degrees(rule: Groups | Lattice) -> Ints:
    """Return how many neighbours each agent senses: shape (n,)."""
    if len(rule) == 3:
        found = np.zeros((), np.int64)
        for side in rule[0]:
            found = np.add.outer(found, _along(side, rule[1], rule[2]))
        return found.reshape(-1)
    sizes, between = _groups(rule)
    return np.repeat((between != 0) @ sizes - (np.diagonal(between) != 0), sizes)


def neighbours(rule: Groups | Lattice, agent: int) -> Ints:
    """Return whom one agent senses, ascending."""
    if len(rule) == 2:
        sizes, between = _groups(rule)
        group = int(np.searchsorted(np.cumsum(sizes), agent, side="right"))
        found = _sensed(sizes, between[group])
        return np.delete(found, np.searchsorted(found, agent)) if between[group, group] else found
    sides, reach, wraps = rule
    at = np.array(np.unravel_index(agent, sides), np.int64)
    met = {agent}
    for axis, side in enumerate(sides):
        for step in (*range(-reach, 0), *range(1, reach + 1)):
            to = at.copy()
            to[axis] += step
            if wraps or 0 <= to[axis] < side:
                to[axis] %= side
                met.add(int(np.ravel_multi_index(tuple(to), sides)))
    return np.array(sorted(met - {agent}), np.int64)


def rows(rule: Groups | Lattice) -> tuple[Halves, Halves, Floats | None]:
    """Return degree, indices and weights of all rows."""
    if len(rule) == 3:
        sides, reach, wraps = rule
        return rows_of(graph_of(generate.lattice(sides, wrap=wraps, reach=reach), math.prod(sides)))
    sizes, between = _groups(rule)
    firsts = np.cumsum(sizes) - sizes
    ends: list[Ints] = []
    weights: list[Floats] = []
    for group, size in enumerate(sizes):
        sensed = _sensed(sizes, between[group])
        own = np.repeat(between[group][between[group] != 0], sizes[between[group] != 0])
        if between[group, group] == 0:
            ends.append(np.tile(sensed, size))
            weights.append(np.tile(own, size))
            continue
        place = np.searchsorted(sensed, firsts[group]) + np.arange(size)
        others = np.arange(sensed.size - 1)
        others = others + (others >= place[:, None])
        ends.append(sensed[others].reshape(-1))
        weights.append(own[others].reshape(-1))
    indices = np.concatenate(ends).astype(np.int32)
    return degrees(rule).astype(np.int32), indices, np.concatenate(weights) if weighted(rule) else None


def _groups(rule: Groups) -> tuple[Ints, Floats]:
    sizes = np.array(rule[0], np.int64)
    return sizes, np.array(rule[1], np.float64).reshape(sizes.size, sizes.size)


def _sensed(sizes: Ints, weights: Floats) -> Ints:
    """Return the agents of all groups that are sensed with these weights, ascending."""
    firsts = np.cumsum(sizes) - sizes
    ranges = [np.arange(firsts[k], firsts[k] + sizes[k]) for k in np.flatnonzero(weights)]
    return np.concatenate([np.empty(0, np.int64), *ranges])


def _along(side: int, reach: int, wraps: bool) -> Ints:
    """Return how many neighbours along a side each of its agents has."""
    if wraps and side > 2 * reach:
        return np.full(side, 2 * reach, np.int64)
    at = np.arange(side)
    neighbours: Ints = np.minimum(at, reach) + np.minimum(side - 1 - at, reach)
    return neighbours
