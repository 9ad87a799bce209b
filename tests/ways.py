"""All ways to run a swarm: one of each kind of topology, model, team and instruction set."""

import numpy as np
import oracle

import emerge
from emerge import _engine

N = 8 * 512 + 123  # nine blocks, the last one short, so that eight workers all have something to do

WEIGHTED = np.random.default_rng(5).uniform(0.1, 2.0, 3 * N)
SCATTERED = np.random.default_rng(6).integers(0, N, (3 * N, 2))

TOPOLOGIES = {
    "ring": lambda n=N: emerge.Topology.ring(n, degree=6),
    "complete": lambda n=N: emerge.Topology.complete(n),
    "ring far": lambda n=N: emerge.Topology.ring(n, degree=min(602, n // 2 * 2 - 2)),
    "groups": lambda n=N: emerge.Topology.groups(
        [n // 6, 1, n // 2, n - n // 6 - n // 2 - 1], [[0.5, -1, 0, 2], [1, 1, 1, 0.25], [0, 0, 0, 1], [1, 0, 3, 1]]
    ),
    "groups plain": lambda n=N: emerge.Topology.groups([n - 1024, 1024], [[1, 0], [1, 1]]),
    "star": lambda n=N: emerge.Topology.star(n),
    "grid": lambda n=N: emerge.Topology.grid(n // 3, 3),
    "grid long": lambda n=N: emerge.Topology.grid(6, n // 6, reach=2),
    "torus": lambda n=N: emerge.Topology.torus(n // 3, 3),
    "torus long": lambda n=N: emerge.Topology.torus(7, 1, n // 7, reach=3),
    "small_world": lambda n=N: emerge.Topology.small_world(n, degree=6, rewire=0.3, seed=1),
    "random": lambda n=N: emerge.Topology.random(n, degree=5, seed=2),
    "scale_free": lambda n=N: emerge.Topology.scale_free(n, 3, seed=3),
    "regular": lambda n=N: emerge.Topology.regular(n - 1, 4, seed=4),
    "from_edges": lambda n=N: emerge.Topology.from_edges(SCATTERED % n, n, directed=True),
    "from_edges weighted": lambda n=N: emerge.Topology.from_edges(SCATTERED % n, n, weights=WEIGHTED, directed=True),
    "from_scipy": lambda n=N: emerge.Topology.from_scipy(emerge.Topology.random(n, degree=4, seed=8).to_scipy() * -1.5),
    "from_networkx": lambda n=N: emerge.Topology.from_networkx(emerge.Topology.star(n).to_networkx()),
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
