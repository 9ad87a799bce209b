"""Rows made by the engine: those that sorting makes, for any number of workers, in little more than their memory."""

import gzip
import os
import signal
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from emerge import edges, errors, team
from emerge._engine import Graph, allocations
from emerge.topology import Topology

WORKERS = (1, 2, 3, 8)


def keys_of(n: int, number: int, seed: int, *, directed: bool) -> np.ndarray:
    """Distinct edges in no order."""
    rng = np.random.default_rng(seed)
    one, other = rng.integers(0, n, number), rng.integers(0, n, number)
    keys = edges.pack(one, other) if directed else edges.unordered(one, other)
    return rng.permutation(np.unique(keys[one != other]))


def sorted_rows(keys, n, weights, *, directed):
    """Degree, indices and weights by one sort of all ends."""
    if not directed:
        keys = np.concatenate([keys, (keys & 0xFFFFFFFF) << 32 | keys >> 32])
        weights = None if weights is None else np.concatenate([weights, weights])
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    return np.bincount(keys >> 32, minlength=n), keys & 0xFFFFFFFF, None if weights is None else weights[order]


def same(mine, theirs) -> bool:
    return all(
        one is other is None or (one is not None and other is not None and np.array_equal(one, other))
        for one, other in zip(mine, theirs, strict=True)
    )


@pytest.mark.parametrize("workers", WORKERS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize(("n", "number"), [(1, 0), (2, 1), (3, 40), (512, 9), (700, 90_000), (60_000, 120_000)])
def test_rows_are_those_of_one_sort(n, number, directed, weighted, workers):
    keys = keys_of(n, number, 1, directed=directed)
    weights = np.random.default_rng(2).normal(size=keys.size) if weighted and keys.size else None
    before = keys.copy()
    graph = Graph.from_keys(keys, n, weights, directed, workers)
    expected = sorted_rows(keys, n, weights, directed=directed)
    assert same(edges.rows_of(graph), expected)
    assert same(edges.rows_of(Graph.stored(*edges.rows_of(graph), workers=workers)), expected)
    assert np.array_equal(keys, before), "keys are read, no more"
    if keys.size > 2:
        assert not same(edges.rows_of(Graph.from_keys(keys[1:], n, None, directed, workers)), expected)


@pytest.mark.parametrize("workers", WORKERS)
def test_long_rows_are_sorted(workers):
    """A hub at either end of the numbers and in between, its edges in no order, with weights."""
    n, hubs = 50_000, np.array([0, 20_011, 49_999])
    keys = np.unique(edges.unordered(np.repeat(hubs, n), np.tile(np.arange(n), 3)))
    keys = np.random.default_rng(3).permutation(keys[keys >> 32 != (keys & 0xFFFFFFFF)])
    weights = np.arange(keys.size) + 0.5
    graph = Graph.from_keys(keys, n, weights, False, workers)
    assert same(edges.rows_of(graph), sorted_rows(keys, n, weights, directed=False))
    assert edges.rows_of(graph)[0][hubs].tolist() == [n - 1] * 3


def test_topologies_are_made_by_as_many_as_may():
    keys = keys_of(9000, 60_000, 4, directed=False)
    pairs = np.column_stack([keys >> 32, keys & 0xFFFFFFFF])
    web = Topology.from_edges(pairs, 9000, weights=np.arange(keys.size))
    assert same(edges.rows_of(web._graph), sorted_rows(keys, 9000, np.arange(keys.size), directed=False))
    assert Topology.from_edges(pairs, weights=np.ones(keys.size)).weights is None
    assert team.builders(99_999) == 1
    assert team.builders(100_000) == min(2, team.default_threads())
    assert team.builders(10**9) == team.default_threads()


def test_degrees_that_do_not_add_up_are_refused():
    degree, indices = np.array([1, 1], np.int32), np.array([1, 0], np.int32)
    assert Graph.stored(degree, indices).edge_ends == 2
    for wrong in ([1, 2], [1, 0]):
        with pytest.raises(errors.InvalidValue, match=f"add up to {sum(wrong)}, but there are 2"):
            Graph.stored(np.array(wrong, np.int32), indices)


DRAWN = {
    "random": lambda seed, workers: Graph.random(30_000, 200_000, seed, workers),
    "dense": lambda seed, workers: Graph.random(700, 60_000, seed, workers),
    "small_world": lambda seed, workers: Graph.small_world(30_000, 14, 0.3, seed, workers),
    "crowded": lambda seed, workers: Graph.small_world(700, 100, 1.0, seed, workers),
    "scale_free": lambda seed, workers: Graph.scale_free(30_000, 7, seed, workers),
    "scale_free_dense": lambda seed, workers: Graph.scale_free(700, 200, seed, workers),
    "regular": lambda seed, workers: Graph.regular(30_000, 15, seed, workers),
    "regular_half": lambda seed, workers: Graph.regular(701, 350, seed, workers),
    "regular_dense": lambda seed, workers: Graph.regular(700, 500, seed, workers),
    "rewired": lambda seed, workers: Graph.random(30_000, 200_000, 1, 1).rewired(150_000, False, 0, seed, workers),
    "rewired_ring": lambda seed, workers: Graph.small_world(700, 200, 0.0, 1, 1).rewired(
        60_000, False, 100, seed, workers
    ),
}


@pytest.mark.parametrize("make", DRAWN.values(), ids=DRAWN)
def test_one_seed_gives_one_graph_for_any_workers(make):
    first = edges.rows_of(make(5, 1))
    assert all(same(edges.rows_of(make(5, workers)), first) for workers in WORKERS)
    assert not same(edges.rows_of(make(6, 1)), first)
    web = Topology._of(make(5, 2))
    keys = edges.pack(*web.edges.T)
    assert (np.diff(keys) > 0).all()
    assert (web.edges[:, 0] < web.edges[:, 1]).all()
    assert same(first, sorted_rows(keys, len(web), None, directed=False))


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("number", [60_000, 190_000])
def test_rewired_weights_are_the_same_for_any_workers(number, directed):
    """Sparse, and with a third of all places taken, so that very many edges meet."""
    n = 60_000 if number == 60_000 else 750
    keys = keys_of(n, number, 8, directed=directed)
    web = Graph.from_keys(keys, n, np.random.default_rng(9).normal(size=keys.size), directed, 2)
    first = edges.rows_of(web.rewired(keys.size, directed, 0, 10, 1))
    assert all(same(edges.rows_of(web.rewired(keys.size, directed, 0, 10, w)), first) for w in WORKERS)
    assert np.array_equal(np.sort(first[2]), np.sort(edges.rows_of(web)[2]))
    assert not same(edges.rows_of(web), first)


@pytest.mark.parametrize("part", [0.1, 0.25])
def test_random_graphs_have_all_the_edges_asked_for(part):
    for n in (9, 40, 300, 2000):
        number = int(part * n * (n - 1) / 2)
        web = Topology.random(n, degree=2 * number / n, seed=n)
        assert web.edge_count == number == len(np.unique(web.edges, axis=0))
        assert web.degree.sum() == 2 * number


def test_drawn_sets_are_equally_likely():
    """All 45 sets of 2 out of the 10 pairs of 5 agents; a tenth of the draws has to be mended."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(7)
    seen = Counter(tuple(map(tuple, Topology.random(5, degree=0.8, seed=rng).edges.tolist())) for _ in range(9000))
    assert len(seen) == 45
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3
    seen[next(iter(seen))] += 200
    assert stats.chisquare(list(seen.values())).pvalue < 1e-6


def test_redirected_edges_go_anywhere_but_to_the_ring():
    stats = pytest.importorskip("scipy.stats")
    n, half = 40, 2
    away = np.zeros(n)
    for seed in range(300):
        web = Topology._of(Graph.small_world(n, 2 * half, 0.5, seed, 1))
        apart = (web.edges[:, 1] - web.edges[:, 0]) % n
        away += np.bincount(np.minimum(apart, n - apart), minlength=n)
    assert away[: half + 1].sum() == pytest.approx(300 * n * half / 2, rel=0.05)
    further = away[half + 1 : n // 2 + 1]
    further[-1] *= 2  # half as many pairs are right across
    assert stats.chisquare(further).pvalue > 1e-3
    assert away[n // 2 + 1 :].sum() == 0


def test_sizes_that_cannot_be_had_are_told():
    most = 2**31 - 1
    with pytest.raises(errors.TooLarge, match="214748364700 edge ends needs 867\\.6 GB"):
        Topology.random(most, degree=100, seed=1)
    with pytest.raises(errors.TooLarge, match="214748364700 edge ends needs 867\\.6 GB"):
        Topology.small_world(most, degree=100, rewire=0.1, seed=1)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="a timer that sends signals is needed")
def test_building_can_be_interrupted():
    def interrupt(*_):
        raise InterruptedError

    before = allocations()
    old = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        with pytest.raises(InterruptedError):
            Topology.random(2_000_000, degree=10, seed=1)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert allocations() == before


FORKED = """
import os, warnings
import numpy as np
import emerge
from emerge import _engine
warnings.simplefilter("ignore", DeprecationWarning)
here = _engine.Graph.random(50_000, 250_000, 1, 2)
pid = os.fork()
there = _engine.Graph.random(50_000, 250_000, 1, 2)
def rows(graph):
    degree, indices = np.empty(50_000, np.int32), np.empty(500_000, np.int32)
    graph.show(degree, indices)
    return indices.tobytes()
same = rows(here) == rows(there)
if pid == 0:
    os._exit(0 if same and _engine.is_forked() else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or not same or _engine.is_forked())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system that forks is needed")
def test_a_forked_child_builds_alone():
    subprocess.run([sys.executable, "-c", FORKED], check=True, timeout=60)


# Not `ru_maxrss`: a child inherits that from whoever starts it.
PEAK = """
import numpy as np
import emerge
def told(what):
    return 1024 * int(open("/proc/self/status").read().split(what)[1].split()[0])
emerge.Topology.random(100_000, degree=2, seed=1)
keys = np.arange(1, 2_000_001) + (np.arange(2_000_000) << 32)
pairs = np.empty((2_000_000, 2), np.int64)
pairs[:, 0], pairs[:, 1] = keys >> 32, keys & 0xFFFFFFFF
weights = np.arange(2_000_000, dtype=np.float64)
old = emerge.Topology.random(1_000_000, degree=10, seed=3) if "old" in {make!r} else None
before = told("VmRSS:")
web = {make}
print((told("VmHWM:") - before) / web._graph.nbytes)
"""
MOST = {
    "emerge.Topology.random(1_000_000, degree=10, seed=1)": 1.15,
    "emerge.Topology.small_world(1_000_000, degree=10, rewire=0.2, seed=1)": 1.15,
    "emerge.Topology.scale_free(1_000_000, 5, seed=1)": 1.6,
    "emerge.Topology.regular(1_000_000, 10, seed=1)": 1.15,
    "emerge.Topology.regular(6000, 4800, seed=1)": 1.3,
    "old.rewired(0.1, seed=1)": 1.3,
    "old.rewired(1.0, seed=1)": 1.3,
    "emerge.Topology._of(emerge.edges.graph_of(keys, 2_000_001))": 1.15,
    "emerge.Topology.from_edges(pairs)": 1.15,
    "emerge.Topology.from_edges(pairs, weights=weights)": 1.15,
    "emerge.Topology.read('web.txt')": 1.3,
    "emerge.Topology.read('weighted.txt')": 1.2,
    "emerge.Topology.read('web.txt.gz')": 1.3 + 1.3 * 31 / 28,  # its text is held beside the rows
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A chain of two million edges in files."""
    folder = tmp_path_factory.mktemp("peak")
    lines = [f"{i} {i + 1}" for i in range(2_000_000)]
    (folder / "web.txt").write_text("\n".join(lines))
    (folder / "weighted.txt").write_text("\n".join(f"{line} {k / 7}" for k, line in enumerate(lines)))
    with gzip.open(folder / "web.txt.gz", "wb", compresslevel=1) as packed:
        packed.write((folder / "web.txt").read_bytes())
    return folder


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is read as Linux tells it")
@pytest.mark.parametrize("make", MOST)
def test_building_takes_little_more_memory_than_what_is_built(make, folder):
    done = subprocess.run(
        [sys.executable, "-c", PEAK.format(make=make)],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert 0.95 < float(done.stdout) < MOST[make]
