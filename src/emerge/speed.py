"""How fast a tick is, by graph and size: measured here, shown by `report`; `benchmarks/` sets peers beside it.

Every case is held against the equation before it is timed. Ways are timed in turns, each when nothing else in the
process computes, and the least of the turns is kept: what else the machine does can only add to it.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import Literal

import numpy as np
import numpy.typing as npt

from . import _engine
from .bench import Goal
from .model import Kuramoto
from .swarm import Swarm
from .topology import Topology

__all__ = [
    "CASES",
    "FULL",
    "GRAPHS",
    "QUICK",
    "Case",
    "Effort",
    "Speed",
    "Tick",
    "call_cost",
    "fastest",
    "goals_of",
    "idle",
    "machine",
    "speed",
    "swarm_of",
    "swarms_of",
    "timed",
    "told",
    "ways_of",
]

Floats = npt.NDArray[np.float64]
Precision = Literal["double", "single"]
Way = Callable[[int], float]
"""Does so many ticks; returns seconds for all of them."""

COUPLING, DT, DEGREE = 1.0, 0.01, 10
SAMPLE = 16
"""Agents of each case that are held against the equation."""
APART: dict[Precision, float] = {"double": 1e-12, "single": 1e-7}
"""How far phases may be from the truth, in rad."""
LEAST_TURNS, LONG = 3, 2.0
"""A way that has taken so many turns and seconds is not timed again."""
LARGE, PACKED = 10**5, 2 * 10**6
"""Agents from which memory and team are judged, and from which edges may be held a second time, packed."""

GRAPHS: dict[str, Callable[[int], Topology]] = {
    "random": lambda n: Topology.random(n, degree=DEGREE, seed=1),
    "small world": lambda n: Topology.small_world(n, degree=DEGREE, rewire=0.2, seed=1),
    "scale-free": lambda n: Topology.scale_free(n, DEGREE // 2, seed=1),
    "ring lattice": lambda n: Topology.ring(n, degree=DEGREE),
    "complete": Topology.complete,
}
"""Graphs by name, of mean degree 10 where they have one."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is measured: seconds for each turn, turns, and agents at most."""

    seconds: float
    turns: int
    agents: int


FULL, QUICK = Effort(0.05, 7, 10**9), Effort(0.0002, 1, 1000)


@dataclass(frozen=True, slots=True)
class Case:
    """A graph of some size, and the precision of phasors."""

    graph: str
    agents: int
    precision: Precision = "double"

    def __str__(self) -> str:
        return f"{self.graph}, {self.agents:,}" + (", single" if self.precision == "single" else "")


CASES = (
    *(Case("random", 10**power) for power in range(3, 7)),
    Case("random", 10**6, "single"),
    Case("small world", LARGE),
    Case("scale-free", LARGE),
    *(Case(graph, n) for graph in ("ring lattice", "complete") for n in (LARGE, 10**6)),
)


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick takes.

    Attributes
    ----------
    graph : str
        Kind of the graph, of mean degree 10 unless it is complete.
    agents, edge_ends : int
        Its size.
    stored : bool
        Whether its edges are stored.
    precision : {"double", "single"}
        Of the phasors.
    alone, picked : float
        Nanoseconds for one tick: by one worker, and by as many as the engine picks by itself.
    workers : int
        How many it picked.
    bytes : float
        Memory for each agent, its share of the graph included.
    """

    graph: str
    agents: int
    edge_ends: int
    stored: bool
    precision: Precision
    alone: float
    picked: float
    workers: int
    bytes: float


@dataclass(frozen=True, slots=True)
class Speed:
    """All that `speed` measured.

    Attributes
    ----------
    machine : str
        What it was measured on.
    load : float or None
        How many others were busy before it began (the system's mean of the last minute); None where nobody tells.
    call : float
        Microseconds that a step of two agents takes.
    ticks, goals : tuple
        The table, and what was wanted of it.
    """

    machine: str
    load: float | None
    call: float
    ticks: tuple[Tick, ...]
    goals: tuple[Goal, ...]


def speed(*, quick: bool = False) -> Speed:
    """Measure how fast a tick is on this machine, by graph and size.

    Parameters
    ----------
    quick : bool, default False
        Try every case once, in small: to see that it works, not how fast.

    Returns
    -------
    Speed
        Plain records.

    Raises
    ------
    RuntimeError
        If a result differs from the equation, or with the number of workers.

    Notes
    -----
    About a minute on two cores, with the machine to itself; not deterministic.
    """
    effort = QUICK if quick else FULL
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    cases = {Case(case.graph, min(case.agents, effort.agents), case.precision): None for case in CASES}
    call = call_cost(effort)
    ticks = tuple(_tick(case, effort) for case in cases)
    goals = [Goal("call of a step of 2 agents", "µs", 1.0, call)]
    goals += [goal for tick in ticks for goal in goals_of(tick)]
    return Speed(machine(), load, call, ticks, tuple(goals))


def machine() -> str:
    """Name processor, system, Python and instruction set."""
    names: list[str] = []
    if os.access("/proc/cpuinfo", os.R_OK):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = f"{len(names)} × {names[0]}" if names else platform.machine()
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{name}, {system}, {_engine.build()['compiler']}, {_engine.instruction_set()}"


# ---- timing


def timed(call: Callable[[int], object]) -> Way:
    """Return the way that calls this with a number of ticks, once before the clock runs."""

    def way(ticks: int) -> float:
        call(1)
        begun = perf_counter()
        call(ticks)
        return perf_counter() - begun

    return way


def idle(deadline: float = 1.0) -> None:
    """Wait until no thread of this process computes: pools of threads spin for a while after their last loop."""
    end = perf_counter() + deadline
    while perf_counter() < end:
        begun, used = perf_counter(), process_time()
        sleep(0.001)
        if process_time() - used < 0.2 * (perf_counter() - begun):
            return


def fastest(ways: Mapping[str, Way], effort: Effort = FULL) -> dict[str, float]:
    """Return the nanoseconds of one tick, each way: the least of turns taken one after the other.

    Parameters
    ----------
    ways : mapping of str to callable
        Each does a number of ticks and returns the seconds of all.
    effort : Effort
        How long to measure.
    """
    counts = {name: _count(way, effort) for name, way in ways.items()}
    best, spent = dict.fromkeys(ways, math.inf), dict.fromkeys(ways, 0.0)
    for turn in range(effort.turns):
        for name, way in ways.items():
            if turn < LEAST_TURNS or spent[name] < LONG:
                idle()
                seconds = way(counts[name])
                spent[name] += seconds
                best[name] = min(best[name], 1e9 * seconds / counts[name])
    return best


def _count(way: Way, effort: Effort) -> int:
    """Find how many ticks take long enough to be told, and drown what a call costs by itself."""
    count, seconds = 1, way(1)
    while count < 10**7 and seconds < LONG / 4:
        count, before = 4 * count, seconds
        seconds = way(count)
        if seconds > effort.seconds and seconds > 3 * before:
            break
    return count


def call_cost(effort: Effort) -> float:
    """Return the microseconds that a step of two agents takes, which is what calling it costs."""
    swarm = Swarm(Topology.complete(2), Kuramoto(coupling=COUPLING), phase=0.0)

    def calls(count: int) -> None:
        for _ in range(count):
            swarm.step(1)

    return 1e-3 * fastest({"call": timed(calls)}, effort)["call"]


# ---- cases


def swarm_of(topology: Topology, precision: Precision = "double", threads: int | None = None) -> Swarm:
    """Make the swarm that is timed: phases anywhere, frequencies that differ, always the same."""
    rng = np.random.default_rng(2)
    n = len(topology)
    phase, frequency = rng.uniform(0.0, 2 * np.pi, n), rng.normal(0.0, 0.1, n)
    model = Kuramoto(coupling=COUPLING)
    return Swarm(topology, model, phase=phase, frequency=frequency, threads=threads, precision=precision)


def swarms_of(case: Case, topology: Topology) -> tuple[Swarm, Swarm]:
    """Return a swarm of one worker and one that picks its workers, both held against the equation."""
    alone, picked = (swarm_of(topology, case.precision, threads) for threads in (1, None))
    _check(case, topology, alone, picked)
    return alone, picked


def ways_of(alone: Swarm, picked: Swarm) -> dict[str, Way]:
    """Return how the two are timed."""
    return {name: timed(partial(swarm.step, dt=DT)) for name, swarm in (("alone", alone), ("picked", picked))}


def told(case: Case, topology: Topology, picked: Swarm, times: Mapping[str, float]) -> Tick:
    """Return what was measured, as a record."""
    return Tick(
        case.graph,
        len(topology),
        topology.edge_ends,
        topology.kind == "stored",
        case.precision,
        times["alone"],
        times["picked"],
        picked.metrics().workers,
        picked.nbytes / len(topology),
    )


def _tick(case: Case, effort: Effort) -> Tick:
    topology = GRAPHS[case.graph](case.agents)
    alone, picked = swarms_of(case, topology)
    return told(case, topology, picked, fastest(ways_of(alone, picked), effort))


def _check(case: Case, topology: Topology, alone: Swarm, picked: Swarm) -> None:
    """Hold a tick of some agents against the equation, and all agents of one worker against those of the team."""
    before, frequency, n = alone.phase, alone.frequency, len(topology)
    for swarm in (alone, picked):
        swarm.step(1, dt=DT)
    after = alone.phase
    for agent in np.unique(np.linspace(0, n - 1, SAMPLE).astype(int)):
        pull = np.sin(before[topology.neighbours(agent)] - before[agent])
        wanted = before[agent] + DT * (frequency[agent] + COUPLING * pull.sum() / max(len(pull), 1))
        apart = abs(math.remainder(after[agent] - wanted, 2 * math.pi))
        if not apart <= APART[case.precision]:
            raise RuntimeError(f"agent {agent} is {apart:.1e} rad from where the equation has it: {case}")
    if not np.array_equal(after, picked.phase):
        raise RuntimeError(f"one worker and {picked.metrics().workers} differ: {case}")


def goals_of(tick: Tick) -> list[Goal]:
    """Return what is wanted of a tick without looking at peers."""
    name, n = str(Case(tick.graph, tick.agents, tick.precision)), tick.agents
    goals = []
    if (tick.graph, n, tick.precision) == ("random", 1000, "double"):
        goals.append(Goal(f"{name}: tick of one worker", "µs", 5.0, 1e-3 * tick.alone))
    most = {"ring lattice": 1.5, "complete": 0.8}.get(tick.graph)
    if most is not None:
        goals.append(Goal(f"{name}: an agent's tick", "ns", most, tick.picked / n))
    if n >= LARGE:
        edge_end = (8 if n >= PACKED else 4) if tick.stored else 0
        room = (40 if tick.precision == "single" else 56) + edge_end * tick.edge_ends / n
        goals.append(Goal(f"{name}: memory of an agent", "bytes", room, tick.bytes))
        goals.append(Goal(f"{name}: team beside one worker", "times", 1.6, tick.alone / tick.picked, least=True))
    return goals
