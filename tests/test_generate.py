"""The generators: sound, seeded, and distributed as their sources say."""

import itertools
import subprocess
import sys
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from emerge import generate
from emerge.edges import unordered
from emerge.topology import Topology

scipy_stats = pytest.importorskip("scipy.stats")
networkx = pytest.importorskip("networkx")

RANDOM = {
    "small_world": lambda seed: Topology.small_world(500, degree=8, rewire=0.3, seed=seed),
    "random": lambda seed: Topology.random(500, degree=7.3, seed=seed),
    "random_dense": lambda seed: Topology.random(60, degree=50, seed=seed),
    "scale_free": lambda seed: Topology.scale_free(500, 3, seed=seed),
    "regular": lambda seed: Topology.regular(500, 5, seed=seed),
    "regular_dense": lambda seed: Topology.regular(60, 50, seed=seed),
    "rewired": lambda seed: Topology.ring(500, degree=6).rewired(0.4, seed=seed),
}


def simple(web: Topology) -> bool:
    """No self-loops, no repeats, and every agent is there."""
    edges = web.edges
    return bool((edges[:, 0] < edges[:, 1]).all()) and len(np.unique(edges, axis=0)) == len(edges)


def even(counts: list[int]) -> float:
    """p-value of equal chances."""
    return scipy_stats.chisquare(counts).pvalue


@pytest.mark.parametrize("make", RANDOM.values(), ids=RANDOM)
def test_one_seed_gives_one_graph(make):
    assert simple(make(3))
    assert make(3) == make(3)
    assert make(3) != make(4)
    assert make(np.random.default_rng(3)) == make(3)
    rng = np.random.default_rng(3)
    assert make(rng) != make(rng), "a generator goes on"
    assert make(None) != make(None)


@pytest.mark.parametrize(("n", "degree"), [(3, 2), (7, 4), (8, 2), (101, 100), (50, 0)])
def test_ring_against_networkx(n, degree):
    graph = networkx.circulant_graph(n, range(1, degree // 2 + 1))
    assert Topology.ring(n, degree) == Topology.from_networkx(graph)
    assert Topology.small_world(n, degree=degree, rewire=0, seed=1) == Topology.ring(n, degree)


@pytest.mark.parametrize("rewire", [0.1, 0.5, 1.0])
def test_small_world_moves_the_fraction_asked_for(rewire):
    n, degree = 20_000, 10
    web = Topology.small_world(n, degree=degree, rewire=rewire, seed=5)
    assert simple(web)
    assert web.edge_count == n * degree // 2
    assert web.degree.min() >= degree // 2, "an agent keeps its end of half its edges"
    apart = np.abs(np.diff(web.edges, axis=1)).ravel()
    moved = np.count_nonzero(np.minimum(apart, n - apart) > degree // 2)
    spread = np.sqrt(rewire * (1 - rewire) / web.edge_count)
    assert moved / web.edge_count == pytest.approx(rewire, abs=4 * spread + 2 * degree / n)


def test_small_world_ends_are_uniform():
    """An agent's degree is half the ring's, plus its own ends, plus the ends that others moved to it."""
    web = Topology.small_world(20_000, degree=10, rewire=1.0, seed=6)
    arrived = np.bincount(web.degree - 5, minlength=20)
    expected = scipy_stats.poisson.pmf(np.arange(20), 5) * 20_000
    few = expected < 10
    arrived = np.append(arrived[:20][~few], arrived[:20][few].sum() + arrived[20:].sum())
    expected = np.append(expected[~few], 20_000 - expected[~few].sum())
    assert scipy_stats.chisquare(arrived, expected).pvalue > 1e-3
    assert scipy_stats.chisquare(np.roll(arrived, 1), expected).pvalue < 1e-9


@pytest.mark.parametrize(("n", "degree"), [(5, 4), (6, 4), (10, 8), (60, 58), (61, 40)])
def test_small_world_where_there_is_hardly_room(n, degree):
    web = Topology.small_world(n, degree=degree, rewire=1.0, seed=2)
    assert simple(web)
    assert web.edge_count == n * degree // 2
    assert (web == Topology.ring(n, degree)) == (degree == n - 1)


def test_redirected_edges_find_every_free_agent():
    keys = unordered(np.zeros(8, np.int64), np.arange(1, 9))
    generate.redirect(keys, np.arange(8), np.zeros(8, np.int64), 10, np.random.default_rng(1))
    assert len(set(keys.tolist())) == 8
    assert keys.max() <= 9


@pytest.mark.parametrize(("n", "degree"), [(1, 0), (2, 1), (10, 0), (10, 9), (11, 4.4), (1000, 8), (200, 150)])
def test_random_has_the_number_of_edges_asked_for(n, degree):
    web = Topology.random(n, degree=degree, seed=3)
    assert simple(web)
    assert web.edge_count == round(n * degree / 2)
    assert len(web) == n


def test_random_degrees_are_binomial():
    web = Topology.random(20_000, degree=8, seed=4)
    counts = np.bincount(web.degree, minlength=25)[:25]
    chances = scipy_stats.binom.pmf(np.arange(25), 19_999, 8 / 19_999)
    some = chances * 20_000 > 10
    expected = chances[some] / chances[some].sum() * counts[some].sum()
    assert scipy_stats.chisquare(counts[some], expected).pvalue > 1e-3
    assert web.degree.var() == pytest.approx(8, rel=0.05)
    assert Topology.regular(20_000, 8, seed=4).degree.var() == 0


@pytest.mark.parametrize("edges", [2, 4])
def test_random_graphs_are_equally_likely(edges):
    """All 15 sets of 2, and of 4, out of the 6 pairs of 4 agents; 4 takes the way of leaving out."""
    rng = np.random.default_rng(5)
    seen = Counter(tuple(sorted(generate.pairs(4, edges, rng).tolist())) for _ in range(3000))
    assert len(seen) == 15
    assert even(list(seen.values())) > 1e-3


@pytest.mark.parametrize(("n", "m"), [(2, 1), (5, 1), (5, 4), (6, 2), (400, 1), (1000, 7), (300, 100)])
def test_scale_free_has_its_edges(n, m):
    web = Topology.scale_free(n, m, seed=6)
    assert simple(web)
    assert web.edge_count == m * (n - m)
    newer = web.edges[web.edges[:, 1] > m, 1]
    assert (np.bincount(newer, minlength=n)[m + 1 :] == m).all(), "each new agent brings m edges"
    assert networkx.is_connected(web.to_networkx())


@pytest.mark.parametrize(("n", "m"), [(6, 2), (7, 3), (7, 1)])
def test_scale_free_is_drawn_like_one_agent_after_another(n, m):
    """Edge sets against networkx, which attaches agents one by one: the two samples have one distribution."""
    rng = np.random.default_rng(7)
    ours = Counter(tuple(sorted(generate.scale_free(n, m, rng).tolist())) for _ in range(4000))
    theirs = Counter()
    for seed in range(4000):
        ends = np.array(networkx.barabasi_albert_graph(n, m, seed=seed).edges)
        theirs[tuple(sorted(unordered(ends[:, 0], ends[:, 1]).tolist()))] += 1
    table = np.array([(ours[key], theirs[key]) for key in ours | theirs])
    rare = table.sum(axis=1) < 20
    table = np.vstack([table[~rare], table[rare].sum(axis=0)]) if rare.any() else table
    assert len(table) > 5
    assert scipy_stats.chi2_contingency(table[table.sum(axis=1) > 0].T).pvalue > 1e-3
    shifted = np.column_stack([table[:, 0], np.roll(table[:, 0], 1)])
    assert scipy_stats.chi2_contingency(shifted[shifted.sum(axis=1) > 0].T).pvalue < 1e-9


def test_scale_free_tail():
    """The share of agents of degree k or more is m (m + 1) / (k (k + 1)) in the limit of many agents."""
    m, n = 4, 50_000
    degree = Topology.scale_free(n, m, seed=8).degree
    for k in (5, 10, 30, 60):
        chance = m * (m + 1) / (k * (k + 1))
        assert np.mean(degree >= k) == pytest.approx(chance, abs=4 * np.sqrt(chance / n))
    assert np.mean(Topology.random(n, degree=2 * m, seed=8).degree >= 60) == 0


REGULAR = [
    (1, 0),
    (2, 1),
    (4, 0),
    (4, 2),
    (4, 3),
    (5, 2),
    (6, 3),
    (9, 8),
    (50, 24),
    (50, 25),
    (51, 40),
    (3000, 7),
]


@pytest.mark.parametrize(("n", "degree"), REGULAR)
def test_regular_degrees_are_all_equal(n, degree):
    for seed in range(3):
        web = Topology.regular(n, degree, seed=seed)
        assert simple(web)
        assert (web.degree == degree).all()


def test_regular_pairs_are_equally_likely():
    rng = np.random.default_rng(9)
    seen = Counter(itertools.chain.from_iterable(generate.regular(8, 3, rng).tolist() for _ in range(2000)))
    assert len(seen) == 28
    assert even(list(seen.values())) > 1e-3


def test_rewired_keeps_number_and_weights():
    rng = np.random.default_rng(10)
    ring = Topology.ring(400, degree=6)
    web = Topology.from_edges(ring.edges, weights=rng.random(ring.edge_count))
    after = web.rewired(0.25, seed=11)
    assert simple(after)
    assert after.edge_count == web.edge_count
    assert np.array_equal(np.sort(after.weights), np.sort(web.weights))
    old = {tuple(edge): weight for edge, weight in zip(web.edges.tolist(), web.weights, strict=True)}
    new = zip(map(tuple, after.edges.tolist()), after.weights, strict=True)
    stayed = [edge for edge, weight in new if old.get(edge) == weight]
    assert len(stayed) == web.edge_count - round(0.25 * web.edge_count)
    assert web.rewired(0, seed=1) == web
    assert Topology.from_edges([], 3).rewired(0.5, seed=1).edge_count == 0
    assert web.rewired(0.25, seed=12) != after


def test_rewired_directed_agents_sense_as_many_as_before():
    rng = np.random.default_rng(13)
    web = Topology.from_edges(rng.integers(0, 200, (900, 2)), 200, directed=True)
    after = web.rewired(1.0, seed=14)
    assert after.directed
    assert np.array_equal(after.degree, web.degree)
    assert len({*map(tuple, web.edges.tolist())} & {*map(tuple, after.edges.tolist())}) < 60
    assert not np.array_equal(Topology.ring(200).rewired(1.0, seed=14).degree, np.full(200, 2))


def test_rewired_leaves_a_full_graph_and_frees_a_hub():
    assert Topology.complete(5).rewired(1.0, seed=1) == Topology.complete(5)
    full = Topology.complete(5).with_edges([(0, 1)], 2)
    assert full.rewired(1.0, seed=1) == full
    star = Topology.star(50).rewired(1.0, seed=2)
    assert simple(star)
    assert star.edge_count == 49
    assert star.degree[0] < 45


def test_making_a_small_world_takes_little_memory():
    ends = 100_000 * 10
    tracemalloc.start()
    try:
        Topology.small_world(100_000, degree=10, rewire=0.2, seed=15)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40 * ends


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is read as Linux tells it")
def test_a_million_agents_fit_in_a_gibibyte():
    code = """
from emerge.topology import Topology
assert Topology.small_world(10**6, degree=10, rewire=0.2, seed=1).edge_ends == 10**7
peak = 1024 * int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0])
assert 40 * 10**6 < peak < 2**30
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
