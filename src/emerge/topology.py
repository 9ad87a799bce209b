"""The topology: an immutable value that says who senses whom.

`Topology` is what users hold: it checks arguments, names things and hands arrays out. Its edges live once, in
memory that the engine owns (`_engine.Graph`); a complete topology stores none at all. How edges are drawn is
in `generate`, how they are merged and pressed into rows in `edges`; other libraries' graphs are in `graphs`,
files in `files`.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Iterable, Sized
from typing import TYPE_CHECKING, Any, NoReturn, final

import numpy as np
import numpy.typing as npt

from . import admit, files, generate, graphs
from ._engine import Graph
from .edges import (
    ENDS_MAX,
    EdgeList,
    admitted_rows,
    compress,
    gather,
    heads_of,
    merge,
    names,
    pack,
    room,
    starts,
    tails_of,
)
from .errors import GraphFileError, InvalidType, InvalidValue, TooLarge

if TYPE_CHECKING:
    import scipy.sparse

__all__ = ["Topology"]

Ints = npt.NDArray[np.int64]
Halves = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Notes = tuple[str, ...]


@final
class Topology:
    """Who senses whom: agents, numbered from 0, and the edges between them.

    An edge (i, j) says that agent i senses agent j. Undirected edges stand for both (i, j) and (j, i). No
    agent senses itself and no edge is there twice: where the input says so, self-loops are left out, repeated
    edges become one and their weights add up, and `notes` tells how many. Weights that are all one are the
    same as none. A topology never changes; edits return another one. It is made by its constructors: `ring`,
    `complete`, `star`, `grid`, `torus`, `small_world`, `random`, `scale_free`, `regular`, `from_edges`,
    `from_scipy`, `from_networkx` and `read`.

    Notes
    -----
    Two topologies are equal if they have the same agents, edges and weights, however they were made; labels,
    frequency and notes do not count. Equal ones have equal hashes. Memory: 4 bytes an agent and 4 an edge end
    (12 with weights), held once; a complete topology holds nothing. Every array handed out is a copy or
    read-only. All methods may be called from several threads at once.

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

    @classmethod
    def _of(
        cls,
        graph: Graph,
        *,
        directed: bool | None = False,
        labels: Names | None = None,
        frequency: Floats | None = None,
        notes: Notes = (),
    ) -> Topology:
        """Wrap a graph; `directed` None is found out when it is asked for."""
        made = object.__new__(cls)
        for array in (labels, frequency):
            if array is not None:
                array.setflags(write=False)
        object.__setattr__(made, "_graph", graph)
        object.__setattr__(made, "_directed", directed)
        object.__setattr__(made, "_labels", labels)
        object.__setattr__(made, "_frequency", frequency)
        object.__setattr__(made, "_notes", notes)
        return made

    @classmethod
    def _of_keys(cls, keys: Ints, n: int) -> Topology:
        return cls._of(Graph.stored(*compress(keys, n)))

    @classmethod
    def _gathered(cls, found: EdgeList) -> Topology:
        with room(2 * len(found.pairs) if isinstance(found.pairs, Sized) else 0):
            keys, n, weights, notes = gather(found)
            labels = None if found.labels is None else names(found.labels, n)
            graph = Graph.stored(*compress(keys, n, weights, directed=found.directed))
        directed = None if found.directed else False
        return cls._of(graph, directed=directed, labels=labels, frequency=found.frequency, notes=notes)

    @classmethod
    def ring(cls, n: int, degree: int = 2) -> Topology:
        """Make a ring on which each agent senses its nearest neighbours on either side.

        Parameters
        ----------
        n : int
            Number of agents, 1 to 2**31 - 1.
        degree : int, default 2
            Number of neighbours, even, half of them on either side; 0 to n - 1. Two make a plain ring.

        Returns
        -------
        Topology
            Undirected, with n * degree / 2 edges.

        Raises
        ------
        InvalidValue
            If n or degree is out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(n * degree).

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(6, degree=4).neighbours(0)
        array([1, 2, 4, 5])
        """
        n = _number(n)
        degree = _even(degree, n)
        with room(n * degree):
            return cls._of(Graph.stored(*generate.ring(n, degree)))

    @classmethod
    def complete(cls, n: int) -> Topology:
        """Make a topology on which every agent senses every other.

        Parameters
        ----------
        n : int
            Number of agents, 1 to 2**31 - 1.

        Returns
        -------
        Topology
            Undirected, with n * (n - 1) / 2 edges, none of which is stored.

        Raises
        ------
        InvalidValue
            If n is out of range.

        Notes
        -----
        Takes O(1) time and memory. Asking for all its edges, or editing it, takes O(n**2), and is refused
        above 2**31 edge ends.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.complete(1_000_000).edge_count
        499999500000
        """
        return cls._of(Graph.complete(_number(n)))

    @classmethod
    def star(cls, n: int) -> Topology:
        """Make a star: agent 0, the hub, and every other agent sense each other.

        Parameters
        ----------
        n : int
            Number of agents with the hub, 1 to 2**31 - 1.

        Returns
        -------
        Topology
            Undirected, with n - 1 edges.

        Raises
        ------
        InvalidValue
            If n is out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(n).

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.star(4).degree
        array([3, 1, 1, 1])
        """
        n = _number(n)
        with room(2 * n):
            return cls._of_keys(generate.star(n), n)

    @classmethod
    def grid(cls, *shape: int) -> Topology:
        """Make a lattice of any dimension, open at its borders.

        Parameters
        ----------
        *shape : int
            Number of agents along each side, at least 1 each; their product is at most 2**31 - 1.

        Returns
        -------
        Topology
            Undirected; agents are numbered in row-major order, as NumPy numbers the entries of an array.

        Raises
        ------
        InvalidValue
            If there is no side, or one out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(n * dimension). `torus` joins the borders.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.grid(2, 3).edges.tolist()
        [[0, 1], [0, 3], [1, 2], [1, 4], [2, 5], [3, 4], [4, 5]]
        """
        n = _sides(shape)
        with room(2 * n * len(shape)):
            return cls._of_keys(generate.lattice(shape, wrap=False), n)

    @classmethod
    def torus(cls, *shape: int) -> Topology:
        """Make a lattice of any dimension whose opposite borders are joined.

        Parameters
        ----------
        *shape : int
            Number of agents along each side, at least 1 each; their product is at most 2**31 - 1. Along a
            side of 2 two agents are joined once, along a side of 1 an agent has no neighbour.

        Returns
        -------
        Topology
            Undirected; agents are numbered in row-major order, as NumPy numbers the entries of an array.

        Raises
        ------
        InvalidValue
            If there is no side, or one out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(n * dimension). `grid` leaves the borders open.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.torus(3, 4).neighbours(0)
        array([1, 3, 4, 8])
        """
        n = _sides(shape)
        with room(2 * n * len(shape)):
            return cls._of_keys(generate.lattice(shape, wrap=True), n)

    @classmethod
    def small_world(
        cls, n: int, *, degree: int, rewire: float, seed: int | np.random.Generator | None = None
    ) -> Topology:
        """Make a small world: a ring some of whose edges lead to agents anywhere.

        Each edge of `ring(n, degree)` is redirected with probability `rewire`: it keeps one agent, and gets
        another drawn uniformly from those its agent is not joined with yet.

        Parameters
        ----------
        n : int
            Number of agents, 1 to 2**31 - 1.
        degree : int
            Degree of the ring and mean degree of the result, even, 0 to n - 1.
        rewire : float
            Probability that an edge is redirected, 0 to 1.
        seed : int, numpy.random.Generator or None
            What the choices come from; None takes fresh entropy.

        Returns
        -------
        Topology
            Undirected, with n * degree / 2 distinct edges.

        Raises
        ------
        InvalidValue
            If n, degree, rewire or seed is out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E log E); the same seed gives the same topology. Edges are redirected all at once, not one lap
        of the ring after another. An edge that finds no free agent stays.

        References
        ----------
        D. J. Watts, S. H. Strogatz, Nature 393, 440-442 (1998), doi:10.1038/30918.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.small_world(10_000, degree=10, rewire=0.2, seed=1)
        Topology(10000 agents, 50000 edges, undirected)
        """
        n = _number(n)
        degree = _even(degree, n)
        rewire = admit.real(rewire, "rewire", least=0, most=1)
        rng = admit.generator(seed)
        with room(n * degree):
            return cls._of_keys(generate.small_world(n, degree, rewire, rng), n)

    @classmethod
    def random(cls, n: int, *, degree: float, seed: int | np.random.Generator | None = None) -> Topology:
        """Make a random graph of a given mean degree, all of its kind equally likely: G(n, M).

        Parameters
        ----------
        n : int
            Number of agents, 1 to 2**31 - 1.
        degree : float
            Mean degree, 0 to n - 1; the number of edges M is n * degree / 2, rounded.
        seed : int, numpy.random.Generator or None
            What the choices come from; None takes fresh entropy.

        Returns
        -------
        Topology
            Undirected, with exactly M distinct edges; some agents may be isolated.

        Raises
        ------
        InvalidValue
            If n, degree or seed is out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E log E), and O(n**2) where more than half of all pairs are edges. The same seed gives the
        same topology.

        References
        ----------
        P. Erdős, A. Rényi, Publicationes Mathematicae Debrecen 6, 290-297 (1959),
        doi:10.5486/PMD.1959.6.3-4.12.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.random(1000, degree=8.5, seed=1)
        Topology(1000 agents, 4250 edges, undirected)
        """
        n = _number(n)
        degree = admit.real(degree, "degree", least=0, most=n - 1)
        rng = admit.generator(seed)
        number = min(round(n * degree / 2), n * (n - 1) // 2)
        with room(2 * number):
            return cls._of_keys(generate.pairs(n, number, rng), n)

    @classmethod
    def scale_free(cls, n: int, m: int, *, seed: int | np.random.Generator | None = None) -> Topology:
        """Make a scale-free graph by preferential attachment: well-joined agents get more neighbours.

        It starts as a star of m + 1 agents. Each new agent is joined with m distinct earlier ones, drawn with
        probability proportional to the degree they have at the time. The tail of degrees falls as degree**-3.

        Parameters
        ----------
        n : int
            Number of agents, 2 to 2**31 - 1.
        m : int
            Number of edges that each new agent brings, 1 to n - 1.
        seed : int, numpy.random.Generator or None
            What the choices come from; None takes fresh entropy.

        Returns
        -------
        Topology
            Undirected and connected, with m * (n - m) distinct edges; the oldest agents have the least
            numbers.

        Raises
        ------
        InvalidValue
            If n, m or seed is out of range.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E m). The same seed gives the same topology.

        References
        ----------
        A.-L. Barabási, R. Albert, Science 286, 509-512 (1999), doi:10.1126/science.286.5439.509.
        V. Batagelj, U. Brandes, Physical Review E 71, 036113 (2005), doi:10.1103/PhysRevE.71.036113,
        algorithm 5; here targets of one agent are distinct.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.scale_free(1000, 3, seed=1)
        Topology(1000 agents, 2991 edges, undirected)
        """
        n = admit.count(n, "n", least=2, most=admit.AGENTS_MAX)
        m = admit.count(m, "m", least=1, most=n - 1)
        rng = admit.generator(seed)
        with room(2 * m * (n - m)):
            return cls._of_keys(generate.scale_free(n, m, rng), n)

    @classmethod
    def regular(cls, n: int, degree: int, *, seed: int | np.random.Generator | None = None) -> Topology:
        """Make a random graph on which all agents have the same degree.

        Parameters
        ----------
        n : int
            Number of agents, 1 to 2**31 - 1.
        degree : int
            Number of neighbours of each, 0 to n - 1; n * degree must be even.
        seed : int, numpy.random.Generator or None
            What the choices come from; None takes fresh entropy.

        Returns
        -------
        Topology
            Undirected, with n * degree / 2 distinct edges.

        Raises
        ------
        InvalidValue
            If n, degree or seed is out of range, or n * degree odd.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E log E), and O(n**2) where degree is above half of n. The same seed gives the same topology.
        Edge ends are paired at random; self-loops and repeated edges are removed by swapping ends with other
        edges, which makes all such graphs nearly, not exactly, equally likely.

        References
        ----------
        B. Bollobás, European Journal of Combinatorics 1, 311-316 (1980), doi:10.1016/S0195-6698(80)80030-8.
        B. D. McKay, N. C. Wormald, Journal of Algorithms 11, 52-67 (1990), doi:10.1016/0196-6774(90)90029-E.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.regular(8, 3, seed=1).degree
        array([3, 3, 3, 3, 3, 3, 3, 3])
        """
        n = _number(n)
        degree = admit.count(degree, "degree", least=0, most=n - 1)
        if n * degree % 2:
            raise InvalidValue(f"n * degree must be even, as every edge has two ends, not {n} * {degree}")
        rng = admit.generator(seed)
        with room(n * degree):
            return cls._of_keys(generate.regular(n, degree, rng), n)

    @classmethod
    def from_edges(
        cls,
        edges: npt.ArrayLike,
        n: int | None = None,
        *,
        weights: npt.ArrayLike | None = None,
        directed: bool = False,
        labels: Iterable[object] | None = None,
    ) -> Topology:
        """Make a topology of a list of edges.

        Parameters
        ----------
        edges : array_like of int, shape (E, 2)
            Rows (i, j): agent i senses agent j, and j senses i unless `directed`.
        n : int, optional
            Number of agents, 1 to 2**31 - 1; without it, the largest agent named plus one (or as many as
            labels).
        weights : float or array_like of float, shape (E,), optional
            Finite weight of each edge, of any sign. All one is the same as none.
        directed : bool, default False
            Whether a row is one way only. Then (i, j) and (j, i) are different edges, else the same one.
        labels : iterable, optional
            n distinct names of the agents.

        Returns
        -------
        Topology
            With copies of what was given. Self-loops are left out; repeated edges become one and their
            weights add up; `notes` tells how many.

        Raises
        ------
        GraphError
            If edges have the wrong shape, name an agent that is not there, or weights are not finite.
        InvalidType
            If edges are not whole numbers, or weights not real ones.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E log E).

        Examples
        --------
        >>> import emerge
        >>> chain = emerge.Topology.from_edges([(0, 1), (1, 2), (2, 1), (2, 2)])
        >>> chain
        Topology(3 agents, 2 edges, undirected)
        >>> chain.notes
        ('1 self-loop was left out', '1 repeated edge was merged')
        """
        if labels is not None and not isinstance(labels, (str, bytes)):
            labels = list(labels)
            n = len(labels) if n is None else n
        return cls._gathered(EdgeList(edges, n, weights, bool(directed), labels))

    @classmethod
    def from_scipy(cls, matrix: Any, *, weighted: bool = True, labels: Iterable[object] | None = None) -> Topology:
        """Make a topology of a square SciPy matrix: row i is whom agent i senses.

        Parameters
        ----------
        matrix : sparse matrix, sparse array or array_like of float, shape (n, n)
            Every stored entry is an edge and its value the weight, explicit zeros included; of a dense array,
            every entry that is not 0. A symmetric matrix makes an undirected topology.
        weighted : bool, default True
            Whether values are weights; False takes the pattern alone. All one is the same as none.
        labels : iterable, optional
            n distinct names of the agents.

        Returns
        -------
        Topology
            With copies of what was given. The diagonal is left out; repeated entries add up.

        Raises
        ------
        GraphError
            If the matrix is not square or a value not finite.
        InvalidType
            If the values are no real numbers.
        MissingExtra
            If SciPy is not installed.
        TooLarge
            If memory for the edges cannot be had.

        Notes
        -----
        Takes O(E log E).

        Examples
        --------
        >>> import emerge
        >>> from scipy.sparse import csr_array
        >>> emerge.Topology.from_scipy(csr_array([[0, 2], [0, 0]]))
        Topology(2 agents, 1 edge, directed, weighted)
        """
        return cls._gathered(graphs.from_scipy(matrix, weighted=weighted, labels=labels))

    @classmethod
    def from_networkx(cls, graph: graphs.NetworkxGraph, *, weight: str | None = "weight") -> Topology:
        """Make a topology of a networkx graph.

        Of a directed graph, an edge u -> v says that u senses v. That is the opposite of an arrow of
        influence: where v follows u, pass `graph.reverse()`.

        Parameters
        ----------
        graph : networkx.Graph, DiGraph, MultiGraph or MultiDiGraph
            Its nodes become agents in their order, their names labels. Nodes that are the numbers 0 to n - 1
            keep these numbers and get no labels.
        weight : str or None, default "weight"
            Edge attribute that holds the weight, 1 where it is missing; None takes no weights.

        Returns
        -------
        Topology
            Parallel edges are merged and their weights add up; self-loops are left out.

        Raises
        ------
        GraphError
            If the graph is empty, a weight is not finite, or two nodes have the same name.
        InvalidType
            If it is no networkx graph, or a weight no number.
        MissingExtra
            If networkx is not installed.

        Notes
        -----
        Takes O(E log E), with a loop in Python over the edges.

        Examples
        --------
        >>> import emerge, networkx
        >>> emerge.Topology.from_networkx(networkx.path_graph(["a", "b", "c"])).labels
        array(['a', 'b', 'c'], dtype='<U1')
        """
        return cls._gathered(graphs.from_networkx(graph, weight=weight))

    @classmethod
    def read(cls, path: str | os.PathLike[str], *, directed: bool | None = None, n: int | None = None) -> Topology:
        r"""Read a topology from a file, in the format that its ending tells.

        ``.txt``, ``.tsv``, ``.csv`` are edge lists: a line names two agents, whole numbers from 0, and
        perhaps a weight, separated by blanks, tabs or commas; what follows # or % is a comment; a csv or tsv
        may start with a header. ``.mtx`` is Matrix Market, ``.npz`` a matrix saved by
        `scipy.sparse.save_npz`, both taken as by `from_scipy`. ``.graphml`` and ``.gml`` are taken as by
        `from_networkx`. ``.m`` is a MATPOWER case: buses are agents and their numbers labels, branches in
        service edges of weight 1/|x|, and `frequency` is the power injected at a bus, per unit and with the
        mean taken out, by the sum of its weights (at an isolated bus, the power itself); so the phases at
        rest of `normalize="weight"` and coupling 1 are the power flow. All but ``.npz`` may be compressed,
        with ``.gz`` after the ending.

        Parameters
        ----------
        path : str or os.PathLike
            Name of the file.
        directed : bool, optional
            Of an edge list only: whether a line is one way only. It is not unless you say so.
        n : int, optional
            Of an edge list only: number of agents; without it, the largest agent named plus one.

        Returns
        -------
        Topology
            With labels, weights and frequency where the format has them, and `notes` on what was left out.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        GraphFileError
            If the file cannot be read as its ending says; the message names the file and the line.
        MissingExtra
            If the format needs SciPy or networkx, and it is not installed.

        Notes
        -----
        Takes O(E log E); edge lists are parsed without a loop in Python.

        Examples
        --------
        >>> import emerge, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "chain.txt")
        ...     _ = path.write_text("# two edges\n0 1\n1 2 # the last\n")
        ...     emerge.Topology.read(path)
        Topology(3 agents, 2 edges, undirected)
        """
        found = files.read(path, directed=directed, n=n)
        try:
            return cls._gathered(found)
        except (InvalidValue, InvalidType) as error:
            raise GraphFileError(f"{os.fspath(path)}: {error}") from None

    def __len__(self) -> int:
        return self._graph.n

    @property
    def kind(self) -> str:
        """How edges are held: "complete" (none stored) or "stored"."""
        return self._graph.kind

    @property
    def degree(self) -> Ints:
        """Number of neighbours that each agent senses: shape (n,), a copy."""
        if self.kind == "complete":
            return np.full(len(self), len(self) - 1, np.int64)
        return np.asarray(self._graph.degree).astype(np.int64)

    @property
    def edges(self) -> Ints:
        """All edges (i, j), ascending: shape (E, 2), a copy; undirected ones once, with i < j."""
        with room(self.edge_ends):
            keys, _ = self._keys()
            return np.column_stack([heads_of(keys), tails_of(keys)])

    @property
    def weights(self) -> Floats | None:
        """Weight of each edge, in the order of `edges`: shape (E,), a copy; None if all are one."""
        if self.kind == "complete" or self._graph.weights is None:
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
        Takes O(n): rows are stored without their offsets.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(5).neighbours(0)
        array([1, 4])
        """
        agent = admit.count(agent, "agent", least=0, most=len(self) - 1)
        if self.kind == "complete":
            return np.delete(np.arange(len(self), dtype=np.int64), agent)
        degree = np.asarray(self._graph.degree)
        start = int(degree[:agent].sum(dtype=np.int64))
        return np.asarray(self._graph.indices)[start : start + int(degree[agent])].astype(np.int64)

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
            If a complete topology has more than 2**31 edge ends, or memory cannot be had.

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
            If a complete topology has more than 2**31 edge ends, or memory cannot be had.

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
            If a complete topology has more than 2**31 edge ends, or memory cannot be had.

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
            graph = Graph.stored(kept, indices[left], None if weights is None else weights[left])
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
            If a complete topology has more than 2**31 edge ends and gets weights, or memory cannot be had.

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
            added, _, more, notes = gather(EdgeList(edges, len(self), weights, directed, notes=self._notes))
            if self.kind == "complete" and more is None:
                notes = _merged(notes, added.size, weighted=False)
                return self._like(self._graph, directed=False, notes=notes)
            keys, old = self._keys()
            both: Floats | None = None
            if old is not None or more is not None:
                old = np.ones(keys.size) if old is None else old
                more = np.ones(added.size) if more is None else more
                both = np.concatenate([old, more])
            keys, both, repeats = merge(np.concatenate([keys, added]), both)
            notes = _merged(notes, repeats, weighted=both is not None)
            graph = Graph.stored(*compress(keys, len(self), both, directed=directed))
        return self._like(graph, directed=None if directed else False, notes=notes)

    def rewired(self, fraction: float, *, seed: int | np.random.Generator | None = None) -> Topology:
        """Return the topology with a random fraction of its edges redirected.

        A redirected edge keeps one of its agents (either, at random; of directed edges the one that senses)
        and gets another, drawn uniformly from those that its agent is not joined with yet.

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
        Takes O(E log E); the same seed gives the same topology. Edges of an agent that is joined with all
        others stay, so a complete topology stays as it is.

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
        directed = self.directed
        with room(self.edge_ends):
            keys, weights = self._keys()
            moved = rng.choice(keys.size, round(fraction * keys.size), replace=False)
            kept = heads_of(keys[moved])
            if not directed:
                kept = np.where(rng.random(moved.size) < 0.5, kept, tails_of(keys[moved]))
            generate.redirect(keys, moved, kept, len(self), rng, directed=directed)
            graph = Graph.stored(*compress(keys, len(self), weights, directed=directed))
        return self._like(graph, directed=None if directed else False)

    def _like(self, graph: Graph, *, directed: bool | None, notes: Notes | None = None) -> Topology:
        """Wrap the graph of an edit, with labels, frequency and, unless given, notes of this one."""
        notes = self._notes if notes is None else notes
        return self._of(graph, directed=directed, labels=self._labels, frequency=self._frequency, notes=notes)

    def _full(self) -> bool:
        """Say whether this is a complete topology without weights, however it is held."""
        n = len(self)
        return self.kind == "complete" or (self.edge_ends == n * (n - 1) and self._graph.weights is None)

    def _rows(self) -> tuple[Halves, Halves, Floats | None]:
        """Return degree, indices and weights of the rows, those of a complete topology written out."""
        if self.kind == "complete":
            n = len(self)
            if self.edge_ends > ENDS_MAX:
                raise TooLarge(
                    f"a complete topology of {n} agents has {self.edge_ends} edge ends, and at most"
                    f" {ENDS_MAX} can be written out: use fewer agents"
                )
            others = np.arange(n - 1, dtype=np.int32)
            indices = others + (others >= np.arange(n, dtype=np.int32)[:, None])
            return np.full(n, n - 1, np.int32), indices.astype(np.int32, copy=False).reshape(-1), None
        weights = self._graph.weights
        return (
            np.asarray(self._graph.degree),
            np.asarray(self._graph.indices),
            None if weights is None else np.asarray(weights),
        )

    def _keys(self) -> tuple[Ints, Floats | None]:
        """Return keys and weights of the edges, ascending, undirected ones once."""
        directed = self.directed
        degree, indices, weights = self._rows()
        heads = np.repeat(np.arange(len(self), dtype=np.int64), degree)
        if directed:
            return pack(heads, indices), None if weights is None else weights.copy()
        once = heads < indices
        return pack(heads[once], indices[once]), None if weights is None else weights[once]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Topology):
            return NotImplemented
        if self._graph is other._graph:
            return True
        if len(self) != len(other) or self.edge_ends != other.edge_ends:
            return False
        if self.kind == "complete" or other.kind == "complete":
            return self._full() and other._full()
        mine, theirs = self._rows(), other._rows()
        if mine[2] is None or theirs[2] is None:
            same = mine[2] is theirs[2]
        else:
            same = np.array_equal(mine[2], theirs[2])
        return same and np.array_equal(mine[0], theirs[0]) and np.array_equal(mine[1], theirs[1])

    def __hash__(self) -> int:
        if self._full():
            return hash((len(self), "complete"))
        degree, indices, _ = self._rows()
        return hash((len(self), zlib.crc32(degree.data), zlib.crc32(indices.data)))

    def __repr__(self) -> str:
        way = "directed" if self.directed else "undirected"
        weighted = "" if self.kind == "complete" or self._graph.weights is None else ", weighted"
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
        if self.kind != "complete":
            arrays |= dict(zip(("degree", "indices", "weights"), self._rows(), strict=True))
        return {name: array for name, array in arrays.items() if array is not None}

    @classmethod
    def _from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Topology:
        """Make a topology of what `_arrays` returned; ValueError, TypeError or KeyError if it did not."""
        n = _number(int(arrays["n"]))
        labels, frequency, directed = (arrays.get(name) for name in ("labels", "frequency", "directed"))
        with room(arrays["indices"].size if "indices" in arrays else 0):
            if "indices" in arrays:
                rows = admitted_rows(arrays["degree"], arrays["indices"], arrays.get("weights"), n)
                graph = Graph.stored(*rows)
            else:
                graph = Graph.complete(n)
        return cls._of(
            graph,
            directed=None if directed is None else bool(directed),
            labels=None if labels is None else names(labels.tolist(), n),
            frequency=None if frequency is None else admit.vector(frequency, "frequency", n),
            notes=tuple(map(str, arrays.get("notes", np.empty(0)).tolist())),
        )


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


def _merged(notes: Notes, repeats: int, *, weighted: bool) -> Notes:
    if not repeats:
        return notes
    added = ", and the weights were added" if weighted else ""
    return (*notes, f"{repeats} of the new edges {'was' if repeats == 1 else 'were'} there already{added}")


def _number(n: int) -> int:
    return admit.count(n, "n", most=admit.AGENTS_MAX)


def _even(degree: int, n: int) -> int:
    degree = admit.count(degree, "degree", least=0)
    if degree % 2 or degree >= n:
        raise InvalidValue(f"degree must be even and below the number of agents {n}, not {degree}")
    return degree


def _sides(shape: tuple[int, ...]) -> int:
    """Return the number of agents on a lattice."""
    if not shape:
        raise InvalidValue("shape must have at least one side, such as grid(10, 10)")
    for side in shape:
        admit.count(side, "a side of the lattice", most=admit.AGENTS_MAX)
    n = math.prod(map(int, shape))
    if n > admit.AGENTS_MAX:
        raise InvalidValue(f"a lattice of {n} agents is too large: at most {admit.AGENTS_MAX} fit")
    return n
