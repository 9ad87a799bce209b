"""The topology as a value: its constructors, what it hands out, its edits, and what it refuses."""

import copy
import pickle
import threading

import numpy as np
import pytest

from emerge import constructors, errors
from emerge.topology import Topology


def sound(web: Topology) -> Topology:
    """Check what holds for every topology, by its own arrays alone."""
    degree, edges = web.degree, web.edges
    keys = edges[:, 0] * 2**32 + edges[:, 1]
    assert (np.diff(keys) > 0).all(), "edges ascend and none is there twice"
    assert (edges[:, 0] != edges[:, 1]).all(), "no agent senses itself"
    assert edges.size == 0 or (edges.min() >= 0 and edges.max() < len(web))
    assert degree.sum() == web.edge_ends
    assert len(edges) == web.edge_count
    ends = edges if web.directed else np.concatenate([edges, edges[:, ::-1]])
    assert np.array_equal(np.bincount(ends[:, 0], minlength=len(web)), degree)
    if not web.directed:
        assert (edges[:, 0] < edges[:, 1]).all()
    if web.weights is not None:
        assert web.weights.shape == (len(edges),)
    return web


DIRECTED = [(0, 1), (1, 2), (2, 0), (2, 1)]
WEBS = {
    "ring": lambda: Topology.ring(9, degree=4),
    "complete": lambda: Topology.complete(6),
    "groups": lambda: Topology.groups([3, 1, 4], [[1, 0, -2], [1, 1, 1], [0.5, 1, 0]]),
    "cliques": lambda: Topology.groups([3, 4], [[1, 0], [0, 1]]),
    "reach": lambda: Topology.torus(5, 1, 7, reach=2),
    "open reach": lambda: Topology.grid(3, 2, reach=4),
    "star": lambda: Topology.star(7),
    "grid": lambda: Topology.grid(3, 4),
    "torus": lambda: Topology.torus(3, 3, 2),
    "small_world": lambda: Topology.small_world(40, degree=6, rewire=0.3, seed=1),
    "random": lambda: Topology.random(40, degree=3.5, seed=1),
    "scale_free": lambda: Topology.scale_free(40, 3, seed=1),
    "regular": lambda: Topology.regular(20, 3, seed=1),
    "isolated": lambda: Topology.from_edges([], 3),
    "single": lambda: Topology.complete(1),
    "directed": lambda: Topology.from_edges(DIRECTED, directed=True),
    "weighted": lambda: Topology.from_edges([(0, 1), (3, 1)], weights=[2.0, -0.5]),
    "both": lambda: Topology.from_edges(DIRECTED, weights=[1.0, 2.0, 3.0, 4.0], directed=True, labels=["a", "b", "c"]),
}


@pytest.mark.parametrize("kind", WEBS)
def test_every_kind_is_sound(kind):
    web = sound(WEBS[kind]())
    for agent in range(len(web)):
        sensed = web.edges[web.edges[:, 0] == agent, 1]
        if not web.directed:
            sensed = np.union1d(sensed, web.edges[web.edges[:, 1] == agent, 0])
        assert np.array_equal(web.neighbours(agent), sensed)
    with pytest.raises(errors.InvalidValue, match=f"from 0 to {len(web) - 1}"):
        web.neighbours(len(web))


def test_shapes_by_hand():
    assert Topology.ring(5).edges.tolist() == [[0, 1], [0, 4], [1, 2], [2, 3], [3, 4]]
    assert Topology.ring(5, degree=4) == Topology.complete(5)
    assert Topology.ring(4, degree=0) == Topology.from_edges([], 4)
    assert Topology.star(5).edges.tolist() == [[0, 1], [0, 2], [0, 3], [0, 4]]
    assert Topology.grid(4) == Topology.from_edges([(0, 1), (1, 2), (2, 3)])
    assert Topology.torus(7) == Topology.ring(7)
    assert Topology.grid(2, 2).edges.tolist() == [[0, 1], [0, 2], [1, 3], [2, 3]]


def test_torus_of_short_sides_has_no_repeats():
    assert Topology.torus(1, 1) == Topology.complete(1)
    assert Topology.torus(2) == Topology.complete(2)
    assert Topology.torus(2, 2) == Topology.grid(2, 2)
    assert Topology.torus(1, 5) == Topology.ring(5)
    assert sound(Topology.torus(2, 3)).degree.tolist() == [3] * 6
    assert sound(Topology.torus(4, 5, 3)).degree.tolist() == [6] * 60
    assert Topology.torus(3, 3) != Topology.grid(3, 3)


def test_lattices_against_networkx():
    nx = pytest.importorskip("networkx")
    for shape in [(4,), (3, 5), (2, 3, 4)]:
        for periodic, make in [(False, Topology.grid), (True, Topology.torus)]:
            graph = nx.grid_graph(shape[::-1], periodic=[periodic and side > 2 for side in shape[::-1]])
            edges = [[np.ravel_multi_index(np.atleast_1d(u), shape) for u in edge] for edge in graph.edges]
            assert make(*shape) == Topology.from_edges(edges)


def test_from_edges_policy():
    given = [(0, 1), (1, 0), (2, 2), (1, 2), (1, 2)]
    plain = sound(Topology.from_edges(given))
    assert plain.edges.tolist() == [[0, 1], [1, 2]]
    assert plain.weights is None
    assert plain.notes == ("1 self-loop was left out", "2 repeated edges were merged")
    weighted = sound(Topology.from_edges(given, weights=[1, 2, 9, 4, 0.5]))
    assert weighted.weights.tolist() == [3, 4.5]
    one_way = sound(Topology.from_edges(given, directed=True))
    assert one_way.edges.tolist() == [[0, 1], [1, 0], [1, 2]]
    assert one_way.directed
    assert Topology.from_edges([(0, 1)]).notes == ()


def test_directedness_is_a_matter_of_the_edges():
    both_ways = Topology.from_edges([(0, 1), (1, 0)], directed=True)
    assert not both_ways.directed
    assert both_ways == Topology.from_edges([(0, 1)])
    assert both_ways.edge_count == 1
    unequal = Topology.from_edges([(0, 1), (1, 0)], directed=True, weights=[1.0, 2.0])
    assert unequal.directed
    assert unequal.edges.tolist() == [[0, 1], [1, 0]]
    cycle = Topology.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)], directed=True)
    assert cycle.directed, "in- and out-degrees agree, and yet it is directed"


def test_weights_of_one_are_none():
    web = Topology.from_edges([(0, 1), (1, 2)], weights=1)
    assert web.weights is None
    assert web == Topology.from_edges([(0, 1), (1, 2)])
    assert Topology.from_edges([(0, 1), (1, 2)], weights=2).weights.tolist() == [2, 2]


def test_equality_and_hash():
    pairs = [(i, j) for i in range(5) for j in range(i)]
    complete = Topology.complete(5)
    stored = Topology.from_edges(pairs, labels=list("vwxyz"))
    assert (complete.kind, stored.kind) == ("complete", "stored")
    assert complete == stored
    assert stored == complete
    assert hash(complete) == hash(stored)
    assert complete != Topology.from_edges(pairs, weights=2)
    assert complete != Topology.from_edges(pairs[1:])
    assert complete != Topology.complete(6)
    assert Topology.from_edges(pairs[1:], weights=2) != Topology.from_edges(pairs[1:], weights=3)
    assert Topology.from_edges([(0, 1)]) != Topology.from_edges([(0, 1)], 3)
    assert Topology.from_edges([(0, 1)], 4) != Topology.from_edges([(2, 3)], 4)
    assert complete != "complete"
    assert len({WEBS["ring"](), WEBS["ring"](), WEBS["star"]()}) == 2


@pytest.mark.parametrize("kind", WEBS)
def test_pickle_and_copies(kind):
    web = WEBS[kind]()
    back = pickle.loads(pickle.dumps(web))
    assert back == web
    assert hash(back) == hash(web)
    assert (back.kind, back.directed, back.notes) == (web.kind, web.directed, web.notes)
    assert (back.labels is None) == (web.labels is None)
    assert repr(back) == repr(web)
    assert copy.copy(web) is web
    assert copy.deepcopy(web) is web


DAMAGES = {
    "degree": ([1, 1, 1], [2, 3, 0], [2, -1, 1], [2.0, 1.0, 1.0]),
    "indices": ([1, 2, 0, 3], [2, 1, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [1, 2, 0, -1], [1, 2, 0]),
    "weights": ([1.0], [1.0, 2.0, 3.0, np.nan], ["a", "b", "c", "d"]),
    "labels": (["a", "b"], ["a", "a", "b"]),
    "frequency": ([1.0, 2.0], [np.inf, 0.0, 0.0]),
    "n": (0, 2, 2**31),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in DAMAGES for value in DAMAGES[name]])
def test_damaged_arrays_are_refused(name, value):
    whole = Topology.from_edges([(0, 1), (0, 2)], weights=[2, 3], labels=["a", "b", "c"])._arrays()
    assert Topology._from_arrays(whole).weights.tolist() == [2, 3]
    with pytest.raises(errors.EmergeError):
        Topology._from_arrays(whole | {name: np.array(value)})
    with pytest.raises(KeyError):
        Topology._from_arrays({name: whole[name] for name in ("n", "indices")})


def test_nothing_can_be_changed():
    web = Topology.from_edges([(0, 1), (1, 2)], weights=[2, 3], labels=["a", "b", "c"])
    same = Topology.from_edges([(0, 1), (1, 2)], weights=[2, 3])
    for name in ("degree", "_graph", "anything"):
        with pytest.raises(AttributeError, match="never changes"):
            setattr(web, name, 1)
    with pytest.raises(AttributeError, match="never changes"):
        del web._graph
    for array in (web.degree, web.edges, web.weights, web.neighbours(1)):
        array[...] = 0
    assert web == same, "arrays handed out are copies"
    with pytest.raises(ValueError, match="read-only"):
        web.labels[0] = "z"
    given = np.array([(0, 1), (1, 2)])
    web = Topology.from_edges(given)
    given[:] = 0
    assert web.edges.tolist() == [[0, 1], [1, 2]]


def test_repr():
    assert repr(Topology.ring(10)) == "Topology(10 agents, 10 edges, undirected)"
    assert repr(Topology.complete(1)) == "Topology(1 agent, 0 edges, undirected)"
    assert repr(WEBS["both"]()) == "Topology(3 agents, 4 edges, directed, weighted)"


def test_labels():
    web = Topology.from_edges([(0, 1)], labels=["bus 7", 8, "9"])
    assert web.labels.tolist() == ["bus 7", "8", "9"]
    assert len(web) == 3
    assert Topology.ring(3).labels is None
    assert Topology.ring(3).frequency is None


def test_without():
    web = Topology.from_edges([(0, 1), (1, 2), (2, 3), (0, 3)], weights=[1, 2, 3, 4], labels=list("abcd"))
    left = sound(web.without([1]))
    assert left.edges.tolist() == [[0, 3], [2, 3]]
    assert left.weights.tolist() == [4, 3]
    assert left.labels.tolist() == list("abcd")
    assert len(left) == 4
    assert web.edge_count == 4, "the old one is as it was"
    assert web.without([]) is web
    assert web.without(range(4)) == Topology.from_edges([], 4)
    assert sound(Topology.complete(5).without([0, 4])) == Topology.from_edges([(1, 2), (1, 3), (2, 3)], 5)
    one_way = Topology.from_edges([(0, 1), (1, 0), (2, 0)], directed=True)
    assert one_way.directed
    assert not one_way.without(2).directed, "what is left may be undirected"
    assert one_way.without(2) == Topology.from_edges([(0, 1)], 3)


def test_with_edges():
    ring = Topology.ring(5)
    more = sound(ring.with_edges([(0, 2), (1, 0), (3, 3)]))
    assert more.edge_count == 6
    assert more.weights is None
    assert more.notes == ("1 self-loop was left out", "1 of the new edges was there already")
    heavy = sound(ring.with_edges([(0, 2), (1, 0)], weights=[0.5, 2]))
    assert heavy.weights[np.flatnonzero((heavy.edges == (0, 1)).all(axis=1))] == 3
    assert heavy.weights[np.flatnonzero((heavy.edges == (0, 2)).all(axis=1))] == 0.5
    assert sorted(heavy.weights) == [0.5, 1, 1, 1, 1, 3]
    assert heavy.with_edges([(1, 3)]).weights.sum() == heavy.weights.sum() + 1
    one_way = Topology.from_edges([(0, 1)], 3, directed=True)
    assert one_way.with_edges([(1, 2)]).edges.tolist() == [[0, 1], [1, 2]]
    assert one_way.with_edges([(1, 0)]) == Topology.from_edges([(0, 1)], 3)
    assert Topology.complete(3).with_edges([(0, 1)]).kind == "complete"
    assert Topology.complete(3).with_edges([(0, 1)], [1.0]).weights.tolist() == [2, 1, 1]
    with pytest.raises(errors.GraphError, match="names agent 5"):
        ring.with_edges([(0, 5)])


def test_edits_of_a_large_complete_topology_are_refused_with_the_size():
    huge = Topology.complete(100_000)
    assert huge.edge_ends == 9_999_900_000
    assert huge.degree[0] == 99_999
    for edit in (lambda: huge.without(0), lambda: huge.edges, lambda: huge.with_edges([(0, 1)], 2)):
        with pytest.raises(errors.TooLarge, match="9999900000 edge ends"):
            edit()
    assert huge.rewired(0.5, seed=1) == huge
    assert huge.weights is None
    assert huge.components().max() == 0


def test_memory_that_cannot_be_had():
    most = 2**31 - 1
    for make in (
        lambda: Topology.random(most, degree=most - 1, seed=1),
        lambda: Topology.regular(most, most - 1, seed=1),
        lambda: Topology.ring(most, 2**29),
    ):
        with pytest.raises(errors.TooLarge, match="edge ends needs"):
            make()
    with pytest.raises(MemoryError):
        Topology.ring(most, 2**29)


def test_memory_error_of_numpy_becomes_ours(monkeypatch):
    def exhausted(*_):
        raise MemoryError

    monkeypatch.setattr(constructors.generate, "pairs", exhausted)
    with pytest.raises(errors.TooLarge, match="6000 edge ends"):
        Topology.random(100, degree=60, seed=1)


def test_components():
    pytest.importorskip("scipy")
    web = Topology.from_edges([(4, 1), (2, 5), (5, 3)], 7)
    assert web.components().tolist() == [0, 1, 2, 2, 1, 2, 3]
    assert Topology.from_edges([(2, 0), (2, 1)], directed=True).components().tolist() == [0, 0, 0]
    assert Topology.ring(100).components().max() == 0


def test_rules_are_told_once():
    for web in (Topology.ring(5), Topology.groups([2, 3]), Topology.torus(3, 4)):
        assert web._graph.rule is web._graph.rule is not None
    assert Topology.from_edges([(0, 1)])._graph.rule is None


def test_threads_may_ask_at_once():
    web = Topology.from_edges(DIRECTED, directed=True)
    found = []
    threads = [threading.Thread(target=lambda: found.append((web.directed, web.edge_count))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert found == [(True, 4)] * 8


BAD = [
    (lambda: Topology(), errors.InvalidType, "made by its constructors"),
    (lambda: Topology.ring(0), errors.InvalidValue, "n must be from 1"),
    (lambda: Topology.ring(2.0), errors.InvalidType, "n must be a whole number, not 2.0"),
    (lambda: Topology.ring(2**31), errors.InvalidValue, "to 2147483647"),
    (lambda: Topology.ring(9, degree=3), errors.InvalidValue, "degree must be even"),
    (lambda: Topology.ring(4, degree=4), errors.InvalidValue, "below the number of agents 4, not 4"),
    (lambda: Topology.ring(4, degree=-2), errors.InvalidValue, "at least 0"),
    (lambda: Topology.complete(0), errors.InvalidValue, "n must be from 1"),
    (lambda: Topology.complete("5"), errors.InvalidType, "'5'"),
    (lambda: Topology.complete(True), errors.InvalidType, "True"),
    (lambda: Topology.star(-1), errors.InvalidValue, "not -1"),
    (lambda: Topology.torus(9, 4, reach=2), errors.InvalidValue, "more than 2 \\* reach = 4 agents"),
    (lambda: Topology.grid(9, reach=0), errors.InvalidValue, "reach must be from 1"),
    (lambda: Topology.grid(*[1] * 17), errors.InvalidValue, "1 to 16 sides.*not 17"),
    (lambda: Topology.groups([]), errors.InvalidType, "sizes must be whole numbers"),
    (lambda: Topology.groups([2, 0]), errors.InvalidValue, "each at least 1"),
    (lambda: Topology.groups([2.0, 1.0]), errors.InvalidType, "sizes must be whole numbers"),
    (lambda: Topology.groups([2**31 - 1, 1]), errors.InvalidValue, "2147483648 agents"),
    (lambda: Topology.groups([2, 3], [[1, 2]]), errors.InvalidValue, "shape \\(2, 2\\)"),
    (lambda: Topology.groups([2, 3], [[1, 2], [3, np.nan]]), errors.InvalidValue, "weights must be finite"),
    (lambda: Topology.grid(), errors.InvalidValue, "1 to 16 sides"),
    (lambda: Topology.grid(3, 0), errors.InvalidValue, "side"),
    (lambda: Topology.torus((3, 4)), errors.InvalidType, "side"),
    (lambda: Topology.torus(2**16, 2**16), errors.InvalidValue, "4294967296 agents"),
    (lambda: Topology.small_world(10, degree=4, rewire=1.5, seed=1), errors.InvalidValue, "rewire"),
    (lambda: Topology.small_world(10, degree=4, rewire=-0.1, seed=1), errors.InvalidValue, "rewire"),
    (lambda: Topology.small_world(10, degree=4, rewire=float("nan"), seed=1), errors.InvalidValue, "rewire"),
    (lambda: Topology.small_world(10, degree=5, rewire=0.1, seed=1), errors.InvalidValue, "even"),
    (lambda: Topology.small_world(10, degree=4, rewire=0.1, seed=-1), errors.InvalidValue, "seed"),
    (lambda: Topology.small_world(10, degree=4, rewire=0.1, seed="x"), errors.InvalidType, "seed"),
    (lambda: Topology.random(10, degree=9.5, seed=1), errors.InvalidValue, "degree must be at most 9"),
    (lambda: Topology.random(10, degree="many", seed=1), errors.InvalidType, "degree"),
    (lambda: Topology.scale_free(10, 0, seed=1), errors.InvalidValue, "m must be from 1 to 9"),
    (lambda: Topology.scale_free(10, 10, seed=1), errors.InvalidValue, "m must be from 1 to 9"),
    (lambda: Topology.scale_free(1, 1, seed=1), errors.InvalidValue, "n must be from 2"),
    (lambda: Topology.regular(5, 3, seed=1), errors.InvalidValue, "n \\* degree must be even"),
    (lambda: Topology.regular(5, 5, seed=1), errors.InvalidValue, "degree must be from 0 to 4"),
    (lambda: Topology.from_edges([]), errors.GraphError, "give their number n"),
    (lambda: Topology.from_edges([], 0), errors.InvalidValue, "n must be from 1"),
    (lambda: Topology.from_edges([(0, 1, 2)]), errors.GraphError, "shape \\(E, 2\\)"),
    (lambda: Topology.from_edges([(0, 1), (2,)]), errors.GraphError, "differ in length"),
    (lambda: Topology.from_edges([0, 1]), errors.GraphError, "shape \\(E, 2\\)"),
    (lambda: Topology.from_edges([(0.0, 1.0)]), errors.InvalidType, "float64"),
    (lambda: Topology.from_edges(["ab"]), errors.InvalidType, "whole numbers"),
    (lambda: Topology.from_edges(None), errors.InvalidType, "whole numbers"),
    (
        lambda: Topology.from_edges([(0, 1), (3, -1)]),
        errors.GraphError,
        "edge 1, \\(3, -1\\), names agent -1",
    ),
    (lambda: Topology.from_edges([(0, 5)], 5), errors.GraphError, "names agent 5.*from 0 to 4"),
    (lambda: Topology.from_edges([(0, 2**31)]), errors.GraphError, "at most 2147483647 agents"),
    (lambda: Topology.from_edges(np.array([(0, 2**64 - 1)], np.uint64)), errors.GraphError, "at most"),
    (lambda: Topology.from_edges([(0, 1)], weights=[1, 2]), errors.GraphError, "shape \\(1,\\)"),
    (lambda: Topology.from_edges([(0, 1)], weights=["a"]), errors.InvalidType, "weights must be real"),
    (lambda: Topology.from_edges([(0, 1)], weights=[1j]), errors.InvalidType, "weights must be real"),
    (lambda: Topology.from_edges([(0, 1)], weights=[[1], [2, 3]]), errors.GraphError, "shape"),
    (lambda: Topology.from_edges([(4, 7)], weights=np.nan), errors.GraphError, "\\(4, 7\\), has weight nan"),
    (
        lambda: Topology.from_edges([(4, 7)], weights=[np.inf]),
        errors.GraphError,
        "\\(4, 7\\), has weight inf",
    ),
    (lambda: Topology.from_edges([(2, 1)] * 2, weights=1e308), errors.GraphError, "\\(1, 2\\) add up"),
    (lambda: Topology.from_edges([(0, 1)], labels=["a", "a"]), errors.GraphError, "'a' is given to two"),
    (lambda: Topology.from_edges([(0, 1)], 3, labels=["a", "b"]), errors.GraphError, "3 names"),
    (lambda: Topology.from_edges([(0, 1)], labels="ab"), errors.InvalidType, "the text 'ab'"),
    (lambda: Topology.ring(5).without([5]), errors.InvalidValue, "holds 5"),
    (lambda: Topology.ring(5).without([0.5]), errors.InvalidType, "float64"),
    (lambda: Topology.ring(5).with_edges([(0, 1)], [np.nan]), errors.GraphError, "finite"),
    (lambda: Topology.ring(5).rewired(1.1, seed=1), errors.InvalidValue, "fraction"),
    (lambda: Topology.ring(5).rewired("half", seed=1), errors.InvalidType, "fraction"),
    (lambda: Topology.ring(5).neighbours(-1), errors.InvalidValue, "agent must be from 0 to 4"),
]


@pytest.mark.parametrize(("make", "error", "words"), BAD)
def test_bad_input_is_named(make, error, words):
    with pytest.raises(error, match=words) as caught:
        make()
    assert isinstance(caught.value, errors.EmergeError)
    assert "\n" not in str(caught.value)
