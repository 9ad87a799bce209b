"""The generators: sound, seeded, and distributed as their sources say."""

import itertools
import subprocess
import sys
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from emerge import generate
from emerge.edges import pack
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


def keys_of(web: Topology) -> tuple[int, ...]:
    """Edges as numbers, ascending."""
    return tuple(pack(*web.edges.T).tolist())


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


def test_small_worlds_that_are_crowded_keep_an_end_and_move_to_strangers():
    """Above 4 sqrt(n) neighbours the ring is made first; edges go everywhere but to where it had one."""
    n, degree = 101, 60
    moved = []
    for seed in range(20):
        web = Topology.small_world(n, degree=degree, rewire=0.3, seed=seed)
        assert simple(web)
        assert web.edge_count == n * degree // 2
        assert web.degree.min() >= degree // 2
        apart = np.abs(np.diff(web.edges, axis=1)).ravel()
        moved.append(np.count_nonzero(np.minimum(apart, n - apart) > degree // 2))
    spread = np.sqrt(0.3 * 0.7 * n * degree / 2)
    assert np.mean(moved) == pytest.approx(0.3 * n * degree / 2, abs=4 * spread / np.sqrt(20))
    assert 0.5 * spread < np.std(moved) < 2 * spread


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
    ours = Counter(keys_of(Topology.scale_free(n, m, seed=rng)) for _ in range(4000))
    theirs = Counter()
    for seed in range(4000):
        theirs[keys_of(Topology.from_networkx(networkx.barabasi_albert_graph(n, m, seed=seed)))] += 1
    table = np.array([(ours[key], theirs[key]) for key in ours | theirs])
    rare = table.sum(axis=1) < 20
    table = np.vstack([table[~rare], table[rare].sum(axis=0)]) if rare.any() else table
    assert len(table) > 5
    assert scipy_stats.chi2_contingency(table[table.sum(axis=1) > 0].T).pvalue > 1e-3
    shifted = np.column_stack([table[:, 0], np.roll(table[:, 0], 1)])
    assert scipy_stats.chi2_contingency(shifted[shifted.sum(axis=1) > 0].T).pvalue < 1e-9


@pytest.mark.parametrize(("n", "m"), [(2000, 2), (600, 9)])
def test_scale_free_old_agents_have_the_degrees_of_those_attached_one_by_one(n, m):
    """The mean degree of each of the first agents, and of some later ones, against networkx."""
    some, samples = [*range(m + 3), n // 10, n // 2, n - 1], 60
    ours = np.array([Topology.scale_free(n, m, seed=seed).degree[some] for seed in range(samples)], float)
    graphs = [networkx.barabasi_albert_graph(n, m, seed=seed) for seed in range(samples)]
    theirs = np.array([[graph.degree[agent] for agent in some] for graph in graphs], float)
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / samples) + 1e-9
    assert (np.abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 4 * error).all()
    assert (np.abs(ours.mean(axis=0) - np.roll(theirs.mean(axis=0), 1)) > 4 * error).any()


def test_scale_free_tail():
    """The share of agents of degree k or more is m (m + 1) / (k (k + 1)) in the limit of many agents."""
    m, n = 4, 50_000
    degree = Topology.scale_free(n, m, seed=8).degree
    for k in (5, 10, 30, 60):
        chance = m * (m + 1) / (k * (k + 1))
        assert np.mean(degree >= k) == pytest.approx(chance, abs=4 * np.sqrt(chance / n))
    assert np.mean(Topology.random(n, degree=2 * m, seed=8).degree >= 60) == 0


def test_regular_degrees_are_all_equal():
    """All there are of up to 12 agents, and some larger ones on either side of half."""
    small = [(n, degree) for n in range(1, 13) for degree in range(n) if n * degree % 2 == 0]
    for n, degree in [*small, (50, 24), (50, 25), (51, 40), (101, 50), (700, 300), (700, 600), (3000, 7)]:
        for seed in range(3):
            web = Topology.regular(n, degree, seed=seed)
            assert simple(web)
            assert (web.degree == degree).all()


@pytest.mark.parametrize(("n", "degree"), [(8, 3), (9, 4), (10, 7), (15, 2)])
def test_regular_pairs_are_equally_likely(n, degree):
    rng = np.random.default_rng(9)
    seen = Counter(itertools.chain.from_iterable(keys_of(Topology.regular(n, degree, seed=rng)) for _ in range(6000)))
    assert len(seen) == n * (n - 1) // 2
    assert even(list(seen.values())) > 1e-3
    seen[next(iter(seen))] += sum(seen.values()) // 100
    assert even(list(seen.values())) < 1e-6


def test_regular_perfect_matchings_are_equally_likely():
    """Nothing is mended at degree 1 but loops, of which there are none: the permutation alone."""
    rng = np.random.default_rng(10)
    seen = Counter(keys_of(Topology.regular(6, 1, seed=rng)) for _ in range(6000))
    assert len(seen) == 15
    assert even(list(seen.values())) > 1e-3


@pytest.mark.parametrize("degree", [3, 4])
def test_regular_graphs_have_as_many_triangles_as_is_known(degree):
    """Poisson in the limit, with mean (d - 1)**3 / 6 (Bollobás 1980)."""
    counts = []
    for seed in range(300):
        near = Topology.regular(1000, degree, seed=seed).to_scipy()
        counts.append(round((near @ near).multiply(near).sum() / 6))
    mean = (degree - 1) ** 3 / 6
    assert np.mean(counts) == pytest.approx(mean, abs=4 * np.sqrt(mean / 300))
    assert np.var(counts) == pytest.approx(mean, rel=0.4)


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


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("fraction", [0.01, 0.3, 1.0])
def test_rewired_moves_as_many_as_asked_for_and_none_to_where_an_edge_was(directed, fraction):
    rng = np.random.default_rng(15)
    web = Topology.from_edges(rng.integers(0, 900, (5000, 2)), 900, directed=directed)
    after = web.rewired(fraction, seed=16)
    moves = round(fraction * web.edge_count)
    assert after.edge_count == web.edge_count
    assert len({*keys_of(web)} & {*keys_of(after)}) == web.edge_count - moves
    assert keys_of(web.rewired(fraction, seed=17)) != keys_of(after)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("missing", [1, 5, 60, 300])
def test_rewired_where_there_is_hardly_room(missing, directed, weighted):
    """All pairs of 40 agents but a few: who finds no free agent stays, with the weight it has."""
    rng = np.random.default_rng(18)
    pairs = np.array([(i, j) for i in range(40) for j in range(40) if (i != j if directed else i < j)])
    kept = np.sort(rng.permutation(len(pairs))[missing:])
    weights = np.arange(2.0, kept.size + 2) if weighted else None
    web = Topology.from_edges(pairs[kept], 40, directed=directed, weights=weights)
    after = web.rewired(1.0, seed=19)
    assert after.edge_count == web.edge_count == len(np.unique(after.edges, axis=0))
    assert (after.edges[:, 0] != after.edges[:, 1]).all()
    free = {*pack(*pairs.T).tolist()} - {*keys_of(web)}
    gone = {*keys_of(after)} - {*keys_of(web)}
    assert gone <= free
    assert len(gone) > 0.9 * len(free)
    if weighted:
        assert np.array_equal(np.sort(after.weights), weights)
        before = dict(zip(keys_of(web), web.weights.tolist(), strict=True))
        stayed = [before.get(key) == weight for key, weight in zip(keys_of(after), after.weights.tolist(), strict=True)]
        assert sum(stayed) == web.edge_count - len(gone)
    if directed:
        assert np.array_equal(after.degree, web.degree)


def test_rewired_ends_are_uniform_among_strangers():
    """Where edges of a small graph go, by who keeps them, over many seeds."""
    web = Topology.from_edges([(0, 1), (0, 2), (3, 4)], 9, directed=True)
    rng = np.random.default_rng(20)
    arrived = Counter(itertools.chain.from_iterable(keys_of(web.rewired(0.3, seed=rng)) for _ in range(9000)))
    stayed = [arrived.pop(key) for key in keys_of(web)]
    assert even(stayed) > 1e-3, "each edge is as likely to move"
    of = {agent: [count for key, count in arrived.items() if key >> 32 == agent] for agent in (0, 3)}
    assert len(of[0]) == 6
    assert len(of[3]) == 7
    assert even(of[0]) > 1e-3
    assert even(of[3]) > 1e-3


def test_rewired_edges_are_kept_by_either_agent():
    kept = Counter()
    for seed in range(2000):
        one, other = Topology.from_edges([(3, 5)], 8).rewired(1.0, seed=seed).edges[0].tolist()
        kept["low" if 3 in (one, other) else "high"] += 1
        assert {one, other} & {3, 5}
        assert {one, other} != {3, 5}
    assert even(list(kept.values())) > 1e-3


def test_rewired_graphs_of_all_kinds():
    rng = np.random.default_rng(21)
    for web in (
        Topology.ring(30, degree=4),
        Topology.torus(5, 6),
        Topology.grid(5, 6),
        Topology.groups([4, 5, 6], [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
        Topology.groups([4, 9], [[0, 2.5], [1, 0]]),
        Topology.groups([4, 9], [[0, 1], [0, 1]]),
        Topology.from_edges([(0, 1)], 2),
        Topology.from_edges([(0, 1)], 3),
        Topology.from_edges([], 1),
    ):
        for fraction in (0, 0.5, 1):
            after = web.rewired(fraction, seed=rng)
            assert (len(after), after.edge_count, after.directed) == (len(web), web.edge_count, web.directed)
            if web.weights is not None:
                assert np.array_equal(np.sort(after.weights), np.sort(web.weights))
    assert Topology.from_edges([(0, 1)], 2).rewired(1, seed=1).edges.tolist() == [[0, 1]]
    assert Topology.from_edges([(0, 1)], 3).rewired(1, seed=1).edges.tolist() in ([[0, 2]], [[1, 2]])


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
