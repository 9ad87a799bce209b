"""Published results, by the numbers of docs/validation.md, each with the normalisation that its source uses."""

from typing import get_args

import numpy as np
import oracle
import pytest

import emerge
from emerge.run import Schedule

nx = pytest.importorskip("networkx", reason="networkx (extra `graphs`) brings the karate club")

LORENTZ_CLIP = 200.0
SCHEDULES = get_args(Schedule)


def lorentzian(n, width):
    """Quantile frequencies, so that finite-size scatter stays out; tails clipped."""
    quantile = width * np.tan(np.pi * ((np.arange(n) + 0.5) / n - 0.5))
    return np.clip(quantile, -LORENTZ_CLIP * width, LORENTZ_CLIP * width)


def pair(difference, coupling, phase=(0.0, 0.0)):
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    return emerge.Swarm(emerge.Topology.complete(2), model, frequency=[difference, 0.0], phase=phase)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize(("difference", "gap"), [(0.3, 0.30469265), (0.9, 1.11976951)])
def test_a1_two_agents_lock_at_adlers_angle(difference, gap, schedule):
    swarm = pair(difference, 1.0)
    swarm.frequency = [difference / 2, -difference / 2]
    swarm.run(100.0, dt=0.05, schedule=schedule)
    ahead, behind = swarm.phase
    assert (ahead - behind) % (2 * np.pi) == pytest.approx(gap, abs=1e-8)
    assert np.sin(gap) == pytest.approx(difference, abs=1e-8)


def test_a1_beyond_the_coupling_they_do_not():
    swarm = pair(1.2, 1.0)
    assert swarm.run(100.0, dt=0.05, until=emerge.locked(1e-6)).reason == "duration"


def test_a3_euler_is_of_first_order():
    begin, span, steps = 2.5, 5.0, np.array([100, 200, 400, 800])
    exact = 2 * np.arctan(np.tan(begin / 2) * np.exp(-span))
    errors = []
    for ticks in steps:
        swarm = pair(0.0, 1.0, phase=[begin, 0.0])
        swarm.step(int(ticks), dt=span / ticks)
        ahead, behind = swarm.phase
        errors.append(abs((ahead - behind) % (2 * np.pi) - exact))
    order = -np.polyfit(np.log(steps), np.log(errors), 1)[0]
    assert order == pytest.approx(1.0, abs=0.1)


def test_a4_perturbations_decay_by_the_laplacian():
    club = nx.karate_club_graph()
    laplacian = nx.laplacian_matrix(club, weight=None).toarray().astype(float)
    values, vectors = np.linalg.eigh(laplacian)
    coupling, dt, epsilon = 0.5, 0.01, 1e-5
    assert coupling * values[1] == pytest.approx(0.23426261, abs=1e-8)
    topology = emerge.Topology.from_networkx(club, weight=None)
    model = emerge.Kuramoto(coupling=coupling, normalize="none")
    swarm = emerge.Swarm(topology, model, phase=1.0 + epsilon * vectors[:, 1])
    swarm.step(dt=dt)
    factor = vectors[:, 1] @ (swarm.phase - 1.0) / epsilon
    assert factor == pytest.approx(1 - dt * coupling * values[1], abs=1e-9)
    assert factor != pytest.approx(1 - dt * coupling * values[2], abs=1e-5)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a5_on_a_tree_the_sine_carries_the_flow(schedule):
    n, coupling = 10, 1.0
    injected = np.linspace(-0.15, 0.25, n)
    injected -= injected.mean()
    path = emerge.Topology.grid(n)
    model = emerge.Kuramoto(coupling=coupling, normalize="none")
    swarm = emerge.Swarm(path, model, frequency=injected, phase=1.0)
    swarm.run(2000.0, dt=0.25, schedule=schedule)
    flow = np.cumsum(injected)[:-1]
    assert np.max(np.abs(flow)) > 0.5
    phase = swarm.phase
    assert np.max(np.abs(np.sin(phase[:-1] - phase[1:]) - flow / coupling)) < 1e-12


def test_a6_the_mean_phase_advances_at_the_mean_frequency():
    n, span = 50, 20.0
    rng = np.random.default_rng(3)
    topology = emerge.Topology.from_networkx(nx.gnp_random_graph(n, 0.2, seed=4))
    frequency = rng.normal(0.4, 1.0, n)
    swarm = emerge.Swarm(topology, emerge.Kuramoto(coupling=2.0, normalize="agents"), frequency=frequency, seed=5)
    before = swarm.phase
    swarm.run(span)
    turned = np.sum(swarm.phase - before) - span * np.sum(frequency)
    assert abs((turned + np.pi) % (2 * np.pi) - np.pi) / n < 1e-12
    assert oracle.apart(swarm.phase, before + span * frequency) > 0.1


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a11_three_repulsive_agents_splay(schedule):
    model = emerge.Kuramoto(coupling=-1.0, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(3), model, phase=[0.0, 0.3, 1.0])
    swarm.run(200.0, dt=0.05, schedule=schedule)
    gaps = np.diff(np.sort(swarm.phase))
    assert gaps == pytest.approx(2 * np.pi / 3, abs=1e-6)


def test_a13_random_phases():
    n, draws = 400, 5000
    everyone, model = emerge.Topology.complete(n), emerge.Kuramoto(coupling=0.0)
    r = np.array([emerge.Swarm(everyone, model, seed=seed).coherence for seed in range(draws)])
    assert r.mean() == pytest.approx(np.sqrt(np.pi / (4 * n)), rel=0.03)
    assert n * np.mean(r**2) == pytest.approx(1.0, rel=0.03)


@pytest.mark.parametrize(("coupling", "r"), [(0.8, 0.0), (1.25, 0.4472), (2.0, 0.7071), (4.0, 0.8660)])
def test_b1_lorentzian_onset(coupling, r):
    n = 4000
    model = emerge.Kuramoto(coupling=coupling, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(n), model, frequency=lorentzian(n, 0.5), seed=1)
    swarm.run(100.0)
    seen = swarm.run(100.0, record="coherence").history.coherence.mean()
    if r == 0.0:
        assert seen < 0.06
    else:
        assert seen == pytest.approx(r, abs=0.01)


@pytest.mark.parametrize(
    ("lag", "r", "turning"), [(0.3, 0.8593, -1.0274), (0.5, 0.8457, -1.6446), (1.0, 0.7330, -2.5872)]
)
def test_b4_sakaguchi(lag, r, turning):
    n, coupling, ticks, dt = 4000, 4.0, 10_000, 0.002
    model = emerge.Kuramoto(coupling=coupling, lag=lag, normalize="agents")
    swarm = emerge.Swarm(emerge.Topology.complete(n), model, frequency=lorentzian(n, 0.5), seed=2)
    swarm.run(50.0, dt=dt)
    coherence, angle = [], [swarm.mean_phase]
    for _ in range(ticks // 100):
        swarm.step(100, dt=dt)
        coherence.append(swarm.coherence)
        angle.append(swarm.mean_phase)
    frequency = (np.unwrap(angle)[-1] - angle[0]) / (ticks * dt)
    assert np.mean(coherence) == pytest.approx(r, abs=0.003)
    assert frequency == pytest.approx(turning, abs=0.003)
