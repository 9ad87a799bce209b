"""Power grids: buses, lines, generators and loads as a value, and the swarm that swings as they do."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from . import admit
from .errors import GraphError, InvalidType, InvalidValue
from .machines import Machines
from .model import SecondOrder
from .swarm import Swarm
from .topology import Topology

if TYPE_CHECKING:
    from .gridrun import GridRun
    from .powerflow import PowerFlow
    from .progress import Watcher
    from .trips import Trip

__all__ = ["PowerGrid"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Some: TypeAlias = int | npt.ArrayLike
Given: TypeAlias = Any
"""What a user gives as numbers or array_like; kept as arrays that cannot be written to, of one entry for each."""

Solver = Literal["newton", "relax"]


@dataclass(frozen=True, eq=False, repr=False)
class PowerGrid:
    r"""A power grid without losses, at constant voltages.

    .. math:: M_i \ddot\theta_i + D_i \dot\theta_i = P_i + \sum_j K_{ij} \sin(\theta_j-\theta_i)

    the swing equation: angles :math:`\theta` in rad, seen from a frame that turns at nominal frequency, time in s,
    power per unit of `base`. M is 2 H S/ω and D the damping by ω = 2π · `frequency`, of all machines at a bus.

    Parameters
    ----------
    lines : array_like of int, shape (L, 2)
        The two buses of each line, numbers from 0; each pair once.
    capacity : float or array_like of shape (L,)
        K, the most that a line can carry, at an angle of 90°: susceptance times both voltages, per unit, above 0.
    load : array_like of shape (n,)
        Power that is taken at each bus, per unit; below 0 where it feeds in. Its length tells how many buses there are.
    generator_bus : array_like of int, shape (G,), default ()
        The bus of each generator.
    generation : float or array_like of shape (G,), default 0.0
        Power that each feeds in, per unit; below 0 for a pump.
    rating : float or array_like of shape (G,), optional
        What inertia and damping of a generator are multiples of, per unit, at least 0; by default \|generation\|.
    limit : float or array_like of shape (L,), default inf
        Flow that a line bears, per unit; greater than 0.
    slack : int, default 0
        The bus whose angle is 0 in a power flow.
    labels : iterable of str, optional
        n distinct names of the buses; by default their numbers.
    balance : float or array_like of shape (n,), default 0.0
        Power that is fed in beside generation and load: what makes up for losses that are left out.
    base : float, default 100.0
        One unit of power, in MVA.
    frequency : float, default 50.0
        Nominal frequency in Hz.
    machines : Machines
        Inertia and damping.
    lines_on, generators_on, loads_on : array_like of bool, optional
        What is in service; by default all. `without` returns a grid with less.
    notes : tuple of str
        What a reader did to make it.

    Raises
    ------
    InvalidType, InvalidValue
        If a value is of the wrong type, length or range.
    GraphError
        If the lines do not connect all buses, or one joins a bus with itself or is there twice.
    MissingExtra
        If SciPy (extra ``graphs``) is not installed.

    Notes
    -----
    A value: it cannot be changed, and all threads may read it.

    References
    ----------
    G. Filatrella, A. Nielsen, N. Pedersen, Eur. Phys. J. B 61, 485 (2008), doi:10.1140/epjb/e2008-00098-8.

    Examples
    --------
    >>> import emerge
    >>> pair = emerge.PowerGrid([(0, 1)], 2.0, load=[0.0, 1.0], generator_bus=[0], generation=1.0)
    >>> pair
    PowerGrid(2 buses, 1 line, 1 generator, 100 MW)
    >>> pair.power_flow().phase.round(6).tolist()  # asin(1/2)
    [0.0, -0.523599]
    """

    lines: Given
    capacity: Given
    load: Given
    generator_bus: Given = ()
    generation: Given = 0.0
    rating: Given = None
    limit: Given = np.inf
    slack: int = 0
    labels: Given = None
    balance: Given = 0.0
    base: float = 100.0
    frequency: float = 50.0
    machines: Machines = field(default_factory=Machines)
    lines_on: Given = None
    generators_on: Given = None
    loads_on: Given = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        n = _buses(self.load)
        self._keep(load=_column(self.load, "load", n, "bus"), balance=_column(self.balance, "balance", n, "bus"))
        generator_bus = admit.places(self.generator_bus, n, "generator_bus", "buses")
        self._keep(lines=_pairs(self.lines, n), generator_bus=generator_bus)
        count, machines = len(self.lines), len(self.generator_bus)
        if not machines and np.any(admit.numbers(self.generation, "generation")):
            raise InvalidValue("generation is fed in by generators, and there is none: tell their buses, generator_bus")
        self._keep(
            capacity=_column(self.capacity, "capacity", count, "line", above=True),
            limit=_column(self.limit, "limit", count, "line", above=True, endless=True),
            generation=_column(self.generation, "generation", machines, "generator"),
        )
        rating = np.abs(self.generation) if self.rating is None else self.rating
        self._keep(
            rating=_column(rating, "rating", machines, "generator", least=True),
            lines_on=_mask(self.lines_on, "lines_on", count),
            generators_on=_mask(self.generators_on, "generators_on", machines),
            loads_on=_mask(self.loads_on, "loads_on", n),
            slack=admit.count(self.slack, "slack", least=0, most=n - 1),
            labels=tuple(map(str, range(n) if self.labels is None else self.labels)),
            base=admit.real(self.base, "base", above=0.0),
            frequency=admit.real(self.frequency, "frequency", above=0.0),
        )
        if not isinstance(self.machines, Machines):
            raise InvalidType(f"machines must be an emerge.Machines, not {self.machines!r}")
        self.machines._fitting(machines, n)
        if len(self.labels) != n or len(set(self.labels)) != n:
            raise InvalidValue(f"labels must be {n} distinct names, one for each bus")
        _whole(self, np.ones(count, np.bool_))

    def _keep(self, **values: Any) -> None:
        """Set values for good."""
        for name, value in values.items():
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.load)

    def __repr__(self) -> str:
        lines, generators = int(self.lines_on.sum()), int(self.generators_on.sum())
        fed = self.base * self.generation[self.generators_on].sum()
        return (
            f"PowerGrid({len(self)} bus{'es' * (len(self) != 1)}, {lines} line{'s' * (lines != 1)},"
            f" {generators} generator{'s' * (generators != 1)}, {fed:.6g} MW)"
        )

    @classmethod
    def read(
        cls,
        path: str | os.PathLike[str],
        *,
        frequency: float = 50.0,
        machines: Machines | None = None,
        voltages: Literal["nominal", "case"] = "nominal",
        balance: Literal["spread", "slack"] = "spread",
    ) -> PowerGrid:
        """Read a MATPOWER case.

        Parameters
        ----------
        path : path-like
            The file; it may be packed by gzip.
        frequency : float, default 50.0
            Nominal frequency in Hz, which cases do not tell.
        machines : Machines, optional
            Inertia and damping, which cases do not tell either; by default those of `Machines`. Ratings are the
            largest power that the case allows a generator, and mBase where it says none.
        voltages : {"nominal", "case"}, default "nominal"
            Voltages that capacities are computed with: 1, or those of the case.
        balance : {"spread", "slack"}, default "spread"
            Who makes up for the losses that are left out: all buses alike, or the slack alone.

        Returns
        -------
        PowerGrid
            Buses are numbered from the slack outwards; labels are those of the case. Capacities are 1/|x| of the
            branches in service, those of parallel ones added, and so are their limits (rateA; 0 is none). `notes` tells
            what was left out; numbers of lines and generators are the grid's, not rows of the case.

        Raises
        ------
        GraphFileError
            If the file is no case, or its grid has no slack or is in pieces; it is named.
        FileNotFoundError
            If there is none.
        InvalidType, InvalidValue
            If an argument is of the wrong type or range.

        Notes
        -----
        Resistance, charging, taps and phase shifts are ignored. Only literal values are read.

        References
        ----------
        R. D. Zimmerman, C. E. Murillo-Sánchez, R. J. Thomas, IEEE Trans. Power Systems 26(1), 12-19 (2011),
        doi:10.1109/TPWRS.2010.2051168; MATPOWER User's Manual, appendix B.

        Examples
        --------
        >>> import emerge, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "two.m")
        >>> _ = path.write_text('''mpc.baseMVA = 100;
        ... mpc.bus = [1 3 0; 2 1 50];
        ... mpc.gen = [1 50 0 0 0 1 100 1];
        ... mpc.branch = [1 2 0 0.1 0 0 0 0 0 0 1];
        ... ''')
        >>> emerge.PowerGrid.read(path)
        PowerGrid(2 buses, 1 line, 1 generator, 50 MW)
        """
        from .gridmake import made

        return made(cls, path, frequency=frequency, machines=machines, voltages=voltages, balance=balance)

    # ---- what follows from what is in service

    @cached_property
    def topology(self) -> Topology:
        """Who is joined with whom: the lines in service, their capacities as weights."""
        there = self.lines_on
        return Topology.from_edges(self.lines[there], len(self), weights=self.capacity[there], labels=self.labels)

    @property
    def power(self) -> Floats:
        """Power fed in at each bus, per unit, below 0 where it is taken: a copy."""
        running = self.generators_on
        found: Floats = self.balance - np.where(self.loads_on, self.load, 0.0)
        return found + np.bincount(self.generator_bus[running], self.generation[running], len(self))

    @property
    def inertia(self) -> Floats:
        """M of each bus, in s² per unit and rad: a copy. Lines that trip leave it as it is."""
        return np.maximum(self.machines._inertia(*self._machines()), self.machines._least(self.stiffness, self.damping))

    @property
    def damping(self) -> Floats:
        """D of each bus, in s per unit and rad: a copy."""
        return self.machines._damping(*self._machines())

    @cached_property
    def stiffness(self) -> Floats:
        """The sum of capacities of each bus's lines, in service or not, per unit."""
        found = np.zeros(len(self))
        for side in (0, 1):
            found += np.bincount(self.lines[:, side], self.capacity, len(self))
        found.flags.writeable = False
        return found

    def _machines(self) -> tuple[int, Ints, Floats, Floats, float]:
        """Return what `Machines` asks for: buses, where generators are, their ratings, loads, nominal frequency."""
        rating = np.where(self.generators_on, self.rating, 0.0)
        return len(self), self.generator_bus, rating, np.where(self.loads_on, self.load, 0.0), self.frequency

    @property
    def islands(self) -> Ints:
        """The number of the piece that each bus is in, by the lines in service: a copy; all 0 if it is whole."""
        return self.topology.components()

    def flows(self, phase: npt.ArrayLike) -> Floats:
        """Return what flows over each line, from its first bus to its second.

        Parameters
        ----------
        phase : array_like of shape (n,)
            Angles in rad.

        Returns
        -------
        ndarray of float64, shape (L,)
            Flows per unit: 0 over lines that are out of service.

        Raises
        ------
        InvalidType, InvalidValue
            If phases are not finite numbers, one for each bus.

        Examples
        --------
        >>> import emerge
        >>> emerge.PowerGrid([(0, 1)], 2.0, load=[-1.0, 1.0]).flows([0.5, 0.0]).round(4).tolist()
        [0.9589]
        """
        return self._flows(_column(phase, "phase", len(self), "bus"))

    def _flows(self, phase: Floats) -> Floats:
        found: Floats = self.capacity * np.sin(phase[self.lines[:, 0]] - phase[self.lines[:, 1]])
        found[~self.lines_on] = 0.0
        return found

    def bus(self, label: str) -> int:
        """Return the number of a bus.

        Parameters
        ----------
        label : str
            Its name.

        Returns
        -------
        int
            Its number, from 0.

        Raises
        ------
        InvalidValue
            If no bus has this name.

        Examples
        --------
        >>> import emerge
        >>> emerge.PowerGrid([(0, 1)], 2.0, load=[-1.0, 1.0], labels=["north", "south"]).bus("south")
        1
        """
        try:
            return list(self.labels).index(str(label))
        except ValueError:
            raise InvalidValue(f"no bus is called {label!r}") from None

    def line(self, one: str, other: str) -> int:
        """Return the number of the line between two buses.

        Parameters
        ----------
        one, other : str
            Their names, in any order.

        Returns
        -------
        int
            The line's number, from 0.

        Raises
        ------
        InvalidValue
            If there is no such bus or line.

        Examples
        --------
        >>> import emerge
        >>> emerge.PowerGrid([(0, 1), (1, 2)], 2.0, load=[-1.0, 0.5, 0.5]).line("2", "1")
        1
        """
        ends = {self.bus(one), self.bus(other)}
        for k in np.flatnonzero(self.lines == min(ends)) // 2:
            if set(self.lines[k].tolist()) == ends:
                return int(k)
        raise InvalidValue(f"no line joins {one} with {other}")

    def without(self, *, lines: Some = (), generators: Some = (), loads: Some = ()) -> PowerGrid:
        """Return the grid with some of it out of service; all keeps its number.

        Parameters
        ----------
        lines, generators, loads : int or array_like of int, default ()
            Numbers of lines, of generators, and of buses whose loads they are.

        Returns
        -------
        PowerGrid
            Another one; power is not balanced anew.

        Raises
        ------
        InvalidType, InvalidValue
            If there is no such thing.

        Examples
        --------
        >>> import emerge
        >>> ring = emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], 2.0, load=[-1.0, 0.5, 0.5])
        >>> ring.without(lines=0)
        PowerGrid(3 buses, 2 lines, 0 generators, 0 MW)
        """
        changed: dict[str, Any] = {
            "lines_on": _less(self.lines_on, lines, "lines"),
            "generators_on": _less(self.generators_on, generators, "generators"),
            "loads_on": _less(self.loads_on, loads, "loads"),
        }
        return dataclasses.replace(self, **changed)

    # ---- what it does

    def swarm(self, phase: npt.ArrayLike | None = None, *, threads: int | None = None) -> Swarm:
        """Return the swarm that swings as this grid does, with time in s.

        Parameters
        ----------
        phase : array_like of shape (n,), optional
            Angles in rad at the start, of buses at nominal frequency; by default those of `power_flow`, at its
            frequency.
        threads : int, optional
            As for `Swarm`.

        Returns
        -------
        Swarm
            Its velocities are 2π times the buses' frequency deviations in Hz. Use ``method="rk4"`` and ticks of at most
            2.6 / `Machines.fastest`.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type or range.
        Infeasible
            As `power_flow`, unless phases are given.

        Examples
        --------
        >>> import emerge
        >>> swarm = emerge.PowerGrid([(0, 1)], 2.0, load=[-1.0, 1.0]).swarm()
        >>> swarm.step(500, dt=0.002, method="rk4")
        >>> bool(abs(swarm.velocity).max() < 1e-10)
        True
        """
        velocity = 0.0
        if phase is None:
            flow = self.power_flow()
            phase, velocity = flow.phase, 2 * np.pi * flow.deviation
        start = _column(phase, "phase", len(self), "bus")
        return Swarm(
            self.topology,
            self._model(),
            frequency=self.power,
            phase=start,
            velocity=velocity,
            threads=threads,
            seed=0,
        )

    def _model(self) -> SecondOrder:
        return SecondOrder(coupling=1.0, normalize="none", inertia=self.inertia, damping=self.damping)

    def power_flow(self, method: Solver = "newton") -> PowerFlow:
        """Return the state in which all buses turn alike, and every line carries what it must.

        Parameters
        ----------
        method : {"newton", "relax"}, default "newton"
            Newton's method on P = B K sin(Bᵀθ) by SciPy, or a swarm that comes to rest.

        Returns
        -------
        PowerFlow
            Angles, flows and the common frequency deviation: 0 where power is balanced; else damping makes up for it.

        Raises
        ------
        InvalidValue
            If the grid is in pieces, or nothing can make up for an imbalance.
        Infeasible
            If the lines cannot carry it: says by how much, and which lines bind.

        Notes
        -----
        The state is stable: small deviations die out. Newton's method takes well below a second on ten thousand buses.
        The same bits on any number of threads.

        References
        ----------
        F. Dörfler, M. Chertkov, F. Bullo, PNAS 110, 2005 (2013), doi:10.1073/pnas.1212134110.

        Examples
        --------
        >>> import emerge
        >>> ring = emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], 2.0, load=[-1.0, 0.5, 0.5])
        >>> ring.power_flow().flows.round(6).tolist()
        [0.5, 0.0, 0.5]
        """
        from .powerflow import solved

        if method not in ("newton", "relax"):
            raise InvalidValue(f"method must be one of 'newton', 'relax', not {method!r}")
        _whole(self, self.lines_on)
        return solved(self, method)

    def run(
        self,
        duration: float,
        *,
        trips: Trip | Iterable[Trip] = (),
        overload: float | None = None,
        dt: float = 0.002,
        every: float = 0.02,
        phase: npt.ArrayLike | None = None,
        threads: int | None = None,
        progress: bool | Watcher = False,
    ) -> GridRun:
        """Run the swing equation from the power flow on, while things trip.

        Parameters
        ----------
        duration : float
            In s, a whole number of ticks.
        trips : Trip or iterable of Trip, default ()
            What goes out of service when.
        overload : float, optional
            Seconds, at least 0, that a line bears more than its limit before it trips too, so that failures may
            cascade. By default lines bear everything. A line beyond its limit from the start trips like any other.
        dt : float, default 0.002
            Length of a tick in s, at most 2.6 / `Machines.fastest`; the method is RK4.
        every : float, default 0.02
            Interval in s at which frequencies and flows are kept and limits are watched, a whole number of ticks.
        phase : array_like of shape (n,), optional
            Angles in rad at the start; by default those of `power_flow`.
        threads : int, optional
            As for `Swarm`.
        progress : bool or callable, default False
            As for `Swarm.run`; told about a hundred times.

        Returns
        -------
        GridRun
            What happened: frequencies, flows, trips, and the pieces that were left.

        Raises
        ------
        InvalidType, InvalidValue
            If an argument is of the wrong type or range, something trips that is not there, twice, or at a time that
            is no tick of the run, or no line has a limit that `overload` could mean; nothing has run then.
        Infeasible
            As `power_flow`, unless phases are given.
        TooLarge
            If there is no memory for what is kept: 8 bytes for each bus and line, each time.

        Notes
        -----
        A piece that a trip cuts off goes on by itself; one whose power does not balance drifts away from nominal
        frequency until its damping balances it, or for ever. The same bits on any number of threads.

        References
        ----------
        B. Schäfer, D. Witthaut, M. Timme, V. Latora, Nat. Commun. 9, 1975 (2018), doi:10.1038/s41467-018-04287-5, on
        cascades in which lines trip by their transient flows.

        Examples
        --------
        >>> import emerge
        >>> ring = emerge.PowerGrid([(0, 1), (1, 2), (0, 2)], 2.0, load=[-1.0, 0.5, 0.5])
        >>> after = ring.run(60.0, trips=emerge.Trip(1.0, line=0))
        >>> after.flows[-1].round(3).tolist()
        [0.0, -0.5, 1.0]
        """
        from .gridmotion import ran

        return ran(
            self, duration, trips=trips, overload=overload, dt=dt, every=every, phase=phase, threads=threads,
            progress=progress,
        )  # fmt: skip


def _buses(load: object) -> int:
    """Return how many buses there are, by their loads."""
    loads = admit.numbers(load, "load")
    if loads.ndim == 0:
        raise InvalidValue(
            f"load must be a list with an entry for each bus, which tells how many there are, not {load!r}"
        )
    if not loads.size:
        raise InvalidValue("load must have an entry for each bus, 0 where nothing is taken, and there is none")
    return loads.size


def _pairs(value: object, n: int) -> Ints:
    """Check lines: pairs of different buses, each once."""
    array = np.asarray(value)
    if array.size == 0:
        return np.empty((0, 2), np.int64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise InvalidValue(f"lines must have shape (L, 2), two buses each, not {array.shape}")
    pairs = admit.places(array.ravel(), n, "lines", "buses").reshape(-1, 2)
    loops = np.flatnonzero(pairs[:, 0] == pairs[:, 1])
    if loops.size:
        raise GraphError(
            f"line {loops[0]} joins bus {pairs[loops[0], 0]} with itself: it carries nothing, leave it out"
        )
    keys = pairs.min(axis=1) * n + pairs.max(axis=1)
    _, first, count = np.unique(keys, return_index=True, return_counts=True)
    if (count > 1).any():
        again = pairs[first[count > 1][0]].tolist()
        raise GraphError(f"buses {again[0]} and {again[1]} are joined twice: add the lines up to one")
    return pairs


def _column(
    value: object, name: str, count: int, each: str, *, above: bool = False, least: bool = False, endless: bool = False
) -> Floats:
    """Check one number or one for each, with all above 0 or at least 0, all finite unless endless."""
    array = admit.column(value, name, count, each)
    if np.isnan(array).any() or not (endless or np.isfinite(array).all()):
        admit.finite(array, name)
    wrong = np.flatnonzero((above & (array <= 0)) | (least & (array < 0)))
    if wrong.size:
        bound = "greater than 0" if above else "at least 0"
        raise InvalidValue(f"{name} must be {bound}, but that of {each} {wrong[0]} is {array[wrong[0]]:g}")
    return array


def _mask(value: object, name: str, count: int) -> Mask:
    if value is None:
        return np.ones(count, np.bool_)
    array = np.array(value)
    if array.dtype != np.bool_ or array.shape != (count,):
        raise InvalidValue(f"{name} must be {count} truth values, not {array.dtype} of shape {array.shape}")
    return array


def _less(working: Mask, gone: Some, things: str) -> Mask:
    left = working.copy()
    left[admit.places(gone, len(working), things, things)] = False
    return left


def _whole(grid: PowerGrid, there: Mask) -> None:
    """Refuse a grid that these lines leave in pieces."""
    sparse = admit.extra("scipy.sparse", "graphs", "a power grid")
    graph = admit.extra("scipy.sparse.csgraph", "graphs", "a power grid")
    one, other = grid.lines[there].T
    n = len(grid)
    pieces, piece = graph.connected_components(
        sparse.coo_array((np.ones(len(one)), (one, other)), shape=(n, n)), directed=False
    )
    if pieces > 1:
        apart = np.flatnonzero(piece != piece[grid.slack])
        names = ", ".join(grid.labels[k] for k in apart[:3]) + (", …" if len(apart) > 3 else "")
        raise GraphError(
            f"the grid is in {pieces} pieces, and all buses must hang together with the slack, bus"
            f" {grid.labels[grid.slack]}: {len(apart)} do{'es' * (len(apart) == 1)} not (bus {names})"
        )
