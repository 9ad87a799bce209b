"""What a swarm tells of itself, and whether it is consistent."""

import dataclasses
from time import monotonic
from typing import get_args

import numpy as np
import pytest

import emerge
from emerge import _engine, team
from emerge.run import Schedule


def swarm(n=3000, threads=2):
    web = emerge.Topology.small_world(n, degree=6, rewire=0.2, seed=1)
    return emerge.Swarm(web, emerge.Kuramoto(coupling=1.0), seed=1, threads=threads)


def test_nothing_has_happened_yet():
    told = swarm().metrics()
    assert (told.ticks, told.batches, told.rate, told.workers, told.join_wait) == (0, 0, 0.0, 0, 0.0)
    assert (told.inbox_hits, told.graph_swaps) == (0, 0)


def test_counts():
    one = swarm()
    one.step(20)
    one.nudge([5, 6, 2999], 0.1)
    one.step(10)
    one.topology = emerge.Topology.complete(3000)
    told = one.metrics()
    assert (told.ticks, told.inbox_hits, told.graph_swaps) == (30, 2, 1)
    assert told.batches >= 2
    assert told.rate == pytest.approx(3000 * 30 / told.seconds)
    assert told.memory == one.nbytes
    with pytest.raises(dataclasses.FrozenInstanceError):
        told.ticks = 0


def test_buffers():
    one = swarm()
    assert (one.metrics().subscribers, one.metrics().events_waiting, one.metrics().events_fill) == (0, 0, 0.0)
    with one.events.subscribe(emerge.Disrupted, maxsize=4), one.events.subscribe(emerge.Disrupted, maxsize=2) as small:
        one.disrupt(0.1)
        told = one.metrics()
        assert (told.subscribers, told.events_waiting, told.events_fill, told.events_dropped) == (2, 2, 0.5, 0)
        one.disrupt(0.1), one.disrupt(0.1)
        told = one.metrics()
        assert (told.events_waiting, told.events_fill, told.events_dropped) == (5, 1.0, 1)
        small.close()
        assert (one.metrics().events_fill, one.metrics().events_dropped) == (0.75, 1)
    assert (one.metrics().events_fill, one.metrics().events_dropped) == (0.0, 1)


def test_the_team_is_told_as_it_was_measured():
    one, two = swarm(threads=1), swarm(threads=2)
    one.step(), two.step(200)
    assert one.metrics().workers == 1
    assert one.metrics().join_wait == 0.0
    assert two.metrics().workers <= 2
    assert (two.metrics().join_wait > 0.0) == (two.metrics().workers > 1)


@pytest.mark.skipif(team.cores() == 1, reason="on one core nobody comes in between")
def test_swaps_that_another_worker_won_are_told():
    one = emerge.Swarm(emerge.Topology.ring(20_000, 2), emerge.Kuramoto(coupling=1.0), seed=1, threads=4)
    assert one.metrics().retries == 0
    deadline = monotonic() + 30
    while one.metrics().retries == 0 and monotonic() < deadline:
        one.step(100)
    if one.metrics().workers == 1:
        pytest.skip("a second worker is needed")
    assert one.metrics().retries > 0


@pytest.mark.parametrize("schedule", get_args(Schedule))
@pytest.mark.parametrize("kind", ["stored", "complete"])
def test_a_healthy_swarm_is_consistent(kind, schedule):
    one = swarm()
    if kind == "complete":
        one.topology = emerge.Topology.complete(3000)
    assert one.check() == ()
    one.fail([1, 2000])
    one.step(5, schedule=schedule)
    assert one.check() == ()
    one.nudge([3, 4], 1.0)
    assert one.check() == ()
    one.step(5, schedule=schedule)
    assert one.check() == ()


def test_a_sick_one_is_not():
    """The door is open to those who come with arrays: past the checks upstairs, the check must see it."""
    graph = _engine.Graph.stored(np.array([1, 1], np.int32), np.array([1, 1], np.int32))
    sick = _engine.Engine(graph, np.zeros(2), np.array([0.0, np.nan]), 1, 1)
    assert sick.check() == ["a natural frequency is not finite", "a row of the graph is out of order or out of range"]
