"""Mean fields: how much coherence a coupling brings, how fast it grows, and what inertia makes of it."""

from __future__ import annotations

import numpy as np

import emerge

from .row import Floats, Row, Value, gaussian, lorentzian, steady

N, WIDTH = 4000, 0.5


def lorentzian_coherence(coupling: float) -> float:
    """Return coherence over time for Lorentzian frequencies."""
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(N), model, frequency=lorentzian(N, WIDTH), seed=1)
    return steady(swarm, 50.0, 100.0)


def gaussian_coherence(coupling: float) -> float:
    """Return coherence over time for normal frequencies of width 1."""
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(N), model, frequency=gaussian(N), seed=1)
    return steady(swarm, 100.0, 100.0, dt=0.05, method="heun")


def lagging(lag: float, coupling: float = 4.0) -> tuple[float, float]:
    """Return coherence over time, and the frequency of the mean phase."""
    model = emerge.Kuramoto(coupling=coupling, lag=lag, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(N), model, frequency=lorentzian(N, WIDTH), seed=2)
    dt, samples, between = 0.002, 100, 100
    swarm.run(20.0, dt=dt)
    coherence, angle = [], [swarm.mean_phase]
    for _ in range(samples):
        swarm.step(between, dt=dt)
        coherence.append(swarm.coherence)
        angle.append(swarm.mean_phase)
    turned = np.unwrap(angle)
    return float(np.mean(coherence)), float((turned[-1] - turned[0]) / (samples * between * dt))


def lagging_values(coupling: float = 4.0) -> list[float]:
    """Return what `lagging` measures for three lags, coherences first."""
    seen = [lagging(lag, coupling) for lag in (0.3, 0.5, 1.0)]
    return [coherence for coherence, _ in seen] + [turning for _, turning in seen]


def growing(coupling: float = 3.0) -> tuple[Floats, Floats]:
    """Return times, and a small coherence that grows.

    Phases and frequencies of agent k are quantiles at k φ mod 1 and (k + ½)/N, φ the golden ratio: evenly spread over
    both, so that there is little coherence but the one that was put in.
    """
    n, begin = 200_000, 0.01
    share = (np.arange(n) * (np.sqrt(5.0) - 1.0) / 2.0 + 0.5) % 1.0
    phase = 2.0 * np.arctan((1.0 - begin) / (1.0 + begin) * np.tan(np.pi * (share - 0.5)))
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(n), model, frequency=lorentzian(n, WIDTH), phase=phase)
    history = swarm.run(4.0, dt=0.02, method="heun", record="coherence").history
    assert history is not None
    return history.time, history.coherence


def growth(coupling: float = 3.0) -> list[float]:
    """Return the rate at which coherence grows while it is small."""
    time, coherence = growing(coupling)
    some = (coherence > 0.015) & (coherence < 0.05)
    return [float(np.polyfit(time[some], np.log(coherence[some]), 1)[0])]


def higher_order(coupling: float, strength: float = 8.0) -> float:
    """Return coherence over time with triads and tetrads, five to three, coming from step; Lorentzian width 1."""
    model = emerge.HigherOrder(
        coupling=coupling, triadic=strength * 5 / 8, tetradic=strength * 3 / 8, normalize="agents"
    )
    swarm = emerge.Swarm(emerge.Topology.complete(N), model, frequency=lorentzian(N, 1.0), phase=0.0)
    return steady(swarm, 20.0, 20.0, dt=0.005, method="heun")


SWEEP = np.arange(1.0, 12.1, 0.5)
"""Couplings of C3, up and down again: far enough up that everybody is in step."""


def sweep(inertia: float = 2.0) -> tuple[list[float], list[float]]:
    """Return coherence at each coupling of the sweep, going up and coming down."""
    n, seen = 500, []
    swarm = emerge.Swarm(emerge.Topology.complete(n), emerge.SecondOrder(coupling=0.0), frequency=gaussian(n), seed=3)
    for coupling in [*SWEEP, *SWEEP[::-1]]:
        swarm.model = emerge.SecondOrder(coupling=float(coupling), inertia=inertia, normalize="agents")
        seen.append(steady(swarm, 100.0, 50.0, dt=0.05, method="verlet"))
    return seen[: len(SWEEP)], seen[: len(SWEEP) - 1 : -1]


def sweep_values(inertia: float = 2.0) -> list[float]:
    """Return the difference between down and up at K = 3, and coherence at K = 5 going up."""
    up, down = (dict(zip(SWEEP, seen, strict=True)) for seen in sweep(inertia))
    return [down[3.0] - up[3.0], up[5.0]]


ROWS = (
    Row(
        "B1",
        "Lorentzian frequencies: Kc = 2γ, R = √(1 − Kc/K)",
        "Kuramoto 1975; Strogatz 2000",
        "γ = .5, N = 4000; t = 150, dt = .01",
        "agents",
        (
            Value("R, K = .8", 0.0, 0.06),
            Value("R, K = 1.25", 0.4472, 0.01),
            Value("R, K = 2", 0.7071, 0.01),
            Value("R, K = 4", 0.8660, 0.01),
        ),
        lambda factor=1.0: [lorentzian_coherence(factor * coupling) for coupling in (0.8, 1.25, 2.0, 4.0)],
        {"factor": 2.0},
    ),
    Row(
        "B2",
        "normal frequencies: Kc = √(8/π) σ, 1 = K ∫ cos²x g(K R sin x) dx",
        "Kuramoto 1975; Strogatz 2000",
        "σ = 1, N = 4000; t = 200, Heun, dt = .05",
        "agents",
        (
            Value("R, K = 1.3", 0.0, 0.06),
            Value("R, K = 1.8", 0.5629, 0.01),
            Value("R, K = 2", 0.7152, 0.01),
            Value("R, K = 3", 0.9252, 0.01),
        ),
        lambda factor=1.0: [gaussian_coherence(factor * coupling) for coupling in (1.3, 1.8, 2.0, 3.0)],
        {"factor": 1.5},
    ),
    Row(
        "B4",
        "with a lag: R = √(1 − 2γ/(K cos α)), Ω = −(K/2) sin α (1 + R²)",
        "Sakaguchi 1986",
        "γ = .5, K = 4, N = 4000; t = 40, dt = .002",
        "agents",
        (
            Value("R, α = .3", 0.8593, 0.003),
            Value("R, α = .5", 0.8457, 0.003),
            Value("R, α = 1", 0.7330, 0.003),
            Value("Ω, α = .3", -1.0274, 0.003),
            Value("Ω, α = .5", -1.6446, 0.003),
            Value("Ω, α = 1", -2.5872, 0.003),
        ),
        lagging_values,
        {"coupling": 5.0},
    ),
    Row(
        "B7",
        "without noise, a small coherence grows at the rate K/2 − γ",
        "Strogatz 1991",
        "γ = .5, K = 3, N = 200 000; Heun, dt = .02",
        "agents",
        (Value("rate", 1.0, 0.01),),
        growth,
        {"coupling": 2.0},
    ),
    Row(
        "B9",
        "triads and tetrads: R² = (L − K + √((K + L)² − 8L)) / 2L, L = K⁽²⁾ + K⁽³⁾",
        "Skardal 2020",
        "γ = 1, K⁽²⁾ = 5, K⁽³⁾ = 3, N = 4000, coming from step; t = 40, Heun, dt = .005",
        "agents",
        (Value("R, K = 1", 0.8338, 0.003), Value("R, K = .5", 0.8052, 0.003)),
        lambda strength=8.0: [higher_order(coupling, strength) for coupling in (1.0, 0.5)],
        {"strength": 7.0},
    ),
    Row(
        "C3",
        "inertia brings hysteresis: coherence goes up later than it comes down",
        "Tanaka 1997",
        "m = 2, normal frequencies of width 1, N = 500, K by steps of .5 from 1 to 12 and back; Verlet, dt = .05",
        "agents",
        (Value("R down − R up, K = 3", 0.9247, 0.04), Value("R going up, K = 5", 0.9170, 0.02)),
        sweep_values,
        {"inertia": 0.1},
    ),
)
