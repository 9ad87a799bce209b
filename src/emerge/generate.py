"""Generators of edges, as array operations: what the engine does not draw by itself, edge by edge.

Each returns distinct keys of undirected edges (see `edges`), in no particular order, and expects arguments
that were checked upstairs. What is random comes from the generator passed in and from nothing else, so the
same seed gives the same edges.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .edges import merge, pack, unordered

__all__ = [
    "all_pairs",
    "lattice",
    "pairs",
]

Ints = npt.NDArray[np.int64]


def all_pairs(n: int) -> Ints:
    """Return the keys of all n (n - 1) / 2 pairs, ascending."""
    heads, tails = np.triu_indices(n, 1)
    return pack(heads.astype(np.int64, copy=False), tails)


def lattice(shape: tuple[int, ...], *, wrap: bool, reach: int = 1) -> Ints:
    """Return the edges of a row-major lattice to `reach` agents on; `wrap` joins the ends of sides that are longer."""
    number = np.arange(math.prod(shape), dtype=np.int64).reshape(shape)
    found = [np.empty(0, np.int64)]
    for axis, side in enumerate(shape):
        line = np.moveaxis(number, axis, 0)
        for step in range(1, min(reach, side - 1) + 1):
            found.append(pack(line[:-step], line[step:]).reshape(-1))
            if wrap and side > 2 * reach:
                found.append(pack(line[:step], line[-step:]).reshape(-1))
    return np.concatenate(found)


def _others(agents: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Draw for each agent another one, uniformly."""
    drawn = rng.integers(0, n - 1, agents.size)
    drawn += drawn >= agents
    return drawn


def pairs(n: int, number: int, rng: np.random.Generator) -> Ints:
    """Return `number` distinct pairs, each set of them equally likely; above half of all, by leaving out."""
    total = n * (n - 1) // 2
    if number > total // 2:
        return _complement(pairs(n, total - number, rng), n)
    keys = np.empty(0, np.int64)
    while keys.size < number:
        one = rng.integers(0, n, number - keys.size)
        keys, _, _ = merge(np.concatenate([keys, unordered(one, _others(one, n, rng))]), None)
    return keys


def _complement(keys: Ints, n: int) -> Ints:
    """Return all pairs but these."""
    every = all_pairs(n)
    left = np.ones(every.size, np.bool_)
    left[np.searchsorted(every, keys)] = False
    return every[left]
