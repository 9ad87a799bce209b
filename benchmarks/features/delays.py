"""What sensing late costs: a delay in common beside a plain tick, delays of edges beside the bare gather of the same.

Delays of edges are drawn between one tick and the longest, whole or not. What lies between ticks is read off a cubic,
so that each edge looks at four cells of the ring in a line; at a tick it looks at one, beside those of other agents.
The bare gather loads the same cells of a ring as large.
"""

import check
import limit
import measure
import numpy as np
import oracle

import emerge
from emerge import speed
from emerge.bench import Goal

COMMON, MOST, TICKS_LATE = "a delay in common", 1.5, 3.37
"""Its name, how many times as long as a plain tick one with it may take, and how late it is."""

EDGES = tuple((kind, longest) for longest in (10, 100) for kind in ("whole ticks", "between ticks"))
OF_GATHER = 1.6
"""Kinds of delays of edges and the longest of each, in ticks; how many bare gathers a tick may take."""

CUBIC, SEED = 4, 5


def name_of(kind, longest):
    return f"delays of edges, {kind}, up to {longest}"


def gather_of(kind, longest):
    return f"{limit.BARE} of {name_of(kind, longest)}"


def late_of(topology, kind, longest):
    """Return a delay in ticks for each edge."""
    late = np.random.default_rng(SEED).uniform(1, longest, topology.edge_count)
    return np.rint(late) if kind == "whole ticks" else late


def swarm_of(topology, late):
    phase, frequency = check.state(len(topology))
    model = emerge.Kuramoto(check.COUPLING)
    return emerge.Swarm(topology, model, phase=phase, frequency=frequency, delay=check.DT * late)


def hold(name, topology, late):
    """Return how far a swarm is from the oracle after some ticks; raise `check.Wrong` if that is too far."""
    phase, frequency = check.state(len(topology))
    past = [np.exp(1j * phase)] * (int(np.max(late)) + CUBIC)
    both = np.tile(np.broadcast_to(late, topology.edge_count), 2)
    edges, weights = oracle.both_ways(topology)
    law = oracle.Late(edges, weights, frequency, coupling=check.COUPLING, late=both, dt=check.DT, seen=past)
    ticks = int(np.max(late)) + check.TICKS
    swarm = swarm_of(topology, late)
    swarm.step(ticks, dt=check.DT)
    return check.near(swarm.phase, law.go("euler", [phase], ticks)[0], name)


def cells(topology, late):
    """Return where each edge end looks, row by row, in a ring as the engine keeps one, and its size."""
    there = np.column_stack([topology.edges, late.view(np.int64)])
    row, agent, each = np.concatenate([there, there[:, [1, 0, 2]]]).T
    order = np.lexsort((agent, row))
    agent, ago = agent[order], each[order].copy().view(np.float64)
    if (ago == np.rint(ago)).all():
        slots = int(late.max()) + CUBIC - 1
        return (-ago.astype(np.int64)) % slots * len(topology) + agent, slots * len(topology)
    slots = int(late.max()) + CUBIC
    line = slots + CUBIC - 1
    oldest = np.maximum(np.floor(ago).astype(np.int64) - 1, 0) + CUBIC - 1
    return ((agent * line + (-oldest) % slots)[:, None] + np.arange(CUBIC)).ravel(), line * len(topology)


def ways(topology, small, bound):
    """Hold all against the oracle on a small graph; yield names, how far off it was, and ways on a large one."""

    def ticking(late):
        swarm = swarm_of(topology, late)
        return speed.timed(lambda ticks: swarm.step(ticks, dt=check.DT))

    yield COMMON, hold(COMMON, small, TICKS_LATE), ticking(TICKS_LATE)
    for kind, longest in EDGES:
        name, late = name_of(kind, longest), late_of(topology, kind, longest)
        yield name, hold(name, small, late_of(small, kind, longest)), ticking(late)
        if bound is not None:
            where, size = cells(topology, late)
            degree = np.zeros(size, np.int32)
            degree[0] = len(where)
            yield gather_of(kind, longest), None, bound.gather_rows(where, degree, "double", measure.CORES)


def goals(times, plain, agents):
    """Judge what was measured, beside a plain tick and the bare gathers."""
    del agents
    yield Goal(f"{COMMON}, beside a plain tick", "times", MOST, times[COMMON] / plain)
    for kind, longest in EDGES:
        name = name_of(kind, longest)
        ratio = times[name] / times.get(gather_of(kind, longest), np.nan)
        yield Goal(f"{name}, beside the bare gather of the same", "times", OF_GATHER, ratio)
