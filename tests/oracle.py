"""The slow truth: Kuramoto-Sakaguchi in plain NumPy, one sine for each edge.

Written from the equation alone, by another algorithm than the engine's (which adds phasors), and with nothing
of emerge in it. Every result of the engine is compared with it somewhere.
"""

import numpy as np


def strengths(n, edges, weights, normalize):
    """What divides the sum of each agent; `edges` are directed, (i, j) meaning that i senses j."""
    if normalize == "none":
        return np.ones(n)
    if normalize == "agents":
        return np.full(n, float(n))
    total = np.bincount(edges[:, 0], np.abs(weights), n)
    return np.where(total > 0, total, 1.0)


def rates(phase, frequency, edges, weights, *, coupling, lag=0.0, normalize="weight"):
    """Rates of change of all phases."""
    i, j = edges[:, 0], edges[:, 1]
    n = len(phase)
    pull = np.bincount(i, weights * np.sin(phase[j] - phase[i] - lag), n)
    return frequency + coupling * pull / strengths(n, edges, weights, normalize)


def euler(phase, frequency, edges, weights, *, ticks, dt, **model):
    """Phases after some ticks of the explicit Euler method, in [0, 2 pi)."""
    for _ in range(ticks):
        phase = np.mod(phase + dt * rates(phase, frequency, edges, weights, **model), 2 * np.pi)
    return phase


def ordered(phase, frequency, edges, weights, *, order, ticks, dt, coupling, lag=0.0, normalize="weight"):
    """Phases when one agent after another takes its Euler step, each seeing all earlier ones."""
    phase = np.array(phase)
    divided = strengths(len(phase), edges, weights, normalize)
    rows = [np.flatnonzero(edges[:, 0] == i) for i in range(len(phase))]
    for _ in range(ticks):
        for i in order:
            pull = np.sum(weights[rows[i]] * np.sin(phase[edges[rows[i], 1]] - phase[i] - lag))
            phase[i] = np.mod(phase[i] + dt * (frequency[i] + coupling * pull / divided[i]), 2 * np.pi)
    return phase


def coherence(phase):
    """R, as the length of the mean of unit vectors."""
    return np.hypot(np.mean(np.cos(phase)), np.mean(np.sin(phase)))


def both_ways(topology):
    """Directed edges and weights of a topology, from what it shows to users."""
    edges = np.asarray(topology.edges)
    weights = np.ones(len(edges)) if topology.weights is None else np.asarray(topology.weights)
    if topology.directed:
        return edges, weights
    return np.concatenate([edges, edges[:, ::-1]]), np.concatenate([weights, weights])


def apart(a, b):
    """Largest difference of two sets of phases, around the circle."""
    return np.max(np.abs((np.asarray(a) - b + np.pi) % (2 * np.pi) - np.pi))
