"""Two agents: locking, beating, swinging, and the order of the integrators."""

from __future__ import annotations

from typing import Any

import numpy as np

import emerge

from .row import Floats, Row, Value, around

PAIR = emerge.Topology.complete(2)
SPAN = 5.0
"""Units of time after which errors of methods are measured."""


def gaps(swarm: emerge.Swarm, ticks: int, **how: Any) -> Floats:
    """Return the unwrapped gap between the two agents of a pair, at first and after every tick."""
    seen = [swarm.phase]
    for _ in range(ticks):
        swarm.step(**how)
        seen.append(swarm.phase)
    phase = np.array(seen)
    unwrapped: Floats = np.asarray(np.unwrap(phase[:, 0] - phase[:, 1]), np.float64)
    return unwrapped


def crossings(values: Floats, level: float, dt: float) -> Floats:
    """Return the times at which a course passes a level upwards, along straight lines between ticks."""
    before = np.flatnonzero((values[:-1] < level) & (values[1:] >= level))
    return dt * (before + (level - values[before]) / (values[before + 1] - values[before]))


def locked_gap(difference: float, coupling: float = 1.0, schedule: Any = "barrier") -> float:
    """Return the gap at which two agents lock that differ so much in frequency."""
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(PAIR, model, frequency=[difference / 2, -difference / 2], phase=0.0)
    swarm.run(100.0, dt=0.05, schedule=schedule)
    ahead, behind = swarm.phase
    return float(around(ahead - behind))


def beat(difference: float, coupling: float = 1.0) -> float:
    """Return the frequency with which one agent overtakes the other."""
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(PAIR, model, frequency=[difference, 0.0], phase=0.0)
    turned = gaps(swarm, 10_000, dt=0.01, method="rk4")
    times = crossings(np.mod(turned + np.pi, 2 * np.pi), np.pi, 0.01)
    return float(2 * np.pi * (len(times) - 1) / (times[-1] - times[0]))


def error_of(method: Any, dt: float, coupling: float = 1.0) -> float:
    """Return how far a pair is from the closed form for coupling 1 when ticks have this length."""
    begin = 2.5
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(PAIR, model, frequency=0.0, phase=[begin, 0.0])
    swarm.run(SPAN, dt=dt, method=method)
    exact = 2 * np.arctan(np.tan(begin / 2) * np.exp(-SPAN))
    return float(abs(around(swarm.phase[0] - swarm.phase[1]) - exact))


LENGTHS = {
    "euler": (0.05, 0.025, 0.0125, 0.00625),
    "heun": (0.1, 0.05, 0.025, 0.0125),
    "rk4": (0.25, 0.125, 0.0625, 0.03125),
}
"""Ticks at which the order of each method is read off."""


def orders(coupling: float = 1.0) -> list[float]:
    """Return the slope of error over length of tick for each method."""
    return [
        float(np.polyfit(np.log(lengths), np.log([error_of(method, dt, coupling) for dt in lengths]), 1)[0])
        for method, lengths in LENGTHS.items()
    ]


def swing(power: float, coupling: float = 1.0, **start: Any) -> emerge.Swarm:
    """Return a generator and a motor of this power, damped by a tenth."""
    model = emerge.SecondOrder(coupling=coupling, normalize="none", inertia=1.0, damping=0.1)
    return emerge.Swarm(PAIR, model, frequency=[power, -power], **start)


def swing_gap(power: float, coupling: float = 1.0) -> float:
    """Return the gap at which generator and motor come to rest."""
    swarm = swing(power, coupling, phase=[1.0, 0.0])  # from far off they might never come to rest
    swarm.run(600.0, dt=0.05, method="verlet")
    return float(around(swarm.phase[0] - swarm.phase[1]))


def swing_frequency(power: float, coupling: float = 1.0) -> float:
    """Return the frequency of small swings around the gap of rest."""
    rest = float(np.arcsin(power / coupling))
    swarm = swing(power, coupling, phase=[rest + 0.01, 0.0])
    times = crossings(gaps(swarm, 4000, dt=0.01, method="rk4"), rest, 0.01)
    return float(2 * np.pi * (len(times) - 1) / (times[-1] - times[0]))


ROWS = (
    Row(
        "A1",
        "two agents lock if and only if \\|Δω\\| ≤ K, with the gap asin(Δω/K)",
        "Adler 1946",
        "K = 1; t = 100, dt = .05",
        "agents",
        (Value("gap, Δω = .3", 0.30469265, 1e-8), Value("gap, Δω = .9", 1.11976951, 1e-8)),
        lambda **given: [locked_gap(0.3, **given), locked_gap(0.9, **given)],
        {"coupling": 2.0},
        schedules=True,
    ),
    Row(
        "A2",
        "beyond that they beat with the frequency √(Δω² − K²)",
        "Adler 1946",
        "K = 1; t = 100, RK4, dt = .01",
        "agents",
        (Value("beat, Δω = 1.2", 0.6633250, 1e-5), Value("beat, Δω = 2", 1.7320508, 1e-5)),
        lambda **given: [beat(1.2, **given), beat(2.0, **given)],
        {"coupling": 0.5},
    ),
    Row(
        "A3",
        "orders of the integrators, on φ(t) = 2 atan(tan(φ₀/2) e^(−Kt))",
        "Hairer 1993",
        "K = 1, φ₀ = 2.5, t = 5",
        "agents",
        (Value("order, Euler", 1.0, 0.1), Value("order, Heun", 2.0, 0.1), Value("order, RK4", 4.0, 0.1)),
        orders,
        {"coupling": 1.1},
    ),
    Row(
        "A9",
        "generator and motor rest at δ = asin(P/K) and swing with the frequency √(2K cos δ − d²/4)",
        "Filatrella 2008",
        "K = 1, m = 1, d = .1; Verlet, dt = .05; RK4, dt = .01",
        "none",
        (
            Value("δ, P = .5", 0.52359878, 1e-7),
            Value("δ, P = .9", 1.11976951, 1e-7),
            Value("frequency, P = .5", 1.31512, 2e-4),
            Value("frequency, P = .9", 0.93235, 2e-4),
        ),
        lambda **given: [measure(power, **given) for measure in (swing_gap, swing_frequency) for power in (0.5, 0.9)],
        {"coupling": 2.0},
    ),
)
