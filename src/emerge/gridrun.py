"""A power grid in motion: the swing equation from its power flow on, while things trip, and what is told of it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from . import admit
from .cascade import Relays
from .errors import InvalidValue
from .run import ticks_of
from .swarm import Swarm
from .trips import Trip, by_tick

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .grid import PowerGrid

__all__ = ["GridRun", "Island", "ran"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

REACH = 2.8
"""RK4 is stable for oscillations of up to 2√2 rad a tick."""


@dataclass(frozen=True, slots=True, eq=False)
class Island:
    """A piece of a grid after a run.

    Attributes
    ----------
    buses : ndarray of int64
        Numbers of its buses.
    deviation : float
        By how much its frequency differs from nominal at the end, in Hz: the mean of its buses by their inertia.
    settled : float
        What that tends to, as damping makes up for the imbalance, in Hz; infinite where nothing damps.
    imbalance : float
        Power fed in less power taken at nominal frequency, in MW.
    """

    buses: Ints
    deviation: float
    settled: float
    imbalance: float


@dataclass(frozen=True, eq=False, repr=False)
class GridRun:
    """What happened in a run of a power grid: made by `PowerGrid.run`.

    Attributes
    ----------
    before, grid : PowerGrid
        The grid as it was and as it is at the end, with less in service.
    time : ndarray of float64, shape (T,)
        When the rest was seen, in s; what trips then has not tripped yet.
    deviation : ndarray of float64, shape (T, n)
        By how much the frequency of each bus differs from nominal, in Hz.
    mean : ndarray of float64, shape (T,)
        The mean of the buses by their inertia, in Hz.
    flows : ndarray of float64, shape (T, L)
        What flows over each line from its first bus to its second, per unit.
    trips : tuple of Trip
        What was told to trip, in order of time.
    overloads : tuple of Trip
        Lines that tripped because they bore too much for too long, in order of time.
    phase : ndarray of float64, shape (n,)
        Angles at the end, in rad.
    """

    before: PowerGrid
    grid: PowerGrid
    time: Floats
    deviation: Floats
    mean: Floats
    flows: Floats
    trips: tuple[Trip, ...]
    overloads: tuple[Trip, ...]
    phase: Floats

    def __repr__(self) -> str:
        return (
            f"GridRun({self.time[-1]:g} s, {len(self.trips)} trip{'s' * (len(self.trips) != 1)},"
            f" {len(self.overloads)} overload{'s' * (len(self.overloads) != 1)}, nadir {1000 * self.nadir:.4g} mHz)"
        )

    @property
    def nadir(self) -> float:
        """The lowest mean deviation of frequency, in Hz; 0 if it was never below nominal."""
        return float(min(self.mean.min(), 0.0))

    @property
    def rate(self) -> Floats:
        """Rate of change of the mean frequency between samples, in Hz/s, shape (T - 1,)."""
        return np.diff(self.mean) / np.diff(self.time)

    @property
    def steepest(self) -> float:
        """The rate of change of mean frequency that is largest in size, in Hz/s."""
        return float(self.rate[np.argmax(np.abs(self.rate))])

    @property
    def rates(self) -> Floats:
        """The largest rate of change of frequency at each bus, in size, in Hz/s, shape (n,)."""
        found: Floats = (np.abs(np.diff(self.deviation, axis=0)) / np.diff(self.time)[:, None]).max(axis=0)
        return found

    @cached_property
    def loading(self) -> Floats:
        """Flows by the limits of the lines, in size, shape (T, L): 0 for lines that have none."""
        found: Floats = np.abs(self.flows) / self.before.limit
        return found

    @property
    def beyond(self) -> Ints:
        """Numbers of lines that bore more than their limit at some time, the worst first."""
        worst = self.loading.max(axis=0)
        order: Ints = np.argsort(-worst, kind="stable")
        found: Ints = order[worst[order] > 1]
        return found

    @property
    def stages(self) -> tuple[tuple[Trip, ...], ...]:
        """Overloads that happened at the same time, as the steps of a cascade."""
        times = sorted({trip.at for trip in self.overloads})
        return tuple(tuple(trip for trip in self.overloads if trip.at == at) for at in times)

    @cached_property
    def islands(self) -> tuple[Island, ...]:
        """The pieces at the end, the largest first."""
        grid, piece = self.grid, self.grid.islands
        power, inertia, damping = grid.power, grid.inertia, grid.damping
        found = []
        for number in range(int(piece.max()) + 1):
            buses = np.flatnonzero(piece == number)
            surplus, damps = float(power[buses].sum()), float(damping[buses].sum())
            if abs(surplus) <= 1e-12 * np.abs(power).sum():
                surplus = 0.0
            settled = surplus / damps if damps > 0 else float(np.copysign(np.inf, surplus)) if surplus else 0.0
            mean = _mean(inertia[buses], self.deviation[-1][buses])
            found.append(Island(buses, mean, settled / (2 * pi), surplus * grid.base))
        return tuple(sorted(found, key=lambda island: -len(island.buses)))

    def __str__(self) -> str:
        from .gridtext import told

        return told(self)

    def picture(self, *, title: str | None = None, lines: int = 6) -> Figure:
        """Draw frequency and flows over time.

        Parameters
        ----------
        title : str, optional
            What stands above it.
        lines : int, default 6
            How many lines are shown: those whose loading changes most, or their flow if none has a limit.

        Returns
        -------
        matplotlib.figure.Figure
            A new figure that belongs to no window.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        InvalidType, InvalidValue
            If `lines` is no whole number that is at least 1.
        """
        from .gridplot import picture

        return picture(self, title=title, lines=admit.count(lines, "lines"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Draw `picture` into a PNG file.

        Parameters
        ----------
        path : path-like
            File to write; replaced if it exists.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        OSError
            If the file cannot be written.
        """
        from .plot import save

        save(self.picture(), path)


class Motion:
    """A swarm that swings as a grid does, the grid as things trip, and what is kept of both."""

    def __init__(self, grid: PowerGrid, swarm: Swarm, dt: float, samples: int) -> None:
        self.grid, self.swarm, self.dt, self.tick = grid, swarm, dt, 0
        self.deviation = np.empty((samples, len(grid)))
        self.flows = np.empty((samples, len(grid.lines)))
        self.mean = np.empty(samples)
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
        self.mean[sample] = _mean(self.grid.inertia, self.deviation[sample])
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


def _mean(inertia: Floats, deviation: Floats) -> float:
    return float(inertia @ deviation / inertia.sum())


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
) -> GridRun:
    """Check what is asked for, and run."""
    ticks, interval = _ticks(grid, duration, dt, every)
    planned = by_tick(trips, grid, ticks, dt)
    relays = None if overload is None else Relays(grid, round(admit.real(overload, "overload", least=0.0) / dt))
    samples = ticks // interval + 1
    admit.memory(8 * samples * (len(grid) + len(grid.lines)), "what is kept of the run")
    motion = Motion(grid, grid.swarm(phase, threads=threads), dt, samples)
    overloads: list[Trip] = []
    for tick in sorted({*planned, *range(0, ticks + 1, interval)}):
        motion.until(tick)
        due = planned.get(tick, [])
        if tick % interval == 0:
            flows = motion.look(tick // interval)
            if relays is not None and tick < ticks:
                now = relays.due(flows, tick, dt)
                overloads += now
                due = [*now, *(trip for trip in due if trip.line is None or trip.line not in {one.line for one in now})]
        if due:
            motion.trip(due)
    happened = tuple(trip for trip in motion.happened if trip not in set(overloads))
    time: Floats = np.arange(samples, dtype=np.float64) * (interval * dt)
    seen = motion.deviation, motion.mean, motion.flows
    return GridRun(grid, motion.grid, time, *seen, happened, tuple(overloads), motion.swarm.phase)


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
