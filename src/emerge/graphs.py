"""To and from the graphs of other libraries: SciPy matrices and networkx graphs.

What comes in becomes an `EdgeList`, still unchecked; what goes out is made of the rows of a topology. SciPy
and networkx are imported when they are needed and never before.
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from . import admit
from .edges import Columns, EdgeList, starts
from .errors import GraphError, InvalidType

if TYPE_CHECKING:
    import networkx
    import scipy.sparse

    NetworkxGraph: TypeAlias = networkx.Graph[Any] | networkx.DiGraph[Any]

__all__ = ["components", "from_networkx", "from_scipy", "to_networkx", "to_scipy"]

Ints = npt.NDArray[np.integer[Any]]
Floats = npt.NDArray[np.float64]


def from_scipy(matrix: Any, *, weighted: bool, labels: Iterable[object] | None) -> EdgeList:
    """Take the stored entries of a square matrix as edges: row i is whom agent i senses."""
    sparse = admit.extra("scipy.sparse", "graphs", "making a topology of a matrix")
    if not sparse.issparse(matrix):
        matrix = np.asarray(matrix)
    if matrix.dtype.kind not in "fiub":
        raise InvalidType(f"a matrix must hold real numbers to be a topology, not {matrix.dtype}")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise GraphError(f"a matrix must be square, a row for each agent, but its shape is {matrix.shape}")
    entries = sparse.coo_array(matrix)
    return EdgeList(
        Columns(entries.row, entries.col),
        n=int(matrix.shape[0]),
        weights=entries.data if weighted else None,
        directed=True,
        labels=labels,
    )


def to_scipy(degree: Ints, indices: Ints, weights: Floats | None) -> scipy.sparse.csr_array[Any]:
    """Make a CSR array of rows, with copies of all they hold."""
    sparse = admit.extra("scipy.sparse", "graphs", "making a SciPy matrix")
    data = np.ones(indices.size) if weights is None else weights.copy()
    matrix: scipy.sparse.csr_array[Any] = sparse.csr_array(
        (data, indices.copy(), starts(degree)), shape=(degree.size, degree.size)
    )
    matrix.has_canonical_format = True
    return matrix


def components(degree: Ints, indices: Ints) -> npt.NDArray[np.int64]:
    """Return the number of the weakly connected component that each agent belongs to."""
    csgraph = admit.extra("scipy.sparse.csgraph", "graphs", "finding components")
    matrix = to_scipy(degree, indices, None)
    _, found = csgraph.connected_components(matrix, directed=True, connection="weak")
    _, first, member = np.unique(found, return_index=True, return_inverse=True)
    rank = np.empty_like(first)
    rank[np.argsort(first)] = np.arange(first.size)
    return rank[member]


def from_networkx(graph: Any, *, weight: str | None, labels: Iterable[object] | None = None) -> EdgeList:
    """Take nodes as agents and edges as they are; u -> v of a directed graph says that u senses v."""
    networkx = admit.extra("networkx", "graphs", "making a topology of a networkx graph")
    if not isinstance(graph, networkx.Graph):
        raise InvalidType(f"graph must be a networkx graph, not {type(graph).__name__}")
    number, named = _numbering(list(graph))
    pairs = np.array([(number[u], number[v]) for u, v in graph.edges()], dtype=np.int64)
    return EdgeList(
        pairs,
        n=len(number),
        weights=None if weight is None else _weights(graph, weight),
        directed=graph.is_directed(),
        labels=named if labels is None else labels,
    )


def to_networkx(
    n: int, pairs: Ints, weights: Floats | None, labels: npt.NDArray[np.str_] | None, *, directed: bool
) -> NetworkxGraph:
    """Make a networkx graph, its nodes the labels where there are any, else the agents' numbers."""
    networkx = admit.extra("networkx", "graphs", "making a networkx graph")
    graph: NetworkxGraph = networkx.DiGraph() if directed else networkx.Graph()
    nodes: list[Any] = list(range(n)) if labels is None else labels.tolist()
    graph.add_nodes_from(nodes)
    ends = ((nodes[i], nodes[j]) for i, j in pairs.tolist())
    if weights is None:
        graph.add_edges_from(ends)
    else:
        graph.add_weighted_edges_from((u, v, weight) for (u, v), weight in zip(ends, weights.tolist(), strict=True))
    return graph


def _numbering(nodes: list[Any]) -> tuple[dict[Any, int], list[str] | None]:
    """Return the nodes' numbers, by order, and names; nodes 0 to n - 1 keep their numbers, unnamed."""
    n = len(nodes)
    if all(type(node) is int and 0 <= node < n for node in nodes):
        return {node: node for node in range(n)}, None
    number = {node: k for k, node in enumerate(nodes)}
    if all(node == str(k) for k, node in enumerate(nodes)):
        return number, None
    return number, [str(node) for node in nodes]


def _weights(graph: Any, weight: str) -> list[float] | None:
    values = []
    found = False
    for u, v, value in graph.edges(data=weight, default=None):
        if value is not None and (isinstance(value, bool) or not isinstance(value, numbers.Real)):
            raise InvalidType(f"edge ({u}, {v}) has {weight} {value!r}, but a weight must be a number")
        found = found or value is not None
        values.append(1.0 if value is None else float(value))
    return values if found else None
