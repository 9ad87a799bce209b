"""How topologies are made: drawn by rule or at random, from edges, from other libraries' graphs, from files.

`Constructors` is the part of `Topology` that makes one; it checks arguments and documents each kind. How edges
are drawn is in `generate`, how they are merged and pressed into rows in `edges`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sized
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import admit, generate, graphs, team
from ._engine import Graph
from .edges import EdgeList, graph_from, graph_of, names, room
from .errors import GraphFileError, InvalidType, InvalidValue

__all__ = ["Constructors"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Notes = tuple[str, ...]

NEIGHBOURS_MAX, SIDES_MAX, GROUPS_MAX = 8192, 16, 4096
"""Most neighbours of an agent, and sides, of a lattice whose edges are not stored; most groups."""


class Constructors:
    """The ways to make a topology, each a class method; `Topology` inherits them."""

    __slots__ = ()

    @classmethod
    def _of(
        cls,
        graph: Graph,
        *,
        directed: bool | None = False,
        labels: Names | None = None,
        frequency: Floats | None = None,
        notes: Notes = (),
    ) -> Self:
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
    def _of_keys(cls, keys: Ints, n: int) -> Self:
        return cls._of(graph_of(keys, n))

    @classmethod
    def _latticed(cls, shape: tuple[int, ...], reach: int, *, wraps: bool) -> Self:
        """Make a lattice of checked sides; the few whose agents have very many neighbours are written out."""
        if 2 * reach * len(shape) <= NEIGHBOURS_MAX:
            return cls._of(Graph.lattice(np.array(shape, np.int64), reach, wraps))
        n = math.prod(shape)
        with room(2 * n * min(reach, max(shape)) * len(shape)):
            return cls._of_keys(generate.lattice(shape, wrap=wraps, reach=reach), n)

    @classmethod
    def _gathered(cls, found: EdgeList) -> Self:
        ends = 2 * len(found.pairs) if isinstance(found.pairs, Sized) else 0
        with room(ends, each=4):
            graph, notes = graph_from(found)
            labels = None if found.labels is None else names(found.labels, graph.n)
        directed = None if found.directed else False
        return cls._of(graph, directed=directed, labels=labels, frequency=found.frequency, notes=notes)

    @classmethod
    def ring(cls, n: int, degree: int = 2) -> Self:
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

        Notes
        -----
        Takes O(1) time and memory: no edge is stored, up to 8192 neighbours.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.ring(6, degree=4).neighbours(0)
        array([1, 2, 4, 5])
        """
        n = _number(n)
        degree = _even(degree, n)
        return cls._latticed((n,), degree // 2, wraps=True)

    @classmethod
    def complete(cls, n: int) -> Self:
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
        return cls._of(Graph.groups(np.array([_number(n)]), np.ones(1)))

    @classmethod
    def groups(cls, sizes: npt.ArrayLike, weights: npt.ArrayLike = 1.0) -> Self:
        """Make a topology of groups, in which agents sense all agents of some groups, their own or others.

        Populations that are coupled strongly within and weakly between, bipartite graphs, separate cliques: agents
        sense sums over groups, so that a tick takes O(n) though there are O(n**2) edges.

        Parameters
        ----------
        sizes : array_like of int, shape (G,)
            Number of agents in each group, at least 1 each; at most 4096 groups. Agents are numbered group by group.
        weights : float or array_like of float, shape (G, G), default 1.0
            Finite weight of the edge from each agent of a group (row) to each agent of a group (column) that it
            senses, of any sign; 0 for no edge. No agent senses itself.

        Returns
        -------
        Topology
            Undirected if the weights are symmetric. No edge is stored.

        Raises
        ------
        InvalidType
            If sizes are no whole numbers or weights no real ones.
        InvalidValue
            If they are out of range, or the weights have another shape.

        Notes
        -----
        Takes O(G**2) time and memory. Asking for all its edges, or editing it, takes O(n**2), and is refused
        above 2**31 edge ends.

        References
        ----------
        D. M. Abrams, R. Mirollo, S. H. Strogatz, D. A. Wiley, Physical Review Letters 101, 084103 (2008),
        doi:10.1103/PhysRevLett.101.084103: two groups.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.groups([2, 3], [[0, 1], [1, 0]]).edges.tolist()
        [[0, 2], [0, 3], [0, 4], [1, 2], [1, 3], [1, 4]]
        """
        counts, between = _groups(sizes, weights)
        directed = not np.array_equal(between, between.T)
        return cls._of(Graph.groups(counts, between.reshape(-1)), directed=directed)

    @classmethod
    def star(cls, n: int) -> Self:
        """Make a star: agent 0, the hub, and every other agent sense each other.

        Parameters
        ----------
        n : int
            Number of agents with the hub, 1 to 2**31 - 1.

        Returns
        -------
        Topology
            Undirected, with n - 1 edges, none of which is stored.

        Raises
        ------
        InvalidValue
            If n is out of range.

        Notes
        -----
        Takes O(1) time and memory.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.star(4).degree
        array([3, 1, 1, 1])
        """
        n = _number(n)
        if n == 1:
            return cls.complete(1)
        return cls._of(Graph.groups(np.array([1, n - 1]), np.array([0.0, 1.0, 1.0, 0.0])))

    @classmethod
    def grid(cls, *shape: int, reach: int = 1) -> Self:
        """Make a lattice of any dimension, open at its borders.

        Parameters
        ----------
        *shape : int
            Number of agents along each side, at least 1 each; their product is at most 2**31 - 1.
        reach : int, default 1
            Number of agents that are sensed on either hand along each side, at least 1.

        Returns
        -------
        Topology
            Undirected; agents are numbered in row-major order, as NumPy numbers the entries of an array.

        Raises
        ------
        InvalidValue
            If there is no side or more than 16, or one or the reach out of range.

        Notes
        -----
        Takes O(1) time and memory: no edge is stored. `torus` joins the borders.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.grid(2, 3).edges.tolist()
        [[0, 1], [0, 3], [1, 2], [1, 4], [2, 5], [3, 4], [4, 5]]
        """
        _sides(shape)
        return cls._latticed(shape, admit.count(reach, "reach", least=1, most=admit.AGENTS_MAX), wraps=False)

    @classmethod
    def torus(cls, *shape: int, reach: int = 1) -> Self:
        """Make a lattice of any dimension whose opposite borders are joined.

        Parameters
        ----------
        *shape : int
            Number of agents along each side, at least 1 each; their product is at most 2**31 - 1. Along a
            side of 2 two agents are joined once, along a side of 1 an agent has no neighbour.
        reach : int, default 1
            Number of agents that are sensed on either hand along each side, at least 1; a side longer than 2 has
            more than 2 * reach agents.

        Returns
        -------
        Topology
            Undirected; agents are numbered in row-major order, as NumPy numbers the entries of an array.

        Raises
        ------
        InvalidValue
            If there is no side or more than 16, or one or the reach out of range.

        Notes
        -----
        Takes O(1) time and memory: no edge is stored. `grid` leaves the borders open.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.torus(3, 4).neighbours(0)
        array([1, 3, 4, 8])
        """
        _sides(shape)
        reach = admit.count(reach, "reach", least=1, most=admit.AGENTS_MAX)
        if any(2 < side <= 2 * reach or side == 2 != 2 * reach for side in shape):
            raise InvalidValue(
                f"a side of a torus must have more than 2 * reach = {2 * reach} agents, or one, not {shape}"
            )
        return cls._latticed(shape, reach, wraps=True)

    @classmethod
    def small_world(cls, n: int, *, degree: int, rewire: float, seed: int | np.random.Generator | None = None) -> Self:
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
        Takes O(E); the same seed gives the same topology, on any number of workers. Edges are redirected all at
        once, not one lap of the ring after another, and none to where the ring had an edge. An edge that finds no
        free agent stays. Where degree is above n / 4 or 4 sqrt(n), the ring is held beside the result. All numbers
        come from Philox, keyed by numbers drawn from the seed.

        References
        ----------
        D. J. Watts, S. H. Strogatz, Nature 393, 440-442 (1998), doi:10.1038/30918.
        J. K. Salmon et al., SC '11, 16 (2011), doi:10.1145/2063384.2063405, on Philox.

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
        ends = n * degree
        if degree > n // 4 or degree**2 > 16 * n:
            with room(2 * ends, agents=2 * n, each=4):
                ring = Graph.small_world(n, degree, 0.0, 0, team.builders(ends))
                moves = int(rng.binomial(ends // 2, rewire))
                return cls._of(ring.rewired(moves, False, degree // 2, admit.word(rng), team.builders(ends)))
        with room(ends, agents=n, each=4):
            return cls._of(Graph.small_world(n, degree, rewire, admit.word(rng), team.builders(ends)))

    @classmethod
    def random(cls, n: int, *, degree: float, seed: int | np.random.Generator | None = None) -> Self:
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
        Takes O(n + E), and no memory to speak of but what the topology keeps. Where more than a quarter of all
        pairs are edges, takes O(E log E), and O(n**2) above half. The same seed gives the same topology, on any
        number of workers; numbers come from Philox, keyed by one number drawn from the seed.

        References
        ----------
        P. Erdős, A. Rényi, Publicationes Mathematicae Debrecen 6, 290-297 (1959),
        doi:10.5486/PMD.1959.6.3-4.12.
        J. K. Salmon et al., SC '11, 16 (2011), doi:10.1145/2063384.2063405, on Philox.

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
        if 4 * number > n * (n - 1) // 2:
            with room(2 * number):
                return cls._of_keys(generate.pairs(n, number, rng), n)
        with room(2 * number, agents=n, each=4):
            return cls._of(Graph.random(n, number, admit.word(rng), team.builders(2 * number)))

    @classmethod
    def scale_free(cls, n: int, m: int, *, seed: int | np.random.Generator | None = None) -> Self:
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
        Takes O(E m), and while it is made half as much memory again as the topology keeps. The same seed gives the
        same topology, on any number of workers; numbers come from Philox, keyed by one number drawn from the seed.

        References
        ----------
        A.-L. Barabási, R. Albert, Science 286, 509-512 (1999), doi:10.1126/science.286.5439.509.
        V. Batagelj, U. Brandes, Physical Review E 71, 036113 (2005), doi:10.1103/PhysRevE.71.036113,
        algorithm 5; here targets of one agent are distinct.
        P. Sanders, C. Schulz, Information Processing Letters 116, 489-491 (2016), doi:10.1016/j.ipl.2016.02.004;
        here targets are kept until all are known.
        J. K. Salmon et al., SC '11, 16 (2011), doi:10.1145/2063384.2063405, on Philox.

        Examples
        --------
        >>> import emerge
        >>> emerge.Topology.scale_free(1000, 3, seed=1)
        Topology(1000 agents, 2991 edges, undirected)
        """
        n = admit.count(n, "n", least=2, most=admit.AGENTS_MAX)
        m = admit.count(m, "m", least=1, most=n - 1)
        rng = admit.generator(seed)
        ends = 2 * m * (n - m)
        with room(ends, agents=n, each=6):
            return cls._of(Graph.scale_free(n, m, admit.word(rng), team.builders(ends)))

    @classmethod
    def regular(cls, n: int, degree: int, *, seed: int | np.random.Generator | None = None) -> Self:
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
        Takes O(E), and no memory to speak of but what the topology keeps; O(degree**3) steps, of a word moved each,
        are one worker's alone. Above half of n, takes O(n**2), and that degree is how many are left out. The same
        seed gives the same topology, on any number of workers; numbers come from Philox, keyed by one number drawn
        from the seed. Edge ends are paired at random; self-loops and repeated edges, some degree**2 / 4 whatever n
        is, are removed by swapping ends with other edges, which makes all such graphs nearly, not exactly, equally
        likely, the more nearly the larger n.

        References
        ----------
        B. Bollobás, European Journal of Combinatorics 1, 311-316 (1980), doi:10.1016/S0195-6698(80)80030-8.
        B. D. McKay, N. C. Wormald, Journal of Algorithms 11, 52-67 (1990), doi:10.1016/0196-6774(90)90029-E.
        J. Black, P. Rogaway, CT-RSA 2002, 114-130, doi:10.1007/3-540-45760-7_9, on permutations by number.
        J. K. Salmon et al., SC '11, 16 (2011), doi:10.1145/2063384.2063405, on Philox.

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
        with room(n * degree, agents=n, each=4):
            return cls._of(Graph.regular(n, degree, admit.word(rng), team.builders(n * degree)))

    @classmethod
    def from_edges(
        cls,
        edges: npt.ArrayLike,
        n: int | None = None,
        *,
        weights: npt.ArrayLike | None = None,
        directed: bool = False,
        labels: Iterable[object] | None = None,
    ) -> Self:
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
            With copies of what was given. Self-loops are left out; repeated edges become one, whose weights
            are added in ascending order; `notes` tells how many.

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
        Takes O(E log E), by all workers, and the memory of the topology alone; edges that are not arrays of
        whole numbers of 32 or 64 bits, and weights that are not float64, are copied first. If another thread
        writes to the arrays meanwhile, that is an error or edges from before and after.

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
    def from_scipy(cls, matrix: Any, *, weighted: bool = True, labels: Iterable[object] | None = None) -> Self:
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
    def from_networkx(cls, graph: graphs.NetworkxGraph, *, weight: str | None = "weight") -> Self:
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
    def read(cls, path: str | os.PathLike[str], *, directed: bool | None = None, n: int | None = None) -> Self:
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
        Takes O(E log E). Edge lists are read by all workers, and take the memory of the topology alone; of
        compressed ones, that of the text besides. Lines that are odd, such as ``+1 2``, cost a loop in Python
        over all lines. A file must not be made shorter while it is read. Weights are those that `float`
        reads; of repeated edges they are added in ascending order.

        Examples
        --------
        >>> import emerge, pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "chain.txt")
        ...     _ = path.write_text("# two edges\n0 1\n1 2 # the last\n")
        ...     emerge.Topology.read(path)
        Topology(3 agents, 2 edges, undirected)
        """
        from . import files

        found = files.read(path, directed=directed, n=n)
        try:
            return cls._gathered(found)
        except (InvalidValue, InvalidType) as error:
            raise GraphFileError(f"{os.fspath(path)}: {error}") from None


def _number(n: int) -> int:
    return admit.count(n, "n", most=admit.AGENTS_MAX)


def _even(degree: int, n: int) -> int:
    degree = admit.count(degree, "degree", least=0)
    if degree % 2 or degree >= n:
        raise InvalidValue(f"degree must be even and below the number of agents {n}, not {degree}")
    return degree


def _groups(sizes: npt.ArrayLike, weights: npt.ArrayLike) -> tuple[Ints, Floats]:
    array = np.atleast_1d(admit.numbers(sizes, "sizes"))
    if array.dtype.kind not in "iu":
        raise InvalidType(f"sizes must be whole numbers, not {array.dtype}")
    if array.ndim != 1 or not 0 < array.size <= GROUPS_MAX or array.min() < 1:
        raise InvalidValue(f"sizes must be 1 to {GROUPS_MAX} numbers, each at least 1, not {sizes!r}")
    n = sum(map(int, array))
    if n > admit.AGENTS_MAX:
        raise InvalidValue(f"groups of {n} agents are too large: at most {admit.AGENTS_MAX} fit")
    between = admit.numbers(weights, "weights").astype(np.float64)
    if between.ndim == 0:
        between = np.full((array.size, array.size), between)
    if between.shape != (array.size, array.size):
        raise InvalidValue(
            f"weights must be one number or have shape ({array.size}, {array.size}), a row for each group,"
            f" not {between.shape}"
        )
    admit.finite(between.reshape(-1), "weights")
    return array.astype(np.int64), between


def _sides(shape: tuple[int, ...]) -> int:
    """Return the number of agents on a lattice."""
    if not 0 < len(shape) <= SIDES_MAX:
        raise InvalidValue(f"shape must have 1 to {SIDES_MAX} sides, such as grid(10, 10), not {len(shape)}")
    for side in shape:
        admit.count(side, "a side of the lattice", most=admit.AGENTS_MAX)
    n = math.prod(map(int, shape))
    if n > admit.AGENTS_MAX:
        raise InvalidValue(f"a lattice of {n} agents is too large: at most {admit.AGENTS_MAX} fit")
    return n
