"""Pulses: agents that fire fall into step, whatever they begin with."""

from __future__ import annotations

import numpy as np

import emerge

from .row import Floats, Row, Value

N, SEEDS, SPAN, PERIODS = 100, 16, 1.0, 60
"""Agents; starts; time between two looks, and how many there are."""


def clusters(strength: float, seed: int, leak: float = 1.0) -> Floats:
    """Return how many clusters there are over time: phases that differ to the last bit."""
    law = emerge.IntegrateAndFire(2.0, leak, strength)
    swarm = emerge.Swarm(emerge.Topology.complete(N), law, seed=seed)
    seen = [N]
    for _ in range(PERIODS):
        swarm.step(dt=SPAN)
        seen.append(len(np.unique(swarm.phase)))
    return np.array(seen, np.float64)


def most_clusters(times: float = 1.0) -> list[float]:
    """Return the most clusters that any start ends with, for multiples of two strengths."""
    return [max(float(clusters(times * strength, seed)[-1]) for seed in range(SEEDS)) for strength in (0.003, 0.001)]


ROWS = (
    Row(
        "C9",
        "agents that charge up along a concave curve and push each other when they fire end as one cluster",
        "Mirollo 1990",
        "complete, N = 100, x′ = 2 − x; 16 starts, t = 60",
        "none",
        (Value("most clusters, ε = .003", 1.0, 0.1), Value("most clusters, ε = .001", 1.0, 0.1)),
        most_clusters,
        {"times": -1.0},
    ),
)
