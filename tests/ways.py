"""All ways to run a swarm: one of each kind of topology, model, team and instruction set."""

import numpy as np
import oracle

import emerge
from emerge import _engine

N = 8 * 512 + 123  # nine blocks, the last one short, so that eight workers all have something to do

WEIGHTED = np.random.default_rng(5).uniform(0.1, 2.0, 3 * N)
SCATTERED = np.random.default_rng(6).integers(0, N, (3 * N, 2))

TOPOLOGIES = {
    "ring": lambda: emerge.Topology.ring(N, degree=6),
    "complete": lambda: emerge.Topology.complete(N),
    "ring far": lambda: emerge.Topology.ring(N, degree=602),
    "groups": lambda: emerge.Topology.groups(
        [700, 1, 3000, N - 3701], [[0.5, -1, 0, 2], [1, 1, 1, 0.25], [0, 0, 0, 1], [1, 0, 3, 1]]
    ),
    "groups plain": lambda: emerge.Topology.groups([N - 1024, 1024], [[1, 0], [1, 1]]),
    "star": lambda: emerge.Topology.star(N),
    "grid": lambda: emerge.Topology.grid(N // 3, 3),
    "grid long": lambda: emerge.Topology.grid(6, 703, reach=2),
    "torus": lambda: emerge.Topology.torus(N // 3, 3),
    "torus long": lambda: emerge.Topology.torus(7, 1, 603, reach=3),
    "small_world": lambda: emerge.Topology.small_world(N, degree=6, rewire=0.3, seed=1),
    "random": lambda: emerge.Topology.random(N, degree=5, seed=2),
    "scale_free": lambda: emerge.Topology.scale_free(N, 3, seed=3),
    "regular": lambda: emerge.Topology.regular(N - 1, 4, seed=4),
    "from_edges": lambda: emerge.Topology.from_edges(SCATTERED, N, directed=True),
    "from_edges weighted": lambda: emerge.Topology.from_edges(SCATTERED, N, weights=WEIGHTED, directed=True),
    "from_scipy": lambda: emerge.Topology.from_scipy(emerge.Topology.random(N, degree=4, seed=8).to_scipy() * -1.5),
    "from_networkx": lambda: emerge.Topology.from_networkx(emerge.Topology.star(N).to_networkx()),
}
"""By the constructor's name; a word after it tells two uses apart."""

MODELS = {
    "Kuramoto": emerge.Kuramoto(coupling=1.3),
    "Kuramoto lag": emerge.Kuramoto(coupling=0.8, lag=0.4, normalize="agents"),
    "Kuramoto none": emerge.Kuramoto(coupling=-0.1, normalize="none"),
}

PRECISIONS = {"double": 2e-13, "single": 3e-7}
"""How far from the oracle each may be after the few ticks of these tests, in rad."""

TEAMS = (1, 2, 3, 8)

INSTRUCTION_SETS = tuple(_engine.instruction_sets())


def start(n):
    """Phases and frequencies to start from."""
    rng = np.random.default_rng(11)
    return rng.uniform(0, 2 * np.pi, n), rng.normal(0.5, 0.7, n)


def pull(topology, model):
    """How strongly neighbours can pull an agent at most, but at least 1: errors of their phasors count so often."""
    if model.normalize == "weight":
        return 1.0
    edges, weights = oracle.both_ways(topology)
    strongest = np.bincount(edges[:, 0], np.abs(weights)).max()
    return max(1.0, abs(model.coupling) * strongest / (len(topology) if model.normalize == "agents" else 1))
