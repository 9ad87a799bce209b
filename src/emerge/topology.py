"""The topology: an immutable value that says who senses whom.

`Topology` is what users hold: it checks arguments, names things and hands arrays out. Its edges live once, in
memory that the engine owns (`_engine.Graph`); lattices, complete topologies and groups store none at all, and
`rules` writes theirs out. How edges are drawn is in `generate`, how they are merged and pressed into rows in
`edges`; how a topology is made in `constructors`, what other libraries call one in `graphs`.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NoReturn, final

import numpy as np
import numpy.typing as npt

from . import admit, graphs, rules, team
from ._engine import Graph
from .constructors import Constructors
from .edges import (
    ENDS_MAX,
    EdgeList,
    Rows,
    admitted_rows,
    graph_from,
    graph_of,
    heads_of,
    merge,
    names,
    pack,
    room,
    rows_of,
    starts,
    tails_of,
)
from .errors import InvalidType, TooLarge

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["Topology"]

Ints = npt.NDArray[np.int64]
Halves = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Notes = tuple[str, ...]


@final
class Topology(Constructors):
    """Who senses whom: agents, numbered from 0, and the edges between them.

    An edge (i, j) says that agent i senses agent j. Undirected edges stand for both (i, j) and (j, i). No
    agent senses itself and no edge is there twice: where the input says so, self-loops are left out, repeated
    edges become one and their weights add up, and `notes` tells how many. Weights that are all one are the
    same as none. A topology never changes; edits return another one. It is made by its constructors: `ring`,
    `complete`, `groups`, `star`, `grid`, `torus`, `small_world`, `random`, `scale_free`, `regular`, `from_edges`,
    `from_scipy`, `from_networkx` and `read`.

    Notes
    -----
    Two topologies are equal if they have the same agents, edges and weights, however they were made; labels,
    frequency and notes do not count. Equal ones have equal hashes. Memory: 6 bytes an agent and 4 an edge end
    (12 with weights), held once; rings, grids, tori, stars, groups and complete topologies hold nothing. Every array
    handed out is a copy or read-only. All methods may be called from several threads at once.

    Examples
    --------
    >>> import emerge
    >>> web = emerge.Topology.small_world(1000, degree=10, rewire=0.2, seed=7)
    >>> web
    Topology(1000 agents, 5000 edges, undirected)
    >>> web.rewired(0.1, seed=8) == web
    False
    """

    __slots__ = ("__weakref__", "_directed", "_frequency", "_graph", "_labels", "_notes")

    _graph: Graph
    _directed: bool | None
    _labels: Names | None
    _frequency: Floats | None
    _notes: Notes

    def __init__(self, *_: object, **__: object) -> None:
        raise InvalidType(
            "a Topology is made by its constructors, such as Topology.ring(n) or Topology.from_edges(edges)"
        )

    def __len__(self) -> int:
        return self._graph.n

    @property
    def kind(self) -> str:
        """How edges are held: "stored", or, told by a rule, "complete", "groups" (a star is two) or "lattice"."""
        return self._graph.kind

    @property
    def degree(self) -> Ints:
        """Number of neighbours that each agent senses: shape (n,), a copy."""
        rule = self._graph.rule
        if rule is not None:
            return rules.degrees(rule)
        degree = np.empty(len(self), np.int32)
        self._graph.show(degree)
        return degree.astype(np.int64)

    @property
    def edges(self) -> Ints:
        """All edges (i, j), ascending: shape (E, 2), a copy; undirected ones once, with i < j."""
        with room(self.edge_ends):
            keys, _ = self._keys()
            return np.column_stack([heads_of(keys), tails_of(keys)])

    @property
    def weights(self) -> Floats | None:
        """Weight of each edge, in the order of `edges`: shape (E,), a copy; None if all are one."""
        if not self._weighted():
            return None
        with room(self.edge_ends):
            return self._keys()[1]

    @property
    def edge_count(self) -> int:
        """Number of edges, undirected ones counted once."""
        return self.edge_ends if self.directed else self.edge_ends // 2

    @property
    def edge_ends(self) -> int:
        """Number of pairs (i, j) such that i senses j: twice the edges if undirected."""
        return self._graph.edge_ends

    @property
    def directed(self) -> bool:
        """Whether some agent senses another that does not sense it, or senses it with another weight.

        Notes
        -----
        Where directed edges were given, found out in O(E log E) when it is first asked for.
        """
        if self._directed is None:
            with room(self.edge_ends):
                object.__setattr__(self, "_directed", not _symmetric(*self._rows()))
        return bool(self._directed)

    @property
    def labels(self) -> Names | None:
        """Names of the agents, such as bus numbers: shape (n,), read-only; None if they have none."""
        return self._labels

    @property
    def frequency(self) -> Floats | None:
        """Natural frequencies (rad per unit of time) that a file brought: shape (n,), read-only; or None."""
        return self._frequency

    @property
    def notes(self) -> Notes:
        """What was left out, merged or assumed when the topology was made: one sentence each."""
        return self._notes

    def neighbours(self, agent: int) -> Ints:
        """Return whom an agent senses.

        Parameters
        ----------
        agent : int
            Number of the agent, 0 to n - 1.

        Returns
        -------
        numpy.ndarray of int64
            Numbers of its neighbours, ascending: shape (degree,), a copy.

        Raises
        ------
        InvalidValue
            If there is no such agent.

        Notes
        -----
        Takes O(degree), and some hundred steps to find the row.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(5).neighbours(0)
        array([1, 4])
        """
        agent = admit.count(agent, "agent", least=0, most=len(self) - 1)
        rule = self._graph.rule
        if rule is not None:
            return rules.neighbours(rule, agent)
        found = np.empty(self._graph.degree_of(agent), np.int32)
        self._graph.neighbours(agent, found)
        return found.astype(np.int64)

    def components(self) -> Ints:
        """Return the component that each agent belongs to: agents joined by edges, whichever way they point.

        Returns
        -------
        numpy.ndarray of int64
            Numbers of components, in the order of their first agents: shape (n,), a copy. The largest plus
            one is how many there are.

        Raises
        ------
        MissingExtra
            If SciPy is not installed.

        Notes
        -----
        Takes O(n log n + E).

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(6).without([0, 3]).components()
        array([0, 1, 1, 2, 3, 3])
        """
        if self.kind == "complete":
            return np.zeros(len(self), np.int64)
        with room(self.edge_ends):
            degree, indices, _ = self._rows()
            return graphs.components(degree, indices)

    def to_scipy(self) -> scipy.sparse.csr_array[Any]:
        """Return the edges as a SciPy array in compressed rows: row i is whom agent i senses.

        Returns
        -------
        scipy.sparse.csr_array of float64, shape (n, n)
            Weights, or ones: a copy, indices ascending.

        Raises
        ------
        MissingExtra
            If SciPy is not installed.
        TooLarge
            If a topology that stores none has more than 2**31 edge ends, or memory cannot be had.

        Notes
        -----
        Takes O(n + E).

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.star(3).to_scipy().toarray()
        array([[0., 1., 1.],
               [1., 0., 0.],
               [1., 0., 0.]])
        """
        with room(self.edge_ends):
            return graphs.to_scipy(*self._rows())

    def to_networkx(self) -> graphs.NetworkxGraph:
        """Return a networkx graph, directed if the topology is; u -> v says that u senses v.

        Returns
        -------
        networkx.Graph or networkx.DiGraph
            Its nodes are the labels, or else the numbers 0 to n - 1; weights are the attribute "weight".

        Raises
        ------
        MissingExtra
            If networkx is not installed.
        TooLarge
            If a topology that stores none has more than 2**31 edge ends, or memory cannot be had.

        Notes
        -----
        Takes O(n + E), with a loop in Python over the edges.

        Examples
        --------
        >>> import emerge
        >>> list(emerge.Topology.star(3).to_networkx().edges)
        [(0, 1), (0, 2)]
        """
        with room(self.edge_ends):
            edges, weights = self.edges, self.weights
            return graphs.to_networkx(len(self), edges, weights, self.labels, directed=self.directed)

    def without(self, agents: npt.ArrayLike) -> Topology:
        """Return the topology without the edges of some agents, which stay as isolated ones.

        Parameters
        ----------
        agents : int or array_like of int
            Numbers of the agents, 0 to n - 1.

        Returns
        -------
        Topology
            The same agents, numbers, labels and frequencies; fewer edges.

        Raises
        ------
        InvalidValue
            If there is no such agent.
        TooLarge
            If a topology that stores none has more than 2**31 edge ends, or memory cannot be had.

        Notes
        -----
        Takes O(n + E).

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.complete(4).without(0).edges.tolist()
        [[1, 2], [1, 3], [2, 3]]
        """
        gone = np.zeros(len(self), np.bool_)
        gone[admit.agents(agents, len(self))] = True
        if not gone.any():
            return self
        with room(self.edge_ends):
            degree, indices, weights = self._rows()
            left = ~(np.repeat(gone, degree) | gone[indices])
            kept = np.diff(np.concatenate([[0], np.cumsum(left)])[starts(degree)]).astype(np.int32)
            indices, weights = indices[left], None if weights is None else weights[left]
            graph = Graph.stored(kept, indices, weights, team.builders(indices.size))
        return self._like(graph, directed=self._directed and None)

    def with_edges(self, edges: npt.ArrayLike, weights: npt.ArrayLike | None = None) -> Topology:
        """Return the topology with more edges.

        Parameters
        ----------
        edges : array_like of int, shape (E, 2)
            Rows (i, j): agent i senses agent j, and j senses i if the topology is undirected.
        weights : float or array_like of float, shape (E,), optional
            Finite weights; without them new edges have weight 1.

        Returns
        -------
        Topology
            The same agents, labels and frequencies. An edge that is there already stays one edge; if the
            topology or the new edges have weights, its weights add up (those without count 1). `notes` tells
            how many.

        Raises
        ------
        GraphError
            If edges have the wrong shape, name an agent that is not there, or weights are not finite.
        InvalidType
            If edges are not whole numbers, or weights not real ones.
        TooLarge
            If a topology that stores none has more than 2**31 edge ends, or memory cannot be had.

        Notes
        -----
        Takes O(E log E). A complete topology has all edges already and stays one, unless there are weights.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(6).with_edges([(0, 3)]).neighbours(0)
        array([1, 3, 5])
        """
        directed = self.directed
        with room(self.edge_ends):
            new, notes = graph_from(EdgeList(edges, len(self), weights, directed, notes=self._notes))
            if self.kind == "complete" and weights is None:
                notes = _merged(notes, new.edge_ends // 2, weighted=False)
                return self._like(self._graph, directed=False, notes=notes)
            keys, old = self._keys()
            added, more = _keys_of(rows_of(new), directed=directed)
            both: Floats | None = None
            if old is not None or weights is not None:
                old = np.ones(keys.size) if old is None else old
                more = np.ones(added.size) if more is None else more
                both = np.concatenate([old, more])
            keys, both, repeats = merge(np.concatenate([keys, added]), both)
            notes = _merged(notes, repeats, weighted=both is not None)
            graph = graph_of(keys, len(self), both, directed=directed)
        return self._like(graph, directed=None if directed else False, notes=notes)

    def rewired(self, fraction: float, *, seed: int | np.random.Generator | None = None) -> Topology:
        """Return the topology with a random fraction of its edges redirected.

        A redirected edge keeps one of its agents (either, at random; of directed edges the one that senses)
        and gets another, drawn uniformly from those that its agent was not joined with.

        Parameters
        ----------
        fraction : float
            How many of the edges, 0 to 1; their number is rounded.
        seed : int, numpy.random.Generator or None
            What the choices come from; None takes fresh entropy.

        Returns
        -------
        Topology
            The same agents, labels, frequencies and number of edges; weights travel with their edges.

        Raises
        ------
        InvalidValue
            If fraction or seed is out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E log(degree)), and little memory but what both topologies keep, unless many edges want the same few
        places; topologies that store no edges are written out first. The same seed gives the same topology, on any
        number of workers; numbers come from Philox, keyed by one number drawn from the seed. Edges are redirected
        all at once, and none to where there was an edge. One that finds no free agent stays; so do those of an
        agent that is joined with all others, and a complete topology stays as it is.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(100).rewired(0.3, seed=1)
        Topology(100 agents, 100 edges, undirected)
        """
        fraction = admit.real(fraction, "fraction", least=0, most=1)
        rng = admit.generator(seed)
        if self._full() or fraction == 0:
            return self
        directed, ends = self.directed, self.edge_ends
        stored = self._graph.rule is None
        with room(ends, agents=len(self), each=16 if not stored else 12 if self._graph.weighted else 4):
            graph = self._graph if stored else Graph.stored(*self._rows(), workers=team.builders(ends))
            moves = round(fraction * (ends if directed else ends // 2))
            graph = graph.rewired(moves, directed, 0, admit.word(rng), team.builders(ends))
        return self._like(graph, directed=None if directed else False)

    def _like(self, graph: Graph, *, directed: bool | None, notes: Notes | None = None) -> Topology:
        """Wrap the graph of an edit, with labels, frequency and, unless given, notes of this one."""
        notes = self._notes if notes is None else notes
        return self._of(graph, directed=directed, labels=self._labels, frequency=self._frequency, notes=notes)

    def _weighted(self) -> bool:
        """Say whether any edge has a weight that is not 1."""
        rule = self._graph.rule
        return self._graph.weighted if rule is None else rules.weighted(rule)

    def _full(self) -> bool:
        """Say whether this is a complete topology without weights, however it is held."""
        n = len(self)
        return self.edge_ends == n * (n - 1) and not self._weighted()

    def _rows(self) -> tuple[Halves, Halves, Floats | None]:
        """Return degree, indices and weights of the rows, copies; those that a rule tells are written out."""
        rule = self._graph.rule
        if rule is not None:
            if self.edge_ends > ENDS_MAX:
                raise TooLarge(
                    f"a {self.kind} topology of {len(self)} agents has {self.edge_ends} edge ends, and at most"
                    f" {ENDS_MAX} can be written out: use fewer agents"
                )
            return rules.rows(rule)
        return rows_of(self._graph)

    def _keys(self) -> tuple[Ints, Floats | None]:
        """Return keys and weights of the edges, ascending, undirected ones once."""
        return _keys_of(self._rows(), directed=self.directed)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topology):
            return NotImplemented
        if self._graph is other._graph:
            return True
        if len(self) != len(other) or self.edge_ends != other.edge_ends:
            return False
        if self._full() or other._full():
            return self._full() and other._full()
        if self._graph.rule is not None and self._graph.rule == other._graph.rule:
            return True
        mine, theirs = self._rows(), other._rows()
        if mine[2] is None or theirs[2] is None:
            same = mine[2] is theirs[2]
        else:
            same = np.array_equal(mine[2], theirs[2])
        return same and np.array_equal(mine[0], theirs[0]) and np.array_equal(mine[1], theirs[1])

    def __hash__(self) -> int:
        if self._full():
            return hash((len(self), "complete"))
        return hash((len(self), self.edge_ends, zlib.crc32(self.degree.data)))

    def __repr__(self) -> str:
        way = "directed" if self.directed else "undirected"
        weighted = ", weighted" if self._weighted() else ""
        n, count = len(self), self.edge_count
        some = f"{n} agent{'' if n == 1 else 's'}, {count} edge{'' if count == 1 else 's'}"
        return f"Topology({some}, {way}{weighted})"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Topology never changes, so {name} cannot be set: edits return another one")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Topology never changes, so {name} cannot be deleted")

    def __copy__(self) -> Topology:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> Topology:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return Topology._from_arrays, (self._arrays(),)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return all there is as arrays without objects, for pickles and saved swarms."""
        arrays: dict[str, npt.NDArray[Any] | None] = {
            "n": np.array(len(self)),
            "directed": None if self._directed is None else np.array(self._directed),
            "labels": self._labels,
            "frequency": self._frequency,
            "notes": np.array(self._notes, np.str_) if self._notes else None,
        }
        rule = self._graph.rule
        if rule is None:
            arrays |= dict(zip(("degree", "indices", "weights"), self._rows(), strict=True))
        elif len(rule) == 3:
            arrays |= {"sides": np.array(rule[0]), "reach": np.array(rule[1]), "wraps": np.array(rule[2])}
        else:
            arrays |= {"sizes": np.array(rule[0]), "between": np.array(rule[1])}
        return {name: array for name, array in arrays.items() if array is not None}

    @classmethod
    def _from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Topology:
        """Make a topology of what `_arrays` returned; ValueError, TypeError or KeyError if it did not."""
        n = admit.count(int(arrays["n"]), "n", most=admit.AGENTS_MAX)
        labels, frequency, directed = (arrays.get(name) for name in ("labels", "frequency", "directed"))
        with room(arrays["indices"].size if "indices" in arrays else 0):
            if "indices" in arrays:
                rows = admitted_rows(arrays["degree"], arrays["indices"], arrays.get("weights"), n)
                graph = Graph.stored(*rows, workers=team.builders(rows[1].size))
            else:
                graph = cls._ruled(arrays)
        if graph.n != n:
            raise ValueError(f"the rule is of {graph.n} agents, not of {n}")
        return cls._of(
            graph,
            directed=None if directed is None else bool(directed),
            labels=None if labels is None else names(labels.tolist(), n),
            frequency=None if frequency is None else admit.vector(frequency, "frequency", n),
            notes=tuple(map(str, arrays.get("notes", np.empty(0)).tolist())),
        )

    @classmethod
    def _ruled(cls, arrays: dict[str, npt.NDArray[Any]]) -> Graph:
        """Make the graph that a rule tells, admitted by the constructors of its kind."""
        if "sides" in arrays:
            shape, reach = tuple(arrays["sides"].tolist()), int(arrays["reach"])
            if bool(arrays["wraps"]):
                return (cls.torus(*shape, reach=reach) if len(shape) > 1 else cls.ring(shape[0], 2 * reach))._graph
            return cls.grid(*shape, reach=reach)._graph
        between = arrays["between"].reshape(arrays["sizes"].size, -1)
        return cls.groups(arrays["sizes"], between)._graph


def _symmetric(degree: Halves, indices: Halves, weights: Floats | None) -> bool:
    """Say whether rows are also columns."""
    if indices.size % 2 or not np.array_equal(np.bincount(indices, minlength=degree.size), degree):
        return False
    heads = np.repeat(np.arange(degree.size, dtype=np.int64), degree)
    keys = pack(indices.astype(np.int64), heads)
    order = np.argsort(keys, kind="stable")
    if not np.array_equal(indices, heads[order]):
        return False
    return weights is None or np.array_equal(weights, weights[order])


def _keys_of(rows: Rows, *, directed: bool) -> tuple[Ints, Floats | None]:
    """Return keys and weights of the edges in rows, ascending, undirected ones once."""
    degree, indices, weights = rows
    heads = np.repeat(np.arange(degree.size, dtype=np.int64), degree)
    if directed:
        return pack(heads, indices), weights
    once = heads < indices
    return pack(heads[once], indices[once]), None if weights is None else weights[once]


def _merged(notes: Notes, repeats: int, *, weighted: bool) -> Notes:
    if not repeats:
        return notes
    added = ", and the weights were added" if weighted else ""
    return (*notes, f"{repeats} of the new edges {'was' if repeats == 1 else 'were'} there already{added}")
