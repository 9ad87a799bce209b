"""Edges, listed or as keys: checked, merged, and made into graphs.

An edge (i, j) says that agent i senses agent j. Lists of edges, arrays or text, are read where they are by the engine
(`_engine.Listing`), which makes rows of them and merges repeated ones there. Edges that are drawn or edited travel as
64-bit *keys*, i in the high half and j in the low half, so that one in-place sort brings them into order and repeated
ones side by side. The key of an undirected edge has its lesser agent in the high half. Agents are below 2**31, so keys
are never negative and both halves fit. This room knows neither topologies nor generators.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import mmap
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from . import admit, team
from ._engine import Graph, Listing
from .errors import GraphError, InvalidType, TooLarge

__all__ = [
    "ENDS_MAX",
    "Columns",
    "EdgeList",
    "admitted_rows",
    "graph_from",
    "graph_of",
    "heads_of",
    "merge",
    "names",
    "pack",
    "room",
    "rows_of",
    "starts",
    "tails_of",
    "text",
    "unordered",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Rows = tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Floats | None]

BYTES_OF_AN_END = 8
"""What lines of text take, about; only the number of workers hangs on it."""

ENDS_MAX = 2**31
"""Most edge ends that a complete topology is written out to."""


class Columns(NamedTuple):
    """Pairs of agents as two arrays: who senses, and whom."""

    one: npt.NDArray[np.integer[Any]]
    other: npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class EdgeList:
    """What was read or given: pairs of agents, `Columns` or a `Listing`, and what came with them, not yet merged."""

    pairs: object
    n: int | None = None
    weights: object = None
    directed: bool = False
    labels: Iterable[object] | None = None
    frequency: Floats | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def room(ends: int, *, agents: int = 0, each: int = 16) -> Iterator[None]:
    """Turn memory that cannot be had into `TooLarge` with the size asked for: `each` bytes an end, 4 an agent."""
    needed = each * ends + 4 * agents
    admit.memory(needed, f"building a topology of {ends} edge ends")
    try:
        yield
    except TooLarge:
        raise
    except MemoryError:
        raise TooLarge(
            f"building a topology of {ends} edge ends needs {needed / 1e9:.1f} GB of memory, which cannot be had:"
            " use fewer agents or edges"
        ) from None


def pack(heads: Ints, tails: npt.NDArray[np.integer[Any]]) -> Ints:
    """Return the keys of the directed edges (heads, tails)."""
    keys = np.left_shift(heads, 32, dtype=np.int64)
    keys |= tails
    return keys


def unordered(one: Ints, other: Ints) -> Ints:
    """Return the keys of undirected edges, the lesser agent in the high half."""
    keys = np.minimum(one, other)
    keys <<= 32
    keys |= np.maximum(one, other)
    return keys


def heads_of(keys: Ints) -> Ints:
    """Return the agents in the high halves."""
    return keys >> 32


def tails_of(keys: Ints) -> Ints:
    """Return the agents in the low halves."""
    return keys & 0xFFFFFFFF


def starts(degree: npt.NDArray[Any]) -> Ints:
    """Return where each row starts, and after the last where it ends: shape (n + 1,)."""
    offsets = np.zeros(degree.size + 1, np.int64)
    np.cumsum(degree, dtype=np.int64, out=offsets[1:])
    return offsets


def merge(keys: Ints, weights: Floats | None) -> tuple[Ints, Floats | None, int]:
    """Return distinct keys ascending, weights of equal ones added, and how many were merged.

    `keys` is used up: its content afterwards is undefined.
    """
    if (keys[1:] > keys[:-1]).all():
        return keys, weights, 0
    if weights is None:
        keys.sort()
    else:
        weights = weights[np.argsort(keys, kind="stable")]
        keys.sort()
    first = np.ones(keys.size, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    merged = keys.size - int(np.count_nonzero(first))
    if merged:
        keys = keys[first]
        if weights is not None:
            with np.errstate(over="ignore"):
                weights = np.add.reduceat(weights, np.flatnonzero(first))
            wrong = keys[~np.isfinite(weights)]
            if wrong.size:
                raise _too_heavy(int(heads_of(wrong)[0]), int(tails_of(wrong)[0]))
    return keys, weights, merged


def graph_of(keys: Ints, n: int, weights: Floats | None = None, *, directed: bool = False) -> Graph:
    """Return the graph of the rows that distinct `keys` make, both ends of undirected ones.

    Weights that are all one are as good as none, and dropped.
    """
    ends = keys.size if directed else 2 * keys.size
    if weights is not None and bool((weights == 1).all()):
        weights = None
    admit.memory(4 * n + (4 if weights is None else 12) * ends, f"a topology of {n} agents")
    return Graph.from_keys(keys, n, weights, directed, team.builders(ends))


def rows_of(graph: Graph) -> Rows:
    """Return degree, indices and weights, or None, of the rows of a stored graph: copies."""
    degree, indices = np.empty(graph.n, np.int32), np.empty(graph.edge_ends, np.int32)
    weights = np.empty(graph.edge_ends) if graph.weighted else None
    graph.show(degree, indices, weights)
    return degree, indices, weights


def text(content: mmap | bytearray, first: int, *, weighted: bool, commas: bool, limit: int) -> Listing:
    """Return what is listed, of agents below the limit, in the lines from byte `first` on; it may be odd."""
    view = np.frombuffer(content, np.uint8)
    workers = team.builders(view.size // BYTES_OF_AN_END)
    return Listing.of_text(view, first, weighted, commas, isinstance(content, mmap), limit, workers)


def graph_from(found: EdgeList) -> tuple[Graph, tuple[str, ...]]:
    """Check a list of edges and return its graph, and notes.

    Edges from an agent to itself are left out; repeated edges become one, whose weights are added in ascending order.
    """
    listing = found.pairs if isinstance(found.pairs, Listing) else _listed(found)
    n = listing.most + 1 if found.n is None else found.n
    graph, merged = _made(listing, n, directed=found.directed, weighted=listing.uneven)
    if merged and listing.weighted and not listing.uneven:  # ones add up to more
        graph, merged = _made(listing, n, directed=found.directed, weighted=True)
    notes = list(found.notes)
    if listing.loops:
        notes.append(f"{_many(listing.loops, 'self-loop')} left out")
    if merged:
        added = ", the weights added" if listing.weighted else ""
        notes.append(f"{_many(merged, 'repeated edge')} merged{added}")
    return graph, tuple(notes)


def _made(listing: Listing, n: int, *, directed: bool, weighted: bool) -> tuple[Graph, int]:
    """Return a graph, and how many edges were merged."""
    ends = (1 if directed else 2) * (listing.edges - listing.loops)
    admit.memory(6 * n + (12 if weighted else 4) * ends, f"a topology of {n} agents")
    graph, merged, beyond = listing.graph(n, weighted, directed, team.builders(ends))
    if beyond is not None:
        raise _too_heavy(*beyond)
    return graph, merged


def _listed(found: EdgeList) -> Listing:
    """Look through pairs and their weights, without copies where their types allow it."""
    columns = found.pairs if isinstance(found.pairs, Columns) else Columns(*_pairs(found.pairs).T)
    size = columns.one.size
    n = None if found.n is None else admit.count(found.n, "n", most=admit.AGENTS_MAX)
    if n is None and size == 0:
        raise GraphError("no edges tell how many agents there are: give their number n, at least 1")
    weights = _weights(found.weights, size)
    kind = np.int32 if np.can_cast(columns.one.dtype, np.int32) else np.int64
    one, other = (np.require(column, kind, "A") for column in columns)
    limit = admit.AGENTS_MAX if n is None else n
    listing = Listing.of_arrays(one, other, weights, limit, team.builders(2 * size))
    if listing.odd:
        raise _odd(np.column_stack(columns), weights, n)
    return listing


def names(labels: Iterable[object], n: int) -> npt.NDArray[np.str_]:
    """Return labels as an array of n distinct strings."""
    if isinstance(labels, (str, bytes)):
        raise InvalidType(f"labels must be a sequence of {n} names, one for each agent, not the text {labels!r}")
    given = [str(label) for label in labels]
    if len(given) != n:
        raise GraphError(f"labels must be {n} names, one for each agent, not {len(given)}")
    seen: set[str] = set()
    for label in given:
        if label in seen:
            raise GraphError(f"labels must differ from each other, but {label!r} is given to two agents")
        seen.add(label)
    return np.array(given, dtype=np.str_)


def admitted_rows(degree: object, indices: object, weights: object, n: int) -> Rows:
    """Return rows that came from outside, or say why they are none of n agents."""
    rows = [np.asarray(degree), np.asarray(indices)]
    if any(array.dtype.kind not in "iu" or array.ndim != 1 for array in rows):
        raise InvalidType("degree and indices must be one-dimensional arrays of whole numbers")
    counts, ends = rows
    if counts.size != n or (counts < 0).any() or counts.sum(dtype=np.int64) != ends.size:
        raise GraphError(f"degree must be {n} numbers that add up to {ends.size}, the number of indices")
    if ends.size and (int(ends.min()) < 0 or int(ends.max()) >= n):
        raise GraphError(f"indices must be agents from 0 to {n - 1}")
    heads = np.repeat(np.arange(n, dtype=np.int64), counts)
    keys = pack(heads, ends.astype(np.int64))
    if (keys[1:] <= keys[:-1]).any() or (heads == ends).any():
        raise GraphError("indices must ascend in each row, and no agent may stand in its own")
    found = None
    if weights is not None:
        found = np.asarray(weights)
        if found.dtype != np.float64 or found.shape != ends.shape or not np.isfinite(found).all():
            raise GraphError(f"weights must be {ends.size} finite numbers, one for each index")
        found = np.ascontiguousarray(found)
    return counts.astype(np.int32), ends.astype(np.int32), found


def _pairs(edges: object) -> npt.NDArray[np.integer[Any]]:
    try:
        array = np.asarray(edges)
    except ValueError:
        raise GraphError("edges must be pairs (i, j) of agents, but the rows given differ in length") from None
    if array.size == 0:
        return np.empty((0, 2), np.int64)
    if array.dtype.kind not in "iu":
        raise InvalidType(f"edges must be an array or list of pairs of whole numbers, not of {array.dtype}")
    if array.ndim != 2 or array.shape[1] != 2:
        raise GraphError(f"edges must have shape (E, 2), a row (i, j) for each edge, not {array.shape}")
    return array


def _weights(weights: object, size: int) -> Floats | None:
    """Return a weight for each edge, perhaps the user's own array."""
    if weights is None:
        return None
    try:
        array = np.asarray(weights)
    except ValueError:
        raise GraphError(f"weights must have shape ({size},), one for each edge") from None
    if array.dtype.kind not in "fiub":
        raise InvalidType(f"weights must be real numbers, not {array.dtype}")
    if array.ndim and array.shape != (size,):
        raise GraphError(f"weights must be one number or have shape ({size},), not {array.shape}")
    return np.broadcast_to(np.require(array, np.float64, "A"), (size,))


def _odd(pairs: npt.NDArray[np.integer[Any]], weights: Floats | None, n: int | None) -> GraphError:
    """Say what is wrong with edges that the engine does not take."""
    least, most = int(pairs.min()), int(pairs.max())
    if least < 0 or most >= (admit.AGENTS_MAX if n is None else n):
        wrong = least if least < 0 else most
        row = int(np.flatnonzero((pairs == wrong).any(axis=1))[0])
        if n is None and least >= 0:
            allowed = f"a topology has at most {admit.AGENTS_MAX} agents, numbered from 0"
        else:
            allowed = "agents are numbered from 0" + ("" if n is None else f" to {n - 1}")
        return GraphError(f"edge {row}, ({pairs[row, 0]}, {pairs[row, 1]}), names agent {wrong}, but {allowed}")
    if weights is None or np.isfinite(weights).all():
        return GraphError("edges were changed while they were looked at: give a copy that nobody changes")
    row = int(np.flatnonzero(~np.isfinite(weights))[0])
    return GraphError(
        f"weights must be finite, but edge {row}, ({pairs[row, 0]}, {pairs[row, 1]}), has weight {weights[row]}"
    )


def _too_heavy(one: int, other: int) -> GraphError:
    return GraphError(
        f"weights of the repeated edge ({one}, {other}) add up beyond the range of numbers: scale the weights down"
    )


def _many(number: int, thing: str) -> str:
    return f"{number} {thing} was" if number == 1 else f"{number} {thing}s were"
