"""What happened in a run of a power grid: frequencies and flows, trips, who fell out of step, and the pieces left."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from math import inf, nan, pi
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from . import admit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .grid import PowerGrid
    from .trips import Trip

__all__ = ["RECENT", "GridRun", "Island", "Swing"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RECENT, HALF = 2.0, 0.5
"""Ends of a line are out of step if they turned apart by more than half a turn in these last seconds of a run."""

BELIEVED, LASTING = 0.05, 0.5
"""A bus that is off by a larger share of nominal frequency, mean of so many seconds, is what protection disconnects."""


class Swing(NamedTuple):
    """How far a bus was off, and when.

    Attributes
    ----------
    bus : int
        Its number.
    at : float
        When, in s.
    deviation : float
        By how much its frequency differed from nominal, in Hz.
    """

    bus: int
    at: float
    deviation: float


@dataclass(frozen=True, slots=True, eq=False)
class Island:
    """A piece of a grid after a run.

    Attributes
    ----------
    buses : ndarray of int64
        Numbers of its buses.
    mean : ndarray of float64, shape (T,)
        By how much the frequency of these buses differed from nominal, in Hz: their mean, by the inertia they have at
        the end.
    in_step : bool
        Whether they turn as one: no line among them whose ends turned apart by more than half a turn in the last 2 s.
    settled : float
        What `deviation` tends to, as damping makes up for the imbalance, in Hz; infinite where nothing damps, and NaN
        out of step.
    imbalance : float
        Power fed in less power taken at nominal frequency, in MW.
    """

    buses: Ints
    mean: Floats = field(repr=False)
    in_step: bool
    settled: float
    imbalance: float

    @property
    def deviation(self) -> float:
        """The mean deviation of frequency at the end, in Hz."""
        return float(self.mean[-1])

    @property
    def nadir(self) -> float:
        """The lowest mean deviation of frequency, in Hz; 0 if it was never below nominal."""
        return float(min(self.mean.min(), 0.0))


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
    flows : ndarray of float64, shape (T, L)
        What flows over each line from its first bus to its second, per unit.
    trips : tuple of Trip
        What was told to trip, in order of time.
    overloads : tuple of Trip
        Lines that tripped because they bore too much for too long, in order of time.
    phase : ndarray of float64, shape (n,)
        Angles at the end, in rad.
    turns : ndarray of float64, shape (n,)
        Turns that each bus gained on nominal frequency in the last 2 s, or in all of a shorter run.

    Notes
    -----
    The model has no protection and no governors: nothing sheds load, disconnects a machine or answers to frequency but
    damping. What follows after `believed_until` is no forecast.
    """

    before: PowerGrid
    grid: PowerGrid
    time: Floats
    deviation: Floats
    flows: Floats
    trips: tuple[Trip, ...]
    overloads: tuple[Trip, ...]
    phase: Floats
    turns: Floats

    def __repr__(self) -> str:
        from .gridtext import hertz

        return (
            f"GridRun({self.time[-1]:g} s, {len(self.trips)} trip{'s' * (len(self.trips) != 1)},"
            f" {len(self.overloads)} overload{'s' * (len(self.overloads) != 1)}, nadir {hertz(self.nadir)})"
        )

    @property
    def mean(self) -> Floats:
        """The mean deviation of frequency in the largest island, in Hz, shape (T,): of all buses if they are one."""
        return self.islands[0].mean

    @property
    def nadir(self) -> float:
        """The lowest mean deviation of frequency in the largest island, in Hz; 0 if it was never below nominal."""
        return self.islands[0].nadir

    @property
    def rate(self) -> Floats:
        """Rate of change of `mean` between samples, in Hz/s, shape (T - 1,)."""
        return np.diff(self.mean) / np.diff(self.time)

    @property
    def steepest(self) -> float:
        """The entry of `rate` that is largest in size, in Hz/s."""
        return float(self.rate[np.argmax(np.abs(self.rate))])

    @cached_property
    def widest(self) -> Swing:
        """The bus that was farthest off nominal frequency, and when."""
        low, high = int(self.deviation.argmin()), int(self.deviation.argmax())
        found = max(low, high, key=lambda place: abs(self.deviation.flat[place]))
        sample, bus = divmod(found, self.deviation.shape[1])
        return Swing(bus, float(self.time[sample]), float(self.deviation[sample, bus]))

    @property
    def believed_until(self) -> float:
        """When a bus first has been off by more than 5 % of nominal frequency, mean of half a second, in s.

        Beyond that the model is not valid. Infinite if no bus ever is: shorter spikes of light buses do not count.
        """
        most = BELIEVED * self.before.frequency
        suspects = self.deviation[:, (self.deviation.max(axis=0) > most) | (self.deviation.min(axis=0) < -most)]
        width = min(max(round(LASTING / self.time[1]), 1), len(self.time))
        sums = np.cumsum(np.pad(suspects, ((1, 0), (0, 0))), axis=0)
        beyond = (np.abs(sums[width:] - sums[:-width]) > width * most).any(axis=1)
        return float(self.time[width - 1 + np.argmax(beyond)]) if beyond.any() else inf

    @property
    def apart(self) -> Floats:
        """How much frequencies of a line's ends differ, mean of the last 2 s, in Hz, shape (L,): 0 out of service."""
        turns = np.abs(self.turns[self.grid.lines[:, 0]] - self.turns[self.grid.lines[:, 1]])
        found: Floats = np.where(self.grid.lines_on, turns, 0.0) / min(RECENT, self.time[-1])
        return found

    @cached_property
    def slipping(self) -> Ints:
        """Numbers of lines whose ends turned apart by more than half a turn in the last 2 s, the fastest first."""
        return _worst(self.apart, HALF / min(RECENT, self.time[-1]))

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
        return _worst(self.loading.max(axis=0), 1.0)

    @property
    def strained(self) -> Ints:
        """Numbers of lines that bore more than their limit from the start, before anything tripped, the worst first."""
        return _worst(self.loading[0], 1.0)

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
        slip = {int(piece[bus]) for bus in grid.lines[self.slipping, 0].tolist()}
        found = []
        for number in range(int(piece.max()) + 1):
            buses = np.flatnonzero(piece == number)
            surplus, damps = float(power[buses].sum()), float(damping[buses].sum())
            if abs(surplus) <= 1e-12 * np.abs(power).sum():
                surplus = 0.0
            settled = surplus / damps if damps > 0 else float(np.copysign(inf, surplus)) if surplus else 0.0
            weight = inertia[buses] / inertia[buses].sum()
            mean = np.einsum("tb,b->t", self.deviation[:, buses], weight)
            in_step = number not in slip
            settled = settled / (2 * pi) if in_step else nan
            found.append(Island(buses, mean, in_step, settled, surplus * grid.base))
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
        """Draw `picture` into a file.

        Parameters
        ----------
        path : path-like
            File to write; replaced if it exists. Its ending tells the format: .png, .pdf, .svg; none is PNG.

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        InvalidValue
            If pictures cannot be written in the format of its ending.
        OSError
            If the file cannot be written.
        """
        from .plot import save

        save(self.picture(), path)


def _worst(values: Floats, bound: float) -> Ints:
    """Return where values are beyond a bound, the largest first."""
    order: Ints = np.argsort(-values, kind="stable")
    found: Ints = order[values[order] > bound]
    return found
