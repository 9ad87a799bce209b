"""What features cost: a tick beside that of plain Kuramoto with Euler's method, on the same random graph.

Each is held against the equation, by the oracle of the tests, before it is timed.
"""

import ctypes
import math
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import check
import limit
import measure
import numpy as np
import oracle

import emerge
from emerge import speed
from emerge.bench import Goal
from emerge.swarm import NOISE as PURPOSE

from . import delays, pulses, threes

AGENTS, SEED, NOISE, ENERGY = 10**5, 1, 0.1, (1.0, 1.0, 1.0)
PLAIN = "plain"
CASE = "features"
SOURCE = Path(__file__).parent / "rates.c"


@dataclass(frozen=True)
class Feature:
    """A model and a method, and how many times as long as a plain tick one with it may take."""

    name: str
    most: float
    model: Callable[..., emerge.model.Model]
    method: str = "euler"
    told: dict[str, object] = field(default_factory=dict)
    """What the oracle must be told beside the coupling."""


FEATURES = (
    Feature(PLAIN, 1.0, emerge.Kuramoto),
    Feature("RK4", 4.5, emerge.Kuramoto, "rk4"),
    Feature("noise", 1.8, partial(emerge.Kuramoto, noise=NOISE), told={"noise": NOISE}),
    Feature("inertia", 1.4, emerge.SecondOrder, told={"inertia": 1.0, "damping": 1.0}),
    Feature("energy", 1.4, partial(emerge.Kuramoto, energy=emerge.Energy(*ENERGY)), told={"energy": ENERGY}),
)
COMPILED = Feature("custom model, compiled", 1.3, emerge.Custom)
ROOMS = (threes, delays, pulses)
"""What is judged by more than a plain tick: each room holds and times its own."""


def features(folder):
    """Return those that can be had here, and why one is left out."""
    try:
        own = partial(custom, compiled(folder))
    except limit.NoLimit as error:
        return FEATURES, [f"{COMPILED.name}: {error}"]
    return (*FEATURES, replace(COMPILED, model=own)), []


def custom(function, coupling):
    return emerge.Custom(function, (coupling,))


def compiled(folder):
    """Compile the custom model, as users do."""
    library = Path(folder, "rates.so")
    compiler = shlex.split(os.environ.get("CC", "cc"))
    limit.run([*compiler, "-O3", "-march=native", "-shared", "-fPIC", str(SOURCE), "-o", str(library)])
    rates = ctypes.CDLL(str(library)).rates
    rates.restype, rates.argtypes = None, (ctypes.c_int64, *[ctypes.POINTER(ctypes.c_double)] * 6)
    return rates


def swarm_of(model, topology):
    phase, frequency = check.state(len(topology))
    return emerge.Swarm(topology, model, phase=phase, frequency=frequency, seed=SEED)


def hold(feature, topology):
    """Return how far a swarm is from the oracle after some ticks; raise `check.Wrong` if that is too far."""
    swarm = swarm_of(feature.model(check.COUPLING), topology)
    phase, frequency = check.state(len(topology))
    law = oracle.Law(*oracle.both_ways(topology), frequency, coupling=check.COUPLING, **feature.told)
    now, held = [phase, np.zeros_like(phase)][: 2 if swarm.model._inertial else 1], None
    if law.energy is not None:
        held = np.full_like(phase, law.energy[0])
    key = int(np.random.SeedSequence([SEED, PURPOSE]).generate_state(1, np.uint64)[0])
    for tick in range(check.TICKS):
        normal = oracle.normals(key, tick, len(topology)) if law.noise else np.zeros_like(phase)
        now, held = law.tick(feature.method, tick * check.DT, check.DT, now, normal, held)
    swarm.step(check.TICKS, dt=check.DT, method=feature.method)
    if held is not None:
        check.near(swarm.energy, held, feature.name)
    return check.near(swarm.phase, now[0], feature.name)


def timed(effort, folder, bound):
    """Check all and time them in turns, in one process; `bound` is the limit of the machine, or None."""
    chosen, left = features(folder)
    small = emerge.Topology.random(600, degree=speed.DEGREE, seed=1)
    apart = {feature.name: hold(feature, small) for feature in chosen}
    case = speed.Case("random", min(AGENTS, effort.agents))
    topology = speed.GRAPHS[case.graph](case.agents)
    swarms = {feature.name: swarm_of(feature.model(check.COUPLING), topology) for feature in chosen}
    ways = {
        feature.name: speed.timed(partial(swarms[feature.name].step, dt=check.DT, method=feature.method))
        for feature in chosen
    }
    for room in ROOMS:
        for name, off, way in room.ways(topology, small, bound):
            apart[name], ways[name] = off, way
    times = speed.fastest(ways, effort)
    figures = [
        measure.Figure(name, name if off is None else f"emerge, {name}", None, times[name], "oracle", off)
        for name, off in apart.items()
    ]
    tick = speed.told(case, topology, swarms[PLAIN], {"alone": math.nan, "picked": times[PLAIN]})
    return measure.Found(tick, tuple(figures), tuple(left))


def goals(found):
    """Judge what was measured: times of a plain tick, and what each room wants."""
    most = {feature.name: feature.most for feature in (*FEATURES, COMPILED)}
    plain = found.times[PLAIN]
    beside = [
        Goal(f"{name}, beside a plain tick", "times", most[name], found.times.get(name, math.nan) / plain)
        for name in most
        if name != PLAIN
    ]
    return beside + [goal for room in ROOMS for goal in room.goals(found.times, plain, found.tick.agents)]
