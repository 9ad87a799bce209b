"""All ways to run a swarm: one of each kind of topology, model, team and instruction set."""

import numpy as np

import emerge
from emerge import _engine

N = 8 * 512 + 123  # nine blocks, the last one short, so that eight workers all have something to do

WEIGHTED = np.random.default_rng(5).uniform(0.1, 2.0, 3 * N)
SCATTERED = np.random.default_rng(6).integers(0, N, (3 * N, 2))

TOPOLOGIES = {
    "ring": lambda: emerge.Topology.ring(N, degree=6),
    "complete": lambda: emerge.Topology.complete(N),
    "star": lambda: emerge.Topology.star(N),
    "grid": lambda: emerge.Topology.grid(N // 3, 3),
    "torus": lambda: emerge.Topology.torus(N // 3, 3),
    "small_world": lambda: emerge.Topology.small_world(N, degree=6, rewire=0.3, seed=1),
    "random": lambda: emerge.Topology.random(N, degree=5, seed=2),
    "scale_free": lambda: emerge.Topology.scale_free(N, 3, seed=3),
    "regular": lambda: emerge.Topology.regular(N - 1, 4, seed=4),
    "from_edges": lambda: emerge.Topology.from_edges(SCATTERED, N, directed=True),
    "from_edges weighted": lambda: emerge.Topology.from_edges(SCATTERED, N, weights=WEIGHTED, directed=True),
    "from_scipy": lambda: emerge.Topology.from_scipy(emerge.Topology.random(N, degree=4, seed=8).to_scipy() * -0.5),
    "from_networkx": lambda: emerge.Topology.from_networkx(emerge.Topology.star(N).to_networkx()),
}
"""By the constructor's name; a word after it tells two uses apart."""

MODELS = {
    "Kuramoto": emerge.Kuramoto(coupling=1.3),
    "Kuramoto lag": emerge.Kuramoto(coupling=0.8, lag=0.4, normalize="agents"),
    "Kuramoto none": emerge.Kuramoto(coupling=-0.1, normalize="none"),
}

TEAMS = (1, 2, 3, 8)

INSTRUCTION_SETS = tuple(_engine.instruction_sets())


def start(n):
    """Phases and frequencies to start from."""
    rng = np.random.default_rng(11)
    return rng.uniform(0, 2 * np.pi, n), rng.normal(0.5, 0.7, n)
