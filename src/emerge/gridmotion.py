"""A power grid set in motion: the swing equation from its power flow on, while things trip or trip each other."""

from __future__ import annotations

from collections.abc import Iterable
from math import pi
from time import perf_counter

import numpy as np
import numpy.typing as npt

from . import admit
from .cascade import Relays
from .errors import InvalidType, InvalidValue
from .grid import PowerGrid
from .gridrun import RECENT, GridRun
from .progress import Progress, Watcher, watching
from .run import ticks_of
from .swarm import Swarm
from .trips import Trip, by_tick

__all__ = ["ran"]

Floats = npt.NDArray[np.float64]

REACH = 2.6
"""How long a tick may be, in 1/rate of the fastest mode: RK4 is stable up to 2.62 anywhere in the left half-plane."""

TOLD = 100
"""How often a watcher is told of a run, about."""


class Motion:
    """A swarm that swings as a grid does, the grid as things trip, and what is kept of both."""

    def __init__(self, grid: PowerGrid, swarm: Swarm, dt: float, samples: int) -> None:
        self.grid, self.swarm, self.dt, self.tick, self.begun = grid, swarm, dt, 0, perf_counter()
        self.deviation = np.empty((samples, len(grid)))
        self.flows = np.empty((samples, len(grid.lines)))
        self.happened: list[Trip] = []

    def until(self, tick: int) -> None:
        """Go on to a tick."""
        if tick > self.tick:
            self.swarm.step(tick - self.tick, dt=self.dt, method="rk4")
            self.tick = tick

    def look(self, sample: int) -> Floats:
        """Keep what is now as a sample, and return the flows."""
        flows = self.grid._flows(self.swarm.phase)
        self.deviation[sample] = self.swarm.velocity / (2 * pi)
        self.flows[sample] = flows
        return flows

    def trip(self, trips: list[Trip]) -> None:
        """Take things out of service, all at once, that still are in it."""
        grid = self.grid
        working = {"line": grid.lines_on, "generator": grid.generators_on, "load": grid.loads_on}
        trips = [trip for trip in trips if working[trip.kind][trip.number]]
        gone = {kind: sorted({trip.number for trip in trips if trip.kind == kind}) for kind in working}
        self.grid = grid.without(lines=gone["line"], generators=gone["generator"], loads=gone["load"])
        self.happened += trips
        if gone["line"]:
            self.swarm.topology = self.grid.topology
        if gone["generator"] or gone["load"]:
            self.swarm.frequency = self.grid.power
            self.swarm.model = self.grid._model()

    def progress(self, ticks: int) -> Progress:
        """Return how far it is on its way to so many ticks."""
        swarm, seconds = self.swarm, perf_counter() - self.begun
        eta = seconds / self.tick * (ticks - self.tick)
        return Progress(swarm.time, self.tick, ticks, swarm.coherence, len(swarm) * self.tick / seconds, eta)


def ran(
    grid: PowerGrid,
    duration: float,
    *,
    trips: Trip | Iterable[Trip],
    overload: float | None,
    dt: float,
    every: float,
    phase: npt.ArrayLike | None,
    threads: int | None,
    progress: bool | Watcher,
) -> GridRun:
    """Check what is asked for, and run."""
    ticks, interval = _ticks(grid, duration, dt, every)
    planned = by_tick(trips, grid, ticks, dt)
    relays = None if overload is None else Relays(grid, round(_patience(grid, overload) / dt))
    samples = ticks // interval + 1
    size = 8 * samples * (len(grid) + len(grid.lines))
    admit.memory(size, "what is kept of the run", "a larger every, or a shorter run")
    motion = Motion(grid, grid.swarm(phase, threads=threads), dt, samples)
    with watching(progress) as watcher:
        overloads = _through(motion, planned, relays, ticks, interval, watcher)
    happened = tuple(trip for trip in motion.happened if trip not in set(overloads))
    time: Floats = np.arange(samples, dtype=np.float64) * (interval * dt)
    turns = motion.swarm.displacement / (2 * pi)
    seen = motion.deviation, motion.flows, happened, tuple(overloads), motion.swarm.phase, turns
    return GridRun(grid, motion.grid, time, *seen)


def _through(
    motion: Motion,
    planned: dict[int, list[Trip]],
    relays: Relays | None,
    ticks: int,
    interval: int,
    watcher: Watcher | None,
) -> list[Trip]:
    """Go through all ticks, looking at each interval, and return what tripped by overload."""
    overloads: list[Trip] = []
    recent = max(ticks - round(RECENT / motion.dt), 0)
    telling = interval * max(ticks // interval // TOLD, 1)
    for tick in sorted({*planned, recent, *range(0, ticks + 1, interval)}):
        motion.until(tick)
        if tick == recent:
            motion.swarm.track()
        due = planned.get(tick, [])
        if tick % interval == 0:
            flows = motion.look(tick // interval)
            if relays is not None and tick < ticks:
                now = relays.due(flows, tick, motion.dt)
                overloads += now
                due = [*now, *(trip for trip in due if trip.line is None or trip.line not in {one.line for one in now})]
        if due:
            motion.trip(due)
        if watcher is not None and tick and (tick % telling == 0 or tick == ticks):
            watcher(motion.progress(ticks))
    return overloads


def _patience(grid: PowerGrid, overload: float) -> float:
    """Check the seconds that a line bears too much."""
    if isinstance(overload, (bool, np.bool_)):
        raise InvalidType(f"overload must be seconds for which lines bear more than their limit, not {overload!r}")
    seconds = admit.real(overload, "overload", least=0.0)
    if not np.isfinite(grid.limit[grid.lines_on]).any():
        raise InvalidValue("overload needs lines that have a limit, and none has one: give the grid a limit")
    return seconds


def _ticks(grid: PowerGrid, duration: float, dt: float, every: float) -> tuple[int, int]:
    """Check dt, and return how many ticks there are, and from sample to sample."""
    dt = admit.real(dt, "dt", above=0.0)
    fastest = grid.machines.fastest
    if dt * fastest > REACH:
        raise InvalidValue(f"dt must be at most {REACH / fastest:.4g} s where buses swing at up to {fastest:g} rad/s")
    ticks, interval = ticks_of(duration, dt), ticks_of(every, dt, "every")
    if ticks % interval:
        raise InvalidValue(f"the duration must be a whole number of samples: {duration:g} s is none of {every:g} s")
    return ticks, interval
