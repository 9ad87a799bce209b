"""The schedules: what each promises, and that all go to the same places."""

from typing import get_args

import numpy as np
import oracle
import pytest
import ways

import emerge
from emerge.run import Schedule

SMALL = {
    "stored": lambda: emerge.Topology.random(600, degree=5, seed=2),
    "weighted": lambda: emerge.Topology.from_edges(
        np.random.default_rng(6).integers(0, 600, (1800, 2)), 600, weights=np.linspace(0.1, 2, 1800), directed=True
    ),
    "complete": lambda: emerge.Topology.complete(600),
}
MODEL = emerge.Kuramoto(coupling=1.3, lag=0.2)


def swarm(topology, threads=1):
    phase, frequency = ways.start(len(topology))
    return emerge.Swarm(topology, MODEL, phase=phase, frequency=frequency, threads=threads)


def test_every_schedule_is_here():
    assert set(get_args(Schedule)) == {"barrier", "gossip", "ordered"}


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("order", [None, "backwards", "shuffled"])
def test_ordered_against_the_oracle(kind, order):
    topology = SMALL[kind]()
    n = len(topology)
    agents = {None: None, "backwards": np.arange(n)[::-1], "shuffled": np.random.default_rng(3).permutation(n)}[order]
    one = swarm(topology)
    one.step(3, dt=0.05, schedule="ordered", order=agents)
    edges, weights = oracle.both_ways(topology)
    phase, frequency = ways.start(n)
    law = {"coupling": 1.3, "lag": 0.2, "ticks": 3, "dt": 0.05}
    sequence = range(n) if agents is None else agents
    truth = oracle.ordered(phase, frequency, edges, weights, order=sequence, **law)
    assert oracle.apart(one.phase, truth) < 1e-13
    assert oracle.apart(one.phase, oracle.euler(phase, frequency, edges, weights, **law)) > 1e-5
    again = swarm(topology, threads=8)
    again.step(3, dt=0.05, schedule="ordered", order=agents)
    assert np.array_equal(one.phase, again.phase)


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_gossip_stays_near_the_oracle(kind, threads):
    """A stale neighbour is an error of first order in dt; how stale it is, the threads' timing decides."""
    topology = SMALL[kind]()
    edges, weights = oracle.both_ways(topology)
    phase, frequency = ways.start(len(topology))
    for ticks in (20, 40, 80):
        dt = 1.0 / ticks
        one = swarm(topology, threads)
        one.step(ticks, dt=dt, schedule="gossip")
        law = {"lag": 0.2, "ticks": ticks, "dt": dt}
        truth = oracle.euler(phase, frequency, edges, weights, coupling=1.3, **law)
        apart = oracle.apart(one.phase, truth)
        assert apart < 4 * dt
        assert apart < 0.2 * oracle.apart(truth, oracle.euler(phase, frequency, edges, weights, coupling=0.0, **law))


@pytest.mark.parametrize("schedule", ["gossip", "ordered"])
def test_a_common_frequency_is_off_by_the_first_order_of_dt(schedule):
    """Identical agents in step at frequency 1: one that looks at stale neighbours sees them behind."""
    topology = emerge.Topology.ring(1200, degree=4)
    off = []
    for dt in (0.02, 0.01):
        one = emerge.Swarm(topology, emerge.Kuramoto(coupling=1.0), frequency=1.0, phase=0.0, threads=1)
        one.step(round(5 / dt), dt=dt, schedule=schedule)
        before = one.phase
        one.step(round(1 / dt), dt=dt, schedule=schedule)
        off.append(np.mean((one.phase - before) % (2 * np.pi)) - 1.0)
    assert abs(off[1]) > 1e-6
    assert off[0] / off[1] == pytest.approx(2.0, rel=0.1)
    exact = emerge.Swarm(topology, emerge.Kuramoto(coupling=1.0), frequency=1.0, phase=0.0)
    exact.step(100, dt=0.01)
    assert exact.phase == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("schedule", ["gossip", "ordered"])
def test_pieces_give_the_same_bits_on_one_thread(kind, schedule):
    topology = SMALL[kind]()
    one, two = swarm(topology), swarm(topology)
    one.step(12, dt=0.05, schedule=schedule)
    for ticks in (1, 5, 6):
        two.step(ticks, dt=0.05, schedule=schedule)
    assert np.array_equal(one.phase, two.phase)


@pytest.mark.parametrize("kind", SMALL)
def test_schedules_can_follow_each_other(kind):
    topology = SMALL[kind]()
    one = swarm(topology, threads=2)
    for schedule in ("gossip", "ordered", "gossip", "barrier"):
        one.step(3, dt=0.05, schedule=schedule)
        other = swarm(topology)
        other.phase = one.phase
        assert one.coherence == pytest.approx(oracle.coherence(one.phase), abs=1e-13)
        for each in (one, other):
            each.step(2, dt=0.05, schedule="barrier")
        assert np.array_equal(one.phase, other.phase)


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_targets_records_and_nudges_work_under_every_schedule(schedule):
    topology = emerge.Topology.small_world(3000, degree=10, rewire=0.3, seed=1)
    one = emerge.Swarm(topology, emerge.Kuramoto(coupling=2.0), frequency=0.0, seed=1, threads=2)
    result = one.run(100.0, dt=0.05, schedule=schedule, until=emerge.coherent(0.9), record="coherence")
    assert result.reason == "reached"
    assert len(result.history) == result.ticks + 1
    assert result.coherence == pytest.approx(oracle.coherence(one.phase), abs=1e-12)
    one.model = emerge.Kuramoto(coupling=0.0)
    before = one.phase
    one.nudge([7, 7, 2900], 0.25)
    assert one.run(1.0, schedule=schedule, until=emerge.locked(1e-9)).ticks == 0
    one.step(3, schedule=schedule)
    moved = (one.phase - before + 1) % (2 * np.pi) - 1
    assert moved[[7, 2900]] == pytest.approx([0.5, 0.25], abs=1e-12)
    assert np.count_nonzero(np.abs(moved) > 1e-12) == 2


@pytest.mark.parametrize("schedule", ["gossip", "ordered"])
def test_divergence_is_told_under_every_schedule(schedule):
    frequency = np.zeros(1500)
    frequency[[700, 1200]] = 1e300
    one = emerge.Swarm(emerge.Topology.ring(1500), MODEL, frequency=frequency, seed=1, threads=2)
    with pytest.raises(emerge.Diverged, match="agent 700"):
        one.run(1.0, schedule=schedule)
    assert np.all(np.isfinite(one.phase))


@pytest.mark.parametrize(
    ("more", "kind", "says"),
    [
        ({"schedule": "chaos"}, ValueError, "'barrier', 'gossip', 'ordered'"),
        ({"order": [0, 1, 2]}, ValueError, 'schedule="ordered"'),
        ({"schedule": "gossip", "order": [0, 1, 2]}, ValueError, 'schedule="ordered"'),
        ({"schedule": "ordered", "order": [0, 1]}, ValueError, "agent 2 is missing"),
        ({"schedule": "ordered", "order": [0, 1, 1]}, ValueError, "agent 1 stands there 2 times|agent 2 is missing"),
        ({"schedule": "ordered", "order": [0, 1, 3]}, ValueError, "0 to 2"),
        ({"schedule": "ordered", "order": [0.5, 1, 2]}, TypeError, "whole number"),
    ],
)
def test_bad_schedules_run_nothing(more, kind, says):
    one = emerge.Swarm(emerge.Topology.complete(3), MODEL, seed=1)
    for call in (lambda: one.step(**more), lambda: one.run(1.0, **more)):
        with pytest.raises(kind, match=says):
            call()
    assert one.time == 0.0
