"""What updates and ticks cost on this machine: measured here, shown by `report`.

Every trial checks the sum of what it did, so that what is timed has been done. Ways are measured in turns, and
the median of the turns is kept, so that what else the machine does falls on all of them alike.
"""

from __future__ import annotations

import math
import os
import platform
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter

import numpy as np

from . import _engine, team
from .atomic import AtomicArray
from .batch import Batcher
from .model import Kuramoto
from .swarm import Swarm
from .topology import Topology

__all__ = ["Concurrency", "Cost", "Goal", "Ticks", "concurrency"]

Trial = Callable[[int, int], float]
"""From threads and rounds of each to seconds for one update; raises if the sum is wrong."""

WORKERS = (1, 2, 4, 8, 16)
WAYS = {
    "mutex": "mutex",
    "atomic": "atomic",
    "channel": "channel (bounded queue)",
    "rcu": "read-copy update, read",
    "inbox": "nudge",
    "ring": "batcher (ring)",
}
MANY = "nudge, many at once"
VECTOR, SLOTS, STEPS, BETWEEN_FLUSHES = 10_000, 64, 1024, 1024
DEGREE, DT = 10, 0.01
SLOWED = 10
"""How many times as slow one worker is made where stealing is tried."""
SUBSCRIBERS = 1000
"""How many listen and never read."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one update of one agent costs one way: ns from the first to the last of many, divided by their number.

    Attributes
    ----------
    way : str
        How it is made.
    c, c_contended, python, python_contended : float or None
        From C and from Python, by one thread alone and by all cores on the same agent; None where there is no
        such way.
    """

    way: str
    c: float | None
    c_contended: float | None
    python: float | None
    python_contended: float | None


@dataclass(frozen=True, slots=True)
class Ticks:
    """What one tick takes.

    Attributes
    ----------
    agents : int
        Size of the swarm, on a random graph of mean degree 10 (5 for 10 agents).
    workers : tuple of int
        How many were asked for. No team is larger than there are blocks of agents.
    nanoseconds : tuple of float
        For one tick, by the number of workers.
    picked : int
        Workers that the engine picks by itself.
    picked_nanoseconds : float
        For one tick with these.
    """

    agents: int
    workers: tuple[int, ...]
    nanoseconds: tuple[float, ...]
    picked: int
    picked_nanoseconds: float


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that is wanted, and the one that was found.

    Attributes
    ----------
    name, unit : str
        What is measured, and in what.
    wanted, found : float
        The bound, and the figure; NaN is never met.
    least : bool
        Whether the bound is the least that will do; else it is the most.
    """

    name: str
    unit: str
    wanted: float
    found: float
    least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is within the bound."""
        return self.found >= self.wanted if self.least else self.found <= self.wanted


@dataclass(frozen=True, slots=True)
class Concurrency:
    """All that `concurrency` measured.

    Attributes
    ----------
    machine : str
        What it was measured on.
    cores : int
        Threads that contend: as many as can be busy at once; two, if it is one.
    load : float or None
        How many others were busy before it began (the system's mean of the last minute); None where nobody tells.
    costs, ticks, goals : tuple
        The two tables, and what was wanted of them.
    stealing : float or None
        How many times faster a tick is with stealing than with blocks dealt once, while one worker is slowed
        down; None with one core.
    """

    machine: str
    cores: int
    load: float | None
    costs: tuple[Cost, ...]
    ticks: tuple[Ticks, ...]
    stealing: float | None
    goals: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class _Effort:
    """How long is measured: seconds for each turn, turns, rounds at most, and agents at most."""

    seconds: float
    turns: int
    rounds: int
    agents: int


FULL, QUICK = _Effort(0.05, 7, 10**8, 10**6), _Effort(0.001, 1, 1000, 10**3)


def concurrency(*, quick: bool = False) -> Concurrency:
    """Measure what updates and ticks cost on this machine.

    Parameters
    ----------
    quick : bool, default False
        Try everything once, in small: to see that it works, not how fast.

    Returns
    -------
    Concurrency
        Plain records.

    Raises
    ------
    RuntimeError
        If an update was lost or made twice.

    Notes
    -----
    About a minute on two cores, with the machine to itself; not deterministic.
    """
    effort = QUICK if quick else FULL
    cores = max(2, team.cores())
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    costs = _costs(effort, cores)
    ticks = tuple(_ticks(effort, 10**power) for power in range(1, 7) if 10**power <= effort.agents)
    return Concurrency(
        f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}, {_engine.instruction_set()}",
        cores,
        load,
        costs,
        ticks,
        _stealing(effort) if team.cores() > 1 else None,
        _goals(effort, costs, ticks),
    )


def _in_turns(effort: _Effort, ways: dict[str, Callable[[int], float]]) -> dict[str, float]:
    """Return for each way the median of its turns, in ns; a way gets a number of rounds and returns seconds for one."""
    rounds = {}
    for name, way in ways.items():
        count = 1
        while (found := way(count)) * count < effort.seconds and 4 * count <= effort.rounds:
            count *= 4
        rounds[name] = count if math.isfinite(found) else 1
    found_by: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(effort.turns):
        for name, way in ways.items():
            found_by[name].append(1e9 * way(rounds[name]))
    return {name: median(found) for name, found in found_by.items()}


# ---- updates


def _costs(effort: _Effort, cores: int) -> tuple[Cost, ...]:
    ways: dict[str, Callable[[int], float]] = {}
    for threads in (1, cores):
        ways |= {f"c {name} {threads}": partial(_from_c, name, threads) for name in WAYS}
        ways |= {f"python {name} {threads}": partial(trial, threads) for name, trial in PYTHON.items()}
    found = _in_turns(effort, ways)

    def cost(name: str, way: str) -> Cost:
        keys = (f"{side} {name} {threads}" for side in ("c", "python") for threads in (1, cores))
        return Cost(way, *(found[key] if math.isfinite(found.get(key, math.nan)) else None for key in keys))

    return tuple(cost(name, way) for name, way in [*WAYS.items(), ("many", MANY)])


def _from_c(name: str, threads: int, rounds: int) -> float:
    return 1e-9 * _engine.trial(name, threads, rounds)


def _together(threads: int, body: Callable[[int], None], updates: int) -> float:
    """Run `body(rank)` in so many threads that begin together; return seconds for one update."""
    gate = threading.Barrier(threads)
    begun, ended, wrong = [], [], []

    def member(rank: int) -> None:
        try:
            gate.wait()
            begun.append(perf_counter())
            body(rank)
            ended.append(perf_counter())
        except BaseException as error:
            wrong.append(error)
            gate.abort()

    members = [threading.Thread(target=member, args=(rank,)) for rank in range(1, threads)]
    for one in members:
        one.start()
    member(0)
    for one in members:
        one.join()
    if wrong:
        raise wrong[0]
    return (max(ended) - min(begun)) / updates


def _holds(way: str, found: float, wanted: float) -> None:
    if abs(found - wanted) > 1e-6:
        raise RuntimeError(f"updates by {way} were lost or made twice: {found} is there, not {wanted}")


def _lock(threads: int, rounds: int) -> float:
    lock, total = threading.Lock(), 0.0

    def body(_: int) -> None:
        nonlocal total
        for _ in range(rounds):
            with lock:
                total += 1.0

    seconds = _together(threads, body, threads * rounds)
    _holds("mutex", total, threads * rounds)
    return seconds


def _atomic(threads: int, rounds: int) -> float:
    array = AtomicArray(1)

    def body(_: int) -> None:
        add = array.add
        for _ in range(rounds):
            add(0, 1.0)

    seconds = _together(threads, body, threads * rounds)
    _holds("atomic", array.load(0), threads * rounds)
    return seconds


def _channel(threads: int, rounds: int) -> float:
    channel: queue.Queue[float] = queue.Queue(SLOTS)
    updates, total = max(1, threads - 1) * rounds, 0.0

    def body(rank: int) -> None:
        nonlocal total
        if rank > 0:
            for _ in range(rounds):
                channel.put(1.0)
            return
        for _ in range(updates):
            if threads == 1:
                channel.put(1.0)
            total += channel.get()

    seconds = _together(threads, body, updates)
    _holds("channel", total, updates)
    return seconds


def _graph(n: int) -> Topology:
    return Topology.random(n, degree=min(DEGREE, n // 2), seed=1)


def _swarm(topology: Topology, threads: int | None = None) -> Swarm:
    """Make a swarm whose phases are 0 and whose frequencies differ."""
    frequency = np.random.default_rng(1).normal(0.0, 0.1, len(topology))
    return Swarm(topology, Kuramoto(coupling=1.0), frequency=frequency, phase=0.0, threads=threads)


def _nudge(threads: int, rounds: int) -> float:
    swarm = Swarm(Topology.complete(2), Kuramoto(coupling=1.0), phase=0.0)

    def body(_: int) -> None:
        nudge, angle = swarm.nudge, 2 * math.pi / STEPS
        for _ in range(rounds):
            nudge(0, angle)

    seconds = _together(threads, body, threads * rounds)
    _holds("nudge", float(swarm.phase[0]), threads * rounds % STEPS * 2 * math.pi / STEPS)
    return seconds


def _batch(threads: int, rounds: int) -> float:
    """Queue nudges one by one; every thread flushes after some, so that there is always room."""
    swarm = Swarm(Topology.complete(2), Kuramoto(coupling=1.0), phase=0.0)
    with Batcher(swarm, maxsize=2 * threads * BETWEEN_FLUSHES) as batcher:

        def body(_: int) -> None:
            nudge, angle = batcher.nudge, 2 * math.pi / STEPS
            for done in range(0, rounds, BETWEEN_FLUSHES):
                for _ in range(min(BETWEEN_FLUSHES, rounds - done)):
                    nudge(0, angle)
                batcher.flush()

        seconds = _together(threads, body, threads * rounds)
    _holds("batcher", float(swarm.phase[0]), threads * rounds % STEPS * 2 * math.pi / STEPS)
    return seconds


def _nudge_many(threads: int, rounds: int) -> float:
    """Nudge so many agents in one call, each with an angle of its own."""
    swarm = Swarm(Topology.complete(VECTOR), Kuramoto(coupling=1.0), phase=0.0)
    agents = np.random.default_rng(1).permutation(VECTOR)
    angles = np.full(VECTOR, 2 * math.pi / STEPS)
    calls = max(1, rounds // VECTOR)

    def body(_: int) -> None:
        for _ in range(calls):
            swarm.nudge(agents, angles)

    seconds = _together(threads, body, threads * calls * VECTOR)
    for found in (swarm.phase.min(), swarm.phase.max()):
        _holds("nudge", float(found), threads * calls % STEPS * 2 * math.pi / STEPS)
    return seconds


PYTHON: dict[str, Trial] = {
    "mutex": _lock,
    "atomic": _atomic,
    "channel": _channel,
    "inbox": _nudge,
    "ring": _batch,
    "many": _nudge_many,
}


# ---- ticks


def _step(swarm: Swarm, schedule: str = "barrier") -> Callable[[int], float]:
    return _timed(lambda ticks: swarm.step(ticks, dt=DT, schedule=schedule))  # type: ignore[arg-type]


def _run(swarm: Swarm, ticks: int) -> Callable[[int], float]:
    def runs(rounds: int) -> None:
        for _ in range(rounds):
            swarm.run(ticks * DT, dt=DT)

    return _timed(runs)


def _timed(call: Callable[[int], object]) -> Callable[[int], float]:
    """Return what tells how many seconds one of so many rounds takes."""

    def way(rounds: int) -> float:
        begun = perf_counter()
        call(rounds)
        return (perf_counter() - begun) / rounds

    return way


def _ticks(effort: _Effort, n: int) -> Ticks:
    graph, blocks = _graph(n), math.ceil(n / _engine.AGENTS_OF_BLOCK)
    own = _swarm(graph)
    teams = sorted({min(workers, blocks) for workers in WORKERS})
    ways = {str(workers): _step(_swarm(graph, workers)) for workers in teams}
    found = _in_turns(effort, ways | {"own": _step(own)})
    return Ticks(
        n, WORKERS, tuple(found[str(min(workers, blocks))] for workers in WORKERS), own.metrics().workers, found["own"]
    )


def _stealing(effort: _Effort) -> float:
    """Slow one of all workers down, and compare stealing with static dealing."""
    n = min(effort.agents, 10**5)
    graph = _graph(n)
    alone = _in_turns(effort, {"tick": _step(_swarm(graph, 1))})["tick"]
    delay = int((SLOWED - 1) * alone / math.ceil(n / _engine.AGENTS_OF_BLOCK))
    ways = {}
    for name, stealing in {"stolen": True, "dealt": False}.items():
        swarm = _swarm(graph, team.cores())
        swarm._engine.handicap(0, delay, stealing)
        ways[name] = _step(swarm)
    found = _in_turns(effort, ways)
    return found["dealt"] / found["stolen"]


def _listening(effort: _Effort) -> float:
    """Compare runs of 100 `Ticked` with a thousand subscribers that never read, and with none."""
    n = min(effort.agents, 10**5)
    graph, ticks = _graph(n), 1000 if n == 10**5 else 100
    ways: dict[str, Callable[[int], float]] = {}
    for name, count in {"none": 0, "many": SUBSCRIBERS}.items():
        swarm = _swarm(graph)
        for _ in range(count):
            swarm.events.subscribe()
        ways[name] = _run(swarm, ticks)
    found = _in_turns(effort, ways)
    return found["many"] / found["none"]


# ---- goals


def _goals(effort: _Effort, costs: tuple[Cost, ...], ticks: tuple[Ticks, ...]) -> tuple[Goal, ...]:
    by_way = {cost.way: cost for cost in costs}
    mutex, atomic, read = (by_way[WAYS[name]] for name in ("mutex", "atomic", "rcu"))
    inbox, ring, many = by_way[WAYS["inbox"]], by_way[WAYS["ring"]], by_way[MANY]
    n = min(effort.agents, 10**5)
    gossip = _in_turns(effort, {"gossip": _step(_swarm(_graph(n)), "gossip")})["gossip"] / n
    slower = max(row.picked_nanoseconds / min(row.nanoseconds) for row in ticks)
    goals = [
        Goal("atomic update from C, alone", "ns", 5.0, _known(atomic.c)),
        Goal(
            "the same, contended, beside a mutex",
            "times",
            1 / 3,
            _known(atomic.c_contended) / _known(mutex.c_contended),
        ),
        Goal("read-copy-update read from C, alone", "ns", 5.0, _known(read.c)),
        Goal("nudges from C", "million/s", 20.0, 1e3 / _known(inbox.c), least=True),
        Goal("batched nudges from C", "million/s", 20.0, 1e3 / _known(ring.c), least=True),
        Goal("nudges from one Python thread, many at once", "million/s", 20.0, 1e3 / _known(many.python), least=True),
        Goal("nudges from one Python thread, one by one", "million/s", 1.0, 1e3 / _known(inbox.python), least=True),
        Goal(f"gossip tick of {n:,} agents, for each", "ns", 15.0, gossip),
        Goal("team the engine picks, beside the best", "times", 1.2, slower),
        Goal(f"run with {SUBSCRIBERS:,} subscribers that never read, beside none", "times", 1.2, _listening(effort)),
    ]
    for row in ticks:
        one, two, sixteen = (row.nanoseconds[WORKERS.index(workers)] for workers in (1, 2, 16))
        if row.agents == 10**3:
            goals.append(Goal("tick of 1,000 agents", "µs", 10.0, 1e-3 * min(one, row.picked_nanoseconds)))
        if row.agents >= 10**5:
            goals.append(Goal(f"16 workers beside 2, {row.agents:,} agents", "times", 2.0, sixteen / two))
    return tuple(goals)


def _known(value: float | None) -> float:
    return math.nan if value is None else value
