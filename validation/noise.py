"""Chance: random phases, free diffusion, and coherence against noise."""

from __future__ import annotations

import numpy as np

import emerge

from .row import Floats, Row, Value, steady

DRAWN = 400
"""Agents of a swarm whose phases are only drawn."""


def drawn(coupling: float = 0.0) -> Floats:
    """Return R of many swarms of `DRAWN` agents, after a unit of time with this coupling."""
    everyone, model = emerge.Topology.complete(DRAWN), emerge.Kuramoto(coupling=coupling)
    r = np.empty(5000)
    for seed in range(len(r)):
        swarm = emerge.Swarm(everyone, model, seed=seed)
        swarm.step(2, dt=0.5)
        r[seed] = swarm.coherence
    return r


def random_phases(coupling: float = 0.0) -> list[float]:
    """Return ⟨R⟩ and N⟨R²⟩ of random phases."""
    r = drawn(coupling)
    return [float(r.mean()), float(DRAWN * np.mean(r**2))]


def spread(span: float, noise: float = 0.05) -> float:
    """Return the variance of phases that began at π: too narrow to come around the circle."""
    model = emerge.Kuramoto(coupling=0.0, noise=noise)
    swarm = emerge.Swarm(emerge.Topology.complete(10_000), model, phase=np.pi, seed=1)
    swarm.run(span)
    return float(np.mean((swarm.phase - np.pi) ** 2))


def noisy_coherence(coupling: float, noise: float = 0.5) -> float:
    """Return coherence over time of agents that differ in nothing but their noise."""
    model = emerge.Kuramoto(coupling=coupling, noise=noise, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(4000), model, seed=1)
    return steady(swarm, 50.0, 100.0, dt=0.02, method="heun")


ROWS = (
    Row(
        "A13",
        "random phases: ⟨R⟩ = √(π/4N), N⟨R²⟩ = 1",
        "Rayleigh 1880",
        "N = 400, 5000 draws",
        "–",
        (Value("⟨R⟩", 0.04431, 0.03 * 0.04431), Value("N⟨R²⟩", 1.0, 0.03)),
        random_phases,
        {"coupling": 1.0},
    ),
    Row(
        "A14",
        "noise of intensity D alone spreads phases by 2Dt",
        "Einstein 1905",
        "D = .05, N = 10 000, K = 0; Euler, dt = .01",
        "–",
        (Value("variance, t = .5", 0.05, 0.03 * 0.05), Value("variance, t = 1", 0.1, 0.03 * 0.1)),
        lambda **given: [spread(0.5, **given), spread(1.0, **given)],
        {"noise": 0.06},
    ),
    Row(
        "B5",
        "identical agents with noise: Kc = 2D, R = I₁(KR/D)/I₀(KR/D)",
        "Bertini 2010",
        "D = .5, N = 4000; t = 150, Heun, dt = .02",
        "agents",
        (Value("R, K = .7", 0.0, 0.06), Value("R, K = 1.5", 0.7242, 0.01), Value("R, K = 2", 0.8315, 0.01)),
        lambda **given: [noisy_coherence(coupling, **given) for coupling in (0.7, 1.5, 2.0)],
        {"noise": 0.3},
    ),
)
