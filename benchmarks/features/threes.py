"""What triads cost: agents that sense nothing else, beside the bare gather of the phasors that they look at."""

import check
import limit
import measure
import numpy as np
import oracle

import emerge
from emerge import speed
from emerge.bench import Goal
from emerge.triads import rows_of

NAME, GATHER, OF_GATHER = "triads", f"{limit.BARE} of triads", 1.5
"""What is timed beside what; how many bare gathers a tick may take."""

OF_AN_AGENT, SEED = 10, 1


def triads_of(n):
    """Return triads of three agents that chance picks, so many for each agent on average."""
    triads = np.random.default_rng(SEED).integers(0, n, (n * OF_AN_AGENT // 3, 3))
    return triads[(triads != np.roll(triads, 1, axis=1)).all(axis=1)]


def swarm_of(triads, n):
    phase, frequency = check.state(n)
    model = emerge.Simplicial(0.0, triads, triadic=check.COUPLING)
    return emerge.Swarm(emerge.Topology.from_edges([], n=n), model, phase=phase, frequency=frequency)


def hold(n):
    """Return how far a swarm is from the oracle after some ticks; raise `check.Wrong` if that is too far."""
    phase, frequency = check.state(n)
    told = {"triadic": check.COUPLING, "triads": (triads_of(n), 1.0, True)}
    law, now = oracle.Law(np.empty((0, 2), np.int64), np.empty(0), frequency, **told), [phase]
    for tick in range(check.TICKS):
        now, _ = law.tick("euler", tick * check.DT, check.DT, now, np.zeros(n))
    swarm = swarm_of(triads_of(n), n)
    swarm.step(check.TICKS, dt=check.DT)
    return check.near(swarm.phase, now[0], NAME)


def ways(topology, small, bound):
    """Hold them against the oracle in small; yield names, how far off they were, and ways in large."""
    n, triads = len(topology), triads_of(len(topology))
    swarm = swarm_of(triads, n)
    yield NAME, hold(len(small)), speed.timed(lambda ticks: swarm.step(ticks, dt=check.DT))
    if bound is not None:
        start, pairs, _ = rows_of(triads, 1.0, n)
        yield GATHER, None, bound.gather_rows(pairs.ravel(), 2 * np.diff(start), "double", measure.CORES)


def goals(times, plain, agents):
    """Judge what was measured; a plain tick has no part in it."""
    del plain, agents
    ratio = times[NAME] / times.get(GATHER, np.nan)
    yield Goal(f"{NAME}, beside the bare gather of the same", "times", OF_GATHER, ratio)
