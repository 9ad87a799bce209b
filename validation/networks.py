"""Networks: what follows from the graph alone, flows on trees and grids, splay, the onset on a random graph."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import networkx as nx
import numpy as np

import emerge

from .row import DATA, Floats, Row, Value, around, gaussian


def slowest() -> tuple[float, Floats]:
    """Return the least positive eigenvalue of the Laplacian of Zachary's karate club, unweighted, and its mode."""
    values, vectors = np.linalg.eigh(nx.laplacian_matrix(nx.karate_club_graph(), weight=None).toarray().astype(float))
    return float(values[1]), vectors[:, 1]


def left(time: float, method: Any, coupling: float = 0.5) -> float:
    """Return the share of a small perturbation, of the slowest mode, that is left after some time."""
    _, mode = slowest()
    epsilon = 1e-5
    topology = emerge.Topology.from_networkx(nx.karate_club_graph(), weight=None)
    swarm = emerge.Swarm(topology, emerge.Kuramoto(coupling=coupling, normalize="none"), phase=1.0 + epsilon * mode)
    swarm.run(time, dt=0.01, method=method)
    return float(mode @ (swarm.phase - 1.0) / epsilon)


def decay(coupling: float = 0.5) -> list[float]:
    """Return what an Euler tick of .01 leaves of the slowest mode, and the rate at which it decays under RK4."""
    return [left(0.01, "euler", coupling), float(-np.log(left(1.0, "rk4", coupling)))]


def tree_error(coupling: float = 1.0, schedule: Any = "barrier") -> list[float]:
    """Return how far the sines on a path are from the flows for coupling 1."""
    n = 10
    injected = np.linspace(-0.15, 0.25, n)
    injected -= injected.mean()
    model = emerge.Kuramoto(coupling=coupling, normalize="none")
    swarm = emerge.Swarm(emerge.Topology.grid(n), model, frequency=injected, phase=1.0)
    swarm.run(2000.0, dt=0.25, schedule=schedule)
    phase = swarm.phase
    return [float(np.max(np.abs(np.sin(phase[:-1] - phase[1:]) - np.cumsum(injected)[:-1])))]


def drift(normalize: Any = "agents") -> list[float]:
    """Return how far the mean phase is from where the mean frequency takes it."""
    n, span = 50, 20.0
    topology = emerge.Topology.from_networkx(nx.gnp_random_graph(n, 0.2, seed=4))
    frequency = np.random.default_rng(3).normal(0.4, 1.0, n)
    swarm = emerge.Swarm(topology, emerge.Kuramoto(coupling=2.0, normalize=normalize), frequency=frequency, seed=5)
    before = swarm.phase
    swarm.run(span)
    turned = np.sum(swarm.phase - before) - span * np.sum(frequency)
    return [float(abs(around(turned)) / n)]


def splay(coupling: float = -1.0, schedule: Any = "barrier") -> list[float]:
    """Return the two gaps between three agents, in order of phase."""
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(3), model, phase=[0.0, 0.3, 1.0])
    swarm.run(200.0, dt=0.05, schedule=schedule)
    return [float(gap) for gap in np.diff(np.sort(swarm.phase))]


def power_flow(web: emerge.Topology, power: Floats) -> Floats:
    """Solve P = B K sin(Bᵀθ) by Newton's method; return the gaps over the edges."""
    n, (i, j), weights = len(web), web.edges.T, web.weights
    incidence = np.zeros((n, len(i)))
    incidence[i, range(len(i))], incidence[j, range(len(i))] = 1.0, -1.0
    angle = np.zeros(n)
    for _ in range(20):
        missing = power - incidence @ (weights * np.sin(incidence.T @ angle))
        stiff = incidence @ np.diag(weights * np.cos(incidence.T @ angle)) @ incidence.T
        angle[1:] += np.linalg.solve(stiff[1:, 1:], missing[1:])
    return incidence.T @ angle


def grid_gaps(model: emerge.Kuramoto | emerge.SecondOrder, **how: Any) -> tuple[Floats, Floats]:
    """Return the gaps over a grid's edges as a swarm leaves them, and as the power flow for coupling 1 has them."""
    rng = np.random.default_rng(6)
    edges = emerge.Topology.grid(4, 5).edges
    web = emerge.Topology.from_edges(edges, weights=rng.uniform(1.0, 3.0, len(edges)))
    power = rng.uniform(-1.0, 1.0, len(web))
    power -= power.mean()
    i, j = web.edges.T
    swarm = emerge.Swarm(web, model, frequency=power, phase=0.0)
    swarm.run(400.0, dt=0.05, **how)
    return around(swarm.phase[i] - swarm.phase[j]), power_flow(web, power)


def grid_error(coupling: float = 1.0, schedule: Any = "barrier") -> list[float]:
    """Return how far a grid's gaps are from the power flow, without inertia and with it."""
    laws: list[tuple[emerge.Kuramoto | emerge.SecondOrder, Any]] = [
        (emerge.Kuramoto(coupling=coupling, normalize="none"), "euler"),
        (emerge.SecondOrder(coupling=coupling, normalize="none"), "semi-implicit"),
    ]
    both = [grid_gaps(model, method=method, schedule=schedule) for model, method in laws]
    return [float(np.max(np.abs(around(reached - solved)))) for reached, solved in both]


def scaled(grid: emerge.PowerGrid, factor: float) -> emerge.PowerGrid:
    """Return a grid in which more is fed in and taken."""
    return replace(grid, **{name: factor * getattr(grid, name) for name in ("load", "generation", "balance")})


CASES = DATA / "case2869pegase.m", DATA / "case9241pegase.m"


def case_error(factor: float = 1.0) -> list[float]:
    """Return how far swarms at rest are from Newton's solution for real grids, and how far that opens any line."""
    found = []
    for path in CASES:
        grid = emerge.PowerGrid.read(path)
        more = scaled(grid, factor)
        reached, solved = more.power_flow("relax").phase, grid.power_flow().phase
        found += [float(np.max(np.abs(reached - solved))), float(np.max(np.abs(more.flows(reached)) / grid.capacity))]
    return found


def random_graph() -> emerge.Topology:
    """Return the random graph of C1."""
    return emerge.Topology.random(2000, degree=49.7, seed=1)


def onset(web: emerge.Topology) -> float:
    """Ichinomiya's critical coupling for frequencies of width 1: √(8/π) ⟨k⟩/⟨k²⟩."""
    degree = web.degree.astype(float)
    return float(np.sqrt(8 / np.pi) * degree.mean() / (degree**2).mean())


def weighted_coherence(web: emerge.Topology, coupling: float) -> float:
    """Return the coherence in which each agent counts as often as it is sensed, over time."""
    frequency = np.random.default_rng(1).permutation(gaussian(len(web)))
    swarm = emerge.Swarm(web, emerge.Kuramoto(coupling=coupling, normalize="none"), frequency=frequency, seed=1)
    swarm.run(60.0, dt=0.05, method="heun")
    seen = []
    for _ in range(200):
        swarm.step(10, dt=0.05, method="heun")
        seen.append(abs(np.sum(web.degree * np.exp(1j * swarm.phase))) / np.sum(web.degree))
    return float(np.mean(seen))


def onset_values(factor: float = 1.0) -> list[float]:
    """Return weighted coherences at multiples of the onset."""
    web = random_graph()
    return [weighted_coherence(web, factor * times * onset(web)) for times in (0.5, 1.5, 2.0)]


RING = 2000


def twisted_growth(reach: int, twist: int = 1) -> float:
    """Return how fast the fastest of long perturbations of a twisted state grows, as one Euler tick shows it.

    Agents of the ring sense `reach` neighbours on either side, and phases turn `twist` times around it.
    """
    at, dt, size = np.arange(RING) * 2 * np.pi / RING, 0.1, 1e-4
    topology, rates = emerge.Topology.ring(RING, degree=2 * reach), []
    for waves in range(1, 5):
        wave = np.cos(waves * at)
        swarm = emerge.Swarm(topology, emerge.Kuramoto(coupling=1.0), phase=twist * at + size * wave)
        swarm.step(dt=dt)
        left = around(swarm.phase - twist * at) @ wave / (size * wave @ wave)
        rates.append((left - 1) / dt)
    return float(max(rates))


def twisted_limit(twist: int = 1) -> list[float]:
    """Return the share of the ring on either side up to which the twisted state is stable."""
    stable, unstable = 1, RING // 2 - 1
    while unstable - stable > 1:
        middle = (stable + unstable) // 2
        if twisted_growth(middle, twist) < 0:
            stable = middle
        else:
            unstable = middle
    below, above = twisted_growth(stable, twist), twisted_growth(unstable, twist)
    return [(stable - below / (above - below)) / RING]


ROWS = (
    Row(
        "A4",
        "the slowest perturbation decays at K λ₂ of the graph's Laplacian; an Euler tick leaves 1 − dt K λ₂ of it",
        "Arenas 2006; Zachary 1977",
        "karate club, K = .5, dt = .01",
        "none",
        (Value("left by an Euler tick", 0.9976573739, 1e-9), Value("rate, RK4", 0.23426261, 1e-7)),
        decay,
        {"coupling": 0.25},
    ),
    Row(
        "A5",
        "on a tree sin(θᵢ − θⱼ) = flow/K",
        "Dörfler 2013",
        "path of 10, K = 1; t = 2000, dt = .25",
        "none",
        (Value("largest difference", 0.0, 1e-12),),
        tree_error,
        {"coupling": 2.0},
        schedules=True,
    ),
    Row(
        "A6",
        "where coupling is symmetric, the mean phase advances at the mean frequency",
        "Strogatz 2000",
        "random graph of 50, p = .2, K = 2; t = 20",
        "agents",
        (Value("difference, rad", 0.0, 1e-12),),
        drift,
        {"normalize": "weight"},
    ),
    Row(
        "A11",
        "three agents that repel each other splay",
        "Tsimring 2005",
        "K = −1; t = 200, dt = .05",
        "agents",
        (Value("first gap", 2 * np.pi / 3, 1e-6), Value("second gap", 2 * np.pi / 3, 1e-6)),
        splay,
        {"coupling": 1.0},
        schedules=True,
    ),
    Row(
        "A15",
        "phases that turn once around a ring are stable while agents sense less than .3405 of it on either side",
        "Wiley 2006",
        "N = 2000; an Euler tick of perturbations of 10⁻⁴ rad",
        "weight",
        (Value("share", 0.3405, 1e-3),),
        twisted_limit,
        {"twist": 2},
    ),
    Row(
        "A16",
        "the locked state of a grid is the solution of P = B K sin(Bᵀθ), with inertia or without",
        "Dörfler 2013",
        "grid of 4 by 5, weights 1 to 3, K = 1; t = 400, dt = .05",
        "none",
        (Value("difference, rad", 0.0, 1e-8), Value("difference with inertia, rad", 0.0, 1e-8)),
        grid_error,
        {"coupling": 0.9},
        schedules=True,
    ),
    Row(
        "A16r",
        "the same of real grids, with inertia; the first value is the difference, the other the largest sin(θᵢ − θⱼ)",
        "Josz 2016",
        "case2869pegase, case9241pegase; at rest",
        "none",
        (
            Value("2 869 buses, rad", 0.0, 1e-8),
            Value("2 869 buses, sine", 0.423, 5e-4),
            Value("9 241 buses, rad", 0.0, 1e-8),
            Value("9 241 buses, sine", 0.463, 5e-4),
        ),
        case_error,
        {"factor": 0.9},
        data=CASES,
    ),
    Row(
        "C1",
        "on a random graph coherence sets in at Kc = √(8/π) ⟨k⟩/⟨k²⟩, and follows from the degrees",
        "Ichinomiya 2004",
        "N = 2000, ⟨k⟩ = 49.7, normal frequencies of width 1; Heun, dt = .05",
        "none",
        (
            Value("R by links, Kc/2", 0.0, 0.06),
            Value("R by links, 1.5 Kc", 0.8380, 0.02),
            Value("R by links, 2 Kc", 0.9310, 0.02),
        ),
        onset_values,
        {"factor": 3.0},
    ),
)
