"""Delays: at which frequency agents fall into step that sense each other late, and when they do not."""

from __future__ import annotations

import numpy as np

import emerge

from .row import Row, Value

N, SETTLE, SPAN, DT = 20, 80.0, 20.0, 2e-3


def late(frequency: float, coupling: float, delay: float) -> tuple[float, float]:
    """Return the frequency at which agents turn that began within a radian, turning freely, and their coherence."""
    phase = np.random.default_rng(1).uniform(0.0, 1.0, N)
    swarm = emerge.Swarm(
        emerge.Topology.complete(N),
        emerge.Kuramoto(coupling=coupling),
        frequency=frequency,
        phase=phase,
        delay=delay,
        history="rotation",
    )
    swarm.run(SETTLE, dt=DT, method="heun")
    swarm.track()
    swarm.run(SPAN, dt=DT, method="heun")
    return float(swarm.displacement.mean()) / SPAN, swarm.coherence


def late_values(factor: float = 1.0) -> list[float]:
    """Return two frequencies, how far from 1 their coherence is, and the coherence of those who do not lock."""
    (one, r), (two, s), (_, loose) = (
        late(frequency, factor * coupling, delay)
        for frequency, coupling, delay in ((1.0, 1.0, 1.0), (3.0, 0.5, 2.0), (np.pi, 1.0, 1.0))
    )
    return [one, two, max(1.0 - r, 1.0 - s), loose]


ROWS = (
    Row(
        "A10",
        "with a delay, identical agents turn at Ω = ω₀ − K sin Ωτ, in step if and only if K cos Ωτ > 0",
        "Yeung 1999; Earl 2003",
        "(ω₀, K, τ) = (1, 1, 1), (3, .5, 2) and (π, 1, 1), N = 20, from within 1 rad; t = 100, Heun, dt = .002",
        "weight",
        (
            Value("Ω of (1, 1, 1)", 0.5109734294, 1e-8),
            Value("Ω of (3, .5, 2)", 3.0706775702, 1e-8),
            Value("1 − R of both", 0.0, 1e-12),
            Value("R of (π, 1, 1)", 0.0, 1e-9),
        ),
        late_values,
        {"factor": -1.0},
    ),
)
