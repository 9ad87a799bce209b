"""What a tick of agents that fire costs while nobody does."""

import check
import oracle

import emerge
from emerge import speed
from emerge.bench import Goal

NAME, LEAST = "pulses, between avalanches", 50.0
"""How many million agents are to be updated in a second."""

LAW = {"drive": 2.0, "leak": 1.0, "strength": 0.01}
DT, SPAN = 1e-8, 1.0
"""A tick so short that nobody fires while it is timed; how long the oracle is followed."""


def hold(n):
    """Return how far a swarm is from the oracle after many avalanches; raise `check.Wrong` if that is too far."""
    topology = emerge.Topology.random(n, degree=10, seed=1)
    phase, _ = check.state(n)
    swarm = emerge.Swarm(topology, emerge.IntegrateAndFire(**LAW), phase=phase)
    swarm.run(SPAN, dt=SPAN / check.TICKS)
    wanted, told = oracle.Fireflies(*oracle.both_ways(topology), **LAW).run(phase, SPAN)
    if len(told) < n:
        raise check.Wrong(f"only {len(told)} of {n} agents fired: nothing is checked")
    return check.near(swarm.phase, wanted, NAME)


def quiet(topology):
    """Return a swarm in the first half of its period."""
    phase, _ = check.state(len(topology))
    return emerge.Swarm(topology, emerge.IntegrateAndFire(**LAW), phase=phase / 2)


def ways(topology, small, bound):
    """Hold them against the oracle in small; yield the name, how far off it was, and the way in large."""
    del bound
    swarm = quiet(topology)
    yield NAME, hold(len(small)), speed.timed(lambda ticks: swarm.step(ticks, dt=DT))


def goals(times, plain, agents):
    """Judge how many million agents are updated in a second."""
    del plain
    yield Goal(NAME, "M agents/s", LEAST, 1e3 * agents / times[NAME], least=True)
