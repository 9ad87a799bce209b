"""Agents that fail: silent, still and left out, until they are taken back."""

from typing import get_args

import numpy as np
import oracle
import pytest
import ways

import emerge
from emerge.run import Schedule

MODEL = emerge.Kuramoto(coupling=1.3)
OUT = [0, 3, 4, 599]


def swarm(kind, threads=2):
    topology = {
        "stored": lambda: emerge.Topology.random(600, degree=5, seed=2),
        "complete": lambda: emerge.Topology.complete(600),
    }[kind]()
    phase, frequency = ways.start(600)
    return emerge.Swarm(topology, MODEL, phase=phase, frequency=frequency, threads=threads)


@pytest.mark.parametrize("kind", ["stored", "complete"])
def test_who_failed_is_not_sensed_and_holds_still(kind):
    one = swarm(kind)
    one.fail(OUT)
    one.step(3, dt=0.05)
    phase, frequency = ways.start(600)
    edges, weights = oracle.both_ways(one.topology)
    silent = np.isin(edges[:, 1], OUT)
    for _ in range(3):
        rates = oracle.rates(phase, frequency, edges, np.where(silent, 1e-300, weights), coupling=1.0, normalize="none")
        rates = frequency + 1.3 * (rates - frequency) / oracle.strengths(600, edges, weights, "weight")
        rates[OUT] = 0.0
        phase = np.mod(phase + 0.05 * rates, 2 * np.pi)
    assert oracle.apart(one.phase, phase) < 1e-13
    assert np.array_equal(one.phase[OUT], ways.start(600)[0][OUT])
    living = np.delete(one.phase, OUT)
    assert one.coherence == pytest.approx(oracle.coherence(living), abs=1e-13)
    untouched = swarm(kind)
    untouched.step(3, dt=0.05)
    assert oracle.apart(np.delete(untouched.phase, OUT), living) > 1e-6


@pytest.mark.parametrize("kind", ["stored", "complete"])
@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_under_every_schedule(kind, schedule):
    one = swarm(kind, threads=1)
    one.fail(OUT)
    result = one.run(5.0, dt=0.05, schedule=schedule)
    assert np.array_equal(one.phase[OUT], ways.start(600)[0][OUT])
    assert result.coherence == pytest.approx(oracle.coherence(np.delete(one.phase, OUT)), abs=1e-12)


def test_any_team_gives_the_same_bits():
    phases = []
    for threads in (1, 2, 8):
        one = swarm("stored", threads)
        one.fail(OUT)
        one.step(5)
        phases.append(one.phase)
    assert np.array_equal(phases[0], phases[1])
    assert np.array_equal(phases[0], phases[2])


def test_restore():
    one, two = swarm("stored"), swarm("stored")
    one.fail(OUT)
    assert one.failed.tolist() == OUT
    one.fail([3, 3])
    one.restore([3, 7])
    assert one.failed.tolist() == [0, 4, 599]
    one.restore()
    assert len(one.failed) == 0
    assert one.coherence == two.coherence
    one.step(5), two.step(5)
    assert np.array_equal(one.phase, two.phase)


def test_it_outlives_topologies_and_files(tmp_path):
    one = swarm("stored")
    one.fail(OUT)
    one.topology = emerge.Topology.complete(600)
    one.step(2)
    assert np.array_equal(one.phase[OUT], ways.start(600)[0][OUT])
    one.save(tmp_path / "swarm.npz")
    two = emerge.Swarm.load(tmp_path / "swarm.npz")
    assert two.failed.tolist() == OUT
    one.step(2), two.step(2)
    assert np.array_equal(one.phase, two.phase)


def test_locked_is_judged_by_the_living():
    frequency = np.zeros(600)
    frequency[OUT] = 5.0
    one = emerge.Swarm(emerge.Topology.complete(600), emerge.Kuramoto(coupling=0.0), frequency=frequency, seed=1)
    assert one.run(1.0, until=emerge.locked(1e-9)).reason == "duration"
    one.fail(OUT)
    assert one.run(1.0, until=emerge.locked(1e-9)).ticks == 0
    one.fail(range(600))
    assert one.coherence == 0.0
    assert one.run(1.0).coherence == 0.0


def test_nobody_fails_if_one_is_not_there():
    one = swarm("stored")
    for call in (one.fail, one.restore):
        with pytest.raises(emerge.InvalidValue, match="0 to 599"):
            call([1, 600])
    assert len(one.failed) == 0


@pytest.mark.parametrize("schedule", get_args(Schedule))
def test_nobody_senses_who_failed_within_a_tick_either(schedule):
    """All sense agent 0, which fails: each turns at its own frequency, whoever comes first in the tick."""
    n = 600
    star = emerge.Topology.from_edges(np.stack([np.arange(1, n), np.zeros(n - 1, int)], axis=1), n, directed=True)
    phase, frequency = ways.start(n)
    one = emerge.Swarm(star, MODEL, phase=phase, frequency=frequency, threads=1)
    one.fail(0)
    one.step(4, dt=0.05, schedule=schedule)
    assert oracle.apart(one.phase[1:], (phase + 0.2 * frequency)[1:]) < 1e-13
    one.restore()
    one.step(4, dt=0.05, schedule=schedule)
    assert oracle.apart(one.phase[1:], (phase + 0.4 * frequency)[1:]) > 1e-2
