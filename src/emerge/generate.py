"""Seeded generators of edges, as array operations: no loop runs over agents or edges.

Each returns distinct keys of undirected edges (see `edges`), in no particular order, and expects arguments
that were checked upstairs. What is random comes from the generator passed in and from nothing else, so the
same seed gives the same edges. Choices that collide (a repeated edge, a self-loop) are drawn again, all of
them at once, until none is left.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from .edges import fresh, heads_of, merge, pack, tails_of, unordered

__all__ = [
    "all_pairs",
    "lattice",
    "pairs",
    "redirect",
    "regular",
    "scale_free",
    "small_world",
]

Ints = npt.NDArray[np.int64]

UNIFORM_ROUNDS = 8
"""Rounds in which a redirected edge tries any agent, before those that are free are listed."""
ROUNDS = 32
"""Rounds after which an edge that found no free agent stays where it is."""
CHUNK = 2**22
"""Comparisons made at once where a row of a matrix is searched."""


def _ring_keys(n: int, half: int) -> Ints:
    """Return a ring's edges, the one from agent i over k agents at position i + (k - 1) n."""
    keys = np.empty((half, n), np.int64)
    agents = np.arange(n, dtype=np.int64)
    for k in range(half):
        keys[k, : n - k - 1] = pack(agents[: n - k - 1], agents[k + 1 :])
        keys[k, n - k - 1 :] = pack(agents[: k + 1], agents[n - k - 1 :])
    return keys.reshape(-1)


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


def small_world(n: int, degree: int, rewire: float, rng: np.random.Generator) -> Ints:
    """Return a ring's edges, each redirected with probability `rewire` (Watts and Strogatz 1998)."""
    keys = _ring_keys(n, degree // 2)
    moved = np.flatnonzero(rng.random(keys.size) < rewire)
    redirect(keys, moved, moved % n, n, rng)
    return keys


def redirect(keys: Ints, moved: Ints, kept: Ints, n: int, rng: np.random.Generator, *, directed: bool = False) -> None:
    """Give the edges keys[moved] another end, uniformly drawn, and keep their ends `kept`; changes `keys`.

    A new edge is none of those there are at the time, nor a self-loop, so the number of edges stays. Edges of
    an agent that is joined with all others have nowhere to go and stay.
    """
    for attempt in range(ROUNDS):
        if moved.size == 0:
            return
        present = np.sort(keys)
        if attempt < UNIFORM_ROUNDS:
            ends = _others(kept, n, rng)
        else:
            ends = _free_ends(present, kept, n, rng, directed=directed)
        proposed = pack(kept, ends) if directed else unordered(kept, ends)
        done = (ends >= 0) & fresh(present, proposed)
        if attempt >= UNIFORM_ROUNDS and not done.any():
            return
        keys[moved[done]] = proposed[done]
        moved, kept = moved[~done], kept[~done]


def _others(agents: Ints, n: int, rng: np.random.Generator) -> Ints:
    """Draw for each agent another one, uniformly."""
    drawn = rng.integers(0, n - 1, agents.size)
    drawn += drawn >= agents
    return drawn


def _free_ends(present: Ints, kept: Ints, n: int, rng: np.random.Generator, *, directed: bool) -> Ints:
    """Draw for each of `kept` an agent not joined with it, distinct for one agent; -1 where none is left."""
    if not directed:
        present = np.sort(np.concatenate([present, pack(tails_of(present), heads_of(present))]))
    ends = np.full(kept.size, -1, np.int64)
    order = np.argsort(kept, kind="stable")
    agents, first = np.unique(kept[order], return_index=True)
    for agent, mine in zip(agents.tolist(), np.split(order, first[1:]), strict=True):
        low, high = np.searchsorted(present, [agent << 32, (agent + 1) << 32])
        free = np.ones(n, np.bool_)
        free[tails_of(present[low:high])] = False
        free[agent] = False
        drawn = rng.permutation(np.flatnonzero(free))[: mine.size]
        ends[mine[: drawn.size]] = drawn
    return ends


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


def scale_free(n: int, m: int, rng: np.random.Generator) -> Ints:
    """Return the m (n - m) edges of preferential attachment, grown from a star of m + 1 agents.

    An agent's targets are ends of earlier edges, uniformly drawn (Batagelj and Brandes 2005): such an end is
    either the agent that came with the edge, known at once, or that edge's own target, known one round later
    at most than its drawn end. Targets an agent has already are drawn again. Half of what is left becomes
    known in a round, so the whole costs as much as two rounds. A target is compared and kept only once it is
    known, which makes the outcome that of attaching one agent after another.
    """
    slots = m * (n - m - 1)
    earlier = 2 * (m + m * (np.arange(slots, dtype=np.int64) // m))
    target = np.full(slots, -1, np.int64)
    waiting = np.arange(slots, dtype=np.int64)
    drawn = rng.integers(0, earlier)
    while waiting.size:
        value = _end_of(drawn, target, m)
        known = value >= 0
        slot, value = waiting[known], value[known]
        kept = _unlike(target.reshape(-1, m), slot // m, value)
        target[slot[kept]] = value[kept]
        again = slot[~kept]
        waiting, drawn = (
            np.concatenate([waiting[~known], again]),
            np.concatenate([drawn[~known], rng.integers(0, earlier[again])]),
        )
    source = np.arange(slots, dtype=np.int64) // m + m + 1
    return np.concatenate([np.arange(1, m + 1, dtype=np.int64), pack(target, source)])


def _end_of(drawn: Ints, target: Ints, m: int) -> Ints:
    """Return the agents at the drawn edge ends: even ends are sources, odd ones targets; -1 is not known."""
    edge = drawn >> 1
    grown = edge >= m
    source = np.where(grown, m + edge // m, edge + 1)
    sensed = np.where(grown, target[np.where(grown, edge - m, 0)], 0) if target.size else np.zeros_like(edge)
    return np.where(drawn & 1, sensed, source)


def _unlike(rows: Ints, row: Ints, value: Ints) -> npt.NDArray[np.bool_]:
    """Say which values are not yet in their row, and come first among equals for the same row."""
    new = fresh(np.empty(0, np.int64), pack(row, value))
    step = max(CHUNK // rows.shape[1], 1)
    for low in range(0, row.size, step):
        part = slice(low, low + step)
        new[part] &= (rows[row[part]] != value[part, None]).all(axis=1)
    return new


def regular(n: int, degree: int, rng: np.random.Generator) -> Ints:
    """Return edges that give each agent `degree` neighbours; above half of n, by leaving out."""
    if degree > (n - 1) // 2:
        return _complement(regular(n, n - 1 - degree, rng), n)
    while True:
        keys = _paired(n, degree, rng)
        if keys is not None:
            return keys


def _paired(n: int, degree: int, rng: np.random.Generator) -> Ints | None:
    """Pair edge ends at random, then swap ends of bad pairs with good ones'; None if that gets stuck."""
    ends = rng.permutation(np.repeat(np.arange(n, dtype=np.int64), degree))
    one, other = ends[0::2].copy(), ends[1::2].copy()
    del ends
    bad = np.flatnonzero(~((one != other) & fresh(np.empty(0, np.int64), unordered(one, other))))
    idle = 0
    while bad.size and idle < ROUNDS:
        left = _swap(one, other, bad, rng)
        idle = idle + 1 if left.size == bad.size else 0
        bad = left
    return None if bad.size else unordered(one, other)


def _swap(one: Ints, other: Ints, bad: Ints, rng: np.random.Generator) -> Ints:
    """Swap ends of bad pairs with random good ones' where that makes two good pairs; return the rest."""
    good = np.ones(one.size, np.bool_)
    good[bad] = False
    partner = rng.integers(0, one.size, bad.size)
    a, b, c, d = one[bad], other[bad], one[partner], other[partner]
    proposed = np.concatenate([unordered(a, c), unordered(b, d)])
    new = fresh(np.sort(unordered(one, other)), proposed)
    done = good[partner] & fresh(np.empty(0, np.int64), partner)
    done &= (a != c) & (b != d) & new[: bad.size] & new[bad.size :]
    other[bad[done]], one[partner[done]] = c[done], b[done]
    return bad[~done]
