"""To and from SciPy and networkx, with these libraries as witnesses."""

import subprocess
import sys

import numpy as np
import pytest

from emerge import errors
from emerge.topology import Topology

sparse = pytest.importorskip("scipy.sparse")
networkx = pytest.importorskip("networkx")


def webs() -> list[Topology]:
    rng = np.random.default_rng(1)
    pairs = rng.integers(0, 30, (80, 2))
    return [
        Topology.complete(7),
        Topology.ring(8, degree=4),
        Topology.from_edges([], 4),
        Topology.from_edges(pairs, 31),
        Topology.from_edges(pairs, 31, weights=rng.normal(size=80)),
        Topology.from_edges(pairs, 31, directed=True),
        Topology.from_edges(pairs, 31, weights=rng.normal(size=80), directed=True),
        Topology.from_edges([(0, 1), (1, 2)], weights=[0.0, 2.0], labels=["a", "b", "c"]),
    ]


@pytest.mark.parametrize("web", webs(), ids=repr)
def test_there_and_back(web):
    matrix = web.to_scipy()
    assert matrix.has_sorted_indices
    assert Topology.from_scipy(matrix) == web
    assert Topology.from_scipy(sparse.csc_matrix(matrix)) == web
    assert Topology.from_networkx(web.to_networkx()) == web
    assert (abs(matrix - matrix.T).nnz > 0) == web.directed
    assert np.array_equal(np.diff(matrix.indptr), web.degree)
    if web.labels is not None:
        assert list(web.to_networkx()) == web.labels.tolist()


def test_a_row_is_whom_an_agent_senses():
    web = Topology.from_scipy(sparse.csr_array(np.array([[0, 1, 1], [0, 0, 0], [0, 0, 0]])))
    assert web.neighbours(0).tolist() == [1, 2]
    assert web.neighbours(1).tolist() == []
    assert web.to_scipy().toarray().tolist() == [[0, 1, 1], [0, 0, 0], [0, 0, 0]]
    graph = networkx.DiGraph([(0, 1), (0, 2)])
    assert Topology.from_networkx(graph) == web
    assert Topology.from_networkx(graph.reverse()) != web
    assert sorted(web.to_networkx().edges) == [(0, 1), (0, 2)]


def test_matrices_of_any_make():
    dense = np.array([[5, 2.5, 0], [2.5, 0, -1], [0, -1, 0]])
    web = Topology.from_edges([(0, 1), (1, 2)], weights=[2.5, -1])
    for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia"):
        assert Topology.from_scipy(sparse.coo_matrix(dense).asformat(form)) == web
        assert Topology.from_scipy(sparse.coo_array(dense).asformat(form)) == web
    assert Topology.from_scipy(dense) == web
    assert Topology.from_scipy(dense).notes == ("1 self-loop was left out",)
    assert Topology.from_scipy(dense, weighted=False) == Topology.from_edges([(0, 1), (1, 2)])
    assert Topology.from_scipy(dense != 0).weights is None
    assert Topology.from_scipy(np.zeros((3, 3))) == Topology.from_edges([], 3)
    twice = sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), shape=(2, 2))
    assert Topology.from_scipy(twice).weights.tolist() == [3]
    stored_zero = sparse.coo_array(([0.0], ([0], [1])), shape=(2, 2))
    assert Topology.from_scipy(stored_zero).weights.tolist() == [0]
    assert Topology.from_scipy(dense, labels=["x", "y", "z"]).labels.tolist() == ["x", "y", "z"]


def test_what_goes_out_is_a_copy():
    web = Topology.from_edges([(0, 1), (1, 2)], weights=[2, 3])
    matrix = web.to_scipy()
    matrix.data[:] = 0
    matrix.indices[:] = 0
    assert web.to_scipy().toarray().tolist() == [[0, 2, 0], [2, 0, 3], [0, 3, 0]]


def test_networkx_names_become_labels():
    web = Topology.from_networkx(networkx.karate_club_graph(), weight=None)
    assert web.labels is None
    assert web.edge_count == 78
    shuffled = networkx.Graph()
    shuffled.add_nodes_from([2, 0, 1])
    shuffled.add_edge(2, 0)
    assert Topology.from_networkx(shuffled) == Topology.from_edges([(0, 2)], 3), "0 to n - 1 keep their numbers"
    named = Topology.from_networkx(networkx.Graph([("b", "a"), ("a", 7)]))
    assert named.labels.tolist() == ["b", "a", "7"]
    assert named.edges.tolist() == [[0, 1], [1, 2]]
    assert sorted(named.to_networkx().edges) == [("a", "7"), ("b", "a")]
    one_based = Topology.from_networkx(networkx.path_graph(range(1, 4)))
    assert one_based.labels.tolist() == ["1", "2", "3"]


def test_networkx_weights_and_parallel_edges():
    graph = networkx.MultiGraph()
    graph.add_edge(0, 1, weight=2)
    graph.add_edge(1, 0, weight=0.5)
    graph.add_edge(1, 2)
    graph.add_edge(2, 2)
    web = Topology.from_networkx(graph)
    assert web.weights.tolist() == [2.5, 1]
    assert web.notes == ("1 self-loop was left out", "1 repeated edge was merged, the weights added")
    assert Topology.from_networkx(graph, weight="length").weights is None
    both = networkx.MultiDiGraph([(0, 1), (0, 1), (1, 0)])
    assert Topology.from_networkx(both).edge_count == 1


def twins() -> networkx.Graph:
    graph = networkx.Graph()
    graph.add_nodes_from(["1", 1])
    return graph


BAD = [
    (lambda: Topology.from_scipy(np.zeros((2, 3))), errors.GraphError, "square.*\\(2, 3\\)"),
    (lambda: Topology.from_scipy(np.zeros(4)), errors.GraphError, "square"),
    (lambda: Topology.from_scipy(np.zeros((0, 0))), errors.InvalidValue, "n must be from 1"),
    (lambda: Topology.from_scipy(sparse.csr_array([[0, 1j], [0, 0]])), errors.InvalidType, "complex"),
    (lambda: Topology.from_scipy("matrix"), errors.InvalidType, "real numbers"),
    (lambda: Topology.from_scipy(np.array([[0, np.nan], [0, 0]])), errors.GraphError, "weight nan"),
    (lambda: Topology.from_networkx(networkx.Graph()), errors.InvalidValue, "n must be from 1"),
    (lambda: Topology.from_networkx([(0, 1)]), errors.InvalidType, "networkx graph, not list"),
    (lambda: Topology.from_networkx(twins()), errors.GraphError, "'1' is given to two agents"),
    (
        lambda: Topology.from_networkx(networkx.Graph([("a", "b", {"weight": "3"})])),
        errors.InvalidType,
        "\\(a, b\\) has weight '3'",
    ),
    (
        lambda: Topology.from_networkx(networkx.Graph([(0, 1, {"weight": np.inf})])),
        errors.GraphError,
        "\\(0, 1\\), has weight inf",
    ),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD)
def test_bad_input_is_named(make, error, words):
    with pytest.raises(error, match=words):
        make()


def test_without_the_extra_it_is_named(monkeypatch):
    web = Topology.ring(5)
    matrix, graph = web.to_scipy(), web.to_networkx()
    for module in ("networkx", "scipy.sparse", "scipy.sparse.csgraph"):
        monkeypatch.setitem(sys.modules, module, None)
    for call in (
        web.to_scipy,
        web.components,
        web.to_networkx,
        lambda: Topology.from_scipy(matrix),
        lambda: Topology.from_networkx(graph),
    ):
        with pytest.raises(errors.MissingExtra, match="graphs"):
            call()
    assert web.neighbours(0).tolist() == [1, 4], "the rest works without"


def test_libraries_are_imported_when_needed():
    code = """
import sys
from emerge.topology import Topology
Topology.small_world(100, degree=4, rewire=0.1, seed=1).rewired(0.5, seed=1).without(3)
assert not {"scipy", "networkx"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
